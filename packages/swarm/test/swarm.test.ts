import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, type Log, type Risk, SkerryError } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { type Deal, loadIdentity } from '@skerry/node';
import type { Counts } from '@skerry/placement';
import { nodeIdOf } from '@skerry/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarm, type Swarm } from '../index.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The error that a promise rejects with; a promise that resolves fails the test. */
async function errorOf(promise: Promise<unknown>): Promise<SkerryError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(SkerryError);
  return outcome as SkerryError;
}

describe('a swarm of twelve real peers', () => {
  let root: string;
  let swarm: Swarm;
  const key = nodeRandom.bytes(32);

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-swarm-'));
    swarm = await createSwarm({ nodeCount: 12, home: root, log: quiet });
  });
  afterAll(async () => {
    await swarm.close();
    await rm(root, { recursive: true, force: true });
  });

  async function deal(
    risk: Risk,
    counts?: Counts,
    secret: Uint8Array = key,
  ): Promise<Deal & { keyId: Uint8Array }> {
    const owner = at(swarm.nodes, 0).peer();
    const slot = owner.reserveKey();
    const protection = { risk, acceptReduced: false, ...(counts && { counts }) };
    return { ...(await owner.deal(slot, secret, protection)), keyId: slot.keyId };
  }

  function indexesOf(dealt: Deal, count: number): number[] {
    const ids = dealt.placement.holders.slice(0, count).map(({ nodeId }) => nodeId);
    return ids.map(id => swarm.nodes.findIndex(({ nodeId }) => nodeId === id));
  }

  async function restore(): Promise<void> {
    for (const node of swarm.nodes) if (!node.isUp()) await swarm.start(node.index);
    await swarm.ready();
  }

  test('a higher risk gets more holders in more regions and operators, and more must fall to reach t', async () => {
    const low = (await deal('low')).placement;
    const high = (await deal('high')).placement;
    const kinds = (placement: typeof low) => ({
      regions: new Set(placement.holders.map(({ place }) => place.region)).size,
      operators: new Set(placement.holders.map(({ operator }) => operator)).size,
    });
    expect(high.k).toBeGreaterThan(low.k);
    expect(high.t).toBeGreaterThan(low.t);
    expect(kinds(high).regions).toBeGreaterThan(kinds(low).regions);
    expect(kinds(high).operators).toBeGreaterThan(kinds(low).operators);
    expect(high.certificate.simulated).toBe(true);
  });

  test('a key opens with k - t holders crashed, not with one more, and again once they are back', async () => {
    const dealt = await deal('high');
    const owner = at(swarm.nodes, 0).peer();
    const { k, t } = dealt.placement;
    const victims = indexesOf(dealt, k - t + 1);
    for (const index of victims.slice(0, -1)) await swarm.crash(index);
    expect((await owner.open(dealt.keyId)).key).toEqual(key);

    await swarm.crash(at(victims, k - t));
    const startMs = performance.now();
    const error = await errorOf(owner.open(dealt.keyId));
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(error.code).toBe('KEY_UNAVAILABLE');
    for (const index of victims) expect(error.message).toContain(at(swarm.nodes, index).place.name);
    expect(error.metadata).toMatchObject({ threshold: t, holders: k, missing: k - t + 1 });

    await restore();
    expect((await owner.open(dealt.keyId)).key).toEqual(key);
  });

  test.each([1, 64, 65, 65_536])('a key of %i bytes comes back whole', async length => {
    const secret = nodeRandom.bytes(length);
    const dealt = await deal('low', undefined, secret);
    expect((await at(swarm.nodes, 0).peer().open(dealt.keyId)).key).toEqual(secret);
  });

  test('a share altered on a disk is found out by its holder, and the key opens without it', async () => {
    const dealt = await deal('medium');
    const [victim] = indexesOf(dealt, 1) as [number];
    await swarm.corrupt(victim, dealt.keyId);
    await swarm.ready();
    const owner = at(swarm.nodes, 0).peer();
    expect((await owner.open(dealt.keyId)).key).toEqual(key);
    for (const index of indexesOf(dealt, dealt.placement.k - dealt.placement.t + 1).slice(1)) {
      await swarm.crash(index);
    }
    const error = await errorOf(owner.open(dealt.keyId));
    expect(error.code).toBe('KEY_UNAVAILABLE');
    expect(error.message).toContain('SHARE_CORRUPT');
    await restore();
  });

  test('a partition with fewer than t holders gets nothing, and healing ends it', async () => {
    const dealt = await deal('high');
    const owner = at(swarm.nodes, 0).peer();
    const near = [0, ...indexesOf(dealt, dealt.placement.t - 1)];
    const far = swarm.nodes.map(({ index }) => index).filter(index => !near.includes(index));
    await swarm.partition([near, far]);
    expect((await errorOf(owner.open(dealt.keyId))).code).toBe('KEY_UNAVAILABLE');
    await swarm.partition([[...near, ...far]]);
    await swarm.ready();
    expect((await owner.open(dealt.keyId)).key).toEqual(key);
  });

  test('another node opens with a grant of its own and with no other', async () => {
    // Of five holders no second three are left that have not counted the one use.
    const dealt = await deal('medium', { t: 3, n: 4, k: 5 });
    const owner = at(swarm.nodes, 0).peer();
    const friend = at(swarm.nodes, 5).peer();
    const stranger = at(swarm.nodes, 6).peer();
    const { token: grant } = await owner.grant(dealt.keyId, friend.nodeId, { lifeMs: 60_000, uses: 1 });
    expect((await friend.open(dealt.keyId, grant)).key).toEqual(key);
    expect((await errorOf(friend.open(dealt.keyId, grant))).code).toBe('GRANT_USED_UP');
    expect((await errorOf(friend.open(dealt.keyId))).code).toBe('GRANT_INVALID');
    expect((await errorOf(stranger.open(dealt.keyId, grant))).code).toBe('GRANT_INVALID');
  });

  test('the owner never holds a share of its own key, nor does a node hold two', async () => {
    const dealt = await deal('high');
    const holders = dealt.manifest.core.holders.map(({ nodeKey }) => nodeIdOf(nodeKey));
    expect(new Set(holders).size).toBe(dealt.placement.k);
    expect(holders).not.toContain(at(swarm.nodes, 0).nodeId);
  });

  test('a deal places the key anew when a chosen holder is gone', async () => {
    const owner = at(swarm.nodes, 0).peer();
    const planned = owner.plan({ risk: 'low', acceptReduced: false });
    const [gone] = planned.holders.map(({ nodeId }) => swarm.nodes.findIndex(node => node.nodeId === nodeId));
    await swarm.crash(gone as number);
    const dealt = await deal('low');
    expect(dealt.placement.holders.map(({ nodeId }) => nodeId)).not.toContain(
      at(swarm.nodes, gone as number).nodeId,
    );
    expect((await owner.open(dealt.keyId)).key).toEqual(key);
    await restore();
  });

  test('shares, keys and identities are there again after all nodes restarted', async () => {
    const dealt = await deal('high');
    await Promise.all(swarm.nodes.map(async ({ index }) => swarm.stop(index)));
    await restore();
    const owner = at(swarm.nodes, 0).peer();
    expect((await owner.open(dealt.keyId)).key).toEqual(key);
    expect((await loadIdentity(owner.home)).nodeId).toBe(owner.nodeId);
  });
});

test('a swarm over the memory transport deals and opens', async () => {
  const root = await mkdtemp(join(tmpdir(), 'skerry-swarm-'));
  const swarm = await createSwarm({ nodeCount: 5, home: root, transport: 'memory', log: quiet });
  try {
    const owner = at(swarm.nodes, 0).peer();
    const slot = owner.reserveKey();
    const key = nodeRandom.bytes(48);
    await owner.deal(slot, key, { risk: 'low', acceptReduced: false });
    expect((await owner.open(slot.keyId)).key).toEqual(key);
    const refused = await errorOf(
      owner.deal(owner.reserveKey(), key, { risk: 'high', acceptReduced: false }),
    );
    expect(refused.code).toBe('PLACEMENT_INFEASIBLE');
  } finally {
    await swarm.close();
    await rm(root, { recursive: true, force: true });
  }
});

test('a swarm refuses a number of nodes out of range', async () => {
  const error = await errorOf(createSwarm({ nodeCount: 3, home: join(tmpdir(), 'never'), log: quiet }));
  expect(error.code).toBe('CONFIG_INVALID');
});
