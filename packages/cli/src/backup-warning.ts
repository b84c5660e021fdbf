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
  await invocation.warn(
    `${join(home, 'owner.key')} alone opens your keys: copy it to a safe place, then make the file ${marker}`,
  );
}
