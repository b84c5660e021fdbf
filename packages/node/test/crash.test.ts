/**
 * A node is killed at each step of a deal, an activation and a destruction, and started again: there is a complete key
 * or none, and what an owner decided is carried on with.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../src/peer.ts';
import { type CrashingNode, type CrashPoint, deathOf, pointsOf, startCrashing } from './crashing.ts';
import { until } from './hosts.ts';
import { startPeers } from './peers.ts';

const timeout = 60_000;
const counts = { t: 2, n: 3, k: 4 };
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
});
afterAll(async () => rm(root, { recursive: true }));

const codeOf = (error: unknown): unknown => (error instanceof SkerryError ? error.code : error);

const toHexOf = ({ key }: { key: Uint8Array }): string => toHex(key);

/** Whether a point of the store comes after its first change, with which an owner has decided. */
const isAfterFirst = ({ number, when }: CrashPoint): boolean => number > 1 || when === 'after';

const keyIdIn = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

describe('an owner killed', { timeout }, () => {
  let peers: Peer[];
  let owner: CrashingNode;
  beforeAll(async () => {
    const home = join(root, 'owners');
    peers = await startPeers(home, 4);
    owner = await startCrashing(home, 4, 0, peers);
  });
  afterAll(async () => {
    await owner.end();
    await Promise.all(peers.map(async peer => peer.close()));
  });

  /** What the DHT has of a key, as another node sees it. */
  async function recordOf(keyId: string): Promise<string> {
    return (await at(peers, 0).network.fetchKeyRecord(keyIdIn(keyId)))?.type ?? 'nothing';
  }

  // 24 frames: an offer, a deposit, an activation to four holders, and their answers; the manifest is stored and settled
  test.each(pointsOf(2, 24, 8))('in a deal, %s, leaves a complete key or none', async (_, point) => {
    const key = toHex(nodeRandom.bytes(32));
    const before = owner.deaths();
    await owner.tell({ do: 'arm', point });
    expect(await owner.tell({ do: 'deal', key })).toBeUndefined();
    expect(owner.deaths()).toBe(before + 1);
    const keyId = String(owner.lines.at(-1)?.['keyId']);
    const state = await owner.tell({ do: 'owned', keyId });
    const isDealt = point.kind === 'disk' ? isAfterFirst(point) : state?.['owned'] === true;
    expect(state).toMatchObject({ owned: isDealt, destroyed: false });
    await owner.tell({ do: 'settle' });
    expect(await owner.tell({ do: 'open', keyId })).toEqual(isDealt ? { key } : { error: 'KEY_UNKNOWN' });
    await until(async () => !isDealt || (await recordOf(keyId)) === 'manifest');
    expect(await recordOf(keyId)).toBe(isDealt ? 'manifest' : 'nothing');
    // every holder has it, or none: each signs its deletion
    const all = { acknowledged: counts.k, needed: 3 };
    expect(await owner.tell({ do: 'destroy', keyId })).toEqual(isDealt ? all : { error: 'KEY_UNKNOWN' });
  });

  // the tombstone is stored and settled; four holders are told and answer
  test.each(pointsOf(2, 8, 6))('in a destruction, %s, goes on with it or has not begun', async (_, point) => {
    const key = toHex(nodeRandom.bytes(32));
    expect(await owner.tell({ do: 'deal', key })).toEqual({});
    const keyId = String(owner.lines.at(-1)?.['keyId']);
    await owner.tell({ do: 'arm', point });
    expect(await owner.tell({ do: 'destroy', keyId })).toBeUndefined();
    const state = await owner.tell({ do: 'owned', keyId });
    const isEnded = point.kind === 'disk' ? isAfterFirst(point) : state?.['destroyed'] === true;
    expect(state).toMatchObject({ owned: true, destroyed: isEnded });
    await owner.tell({ do: 'settle' });
    expect(await owner.tell({ do: 'open', keyId })).toEqual(isEnded ? { error: 'KEY_DESTROYED' } : { key });
    await until(async () => (await recordOf(keyId)) === (isEnded ? 'tombstone' : 'manifest'));
    expect(await owner.tell({ do: 'destroy', keyId })).toEqual({ acknowledged: counts.k, needed: 3 });
  });
});

describe('a holder killed', { timeout }, () => {
  let peers: Peer[];
  let holder: CrashingNode;
  beforeAll(async () => {
    const home = join(root, 'holders');
    peers = await startPeers(home, 4);
    holder = await startCrashing(home, 4, 1_000, peers);
  });
  afterAll(async () => {
    await holder.end();
    await Promise.all(peers.map(async peer => peer.close()));
  });

  // it stores its accept, its share, and that the share is active
  test.each(pointsOf(3, 0, 3))('in a deal, %s, serves its share or the deal fails', async (_, point) => {
    const owner = at(peers, 0);
    const slot = owner.reserveKey();
    const key = nodeRandom.bytes(32);
    await holder.tell({ do: 'arm', point, keyId: toHex(slot.keyId) });
    const dealing = owner
      .deal(slot, key, { risk: 'low', acceptReduced: true, counts })
      .then(() => 'dealt', codeOf);
    await deathOf(holder, dealing);
    const outcome = await dealing;
    const isDealt = outcome === 'dealt';
    expect(['dealt', 'DEPOSIT_FAILED', 'PLACEMENT_INFEASIBLE']).toContain(outcome);
    // what a failed deal left is destroyed, and told to the holder that died
    expect(owner.keys.get(slot.keyId)?.tombstone === null).toBe(isDealt);
    const opened = await owner.open(slot.keyId).then(toHexOf, codeOf);
    expect(isDealt ? [toHex(key)] : ['KEY_UNKNOWN', 'KEY_DESTROYED']).toContain(opened);
    const hasEntry = owner.keys.get(slot.keyId) !== undefined;
    await until(async () => !hasEntry || (await owner.destroy(slot.keyId)).acknowledged === counts.k);
  });

  // it stores that the key is destroyed, and that its files are rewritten
  test.each(pointsOf(2, 0, 3))('in a destruction, %s, erases its share all the same', async (_, point) => {
    const owner = at(peers, 0);
    const slot = owner.reserveKey();
    await owner.deal(slot, nodeRandom.bytes(32), { risk: 'low', acceptReduced: true, counts });
    await holder.tell({ do: 'arm', point, keyId: toHex(slot.keyId) });
    const destroying = owner.destroy(slot.keyId);
    await deathOf(holder, destroying);
    expect((await destroying).acknowledged).toBeGreaterThanOrEqual(counts.k - 1);
    await until(async () => (await owner.destroy(slot.keyId)).acknowledged === counts.k);
    await expect(owner.open(slot.keyId)).rejects.toMatchObject({ code: 'KEY_DESTROYED' });
  });
});
