/**
 * A node is killed at each step of a new epoch, or of a point that moves, and started again: t shares of one epoch are
 * there at any time, the key opens, and what was begun is carried on with or was never.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../src/peer.ts';
import { probeHolder } from '../src/possession.ts';
import { type CrashingNode, deathOf, pointsOf, startCrashing } from './crashing.ts';
import { until } from './hosts.ts';
import { peerOptions, startPeer, startPeers } from './peers.ts';

const timeout = 60_000;
const counts = { t: 2, n: 3, k: 4 };
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
});
afterAll(async () => rm(root, { recursive: true }));

const codeOf = (error: unknown): unknown => (error instanceof SkerryError ? error.code : error);

/** How many holders prove their shares by a manifest, to a node. */
async function provedBy(asker: Peer, manifest: Manifest): Promise<number> {
  const options = { streams: asker.network.streams, random: nodeRandom };
  const shown = await Promise.all(seatsOf(manifest).map(async ({ x }) => probeHolder(options, manifest, x)));
  return shown.filter(one => one === 'proof').length;
}

describe('an owner killed', { timeout }, () => {
  let peers: Peer[];
  let owner: CrashingNode;
  beforeAll(async () => {
    const home = join(root, 'owners');
    peers = await startPeers(home, 5);
    owner = await startCrashing(home, 5, 0, peers);
  });
  afterAll(async () => {
    await owner.end();
    await Promise.all(peers.map(async peer => peer.close()));
  });

  async function deal(): Promise<{ key: string; keyId: string }> {
    const key = toHex(nodeRandom.bytes(32));
    expect(await owner.tell({ do: 'deal', key })).toEqual({});
    return { key, keyId: String(owner.lines.at(-1)?.['keyId']) };
  }

  /** The newest manifest of a key that its holders know. */
  function known(keyId: string): Manifest[] {
    return peers.flatMap(peer => peer.network.custody.manifestOf(keyId) ?? []);
  }

  // stored with its notice, settled, confirmed; two opens, and four offers, deposits and activations with their answers
  test.each(pointsOf(3, 32, 19))('in a refresh, %s, leaves t shares of one epoch', async (_, point) => {
    const { key, keyId } = await deal();
    const [first] = known(keyId);
    await owner.tell({ do: 'arm', point });
    expect(await owner.tell({ do: 'refresh', keyId })).toBeUndefined();
    const served = known(keyId).map(({ core }) => core.epoch);
    expect([1, 2].some(epoch => served.filter(one => one === epoch).length >= counts.t)).toBe(true);
    expect(await owner.tell({ do: 'open', keyId })).toEqual({ key });
    await owner.tell({ do: 'settle' });
    expect(await owner.tell({ do: 'open', keyId })).toEqual({ key });
    const state = await owner.tell({ do: 'owned', keyId });
    const isThere = ({ core }: Manifest): boolean => core.epoch === state?.['epoch'];
    await until(() => known(keyId).filter(isThere).length === counts.k);
    const latest = known(keyId).find(isThere) ?? first!;
    expect(await provedBy(at(peers, 0), latest)).toBe(counts.k);
    // one that was begun and not stored is done anew, and then as another; what was stored is not
    expect(await owner.tell({ do: 'refresh', keyId })).toEqual({});
    expect(await owner.tell({ do: 'open', keyId })).toEqual({ key });
    expect(await owner.tell({ do: 'destroy', keyId })).toMatchObject({ acknowledged: counts.k });
  });

  // stored with its notice, and that all were told; a nomination, five told, and their answers
  test.each(pointsOf(2, 12, 7))('in a move, %s, leaves every point with one holder', async (_, point) => {
    const { key, keyId } = await deal();
    const { x } = at(at(known(keyId), 0).core.holders, 0);
    await owner.tell({ do: 'arm', point });
    expect(await owner.tell({ do: 'move', keyId, x })).toBeUndefined();
    expect(await owner.tell({ do: 'open', keyId })).toEqual({ key });
    await owner.tell({ do: 'settle' });
    const state = await owner.tell({ do: 'owned', keyId });
    const isThere = ({ amendments }: Manifest): boolean => amendments.length === state?.['moved'];
    await until(() => known(keyId).filter(isThere).length >= counts.k);
    const latest = known(keyId).find(isThere)!;
    expect(new Set(seatsOf(latest).map(({ nodeKey }) => nodeIdOf(nodeKey))).size).toBe(counts.k);
    await until(async () => (await provedBy(at(peers, 0), latest)) === counts.k);
    expect(await owner.tell({ do: 'open', keyId })).toEqual({ key });
    expect(await owner.tell({ do: 'destroy', keyId })).toMatchObject({ acknowledged: counts.k });
  });
});

describe('a node killed that', { timeout }, () => {
  let owner: Peer;
  let peers: Peer[];
  let node: CrashingNode;
  beforeAll(async () => {
    const home = join(root, 'holders');
    peers = await startPeers(home, 4);
    node = await startCrashing(home, 4, 1_000, peers);
    // the others are preferred: so that it is nobody's first choice, and the only one left
    const trust = Object.fromEntries(peers.map(({ nodeId }) => [nodeId, 'vouch'] as const));
    const bootstrap = at(peers, 0).addresses();
    owner = await startPeer(
      peerOptions(home, 5, { bootstrap, capacity: 0, trust: { ...trust, [node.nodeId()]: 0.46 } }),
    );
    await until(() => owner.isAlive(node.nodeId()) && owner.candidates().length === 5);
  });
  afterAll(async () => {
    await node.end();
    await owner.close();
    await Promise.all(peers.map(async peer => peer.close()));
  });

  async function deal(): Promise<{ keyId: Uint8Array; key: Uint8Array; x: number }> {
    const [slot, key] = [owner.reserveKey(), nodeRandom.bytes(32)];
    await owner.deal(slot, key, { risk: 'low', acceptReduced: true, counts });
    const { manifest } = owner.keys.get(slot.keyId)!;
    expect(seatsOf(manifest).map(seat => nodeIdOf(seat.nodeKey))).not.toContain(node.nodeId());
    return { keyId: slot.keyId, key, x: at(manifest.core.holders, 0).x };
  }

  const manifestNow = (keyId: Uint8Array): Manifest => owner.keys.get(keyId)!.manifest;

  // it stores that it is ready, that the point is its own, and the share
  test.each(pointsOf(3, 0, 2))(
    'takes a point, %s, has the share or leaves it to another',
    async (_, point) => {
      const { keyId, key, x } = await deal();
      await node.tell({ do: 'arm', point, keyId: toHex(keyId) });
      const moving = owner.move(keyId, x, 'moved').then(() => 'moved', codeOf);
      await deathOf(node, moving);
      expect(await moving).toBe('moved');
      await until(async () => (await provedBy(owner, manifestNow(keyId))) === counts.k);
      expect((await owner.open(keyId)).key).toEqual(key);
      await until(async () => (await owner.destroy(keyId)).acknowledged === counts.k);
    },
  );

  // it stores who holds its point now, and that its share is let go of
  test.each(pointsOf(3, 0, 3))(
    'gives a point away, %s, keeps the share until the other has it',
    async (_, point) => {
      const { keyId, key, x } = await deal();
      expect((await owner.move(keyId, x, 'moved')).proposal.nodeKey).toBeDefined();
      await until(async () => (await provedBy(owner, manifestNow(keyId))) === counts.k);
      await node.tell({ do: 'arm', point, keyId: toHex(keyId) });
      const moving = owner.move(keyId, x, 'moved').then(() => 'moved', codeOf);
      await deathOf(node, moving);
      await until(async () => (await provedBy(owner, manifestNow(keyId))) === counts.k);
      expect((await owner.open(keyId)).key).toEqual(key);
      await until(async () => (await owner.destroy(keyId)).acknowledged === counts.k);
    },
  );
});
