import { randomBytes } from 'node:crypto';
import { chmod, link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex, SkerryError, toHex, wipe } from '@skerry/base';
import { parameters } from '../parameters.ts';

const seedBytes = 32;
const fileMode = 0o600;
/** How an age file begins, as it is and armored (C2SP age). */
const ageStarts = ['age-encryption.org/v1\n', '-----BEGIN AGE ENCRYPTED FILE-----'];
const ageStartBytes = 64;

/** The files of a home that keep its keys: a header and the seed in hexadecimal, or that as an age file. */
export const keyFiles = {
  node: { name: 'node.key', header: 'skerry-node-key-v1' },
  owner: { name: 'owner.key', header: 'skerry-owner-key-v1' },
} as const;

/** One of `keyFiles`. */
export type KeyFile = (typeof keyFiles)[keyof typeof keyFiles];

/** A passphrase to keep keys under, at least a byte, and the work that guessing it costs, as log2 of scrypt's N. */
export type Lock = { readonly passphrase: Uint8Array; readonly workFactor: number };

/** The coded error for a home that is not as it must be. */
export function homeInvalid(home: string, problem: string, cause?: unknown): SkerryError {
  return new SkerryError('HOME_INVALID', `the home ${home} ${problem}`, { home }, cause);
}

/** Refuses a home that is missing or that others may use. */
export async function checkHome(home: string): Promise<void> {
  const { mode } = await stat(home).catch((error: unknown) => {
    throw homeInvalid(home, 'is missing', error);
  });
  if ((mode & 0o077) !== 0) throw homeInvalid(home, 'is open to others: chmod 700 it');
}

/**
 * A key file's bytes, the caller's to wipe, and whether they are encrypted.
 *
 * @throws HOME_INVALID where it is missing, open to others, too long or cannot be read
 */
export async function readKeyFile(
  home: string,
  { name }: KeyFile,
): Promise<{ readonly bytes: Uint8Array; readonly isEncrypted: boolean }> {
  const path = join(home, name);
  const status = await stat(path).catch((error: unknown) => {
    throw homeInvalid(home, 'has no identity: run skerry init', error);
  });
  if ((status.mode & 0o077) !== 0) throw homeInvalid(home, `has its ${name} open to others: chmod 600 it`);
  // Before it is opened: a pipe would keep us waiting.
  if (!status.isFile()) throw homeInvalid(home, `has something that is no file as its ${name}`);
  const buffer = new Uint8Array(parameters.keyFileBytesMax + 1);
  let length: number;
  try {
    const file = await open(path, 'r');
    try {
      length = (await file.read(buffer, 0, buffer.length, 0)).bytesRead;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw homeInvalid(home, `has its ${name} where it cannot be read`, error);
  }
  if (length === buffer.length) throw homeInvalid(home, `has a malformed ${name}: it is too long`);
  const bytes = buffer.subarray(0, length);
  const start = Buffer.from(bytes.subarray(0, ageStartBytes)).toString('latin1');
  return { bytes, isEncrypted: ageStarts.some(mark => start.startsWith(mark)) };
}

/**
 * The seed in a key file, the caller's to wipe.
 *
 * @param passphrase stays the caller's; not looked at where the file is not encrypted
 * @throws HOME_INVALID as `readKeyFile`, and where the file is malformed or asks for too much work
 * @throws PASSPHRASE_NEEDED, PASSPHRASE_WRONG
 */
export async function readSeed(home: string, file: KeyFile, passphrase?: Uint8Array): Promise<Uint8Array> {
  const { bytes, isEncrypted } = await readKeyFile(home, file);
  const plain = isEncrypted ? await unlock(home, file, bytes, passphrase) : bytes;
  try {
    const [first, second, ...rest] = Buffer.from(plain.buffer, plain.byteOffset, plain.length)
      .toString('latin1')
      .split('\n');
    const seed = first === file.header && rest.join('') === '' ? fromHex(second ?? '') : undefined;
    if (seed?.length !== seedBytes) throw homeInvalid(home, `has a malformed ${file.name}`);
    return seed;
  } finally {
    wipe(plain);
  }
}

async function unlock(
  home: string,
  { name }: KeyFile,
  bytes: Uint8Array,
  passphrase: Uint8Array | undefined,
): Promise<Uint8Array> {
  const facts = { home, file: name };
  if (passphrase === undefined) {
    const advice = 'give --passphrase-file, or type it at a terminal';
    throw new SkerryError('PASSPHRASE_NEEDED', `${join(home, name)} is under a passphrase: ${advice}`, facts);
  }
  const { decryptUnderPassphrase } = await import('./passphrase.ts');
  let plain: Uint8Array | undefined;
  try {
    plain = await decryptUnderPassphrase(bytes, passphrase);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw homeInvalid(home, `has a malformed ${name}: ${reason}`, error);
  }
  if (plain === undefined) {
    const message = `the passphrase does not open ${join(home, name)}; nothing was changed`;
    throw new SkerryError('PASSPHRASE_WRONG', message, facts);
  }
  return plain;
}

/** A key file that is on the disk beside its place. */
export type KeyDraft = {
  /** Puts it in its place, where there must be none yet. */
  readonly place: () => Promise<void>;
  /** Puts it in the place of the one that is there, in one step. */
  readonly replace: () => Promise<void>;
  /** Leaves nothing beside the place. */
  readonly discard: () => Promise<void>;
};

/**
 * Writes a key file beside its place and flushes it to the disk. From there it goes into its place whole or not at
 * all.
 *
 * @param seed stays the caller's
 * @param lock encrypts it where it is given
 * @throws HOME_INVALID where it cannot be written; nothing is left then. So do the draft's steps
 */
export async function draftKey(
  home: string,
  { name, header }: KeyFile,
  seed: Uint8Array,
  lock: Lock | undefined,
): Promise<KeyDraft> {
  const path = join(home, name);
  const draft = join(home, `.${name}.${toHex(randomBytes(8))}`);
  const text = Buffer.from(`${header}\n${toHex(seed)}\n`, 'latin1');
  const discard = async (): Promise<void> => rm(draft, { force: true });
  async function coded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw homeInvalid(home, `cannot keep ${name}`, error);
    }
  }
  try {
    await coded(async () => writeSynced(draft, lock === undefined ? text : await encrypt(text, lock)));
  } catch (error) {
    await discard();
    throw error;
  } finally {
    wipe(text);
  }
  return {
    place: async () =>
      coded(async () => {
        await link(draft, path);
        await syncDirectory(home);
      }),
    replace: async () =>
      coded(async () => {
        await rename(draft, path);
        await syncDirectory(home);
      }),
    discard,
  };
}

async function encrypt(text: Uint8Array, { passphrase, workFactor }: Lock): Promise<Uint8Array> {
  const { encryptUnderPassphrase } = await import('./passphrase.ts');
  return encryptUnderPassphrase(text, passphrase, workFactor);
}

async function writeSynced(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', fileMode);
  try {
    await chmod(path, fileMode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Removes drafts that a crash left behind: they may hold a key without its passphrase.
 *
 * @throws HOME_INVALID where they cannot be removed
 */
export async function discardOldDrafts(home: string): Promise<void> {
  const names = Object.values(keyFiles).map(({ name }) => name.replace('.', '\\.'));
  const pattern = new RegExp(`^\\.(${names.join('|')})\\.[0-9a-f]{16}$`);
  try {
    const drafts = (await readdir(home)).filter(name => pattern.test(name));
    await Promise.all(drafts.map(async name => rm(join(home, name), { force: true })));
  } catch (error) {
    throw homeInvalid(home, 'cannot be cleared of old drafts', error);
  }
}
