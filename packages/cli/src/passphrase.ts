import { equalBytes, SkerryError, wipe } from '@skerry/base';
import { passphraseBytesMax } from '../parameters.ts';
import type { Invocation } from './command.ts';
import type { Io } from './io.ts';
import { readSecretFile } from './secret-file.ts';
import { askHidden } from './typed-line.ts';

/** The same bytes, if they are one line that can be a passphrase; else they are wiped. */
function checked(passphrase: Uint8Array, source: string): Uint8Array {
  const problem =
    passphrase.length === 0
      ? 'is empty'
      : passphrase.length > passphraseBytesMax
        ? `is over ${passphraseBytesMax} bytes`
        : passphrase.some(byte => byte === 0 || byte === 0x0a || byte === 0x0d)
          ? 'is more than a line of text'
          : undefined;
  if (problem === undefined) return passphrase;
  wipe(passphrase);
  throw new SkerryError('PASSPHRASE_INVALID', `the passphrase ${source} ${problem}`);
}

/**
 * The passphrase in a file: all of it but one newline at its end.
 *
 * @param path a file that nobody else may read, or a pipe
 * @returns the caller's to wipe
 * @throws PASSPHRASE_INVALID, SECRET_EXPOSED, FILE_UNREADABLE
 */
export async function readPassphraseFile(path: string): Promise<Uint8Array> {
  const bytes = await readSecretFile(path);
  const end = bytes.at(-1) !== 0x0a ? bytes.length : bytes.at(-2) === 0x0d ? -2 : -1;
  const passphrase = bytes.slice(0, end);
  wipe(bytes);
  return checked(passphrase, `in ${path}`);
}

/**
 * Asks twice for a new passphrase at the terminal.
 *
 * @returns the caller's to wipe
 * @throws PASSPHRASE_INVALID where it is none, or the second is another; PASSPHRASE_NEEDED as `askHidden`
 */
export async function askNewPassphrase(io: Io): Promise<Uint8Array> {
  const prompts = ['New passphrase for the keys: ', 'The same again: '];
  const [first, second] = (await askHidden(io, prompts, passphraseBytesMax)) as [Uint8Array, Uint8Array];
  const isSame = equalBytes(first, second);
  wipe(second);
  if (isSame) return checked(first, 'typed');
  wipe(first);
  throw new SkerryError('PASSPHRASE_INVALID', 'the passphrase was typed in two ways');
}

/**
 * The passphrase that a home's keys are under: from a file, or else typed once at the terminal.
 *
 * @param home the home directory
 * @param path the file, from the flag or the setting; empty where there is none
 * @returns the caller's to wipe; undefined where the keys are under none
 * @throws PASSPHRASE_NEEDED where it is in no file and cannot be typed; PASSPHRASE_INVALID, SECRET_EXPOSED,
 *   FILE_UNREADABLE, HOME_INVALID
 */
export async function findPassphrase(
  home: string,
  path: string,
  { io, warn }: Pick<Invocation, 'io' | 'warn'>,
): Promise<Uint8Array | undefined> {
  const { needsPassphrase } = await import('@skerry/node/identity');
  if (!(await needsPassphrase(home))) {
    if (path !== '')
      await warn(
        `the keys in ${home} are under no passphrase: give them one with skerry identity passphrase`,
      );
    return undefined;
  }
  if (path !== '') return readPassphraseFile(path);
  if (io.stdin.isTTY !== true) {
    const advice = 'give --passphrase-file, or set SKERRY_PASSPHRASE_FILE or passphrase-file';
    throw new SkerryError('PASSPHRASE_NEEDED', `the keys in ${home} are under a passphrase: ${advice}`, {
      home,
    });
  }
  const [typed] = await askHidden(io, [`Passphrase for the keys in ${home}: `], passphraseBytesMax);
  return checked(typed!, 'typed');
}
