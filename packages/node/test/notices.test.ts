import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { deletionPreimage, encodeRefusal, type Manifest, nodeKeyOf, tombstoneHashOf } from '@skerry/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDeletions } from '../src/deletions.ts';
import { type Notice, type Notices, openNotices } from '../src/notices.ts';
import { openStore, type Store } from '../src/store.ts';
import {
  dealTo,
  grantTo,
  type Holder,
  keysIn,
  makeOwner,
  revocationOf,
  roundAt,
  startHolders,
  streamsTo,
  tombstoneOf,
} from './holders.ts';
import { recordingLog } from './hosts.ts';

const owner = makeOwner();
let root: string;
let holders: Holder[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
  holders = await startHolders(join(root, 'holders'), 4);
});
afterAll(async () => {
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(root, { recursive: true });
});

const foreverMs = 253_402_300_800_000;

/** Notices over a store and the holders, of which some are away while the test says so. */
async function openDesk(name: string, away: Set<string>, clock = nodeClock) {
  const store = await openStore(join(root, name));
  const all = streamsTo(holders, owner);
  const streams = {
    isAlive: (nodeId: string) => !away.has(nodeId),
    request: async (nodeId: string, body: Uint8Array) => {
      if (away.has(nodeId)) throw new SkerryError('PEER_UNREACHABLE');
      return all.request(nodeId, body);
    },
  };
  const log = recordingLog();
  const notices = await openNotices({ store, streams, clock, log });
  const close = async (): Promise<void> => {
    await notices.close();
    await store.close();
  };
  return { store, notices, log, close };
}

async function begin(store: Store, notices: Notices, notice: Notice, untilMs = foreverMs): Promise<void> {
  await store.batch([
    notices.note(
      notice,
      holders.map(({ nodeId }) => nodeId),
      untilMs,
    ),
  ]);
}

const dealOne = async (): Promise<Manifest> => dealTo(holders, owner, nodeRandom.bytes(32));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

test('a revocation reaches those that are there at once, and the others when they are back', async () => {
  const manifest = await dealOne();
  const grant = await grantTo(owner, manifest, owner);
  const missing = at(holders, 3);
  const away = new Set([missing.nodeId]);
  const { store, notices, close } = await openDesk('back', away);
  const terms = { grant: null, issuedBefore: Math.floor(Date.now() / 1000) + 1 };
  const notice: Notice = { name: 'revoke', body: revocationOf(owner, manifest, terms) };
  await begin(store, notices, notice);
  expect([...(await notices.tell(notice))]).toEqual([[missing.nodeId, 'PEER_UNREACHABLE']]);
  expect(await roundAt(at(holders, 0), manifest, owner, grant)).toBe('GRANT_REVOKED');
  expect(typeof (await roundAt(missing, manifest, owner, grant))).toBe('object');
  expect([...(await notices.tell(notice)).keys()]).toEqual([missing.nodeId]);
  away.clear();
  await until(async () => (await keysIn(store, 'notice/')).length === 0);
  expect(await roundAt(missing, manifest, owner, grant)).toBe('GRANT_REVOKED');
  expect((await notices.tell(notice)).size).toBe(0);
  await close();
});

test('of revocations of all grants the latest is told to everybody, though one before is still under way', async () => {
  const manifest = await dealOne();
  const missing = at(holders, 3);
  const away = new Set([missing.nodeId]);
  const { store, notices, close } = await openDesk('latest', away);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const before = (issuedBefore: number): Notice => {
    return { name: 'revoke', body: revocationOf(owner, manifest, { grant: null, issuedBefore }) };
  };
  const [first, second] = [before(nowSeconds - 30), before(nowSeconds + 1)];
  await begin(store, notices, first);
  expect([...(await notices.tell(first)).keys()]).toEqual([missing.nodeId]);
  const grant = await grantTo(owner, manifest, owner);
  expect(typeof (await roundAt(at(holders, 0), manifest, owner, grant))).toBe('object');
  await begin(store, notices, second);
  expect([...(await notices.tell(second)).keys()]).toEqual([missing.nodeId]);
  expect(await roundAt(at(holders, 0), manifest, owner, grant)).toBe('GRANT_REVOKED');
  away.clear();
  await until(async () => (await keysIn(store, 'notice/')).length === 0);
  expect(await roundAt(missing, manifest, owner, grant)).toBe('GRANT_REVOKED');
  await close();
});

test('a process that died after noting a destruction goes on with it when it starts again', async () => {
  const manifest = await dealOne();
  const notice: Notice = { name: 'destroy', body: tombstoneOf(owner, manifest) };
  const counts = (): number[] => holders.map(({ service }) => service.shareCount());
  const before = counts();
  const away = new Set(holders.map(({ nodeId }) => nodeId));
  const first = await openDesk('died', away);
  await begin(first.store, first.notices, notice);
  await first.close();
  away.clear();
  const second = await openDesk('died', away);
  await until(async () => (await keysIn(second.store, 'notice/')).length === 0);
  expect(counts()).toEqual(before.map(count => count - 1));
  const deletions = await createDeletions(second.store, second.log).list(toHex(manifest.core.keyId));
  expect(deletions.map(({ nodeId }) => nodeId).toSorted()).toEqual(
    holders.map(({ nodeId }) => nodeId).toSorted(),
  );
  const hash = tombstoneHashOf(nodeCrypto, notice.body);
  for (const { nodeId, signature } of deletions) {
    const nodeKey = nodeKeyOf(nodeId);
    expect(nodeCrypto.ed25519Verify(nodeKey, deletionPreimage(hash, nodeKey), signature)).toBe(true);
  }
  await second.close();
});

test('a deletion counts once the holder has signed it: another signature leaves it to be told', async () => {
  const manifest = await dealOne();
  const notice: Notice = { name: 'destroy', body: tombstoneOf(owner, manifest) };
  const liar = at(holders, 0);
  const store = await openStore(join(root, 'liar'));
  const all = streamsTo(holders, owner);
  const streams = {
    isAlive: () => true,
    // it passes on what another holder signed
    request: async (nodeId: string, body: Uint8Array) =>
      all.request(nodeId === liar.nodeId ? at(holders, 1).nodeId : nodeId, body),
  };
  const notices = await openNotices({ store, streams, clock: nodeClock, log: recordingLog() });
  await begin(store, notices, notice);
  expect([...(await notices.tell(notice))]).toEqual([[liar.nodeId, 'SIGNATURE_INVALID']]);
  const deletions = await createDeletions(store, recordingLog()).list(toHex(manifest.core.keyId));
  expect(deletions.map(({ nodeId }) => nodeId)).not.toContain(liar.nodeId);
  expect(deletions).toHaveLength(3);
  await notices.close();
  await store.close();
});

test('a holder that says, without a signature, that a key is destroyed has not deleted it', async () => {
  const manifest = await dealOne();
  const notice: Notice = { name: 'destroy', body: tombstoneOf(owner, manifest) };
  const store = await openStore(join(root, 'sayer'));
  const request = async (): Promise<Uint8Array> => encodeRefusal('KEY_DESTROYED');
  const streams = { isAlive: () => true, request };
  const notices = await openNotices({ store, streams, clock: nodeClock, log: recordingLog() });
  await begin(store, notices, notice);
  expect([...(await notices.tell(notice)).values()]).toEqual(Array(4).fill('KEY_DESTROYED'));
  await notices.close();
  await store.close();
});

test('what was told on another way is not told again, and what no longer matters is forgotten', async () => {
  const manifest = await dealOne();
  const { activation, core } = manifest;
  const notice: Notice = { name: 'activate', body: { keyId: core.keyId, activation } };
  const away = new Set(holders.map(({ nodeId }) => nodeId));
  let lateMs = 0;
  const { store, notices, close } = await openDesk('settled', away, {
    nowMs: () => nodeClock.nowMs() + lateMs,
  });
  await begin(store, notices, notice, nodeClock.nowMs() + 60_000);
  await notices.settle(notice, [at(holders, 2).nodeId]);
  expect([...(await notices.tell(notice)).keys()]).toEqual([at(holders, 2).nodeId]);
  lateMs = 120_000;
  await until(async () => (await keysIn(store, 'notice/')).length === 0);
  await begin(store, notices, notice);
  await notices.settle(notice, []);
  expect(await keysIn(store, 'notice/')).toEqual([]);
  await notices.settle(notice, []);
  await close();
});

test('revoking what is destroyed is done with', async () => {
  const manifest = await dealOne();
  const { store, notices, close } = await openDesk('dead', new Set());
  const destroy: Notice = { name: 'destroy', body: tombstoneOf(owner, manifest) };
  await begin(store, notices, destroy);
  expect((await notices.tell(destroy)).size).toBe(0);
  const terms = { grant: null, issuedBefore: 1 };
  const revoke: Notice = { name: 'revoke', body: revocationOf(owner, manifest, terms) };
  await begin(store, notices, revoke);
  expect((await notices.tell(revoke)).size).toBe(0);
  await close();
});

test('a notice that is damaged on disk is reported, and the others are told', async () => {
  const manifest = await dealOne();
  const away = new Set(holders.map(({ nodeId }) => nodeId));
  const first = await openDesk('damaged', away);
  const notice: Notice = { name: 'destroy', body: tombstoneOf(owner, manifest) };
  await begin(first.store, first.notices, notice);
  await first.store.put('notice/revoke/damaged', nodeRandom.bytes(50));
  await first.close();
  away.clear();
  const { store, log, close } = await openDesk('damaged', away);
  await until(async () => (await keysIn(store, 'notice/')).length === 1);
  expect(log.lines).toContain('error: a notice to holders is damaged on disk: it is not told');
  await close();
});
