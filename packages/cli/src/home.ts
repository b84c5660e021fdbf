import { resolve } from 'node:path';
import type { Io } from './io.ts';

/**
 * The directory of a node's identity, configuration and data: `--home`, else SKERRY_HOME, else systemd's
 * STATE_DIRECTORY (the first of several), else the platform's place for a user's data (XDG_DATA_HOME on Linux). An
 * empty variable counts as absent. Nothing is created.
 *
 * @param flag what `--home` said
 * @param env the environment
 * @returns an absolute path
 */
export async function findHome(flag: string | undefined, env: Io['env']): Promise<string> {
  const stateDirectory = env['STATE_DIRECTORY']?.split(':')[0];
  const named = [flag, env['SKERRY_HOME'], stateDirectory].find(path => path !== undefined && path !== '');
  if (named !== undefined) return resolve(named);
  const { default: envPaths } = await import('env-paths');
  return envPaths('skerry', { suffix: '' }).data;
}
