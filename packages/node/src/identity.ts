import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromHex, SkerryError, toHex, wipe } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { nodeIdOf } from '@skerry/wire';

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
const fileMode = 0o600;
const files = {
  node: { name: 'node.key', header: 'skerry-node-key-v1' },
  owner: { name: 'owner.key', header: 'skerry-owner-key-v1' },
} as const;
type KeyFile = (typeof files)[keyof typeof files];

/**
 * Makes a new identity in a home, which is created if need be: `node.key` and `owner.key`, readable by nobody else,
 * on disk when this resolves. A home that has either key is left as it is.
 *
 * @param home the home directory
 * @throws HOME_INVALID where the home has a key already, is open to others, or cannot be written
 */
export async function createIdentity(home: string): Promise<Identity> {
  try {
    await mkdir(home, { recursive: true, mode: homeMode });
  } catch (error) {
    throw invalid(home, 'cannot be created', error);
  }
  await checkPrivate(home, home, 'is open to others: chmod 700 it');
  const seeds = {
    node: new Uint8Array(randomBytes(seedBytes)),
    owner: new Uint8Array(randomBytes(seedBytes)),
  };
  for (const file of Object.values(files)) {
    if (await exists(join(home, file.name))) throw invalid(home, `has a ${file.name} already`);
  }
  await writeKey(home, files.owner, seeds.owner);
  await writeKey(home, files.node, seeds.node);
  return identityOf(seeds.node, seeds.owner);
}

/**
 * The identity in a home.
 *
 * @param home the home directory
 * @throws HOME_INVALID where the home or a key is missing, malformed or open to others
 */
export async function loadIdentity(home: string): Promise<Identity> {
  await checkPrivate(home, home, 'is open to others: chmod 700 it');
  return identityOf(await readKey(home, files.node), await readKey(home, files.owner));
}

function identityOf(nodeSeed: Uint8Array, ownerSeed: Uint8Array): Identity {
  return { nodeSeed, ownerSeed, nodeId: nodeIdOf(nodeCrypto.ed25519PublicKey(nodeSeed)) };
}

/** Writes beside the place, syncs, then links into it: a key is there whole or not, and is never replaced. */
async function writeKey(home: string, { name, header }: KeyFile, seed: Uint8Array): Promise<void> {
  const path = join(home, name);
  const draft = join(home, `.${name}.${toHex(randomBytes(8))}`);
  const text = Buffer.from(`${header}\n${toHex(seed)}\n`, 'latin1');
  try {
    const file = await open(draft, 'wx', fileMode);
    try {
      await chmod(draft, fileMode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    await syncDirectory(home);
  } catch (error) {
    throw invalid(home, `cannot keep ${name}`, error);
  } finally {
    wipe(text);
    await rm(draft, { force: true });
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

async function readKey(home: string, { name, header }: KeyFile): Promise<Uint8Array> {
  const path = join(home, name);
  await checkPrivate(home, path, `has a ${name} open to others: chmod 600 it`);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw invalid(home, `has a ${name} that cannot be read`, error);
  }
  try {
    const [first, second, ...rest] = bytes.toString('latin1').split('\n');
    const seed = first === header && rest.join('') === '' ? fromHex(second ?? '') : undefined;
    if (seed?.length !== seedBytes) throw invalid(home, `has a malformed ${name}`);
    return seed;
  } finally {
    wipe(bytes);
  }
}

async function checkPrivate(home: string, path: string, problem: string): Promise<void> {
  let mode: number;
  try {
    ({ mode } = await stat(path));
  } catch (error) {
    throw invalid(home, path === home ? 'is missing' : 'has no identity: run skerry init', error);
  }
  if ((mode & 0o077) !== 0) throw invalid(home, problem);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

function invalid(home: string, problem: string, cause?: unknown): SkerryError {
  return new SkerryError('HOME_INVALID', `the home ${home} ${problem}`, { home }, cause);
}
