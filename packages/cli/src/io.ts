import type { Readable, Writable } from 'node:stream';
import { fileError } from '@skerry/base';
import { figureColumnsMax, figureColumnsMin, terminalColumnsDefault } from '../parameters.ts';

/** A stream that text goes to, and what it says of itself where it is a terminal. */
export type TerminalStream = Writable & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** What a run of the command line reads and writes; `process` is one. */
export type Io = {
  readonly stdin: Readable & {
    readonly isTTY?: boolean | undefined;
    readonly fd?: number;
    /** Where it is a terminal: whether typing comes byte by byte and unshown. */
    readonly setRawMode?: (isRaw: boolean) => unknown;
  };
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
}

/**
 * Writes text or bytes and waits until the stream has taken it. A reader that went away (EPIPE) has read what it wanted:
 * that is no error, now or later.
 *
 * @throws FILE_UNREADABLE when the stream cannot be written
 */
export async function writeText(stream: Writable, text: string | Uint8Array): Promise<void> {
  const ignore = (): void => {};
  // A stream that fails also emits the error, after the callback; without a listener that would end the process.
  stream.once('error', ignore);
  const failure = await new Promise<unknown>(resolve => {
    stream.write(text, resolve);
  });
  if (!failure) stream.off('error', ignore);
  // Once a stream has failed, later writes only say that it is closed.
  else if (codeOf(stream.errored ?? failure) !== 'EPIPE') throw fileError('-', 'write', failure);
}

/** Columns of a terminal; some say 0 for want of knowing. */
export function columnsOf(stream: TerminalStream): number {
  return stream.columns || terminalColumnsDefault;
}

/** Columns for a map or plot on a stream. */
export function figureColumns(stream: TerminalStream): number {
  return Math.max(figureColumnsMin, Math.min(figureColumnsMax, columnsOf(stream)));
}

/** Whether escape sequences for colour belong on a stream: a terminal, and nobody said NO_COLOR (no-color.org). */
export function takesColor({ stdout, env }: Pick<Io, 'stdout' | 'env'>): boolean {
  return stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
