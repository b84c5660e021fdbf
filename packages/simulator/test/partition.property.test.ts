/** Partitions of a key's holders while its owner is away, in virtual time: one history of amendments comes of them. */

import { seatsOf } from '@skerry/wire';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runChurn } from '../src/churn-scenario.ts';
import { calm } from '../src/fates.ts';
import type { ScenarioReport } from '../src/scenario.ts';
import type { Bug, Citizen } from '../src/world.ts';

const dayMs = 86_400_000;

type Split = {
  readonly seed: number;
  /** Side of each holder of the key, and of all others: by its point's place in the key. */
  readonly sides: readonly number[];
  /** Which holder goes for good before. */
  readonly gone: number;
  /** Days from then until the partition, and for which it lasts. */
  readonly afterDays: number;
  readonly forDays: number;
};

/** One key of high risk, 5 of 9, whose owner is away for ten days, and one of whose holders goes for good. */
function split(
  { seed, sides, gone, afterDays, forDays }: Split,
  planted: readonly Bug[] = [],
): ScenarioReport {
  return runChurn(
    { seed, nodes: 64, keys: 1, days: 12 },
    {
      lot: calm,
      liars: 0,
      openMs: 0,
      risks: ['high'],
      planted: new Set(planted),
      onDealt: ({ world, keys }, { goDown, depart, cut }) => {
        const [key] = keys;
        const holders = seatsOf(key!.manifest!).map(({ nodeKey }) => world.nodeOf(nodeKey) as Citizen);
        const sideOf = new Map(holders.map((holder, i) => [holder.slot, sides[i]!]));
        goDown(key!.owner, 10 * dayMs);
        depart(holders[gone]!);
        world.queue.after(afterDays * dayMs, () => {
          cut(party => sideOf.get((party as Citizen).slot) ?? 0, forDays * dayMs);
        });
      },
    },
  );
}

const splits = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  sides: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 9, maxLength: 9 }),
  gone: fc.integer({ min: 0, max: 8 }),
  afterDays: fc.double({ min: 0, max: 3, noNaN: true }),
  forDays: fc.double({ min: 0.5, max: 5, noNaN: true }),
});

describe('a key whose owner is away, and whose holders are cut apart', () => {
  it('has one history of amendments after it, whoever was on which side, and opens', () => {
    fc.assert(
      fc.property(splits, one => {
        const { violations } = split(one);
        expect(violations.filter(text => !text.startsWith('margin-not-recovered'))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('is moved by the rest where t - 1 are cut off, once they are back, and never twice', () => {
    const sides = [1, 1, 1, 1, 0, 0, 0, 0, 0];
    const { figures, violations } = split({ seed: 3, sides, gone: 8, afterDays: 0.1, forDays: 4 });
    expect(violations.filter(text => !text.startsWith('margin-not-recovered'))).toEqual([]);
    expect(figures).toMatchObject({ votedMoves: 1, keysLost: 0 });
  });
});
