/** Holders that move a point at once, in any order of messages, some of them lost: they never move it to two nodes. */
import { at, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { encodeHeldKey } from '@skerry/custody';
import { type Amendment, type Manifest, nodeIdOf, proposalHashOf } from '@skerry/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holderOf, moveWell, startMover } from './moves.ts';
import { createWorld, dealWell, orderDeal, type World } from './world.ts';

/** Four of seven, of which one may move without the owner: six have to vote. */
const counts = { t: 4, n: 5, k: 7 };

type Race = {
  /** Which proposer goes on next. */
  readonly turns: readonly number[];
  /** Which of the requests come to nothing: those at a 0. */
  readonly losses: readonly number[];
  /** Seats of those that propose. */
  readonly proposers: readonly number[];
};

const races = fc.record({
  turns: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 120, maxLength: 120 }),
  losses: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 7, maxLength: 40 }),
  proposers: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 3, maxLength: 3 }),
});

async function dealOne(): Promise<{ world: World; manifest: Manifest }> {
  const world = createWorld(11);
  const order = orderDeal(world, counts);
  const place: typeof order.place = excluded => ({ ...order.place(excluded), repairBudget: 1 });
  return { world, manifest: await dealWell(world, { ...order, place }) };
}

/** The places that the race moved the point to, each once. */
async function run({ turns, losses, proposers }: Race): Promise<string[]> {
  const { world, manifest } = await dealOne();
  const [{ x }, standbys] = [at(manifest.core.holders, 0), manifest.core.standby.map(nodeIdOf)];
  const leaver = holderOf(world, manifest, x).nodeId;
  let asked = 0;
  // the one that is to be replaced is gone; of the others each may miss a request
  world.fate = ({ holder }) => ({ lost: holder === leaver || losses[asked++ % losses.length] === 0 });
  const begin = (seat: number, i: number) => {
    const nominees = [standbys[i % standbys.length]!, leaver];
    const from = at(manifest.core.holders, seat).nodeKey;
    return startMover(world, { manifest, x, reason: 'absent', nominees, signer: null }, from);
  };
  const movers = proposers.map(begin);
  const moved = new Set<string>();
  for (const turn of [...turns, ...turns, ...turns]) {
    const mover = movers[turn]!;
    const effect = mover.next();
    if (effect.type === 'adopt') {
      const { proposal } = effect.manifest.amendments.at(-1)!;
      const hash = proposalHashOf(nodeCrypto, effect.manifest.activation.coreHash, proposal);
      moved.add(`${nodeIdOf(proposal.nodeKey)} ${Buffer.from(hash).toString('hex')}`);
    }
    if (effect.type === 'fail') movers[turn] = begin(proposers[turn]!, turn);
    else if (effect.type !== 'done') await mover.carry();
  }
  return [...moved];
}

describe('three holders that move one point at once', () => {
  it('move it to one node, by one proposal, or not at all', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(races, async race => {
        const moved = await run(race);
        expect(moved.length).toBeLessThan(2);
        count += moved.length;
      }),
      { numRuns: 12 },
    );
    expect(count).toBeGreaterThan(0);
  });

  it('would move it to two if they forgot whom they voted for', async () => {
    const { world, manifest } = await dealOne();
    const { keyId } = manifest.core;
    const x = at(manifest.core.holders, 0).x;
    const from = at(manifest.core.holders, 1).nodeKey;
    const moved: string[] = [];
    for (const nominee of manifest.core.standby.map(nodeIdOf)) {
      const order = { manifest, x, reason: 'absent', nominees: [nominee], signer: null } as const;
      const [{ proposal }] = (await moveWell(world, order, from)).amendments as [Amendment];
      moved.push(nodeIdOf(proposal.nodeKey));
      for (const node of world.nodes) {
        const held = node.held(keyId);
        if (held) node.disk.set(toHex(keyId), encodeHeldKey({ ...held, votes: [] }));
      }
    }
    expect(new Set(moved).size).toBeGreaterThan(1);
  });
});
