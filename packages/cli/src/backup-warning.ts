import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Invocation } from './command.ts';

/** A file of this name in a home says that its owner key was copied to a safe place. */
const markerName = 'backed-up';

/**
 * Whether a home's owner says that its owner key was copied to a safe place.
 *
 * @param home the home directory
 */
export async function isBackedUp(home: string): Promise<boolean> {
  return access(join(home, markerName)).then(
    () => true,
    () => false,
  );
}

/**
 * What to do while a home's owner key exists once.
 *
 * @param home the home directory
 */
export async function backupAdvice(home: string): Promise<string> {
  const { needsPassphrase } = await import('@skerry/node/identity');
  const locked = await needsPassphrase(home).catch(() => false); // a home that is gone is no reason to fail here
  const opener = locked ? 'with its passphrase opens your keys: copy both' : 'alone opens your keys: copy it';
  return `${join(home, 'owner.key')} ${opener} to a safe place, then make the file ${join(home, markerName)}`;
}

/**
 * Warns, until told otherwise, that a home's owner key exists once: without it, keys outlive who may open them.
 *
 * @param home the home directory
 */
export async function warnOfBackup(home: string, invocation: Pick<Invocation, 'warn'>): Promise<void> {
  if (!(await isBackedUp(home))) await invocation.warn(await backupAdvice(home));
}
