import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, toHex } from '@skerry/base';
import { nodeClock, nodeRandom } from '@skerry/crypto';
import type { Manifest, Revocation } from '@skerry/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { destroyOwned, revokeGrants } from '../src/ending.ts';
import { createGivenGrants, type GivenGrant } from '../src/given-grants.ts';
import { createKeyring } from '../src/keyring.ts';
import { openNotices } from '../src/notices.ts';
import { openStore } from '../src/store.ts';
import { createTurns } from '../src/turns.ts';
import { dealTo, type Holder, makeOwner, makeParty, placeOn, startHolders, streamsTo } from './holders.ts';
import { recordingLog } from './hosts.ts';

const owner = makeOwner();
const reader = makeParty();
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

/** An owner's home with one key, and a clock that the test sets. */
async function openHome(name: string) {
  const store = await openStore(join(root, name));
  const log = recordingLog();
  let shiftMs = 0;
  const clock = { nowMs: () => nodeClock.nowMs() + shiftMs };
  const keyring = createKeyring(store, log);
  const given = createGivenGrants(store, clock, log);
  const notices = await openNotices({ store, streams: streamsTo(holders, owner), clock, log });
  const gossiped: Revocation[] = [];
  const network = {
    notices,
    gossipRevocation: async (revocation: Revocation) => void gossiped.push(revocation),
    publishTombstone: () => {},
  };
  const manifest = await dealTo(holders, owner, nodeRandom.bytes(32));
  const { certificate } = placeOn(holders.map(({ nodeId }) => nodeId));
  const notes = {
    createdAtMs: clock.nowMs(),
    certificate,
    measuredRisk: null,
    kind: 'extractable' as const,
    alias: null,
    labels: {},
    former: [],
    raisedTo: 'low' as const,
  };
  await store.batch([keyring.change({ manifest, previous: null, notes, revokedBefore: 0, tombstone: null })]);
  const { keyId } = manifest.core;
  const options = {
    network,
    store,
    keyring,
    findOwned: keyring.get,
    inTurn: createTurns(),
    given,
    signer: owner.signer,
    clock,
    log,
  };
  const give = async (jti: string): Promise<GivenGrant> => {
    const exp = Math.floor(clock.nowMs() / 1000) + 600;
    const grant = { keyId: toHex(keyId), jti, sub: reader.nodeId, exp, uses: null, isRevoked: false };
    await store.batch([given.change(grant)]);
    return grant;
  };
  const close = async (): Promise<void> => {
    await notices.close();
    await store.close();
  };
  return { options, manifest, keyId, gossiped, give, close, shift: (ms: number) => void (shiftMs = ms), log };
}

const revokeAll = async (home: { options: Parameters<typeof revokeGrants>[0]; manifest: Manifest }) =>
  revokeGrants(home.options, home.manifest, null);

test('a revocation of all grants ends those that begin at the last one, and is never before it', async () => {
  const home = await openHome('back');
  const beforeOf = (): number => home.options.keyring.get(home.keyId)?.revokedBefore ?? 0;
  await home.give('grantNumber1');
  await revokeAll(home);
  const first = beforeOf();
  home.shift(-3_600_000);
  await revokeAll(home);
  expect(beforeOf()).toBe(first);
  await home.give('grantNumber2'); // it begins at `first`, since what began before is revoked
  await revokeAll(home);
  expect(beforeOf()).toBe(first + 1);
  expect(home.gossiped.map(({ issuedBefore }) => issuedBefore)).toEqual([first, first, first + 1]);
  await home.close();
});

test('a key that is destroyed while its grants are revoked stays destroyed', async () => {
  const home = await openHome('race');
  const [, ending] = await Promise.allSettled([revokeAll(home), destroyOwned(home.options, home.keyId)]);
  expect(ending).toMatchObject({ status: 'fulfilled', value: { acknowledged: 4 } });
  expect(home.options.keyring.get(home.keyId)?.tombstone).not.toBeNull();
  await expect(revokeAll(home)).rejects.toMatchObject({ code: 'KEY_DESTROYED' });
  await home.close();
});

test('a revocation outlasts its grant, whatever a token that was brought says of that', async () => {
  const home = await openHome('liar');
  const { exp } = await home.give('grantNumber1');
  await revokeGrants(home.options, home.manifest, { jti: 'grantNumber1', exp: 1 });
  expect(home.gossiped.at(-1)?.grant).toEqual({ jti: 'grantNumber1', exp });
  const latest = Math.floor(Date.now() / 1000) + 3_600;
  await revokeGrants(home.options, home.manifest, { jti: 'ofAnotherHome', exp: 1 });
  expect(home.gossiped.at(-1)?.grant?.exp).toBeGreaterThan(latest);
  await home.close();
});

test('a note of a given grant that is damaged keeps no other from being revoked', async () => {
  const home = await openHome('damaged');
  const { keyId } = await home.give('grantNumber1');
  await home.options.store.put(`grant/${keyId}/grantNumber0`, nodeRandom.bytes(20));
  expect(await revokeAll(home)).toMatchObject({ acknowledged: 4 });
  expect(at(await home.options.given.list(home.keyId), 0)).toMatchObject({ isRevoked: true });
  expect(home.log.lines).toContain('error: the note of a given grant is damaged on disk: it is left out');
  await home.close();
});
