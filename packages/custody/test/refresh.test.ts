/** A key that is dealt anew, as its next epoch: the same key, by other shares. */
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type DealOrder, openHeldShare } from '@skerry/custody';
import { unpackKey } from '@skerry/sharing';
import { coreHashOf, type Manifest } from '@skerry/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { laterPendingLifeMs, retiredLifeMs } from '../parameters.ts';
import type { HolderNode } from './holder-node.ts';
import { makeIdentity, signGrant } from './identities.ts';
import { tell } from './moves.ts';
import {
  claimsFor,
  createWorld,
  type DealOutcome,
  deal,
  dealWell,
  open,
  orderDeal,
  type World,
} from './world.ts';

const counts = { t: 3, n: 4, k: 5 };
const key = nodeRandom.bytes(32);
let world: World;
let first: Manifest;
let order: DealOrder;

beforeEach(async () => {
  world = createWorld(8);
  const dealt = orderDeal(world, counts, { key });
  first = await dealWell(world, dealt);
  const previous = { epoch: 1, coreHash: coreHashOf(nodeCrypto, first.core) };
  order = { ...dealt, previous };
});

/** Opens by a manifest, with a grant that names an epoch or none. */
async function openAs(manifest: Manifest, epoch: number | null) {
  const owner = makeIdentity();
  return open(
    world,
    manifest,
    owner,
    signGrant(world.owner, { ...claimsFor(world, manifest, owner), epoch }),
  );
}

/** Deals the next epoch. */
async function refresh(vanishAt = Number.POSITIVE_INFINITY, isRight = true): Promise<DealOutcome> {
  return deal(
    world,
    order,
    index => index === vanishAt,
    async () => isRight,
  );
}

function resultOf({ result }: DealOutcome): Manifest {
  if (result instanceof SkerryError) throw result;
  if (typeof result === 'string') throw new Error(result);
  return result.manifest;
}

const everybody = (): string[] => world.nodes.map(({ nodeId }) => nodeId);

const holding = (epoch: number): HolderNode[] =>
  world.nodes.filter(node => node.held(first.core.keyId)?.active?.core.epoch === epoch);

/** The shares that are served of an epoch, in the clear. */
function sharesOf(epoch: number): string[] {
  return holding(epoch).map(node => {
    const { share, close } = openHeldShare(nodeCrypto, node.held(first.core.keyId)!.active!, 'SHARE_CORRUPT');
    const text = toHex(share.y);
    close();
    return text;
  });
}

describe('a refresh', () => {
  it('gives the same key by other shares, and what it was sealed under opens at every epoch', async () => {
    const before = sharesOf(1);
    const second = resultOf(await refresh());
    expect(second.core).toMatchObject({ epoch: 2, previousHash: coreHashOf(nodeCrypto, first.core) });
    expect(second.core.commitment).not.toEqual(first.core.commitment);
    const after = sharesOf(2);
    expect(after).toHaveLength(counts.k);
    for (const share of after) expect(before).not.toContain(share);
    expect((await open(world, second, makeIdentity())).key).toEqual(key);
  });

  it('has the new epoch opened by a grant that names it, and by no other, before any holder serves it', async () => {
    let seen = {};
    const { result } = await deal(world, order, undefined, async ({ manifest, payload }) => {
      const { box, keyId } = manifest.core;
      expect(unpackKey({ crypto: nodeCrypto, payload, box, keyId })).toEqual(key);
      const named = await openAs(manifest, 2);
      const unnamed = await openAs(manifest, null);
      seen = { served: holding(2).length, key: named.key, code: unnamed.result };
      return true;
    });
    expect(result).toHaveProperty('manifest');
    expect(seen).toMatchObject({ served: 0, key, code: { code: 'KEY_UNAVAILABLE' } });
  });

  it('that does not give the key activates nothing, and its shares are dropped in time', async () => {
    const { result } = await refresh(undefined, false);
    expect(result).toMatchObject({ code: 'REFRESH_MISMATCH' });
    expect(holding(1)).toHaveLength(counts.k);
    expect(world.nodes.filter(node => node.held(first.core.keyId)?.pending)).toHaveLength(counts.k);
    await world.timeline.run(world.timeline.nowMs() + laterPendingLifeMs);
    for (const node of world.nodes) await node.expire();
    expect(world.nodes.filter(node => node.held(first.core.keyId)?.pending)).toEqual([]);
    expect((await open(world, first, makeIdentity())).key).toEqual(key);
  });

  it('has the epoch before kept for a grace, not served, and then erased', async () => {
    const second = resultOf(await refresh());
    await tell(world, second, everybody());
    const both = world.nodes.filter(node => node.held(first.core.keyId)?.retired);
    expect(both.length).toBeGreaterThan(0);
    expect(holding(1)).toEqual([]);
    expect((await open(world, first, makeIdentity())).result).toMatchObject({ code: 'EPOCH_MISMATCH' });
    await world.timeline.run(world.timeline.nowMs() + retiredLifeMs);
    for (const node of world.nodes) await node.expire();
    for (const node of world.nodes) expect(node.held(first.core.keyId)?.retired ?? null).toBeNull();
    expect(at(both, 0).audit.length).toBeGreaterThan(0);
    expect((await open(world, second, makeIdentity())).key).toEqual(key);
  });

  it('whose dealer vanishes at any step leaves t shares of one epoch, and the key', async () => {
    const { effects } = await refresh();
    const stored = effects.findIndex(({ type }) => type === 'store-manifest');
    for (let crash = 0; crash < effects.length; crash++) {
      world = createWorld(8);
      const dealt = orderDeal(world, counts, { key });
      first = await dealWell(world, dealt);
      order = { ...dealt, previous: { epoch: 1, coreHash: coreHashOf(nodeCrypto, first.core) } };
      const { result, effects: done } = await refresh(crash);
      expect(result).toBe('vanished');
      const [epoch] = [2, 1].filter(number => holding(number).length >= counts.t);
      expect(epoch).toBeDefined();
      // where the manifest was stored, whoever has it brings all to the new epoch, also a month less a day later
      const last = done.findLast(effect => effect.type === 'store-manifest');
      const latest = crash > stored && last?.type === 'store-manifest' ? last.manifest : first;
      await world.timeline.run(world.timeline.nowMs() + laterPendingLifeMs - 86_400_000);
      await tell(world, latest, everybody());
      expect(holding(latest.core.epoch)).toHaveLength(counts.k);
      expect((await open(world, latest, makeIdentity())).key).toEqual(key);
    }
  });
});
