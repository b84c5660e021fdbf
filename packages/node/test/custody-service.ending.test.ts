import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, toHex } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, pendingLifeMs } from '@skerry/custody';
import { coreHashOf, deletionPreimage, type KeyRecord, type Manifest, tombstoneHashOf } from '@skerry/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHolderMemory } from '../src/holder-memory.ts';
import {
  answerTo,
  dealTo,
  grantTo,
  type Holder,
  isAnswered,
  makeOwner,
  makeParty,
  offerTo,
  openFrom,
  restartHolder,
  revocationOf,
  roundAt,
  startHolder,
  startHolders,
  tombstoneOf,
} from './holders.ts';

const owner = makeOwner();
const reader = makeParty();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
});
afterAll(async () => rm(root, { recursive: true }));

/** Four holders of a key, closed by the test. */
async function dealt(name: string) {
  const holders = await startHolders(join(root, name), 4);
  const manifest = await dealTo(holders, owner, nodeRandom.bytes(32));
  const keyId = toHex(manifest.core.keyId);
  const close = async (): Promise<unknown> => Promise.all(holders.map(async ({ store }) => store.close()));
  return { holders, manifest, keyId, close };
}

/** The DEK that a holder has on its disk. */
function dekOf(holder: Holder, { core }: Manifest): Buffer {
  const stored = holder.store.get(`held/${toHex(core.keyId)}`);
  const dek = stored && decodeHeldKey(stored).active?.dek;
  if (!dek) throw new Error('the holder has a share');
  return Buffer.from(dek);
}

/** Whether any file of a directory has these bytes. */
async function isOnDisk(directory: string, bytes: Uint8Array): Promise<boolean> {
  const names = await readdir(directory);
  const files = await Promise.all(names.map(async name => readFile(join(directory, name))));
  return files.some(file => file.includes(bytes));
}

test("what a holder remembers of a key's agreements is wiped with the share", async () => {
  const { holders, manifest, keyId, close } = await dealt('memory');
  const memory = createHolderMemory();
  const directory = join(root, 'memory');
  for (const index of holders.keys()) await restartHolder(holders, directory, index, { memory });
  await openFrom(holders, manifest, owner, await grantTo(owner, manifest, owner));
  const remembered = memory.pairSecretsOf(keyId)(coreHashOf(nodeCrypto, manifest.core));
  const secrets = [...remembered.values()];
  expect(secrets).toHaveLength(2); // the two holders of the set that share this memory agreed on one secret, under each x
  expect(secrets.some(secret => secret.some(byte => byte !== 0))).toBe(true);
  const order = tombstoneOf(owner, manifest);
  for (const holder of holders)
    expect(isAnswered(await answerTo(holder, owner, 'destroy', order))).toBe(true);
  expect(secrets.every(secret => secret.every(byte => byte === 0))).toBe(true);
  await close();
});

test('a deletion is signed when the secret is in no file of the store any more', async () => {
  const { holders, manifest, keyId, close } = await dealt('erase');
  const holder = at(holders, 0);
  const dek = dekOf(holder, manifest);
  const directory = join(root, 'erase', '0');
  expect(await isOnDisk(directory, dek)).toBe(true);
  const order = tombstoneOf(owner, manifest);
  const answered = await answerTo(holder, owner, 'destroy', order);
  if (typeof answered === 'string') throw new Error(answered);
  expect(await isOnDisk(directory, dek)).toBe(false);
  const signed = deletionPreimage(tombstoneHashOf(nodeCrypto, order), holder.nodeKey);
  expect(nodeCrypto.ed25519Verify(holder.nodeKey, signed, answered.signature)).toBe(true);
  expect(holder.buried).toEqual([keyId]);
  expect(holder.service.shareCount()).toBe(0);
  expect(await answerTo(holder, owner, 'destroy', order)).toEqual(answered);
  await close();
});

test('a stranger that offers keys and destroys them makes a holder publish nothing', async () => {
  const holder = await startHolder(join(root, 'offered'));
  for (let i = 0; i < 3; i++) {
    const offer = offerTo(holder, owner);
    expect(isAnswered(await answerTo(holder, owner, 'offer', offer))).toBe(true);
    const { keyId, nonce, authority } = offer;
    const core = { keyId, nonce, authority } as Manifest['core'];
    const order = tombstoneOf(owner, { core } as Manifest);
    expect(isAnswered(await answerTo(holder, owner, 'destroy', order))).toBe(true);
    expect(holder.store.get(`held/${toHex(keyId)}`)).toBeUndefined();
  }
  expect(holder.buried).toEqual([]);
  await holder.store.close();
});

test('a key that k - t + 1 holders destroyed is gone: the rest cannot open it', async () => {
  const { holders, manifest, close } = await dealt('gone');
  const grant = await grantTo(owner, manifest, reader);
  const order = tombstoneOf(owner, manifest);
  const { k, t } = manifest.core;
  for (const holder of holders.slice(0, k - t)) await answerTo(holder, owner, 'destroy', order);
  await openFrom(holders, manifest, reader, grant);
  await answerTo(at(holders, k - t), owner, 'destroy', order);
  await expect(openFrom(holders, manifest, reader, grant)).rejects.toMatchObject({ code: 'KEY_DESTROYED' });
  await close();
});

test('a holder that was away while a key was destroyed learns it from the DHT, and erases its share', async () => {
  const { holders, manifest, keyId, close } = await dealt('away');
  await close();
  const asked: string[] = [];
  const holder = await startHolder(join(root, 'away', '0'), {
    party: at(holders, 0),
    lookUp: async id => {
      asked.push(toHex(id));
      return { type: 'tombstone', tombstone: tombstoneOf(owner, manifest) };
    },
  });
  expect(holder.service.shareCount()).toBe(1);
  await holder.service.publishAll(new AbortController().signal);
  expect(asked).toEqual([keyId]);
  expect(holder.service.shareCount()).toBe(0);
  expect(holder.published).toEqual([]);
  expect(new Set(holder.buried)).toEqual(new Set([keyId]));
  await holder.store.close();
});

test('a grave is published again after a restart', async () => {
  const { holders, manifest, keyId, close } = await dealt('again');
  await answerTo(at(holders, 0), owner, 'destroy', tombstoneOf(owner, manifest));
  await close();
  const holder = await startHolder(join(root, 'again', '0'), { party: at(holders, 0) });
  await holder.service.publishAll(new AbortController().signal);
  expect([holder.buried, holder.published]).toEqual([[keyId], []]);
  await holder.store.close();
});

test('a revoked grant is refused from then on, over a restart, and others of the key are not', async () => {
  const { holders, manifest, close } = await dealt('revoked');
  const nowSeconds = Math.floor(Date.now() / 1000);
  const revoked = await grantTo(owner, manifest, reader, { jti: 'revokedGrant' });
  const other = await grantTo(owner, manifest, reader);
  const order = revocationOf(owner, manifest, {
    grant: { jti: 'revokedGrant', exp: nowSeconds + 60 },
    issuedBefore: null,
  });
  for (const holder of holders) expect(await answerTo(holder, owner, 'revoke', order)).toEqual({});
  expect(await roundAt(at(holders, 0), manifest, reader, revoked)).toBe('GRANT_REVOKED');
  await expect(openFrom(holders, manifest, reader, revoked)).rejects.toMatchObject({ code: 'GRANT_REVOKED' });
  expect(isAnswered(await roundAt(at(holders, 0), manifest, reader, other))).toBe(true);
  await close();
  const holder = await startHolder(join(root, 'revoked', '0'), { party: at(holders, 0) });
  expect(await roundAt(holder, manifest, reader, revoked)).toBe('GRANT_REVOKED');
  await holder.store.close();
});

test('a revocation by gossip counts as one that is sent, and leaves nothing where the key is not', async () => {
  const { holders, manifest, close } = await dealt('gossip');
  const grant = await grantTo(owner, manifest, reader);
  const order = revocationOf(owner, manifest, {
    grant: null,
    issuedBefore: Math.floor(Date.now() / 1000) + 1,
  });
  const stranger = await startHolder(join(root, 'stranger'));
  for (const { service } of [...holders, stranger]) service.revoke(order);
  // what follows on one key waits for what came before
  expect(await roundAt(at(holders, 0), manifest, reader, grant)).toBe('GRANT_REVOKED');
  expect(stranger.store.get(`held/${toHex(manifest.core.keyId)}`)).toBeUndefined();
  await Promise.all([close(), stranger.store.close()]);
});

/** Holders that took their deposits of a key and never heard of its activation, and a clock to wait by. */
async function leftPending(name: string, lookUp: (keyId: Uint8Array) => Promise<KeyRecord | undefined>) {
  let lateMs = 0;
  const clock = { nowMs: () => nodeClock.nowMs() + lateMs };
  const numbers = [0, 1, 2, 3];
  const holders = await Promise.all(
    numbers.map(async i => startHolder(join(root, name, `${i}`), { clock, lookUp })),
  );
  const deaf = holders.map(holder => ({
    ...holder,
    service: {
      ...holder.service,
      handle: async (...[from, body]: Parameters<Holder['service']['handle']>) => {
        const text = Buffer.from(body).toString('latin1');
        if (text.includes('activate')) throw new Error('the dealer died');
        return holder.service.handle(from, body);
      },
    },
  }));
  return { holders, deaf, wait: (ms: number) => void (lateMs += ms) };
}

test('a holder that stops looks up no more deposits, and drops none that it did not find', async () => {
  const ending = new AbortController();
  let asked = 0;
  const { holders, deaf, wait } = await leftPending('stopped', async () => {
    asked += 1;
    ending.abort();
    return undefined;
  });
  for (let i = 0; i < 2; i++) {
    await expect(dealTo(deaf, owner, nodeRandom.bytes(32))).rejects.toThrow('died');
  }
  wait(pendingLifeMs + 1000);
  const { service } = at(holders, 0);
  await service.expire(ending.signal);
  expect([asked, service.shareCount()]).toEqual([1, 2]);
  await Promise.all(holders.map(async ({ store }) => store.close()));
});

test('a deposit whose activation never came is activated by the manifest in the DHT, and else dropped', async () => {
  const inDht = new Map<string, KeyRecord>();
  const { holders, deaf, wait } = await leftPending('pending', async id => inDht.get(toHex(id)));
  const manifests: Manifest[] = [];
  const storeManifest = async (manifest: Manifest): Promise<void> => void manifests.push(manifest);
  for (let i = 0; i < 2; i++) {
    await expect(dealTo(deaf, owner, nodeRandom.bytes(32), { storeManifest })).rejects.toThrow('died');
  }
  const [published, lost] = manifests as [Manifest, Manifest];
  const grant = await grantTo(owner, published, owner);
  expect(await roundAt(at(holders, 0), published, owner, grant)).toBe('KEY_NOT_ACTIVE');
  inDht.set(toHex(published.core.keyId), { type: 'manifest', manifest: published });
  wait(pendingLifeMs + 1000);
  for (const { service } of holders) await service.expire();
  expect(holders.map(({ service }) => service.shareCount())).toEqual([1, 1, 1, 1]);
  expect(at(holders, 0).store.get(`held/${toHex(lost.core.keyId)}`)).toBeUndefined();
  expect(at(holders, 0).published).toEqual([toHex(published.core.keyId)]);
  await Promise.all(holders.map(async ({ store }) => store.close()));
});
