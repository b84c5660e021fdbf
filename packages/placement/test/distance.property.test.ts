import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { dispersionDistance } from '../index.ts';
import { meanDispersion } from '../src/distance.ts';
import { distanceWithin, poolOf } from '../src/pool.ts';
import { randomWorld, spreadWorld } from './worlds.ts';

const shape = { size: 12, operatorCount: 3, regionCount: 3, trustMin: 0, availabilityMin: 0 };
const triples = fc.integer().map(seed => randomWorld(seed, shape));

test('dispersion is a metric between 0 and 1', () => {
  fc.assert(
    fc.property(triples, ([a, b, c]) => {
      const [ab, bc, ac] = [
        dispersionDistance(a!, b!),
        dispersionDistance(b!, c!),
        dispersionDistance(a!, c!),
      ];
      expect(dispersionDistance(a!, a!)).toBe(0);
      expect(dispersionDistance(b!, a!)).toBeCloseTo(ab, 12);
      expect(ac).toBeLessThanOrEqual(ab + bc + 1e-12);
      expect(Math.min(ab, bc, ac)).toBeGreaterThanOrEqual(0);
      expect(Math.max(ab, bc, ac)).toBeLessThanOrEqual(1);
    }),
  );
});

test('the search computes the same distances', () => {
  fc.assert(
    fc.property(triples, candidates => {
      const pool = poolOf(candidates);
      for (const [a, left] of pool.candidates.entries()) {
        for (const [b, right] of pool.candidates.entries()) {
          expect(distanceWithin(pool, a, b)).toBeCloseTo(dispersionDistance(left, right), 9);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('two nodes across the world, of other regions and operators, are 1 apart', () => {
  const [iceland, australia] = spreadWorld(2, 2);
  expect(dispersionDistance(iceland!, australia!)).toBe(1);
  expect(meanDispersion([iceland!, australia!])).toBe(1);
});

test('two nameless nodes have two operators, and none is the operator that has its node id for a name', () => {
  const [first, second] = spreadWorld(2, 1).map(node => ({ ...node, operator: null }));
  const place = first!.place;
  expect(dispersionDistance({ ...first!, place }, { ...second!, place })).toBe(0.25);
  expect(dispersionDistance(first!, { ...second!, place, operator: first!.nodeId })).toBe(0.25);
});
