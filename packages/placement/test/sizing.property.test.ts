import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FailureGroup, failureDistribution, upperTail } from '../src/sizing.ts';
import { seededNumbers } from './worlds.ts';

const groups = fc.array(
  fc.record({
    together: fc.double({ min: 0, max: 1, noNaN: true }),
    each: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 4 },
);

/** P(exactly `failed` nodes fail), by looking at every set of groups that fail as one and of nodes that fail alone. */
function enumerateFailures(list: readonly FailureGroup[]): number[] {
  const nodes = list.reduce((sum, { each }) => sum + each.length, 0);
  const distribution = Array.from({ length: nodes + 1 }, () => 0);
  for (let together = 0; together < 2 ** list.length; together++) {
    for (let alone = 0; alone < 2 ** nodes; alone++) {
      let probability = 1;
      let failed = 0;
      let node = 0;
      for (const [index, group] of list.entries()) {
        const fallen = ((together >> index) & 1) === 1;
        probability *= fallen ? group.together : 1 - group.together;
        for (const each of group.each) {
          const down = ((alone >> node) & 1) === 1;
          probability *= down ? each : 1 - each;
          if (fallen || down) failed++;
          node++;
        }
      }
      distribution[failed]! += probability;
    }
  }
  return distribution;
}

test('the convolution gives what looking at every outcome gives', () => {
  fc.assert(
    fc.property(
      groups.filter(list => list.reduce((sum, { each }) => sum + each.length, 0) <= 7),
      list => {
        const expected = enumerateFailures(list);
        const got = failureDistribution(list);
        expect(got.length).toBe(expected.length);
        for (const [failed, probability] of expected.entries()) {
          expect(got[failed]).toBeCloseTo(probability, 12);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('the distribution sums to 1 and its tails fall', () => {
  fc.assert(
    fc.property(groups, list => {
      const distribution = failureDistribution(list);
      expect(distribution.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 12);
      for (let from = 0; from < distribution.length; from++) {
        expect(upperTail(distribution, from + 1)).toBeLessThanOrEqual(upperTail(distribution, from));
      }
    }),
  );
});

test('a seeded Monte Carlo of failures agrees within four standard errors', () => {
  const list: FailureGroup[] = [
    { together: 0.05, each: [0.1, 0.2, 0.3] },
    { together: 0.1, each: [0.15, 0.05] },
    { together: 0.02, each: [0.25] },
  ];
  const next = seededNumbers(1);
  const runs = 200_000;
  const seen = Array.from({ length: 7 }, () => 0);
  for (let run = 0; run < runs; run++) {
    let failed = 0;
    for (const { together, each } of list) {
      if (next() < together) failed += each.length;
      else for (const probability of each) if (next() < probability) failed++;
    }
    seen[failed]!++;
  }
  for (const [failed, probability] of failureDistribution(list).entries()) {
    const error = Math.sqrt((probability * (1 - probability)) / runs);
    expect(Math.abs(seen[failed]! / runs - probability)).toBeLessThan(4 * error);
  }
});

test('nodes that may fail together have fatter tails than nodes that fail alone', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 6 }),
      fc.double({ min: 1e-4, max: 0.05, noNaN: true }),
      fc.integer({ min: 2, max: 8 }),
      (sizes, each, from) => {
        const together = each / 3;
        const grouped = sizes.map(size => ({ together, each: Array.from({ length: size }, () => each) }));
        const apart = grouped.flatMap(group => group.each.map(one => ({ together, each: [one] })));
        const tail = upperTail(failureDistribution(apart), from);
        fc.pre(tail > 0 && tail <= 1e-2);
        expect(upperTail(failureDistribution(grouped), from)).toBeGreaterThanOrEqual(tail * (1 - 1e-9));
      },
    ),
  );
});
