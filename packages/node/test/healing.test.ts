/** Keys heal by themselves, over real peers: points move, shares are made again, epochs follow each other. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, openHeldShare } from '@skerry/custody';
import {
  coreHashOf,
  decodeRequest,
  encodeRefusal,
  type Manifest,
  nodeIdOf,
  parseManifest,
  seatsOf,
} from '@skerry/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, codeOf } from '../src/asking.ts';
import type { OwnedKey } from '../src/keyring.ts';
import type { Conduct } from '../src/network.ts';
import { createPeer, type Peer, type PeerOptions } from '../src/peer.ts';
import { openStore } from '../src/store.ts';
import { until } from './hosts.ts';
import { peerOptions, startPeer, untilTheyMeet } from './peers.ts';

const timeout = 60_000;
const auditMs = 240;
const key = nodeRandom.bytes(32);
let root: string;
let peers: Peer[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
  peers = [];
});
afterEach(async () => {
  await Promise.all(peers.map(async peer => peer.close()));
  await rm(root, { recursive: true });
});

/** Peers that know each other, each with the same options and some by its number; the first holds nothing. */
async function start(
  count: number,
  options: Partial<PeerOptions> = {},
  optionsOf: (index: number) => Partial<PeerOptions> = () => ({}),
): Promise<Peer> {
  const first = await startPeer(peerOptions(root, 0, { auditMs, capacity: 0, ...options }));
  const bootstrap = first.addresses();
  const others = Array.from({ length: count - 1 }, async (_, i) =>
    startPeer(peerOptions(root, i + 1, { auditMs, bootstrap, ...options, ...optionsOf(i + 1) })),
  );
  peers = [first, ...(await Promise.all(others))];
  await until(() =>
    peers.every(peer => peers.slice(1).every(({ nodeId }) => nodeId === peer.nodeId || peer.isAlive(nodeId))),
  );
  await until(() => peers.every(peer => peer.candidates().length >= count - 2));
  return first;
}

/** Starts a peer again in its home. */
async function restart(peer: Peer, options: Partial<PeerOptions> = {}): Promise<Peer> {
  const index = Number(/\d+$/.exec(peer.home)?.[0]);
  const bootstrap = peers.flatMap(other => (other === peer ? [] : other.addresses()));
  const again = await createPeer(peerOptions(root, index, { auditMs, bootstrap, ...options }));
  peers[peers.indexOf(peer)] = again;
  return again;
}

async function stop(peer: Peer): Promise<void> {
  await peer.abandon();
  peers.splice(peers.indexOf(peer), 1);
}

const holdersOf = (manifest: Manifest): string[] => seatsOf(manifest).map(seat => nodeIdOf(seat.nodeKey));

const peerOf = (nodeId: string): Peer => peers.find(peer => peer.nodeId === nodeId)!;

/** The holder of a key's first point, and that point. */
function firstHolder(manifest: Manifest): { readonly x: number; readonly holder: Peer } {
  const { x, nodeKey } = at(seatsOf(manifest), 0);
  return { x, holder: peerOf(nodeIdOf(nodeKey)) };
}

/** The share in the clear that a home has on its disk; its node is stopped. */
async function shareIn(home: string, keyId: Uint8Array): Promise<string> {
  const store = await openStore(join(home, 'store'));
  try {
    const { active } = decodeHeldKey(store.get(`held/${toHex(keyId)}`)!);
    const { share, close } = openHeldShare(nodeCrypto, active!, 'SHARE_CORRUPT');
    const text = `${share.x} ${toHex(share.y)}`;
    close();
    return text;
  } finally {
    await store.close();
  }
}

type Protection = Parameters<Peer['deal']>[2];

async function deal(owner: Peer, protection: Partial<Protection> = {}): Promise<Uint8Array> {
  const slot = owner.reserveKey();
  const counts = { t: 3, n: 4, k: 5 };
  await owner.deal(slot, key, { risk: 'low', acceptReduced: true, counts, ...protection });
  return slot.keyId;
}

const manifestAt = (owner: Peer, keyId: Uint8Array): Manifest => owner.keys.get(keyId)!.manifest;

/** Waits until a point has gone to another node, and that one has the share. */
async function untilMoved(owner: Peer, keyId: Uint8Array, x: number, from: string): Promise<Peer> {
  const holderNow = (): string =>
    nodeIdOf(seatsOf(manifestAt(owner, keyId)).find(seat => seat.x === x)!.nodeKey);
  await until(() => holderNow() !== from);
  const successor = peerOf(holderNow());
  await until(async () => {
    const holding = await successor.network.custody.holding(toHex(keyId));
    return holding?.x === x;
  });
  return successor;
}

describe("an owner's node", { timeout }, () => {
  test('has a share made again, the same to the byte, where its holder is gone', async () => {
    const owner = await start(8);
    const keyId = await deal(owner);
    const { x, holder } = firstHolder(manifestAt(owner, keyId));
    await stop(holder);
    const lost = await shareIn(holder.home, keyId);
    const successor = await untilMoved(owner, keyId, x, holder.nodeId);
    const owned = owner.keys.get(keyId)!;
    expect(new Set(holdersOf(owned.manifest)).size).toBe(5);
    expect(at(owned.manifest.amendments, 0)).toMatchObject({ proposal: { x, reason: 'absent' }, votes: [] });
    const certified = owned.notes.certificate.holders.map(({ nodeId }) => nodeId);
    expect(certified.toSorted()).toEqual(holdersOf(owned.manifest).toSorted());
    expect((await owner.open(keyId)).key).toEqual(key);
    await until(() => owner.standingOf(owner.keys.get(keyId)!).margin.level === 'full');
    await stop(successor);
    expect(await shareIn(successor.home, keyId)).toBe(lost);
  });

  test('moves a point whose holder runs and has lost its share', async () => {
    const owner = await start(8);
    const keyId = await deal(owner);
    const { x, holder } = firstHolder(manifestAt(owner, keyId));
    await holder.close();
    const store = await openStore(join(holder.home, 'store'));
    await store.del(`held/${toHex(keyId)}`);
    await store.close();
    await restart(holder);
    await untilMoved(owner, keyId, x, holder.nodeId);
    // on a busy machine the next holder may lose the point as well, before its share is made
    expect(at(manifestAt(owner, keyId).amendments, 0).proposal).toMatchObject({ x, reason: 'lost' });
    expect((await owner.open(keyId)).key).toEqual(key);
  });

  test('moves a point whose holder runs, and refuses each proof for a reason that none has', async () => {
    const owner = await start(8);
    const keyId = await deal(owner);
    const { x, holder } = firstHolder(manifestAt(owner, keyId));
    await holder.close();
    const answer: NonNullable<Conduct['answer']> = async (_, body, honest) =>
      decodeRequest(body).name === 'probe' ? encodeRefusal('OPERATION_REFUSED') : honest();
    await restart(holder, { conduct: { answer } });
    await untilMoved(owner, keyId, x, holder.nodeId);
    expect(at(manifestAt(owner, keyId).amendments, 0).proposal).toMatchObject({ x, reason: 'absent' });
  });

  test('moves points of an epoch that too few serve, and then ends the one before', async () => {
    let isArmed = false;
    const mute = new Set<number>();
    const owner = await start(8, {}, index => ({
      conduct: {
        answer: async (_, body, honest) => {
          const { name } = decodeRequest(body);
          if (isArmed && name === 'activate' && mute.size < 2) mute.add(index);
          return name === 'activate' && mute.has(index) ? encodeRefusal('TOO_BUSY') : honest();
        },
      },
    }));
    const keyId = await deal(owner, { counts: { t: 2, n: 4, k: 5 } });
    const owned = (): OwnedKey => owner.keys.get(keyId)!;
    isArmed = true;
    await expect(owner.refresh(keyId, {})).rejects.toMatchObject({ code: 'DEPOSIT_FAILED' });
    isArmed = false;
    expect(owned()).toMatchObject({ manifest: { core: { epoch: 2 } }, previous: { core: { epoch: 1 } } });
    const left = [...mute].map(index => at(peers, index));
    for (const peer of left) await stop(peer);
    expect(await owner.settle(keyId)).toBe(false);
    await until(() => owned().previous === null && owner.standingOf(owned()).margin.level === 'full');
    expect(owned().manifest.core.epoch).toBe(2);
    const holders = holdersOf(owned().manifest);
    expect(left.filter(({ nodeId }) => holders.includes(nodeId))).toEqual([]);
    expect((await owner.open(keyId)).key).toEqual(key);
  });

  test('moves no point of an epoch that another takes the place of meanwhile', async () => {
    let isArmed = false;
    const asked = Promise.withResolvers<void>();
    const refreshed = Promise.withResolvers<void>();
    const answer: NonNullable<Conduct['answer']> = async (_, body, honest) => {
      if (isArmed && decodeRequest(body).name === 'nominate') {
        asked.resolve();
        await refreshed.promise;
      }
      return honest();
    };
    const owner = await start(7, { auditMs: 0, conduct: { answer } });
    const keyId = await deal(owner);
    isArmed = true;
    const moving = owner.move(keyId, firstHolder(manifestAt(owner, keyId)).x, 'moved').catch(codeOf);
    await asked.promise;
    isArmed = false;
    await owner.refresh(keyId, {});
    refreshed.resolve();
    expect(await moving).toBe('EPOCH_MISMATCH');
    expect(owner.keys.get(keyId)).toMatchObject({ manifest: { core: { epoch: 2 } }, previous: null });
  });

  test('lets an absence pass that is shorter than the grace', async () => {
    const owner = await start(7, { auditMs: 2_000 });
    const keyId = await deal(owner);
    const { holder } = firstHolder(manifestAt(owner, keyId));
    await holder.abandon();
    await new Promise(resolve => setTimeout(resolve, 4_000));
    const again = await restart(holder, { auditMs: 2_000 });
    await untilTheyMeet(peers.slice(1));
    await until(() => owner.network.evidence.of(again.nodeId)?.seen['proof'] !== undefined);
    expect(manifestAt(owner, keyId).amendments).toEqual([]);
  });

  test('takes points from whom its operator denies, and deals anew once as many might give the key away', async () => {
    const owner = await start(9);
    const keyId = await deal(owner);
    const [first, second] = holdersOf(manifestAt(owner, keyId)).map(peerOf) as [Peer, Peer];
    await owner.close();
    const denied = { [first.nodeId]: 'deny' } as const;
    // t - 1 - R is 2: one that may have given its share away is moved, two are too many
    let again = await restart(owner, { capacity: 0, trust: denied });
    await until(() => manifestAt(again, keyId).amendments.length > 0);
    expect(manifestAt(again, keyId).amendments.map(({ proposal }) => proposal.reason)).toEqual(['denied']);
    expect(manifestAt(again, keyId).core.epoch).toBe(1);
    await again.close();
    again = await restart(again, { capacity: 0, trust: { ...denied, [second.nodeId]: 'deny' } });
    await until(() => manifestAt(again, keyId).core.epoch === 2);
    const holders = holdersOf(manifestAt(again, keyId));
    expect([holders.includes(first.nodeId), holders.includes(second.nodeId)]).toEqual([false, false]);
    expect((await again.open(keyId)).key).toEqual(key);
  });

  test('says for ever that a key is exposed of which t shares may have leaked, whatever is dealt after', async () => {
    const owner = await start(9);
    const keyId = await deal(owner);
    const trust = Object.fromEntries(
      holdersOf(manifestAt(owner, keyId))
        .slice(0, 3)
        .map(nodeId => [nodeId, 'deny'] as const),
    );
    await owner.close();
    const again = await restart(owner, { capacity: 0, trust });
    await until(() => again.candidates().length >= 8);
    const isExposed = (peer: Peer): boolean => peer.standingOf(peer.keys.get(keyId)!).isExposed;
    expect(isExposed(again)).toBe(true);
    await again.refresh(keyId, {});
    expect(manifestAt(again, keyId).core.epoch).toBe(2);
    expect(isExposed(again)).toBe(true);
    await again.close();
    expect(isExposed(await restart(again, { capacity: 0 }))).toBe(true);
  });

  test('deals a key anew when its time has come, and what it says it protects has risen', async () => {
    const owner = await start(9, { refreshMs: 3_000 });
    const keyId = await deal(owner);
    await until(() => manifestAt(owner, keyId).core.epoch === 2);
    expect((await owner.open(keyId)).key).toEqual(key);
    expect(await owner.raise(keyId, 'medium')).toBe(true);
    await until(() => manifestAt(owner, keyId).core.policy.risk === 'medium');
    expect(owner.keys.get(keyId)?.notes.raisedTo).toBe('medium');
    expect(await owner.raise(keyId, 'low')).toBe(false);
    expect((await owner.open(keyId)).key).toEqual(key);
  });
});

describe('holders whose owner is away', { timeout }, () => {
  const protection = { risk: 'high', counts: { t: 3, n: 4, k: 6 } } as const;

  test('vote, and have one share made again; the owner finds that when it is back', async () => {
    const owner = await start(9);
    const keyId = await deal(owner, protection);
    expect(manifestAt(owner, keyId).core.repairBudget).toBe(1);
    const { x, holder } = firstHolder(manifestAt(owner, keyId));
    await stop(owner);
    await stop(holder);
    const lost = await shareIn(holder.home, keyId);
    const movedAt = (peer: Peer): boolean =>
      (peer.network.custody.manifestOf(toHex(keyId))?.amendments.length ?? 0) === 1;
    const holders = () => peers.filter(peer => peer.network.custody.servedKeyIds().includes(toHex(keyId)));
    await until(() => holders().length === 6 && holders().every(movedAt));
    const [served] = holders().map(peer => peer.network.custody.manifestOf(toHex(keyId))!) as [Manifest];
    expect(at(served.amendments, 0)).toMatchObject({ proposal: { x, reason: 'absent' }, signatures: [] });
    expect(at(served.amendments, 0).votes).toHaveLength(5);
    const successor = peerOf(nodeIdOf(seatsOf(served).find(seat => seat.x === x)!.nodeKey));
    // one is the budget: the next to go is not moved without the owner
    const other = peerOf(holdersOf(served).find(nodeId => nodeId !== successor.nodeId)!);
    await stop(other);
    peers.push(owner);
    const again = await restart(owner, { capacity: 0 });
    await until(() => manifestAt(again, keyId).amendments.length === 2);
    expect(manifestAt(again, keyId).amendments.map(({ votes }) => votes.length)).toEqual([5, 0]);
    expect((await again.open(keyId)).key).toEqual(key);
    await stop(successor);
    expect(await shareIn(successor.home, keyId)).toBe(lost);
  });
});

describe('a node that was away', { timeout }, () => {
  const counts = { t: 2, n: 3, k: 4 };

  /** Stops a holder of a key, and starts it again after something, a month later by its clock. */
  async function awayFor(holder: Peer, work: () => Promise<unknown>): Promise<Peer> {
    await holder.close();
    const index = peers.indexOf(holder);
    peers.splice(index, 1);
    await work();
    peers.push(holder);
    const clock = { nowMs: () => Date.now() + 31 * 86_400_000 };
    const again = await restart(holder, { auditMs: 0, clock });
    await until(() => peers.every(peer => peer === again || peer.isAlive(again.nodeId)));
    return again;
  }

  /** What a node says to one who wants it to prove its share of an epoch. */
  async function proofFrom(asker: Peer, nodeId: string, manifest: Manifest, x: number): Promise<unknown> {
    const { keyId, epoch } = manifest.core;
    const coreHash = coreHashOf(nodeCrypto, manifest.core);
    const probe = { keyId, epoch, coreHash, x, nonce: nodeRandom.bytes(32) };
    return ask(asker.network.streams, nodeId, 'probe', probe, { deadlineMs: 10_000 }).catch(codeOf);
  }

  test('for a month learns of a later epoch before it answers for the one that it has', async () => {
    const owner = await start(7, { auditMs: 0 });
    const keyId = await deal(owner, { counts });
    const first = manifestAt(owner, keyId);
    const { x, holder } = firstHolder(first);
    expect(await proofFrom(owner, holder.nodeId, first, x)).toHaveProperty('signature');
    const again = await awayFor(holder, async () => owner.refresh(keyId, {}));
    expect(await proofFrom(owner, again.nodeId, first, x)).toBe('EPOCH_MISMATCH');
    expect((await owner.open(keyId)).key).toEqual(key);
  });

  test('for a month learns of points that were moved before it says what it knows of the key', async () => {
    const owner = await start(7, { auditMs: 0 });
    const keyId = await deal(owner, { counts });
    const { holder } = firstHolder(manifestAt(owner, keyId));
    const other = at(seatsOf(manifestAt(owner, keyId)), 1);
    const again = await awayFor(holder, async () => owner.move(keyId, other.x, 'moved'));
    const asked = ask(
      at(peers, 1).network.streams,
      again.nodeId,
      'manifest',
      { keyId },
      { deadlineMs: 10_000 },
    );
    const { amendments } = parseManifest((await asked).record);
    expect(amendments.map(({ proposal }) => proposal.x)).toEqual([other.x]);
  });
});

test('where all nodes of a DHT lose what they store, those that hold a key have its records back', {
  timeout,
}, async () => {
  const owner = await start(6, { auditMs: 0 });
  const stranger = await startPeer(peerOptions(root, 8, { capacity: 0, bootstrap: owner.addresses() }));
  peers.push(stranger);
  const keyId = await deal(owner, { counts: { t: 2, n: 3, k: 4 } });
  const { token } = await owner.grant(keyId, stranger.nodeId, { lifeMs: 600_000, uses: null });
  await stop(owner);
  // what they store for the DHT is in memory alone
  const all = [...peers];
  await Promise.all(all.map(async peer => peer.close()));
  const bootstrap: string[] = [];
  for (const [i, peer] of all.entries()) {
    const index = Number(/\d+$/.exec(peer.home)?.[0]);
    peers[i] = await createPeer(peerOptions(root, index, { bootstrap, capacity: index === 8 ? 0 : 1_000 }));
    bootstrap.push(...peers[i].addresses());
  }
  const again = peers.find(({ nodeId }) => nodeId === stranger.nodeId)!;
  await until(() => peers.every(({ nodeId }) => nodeId === again.nodeId || again.isAlive(nodeId)));
  const found = async () => again.network.fetchKeyRecord(keyId);
  expect(await found()).toBeUndefined();
  await until(async () => (await found()) !== undefined);
  expect((await again.open(keyId, token)).key).toEqual(key);
});
