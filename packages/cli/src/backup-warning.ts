import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Invocation } from './command.ts';

/** A file of this name in a home says that its owner key was copied to a safe place. */
const markerName = 'backed-up';

/**
 * Warns, until told otherwise, that a home's owner key exists once: without it, keys outlive who may open them.
 *
 * @param home the home directory
 */
export async function warnOfBackup(home: string, invocation: Pick<Invocation, 'warn'>): Promise<void> {
  const marker = join(home, markerName);
  const marked = await access(marker).then(
    () => true,
    () => false,
  );
  if (marked) return;
  const { needsPassphrase } = await import('@skerry/node/identity');
  const locked = await needsPassphrase(home).catch(() => false); // a home that is gone is no reason to fail here
  const opener = locked ? 'with its passphrase opens your keys: copy both' : 'alone opens your keys: copy it';
  await invocation.warn(`${join(home, 'owner.key')} ${opener} to a safe place, then make the file ${marker}`);
}
