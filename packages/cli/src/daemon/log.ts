import type { Log } from '@skerry/base';
import pino from 'pino';
import type { Invocation } from '../command.ts';

/** The daemon's log: lines of JSON on standard error, from warnings up with --quiet. */
export function createDaemonLog({ quiet, io }: Pick<Invocation, 'quiet' | 'io'>): Log {
  const level = quiet ? 'warn' : 'info';
  const lines = pino({ name: 'skerry', level, base: null }, io.stderr);
  return {
    debug: (message, fields = {}) => lines.debug(fields, message),
    info: (message, fields = {}) => lines.info(fields, message),
    warn: (message, fields = {}) => lines.warn(fields, message),
    error: (message, fields = {}) => lines.error(fields, message),
  };
}
