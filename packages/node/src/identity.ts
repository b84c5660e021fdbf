import { randomBytes } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SkerryError, wipe } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { nodeIdOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import {
  checkHome,
  discardOldDrafts,
  draftKey,
  homeInvalid,
  type KeyDraft,
  type KeyFile,
  keyFiles,
  type Lock,
  readKeyFile,
  readSeed,
} from './key-file.ts';

/** Who a home is: its node on the network, and its owner as authority over keys. */
export type Identity = {
  /** 32 bytes, Ed25519: signs as the node and names it. The caller owns and wipes it. */
  readonly nodeSeed: Uint8Array;
  /** 32 bytes, Ed25519: signs for the keys that this home deals. The caller owns and wipes it. */
  readonly ownerSeed: Uint8Array;
  /** libp2p's name of the node. */
  readonly nodeId: string;
};

const seedBytes = 32;
const homeMode = 0o700;

/**
 * Makes a new identity in a home, which is created if need be: `node.key` and `owner.key`, readable by nobody else,
 * on disk when this resolves. A home that has either key is left as it is.
 *
 * @param home the home directory
 * @param passphrase encrypts both files, as age files; at least a byte; stays the caller's
 * @param workFactor log2 of scrypt's N for that, 1 to `scryptWorkFactorMax`
 * @throws HOME_INVALID where the home has a key already, is open to others, or cannot be written
 */
export async function createIdentity(
  home: string,
  passphrase?: Uint8Array,
  workFactor: number = parameters.scryptWorkFactor,
): Promise<Identity> {
  try {
    await mkdir(home, { recursive: true, mode: homeMode });
  } catch (error) {
    throw homeInvalid(home, 'cannot be created', error);
  }
  await checkHome(home);
  const seeds = {
    node: new Uint8Array(randomBytes(seedBytes)),
    owner: new Uint8Array(randomBytes(seedBytes)),
  };
  for (const { name } of Object.values(keyFiles)) {
    if (await exists(join(home, name))) throw homeInvalid(home, `has a ${name} already`);
  }
  const drafts = await draftKeys(home, seeds, passphrase && { passphrase, workFactor });
  try {
    for (const draft of drafts) await draft.place();
  } finally {
    for (const draft of drafts) await draft.discard();
  }
  return identityOf(seeds.node, seeds.owner);
}

/**
 * The identity in a home.
 *
 * @param home the home directory
 * @param passphrase for key files that are under one; stays the caller's
 * @throws HOME_INVALID where the home or a key is missing, malformed or open to others
 * @throws PASSPHRASE_NEEDED, PASSPHRASE_WRONG
 */
export async function loadIdentity(home: string, passphrase?: Uint8Array): Promise<Identity> {
  const { node, owner } = await readSeeds(home, async file => readSeed(home, file, passphrase));
  return identityOf(node, owner);
}

type Seeds = Readonly<Record<keyof typeof keyFiles, Uint8Array>>;

async function readSeeds(home: string, read: (file: KeyFile) => Promise<Uint8Array>): Promise<Seeds> {
  await checkHome(home);
  const node = await read(keyFiles.node);
  try {
    return { node, owner: await read(keyFiles.owner) };
  } catch (error) {
    wipe(node);
    throw error;
  }
}

/**
 * Whether a key file of a home is under a passphrase.
 *
 * @param home the home directory
 * @throws HOME_INVALID where the home or a key is missing or open to others
 */
export async function needsPassphrase(home: string): Promise<boolean> {
  await checkHome(home);
  const found = await Promise.all(Object.values(keyFiles).map(async file => readKeyFile(home, file)));
  wipe(...found.map(({ bytes }) => bytes));
  return found.some(({ isEncrypted }) => isEncrypted);
}

/**
 * Puts the key files of a home under another passphrase, a first one, or none. Both are read before either is written,
 * and each is replaced in one step; a crash between the two leaves one of each kind, which the same call mends: a file
 * that the new passphrase opens already counts as changed.
 *
 * @param home the home directory
 * @param from what the files are under now; stays the caller's
 * @param to what they will be under; undefined for nothing; stays the caller's
 * @param workFactor log2 of scrypt's N, 1 to `scryptWorkFactorMax`
 * @returns the node id
 * @throws HOME_INVALID, PASSPHRASE_NEEDED and PASSPHRASE_WRONG as `loadIdentity`; nothing is changed then
 */
export async function changePassphrase(
  home: string,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
  workFactor: number = parameters.scryptWorkFactor,
): Promise<string> {
  const seeds = await readSeeds(home, async file => readEither(home, file, from, to));
  try {
    await discardOldDrafts(home);
    const drafts = await draftKeys(home, seeds, to && { passphrase: to, workFactor });
    try {
      for (const draft of drafts) await draft.replace();
    } finally {
      for (const draft of drafts) await draft.discard();
    }
    return nodeIdOf(nodeCrypto.ed25519PublicKey(seeds.node));
  } finally {
    wipe(seeds.node, seeds.owner);
  }
}

/** A seed under the one passphrase, or else under the other; where neither opens it, the error is the first one's. */
async function readEither(
  home: string,
  file: KeyFile,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
): Promise<Uint8Array> {
  try {
    return await readSeed(home, file, from);
  } catch (error) {
    const isLocked =
      error instanceof SkerryError && ['PASSPHRASE_WRONG', 'PASSPHRASE_NEEDED'].includes(error.code);
    if (!isLocked || to === undefined) throw error;
    return readSeed(home, file, to).catch(() => {
      throw error;
    });
  }
}

/** Both keys beside their places, the owner's first: a home with a node key is complete. */
async function draftKeys(home: string, seeds: Seeds, lock: Lock | undefined): Promise<KeyDraft[]> {
  const owner = await draftKey(home, keyFiles.owner, seeds.owner, lock);
  try {
    return [owner, await draftKey(home, keyFiles.node, seeds.node, lock)];
  } catch (error) {
    await owner.discard();
    throw error;
  }
}

function identityOf(nodeSeed: Uint8Array, ownerSeed: Uint8Array): Identity {
  return { nodeSeed, ownerSeed, nodeId: nodeIdOf(nodeCrypto.ed25519PublicKey(nodeSeed)) };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
