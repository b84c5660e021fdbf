import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bestAssignment } from '../src/assignment.ts';
import { meanDispersion } from '../src/distance.ts';
import { enumerateBest } from '../src/enumeration.ts';
import { augment } from '../src/flow.ts';
import { searchLocally } from '../src/local-search.ts';
import { type Aim, type Pool, poolOf } from '../src/pool.ts';
import { randomWorld, worlds } from './worlds.ts';

const aims: fc.Arbitrary<Aim> = fc.record({
  k: fc.integer({ min: 2, max: 7 }),
  caps: fc.record({
    perOperator: fc.integer({ min: 1, max: 3 }),
    perRegion: fc.integer({ min: 1, max: 3 }),
  }),
  dispersionWeight: fc.constantFrom(0, 0.3, 0.5, 0.65, 1),
  regionsWanted: fc.integer({ min: 0, max: 4 }),
  operatorsWanted: fc.integer({ min: 0, max: 4 }),
});

function largest(indices: Int32Array, members: readonly number[]): number {
  const shares = Map.groupBy(members, member => indices[member]!);
  return Math.max(...[...shares.values()].map(group => group.length));
}

function distinct(indices: Int32Array, members: readonly number[]): number {
  return new Set(members.map(member => indices[member]!)).size;
}

/** The objective, less 1 for each region and operator wanted and missing; undefined outside the caps. */
function valueOf(pool: Pool, aim: Aim, members: readonly number[]): number | undefined {
  if (largest(pool.operator, members) > aim.caps.perOperator) return undefined;
  if (largest(pool.region, members) > aim.caps.perRegion) return undefined;
  const nodes = members.map(member => pool.candidates[member]!);
  const trust = nodes.reduce((sum, node) => sum + node.trust, 0) / aim.k;
  return (
    (1 - aim.dispersionWeight) * trust +
    aim.dispersionWeight * meanDispersion(nodes) -
    Math.max(0, aim.regionsWanted - distinct(pool.region, members)) -
    Math.max(0, aim.operatorsWanted - distinct(pool.operator, members))
  );
}

function* setsOf(size: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) {
    yield [];
    return;
  }
  for (let first = from; first <= size - k; first++) {
    for (const rest of setsOf(size, k - 1, first + 1)) yield [first, ...rest];
  }
}

/** The best value of any set of k, by looking at all of them. */
function bestValue(pool: Pool, aim: Aim): number | undefined {
  let best: number | undefined;
  for (const members of setsOf(pool.candidates.length, aim.k)) {
    const value = valueOf(pool, aim, members);
    if (value !== undefined && (best === undefined || value > best)) best = value;
  }
  return best;
}

describe('assignment', () => {
  test('the exact search finds the best of all sets, or that there is none', () => {
    fc.assert(
      fc.property(worlds(9), aims, (candidates, aim) => {
        const pool = poolOf(candidates);
        const best = bestValue(pool, aim);
        const members = bestAssignment(pool, aim);
        const value = members === undefined ? undefined : valueOf(pool, aim, members);
        expect(value === undefined).toBe(best === undefined);
        expect(value ?? 0).toBeCloseTo(best ?? 0, 9);
      }),
      { numRuns: 150 },
    );
  });

  test('the maximum flow tells exactly whether any set fits under the caps', () => {
    fc.assert(
      fc.property(worlds(9), aims, (candidates, aim) => {
        const pool = poolOf(candidates);
        const members = augment(pool, aim, []);
        const exists = bestValue(pool, aim) !== undefined;
        expect(members !== undefined).toBe(exists);
        expect(members === undefined || valueOf(pool, aim, members) !== undefined).toBe(true);
      }),
    );
  });

  test('local search keeps the caps and ends where no single swap gains', () => {
    fc.assert(
      fc.property(worlds(40), aims, (candidates, aim) => {
        const pool = poolOf(candidates);
        fc.pre(augment(pool, aim, []) !== undefined);
        const members = searchLocally(pool, aim);
        expect(new Set(members).size).toBe(aim.k);
        const value = valueOf(pool, aim, members)!;
        expect(value).toBeDefined();
        for (const outgoing of members) {
          const rest = members.filter(member => member !== outgoing);
          for (const incoming of pool.candidates.keys()) {
            if (members.includes(incoming)) continue;
            expect(valueOf(pool, aim, [...rest, incoming]) ?? value).toBeLessThanOrEqual(value + 1e-9);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  test('local search comes within 3 % of the optimum nearly always, and within 10 % always', () => {
    const ratios: number[] = [];
    for (let seed = 0; seed < 600; seed++) {
      const pool = poolOf(
        randomWorld(seed, {
          size: 12 + (seed % 10),
          operatorCount: 3 + (seed % 10),
          regionCount: 3 + (seed % 7),
          trustMin: [0, 0.4, 0.75, 0.9][seed % 4]!,
          availabilityMin: 0.9,
        }),
      );
      const aim = {
        k: 3 + (seed % 6),
        caps: { perOperator: 1 + (seed % 3), perRegion: 1 + ((seed >> 2) % 3) },
        dispersionWeight: [0.3, 0.5, 0.65][seed % 3]!,
        regionsWanted: 0,
        operatorsWanted: 0,
      };
      if (augment(pool, aim, []) === undefined) continue;
      const best = enumerateBest(pool, aim);
      ratios.push(valueOf(pool, aim, searchLocally(pool, aim))! / valueOf(pool, aim, best)!);
    }
    expect(ratios.length).toBeGreaterThan(500);
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(0.9);
    expect(ratios.filter(ratio => ratio < 0.97).length).toBeLessThanOrEqual(ratios.length / 100);
  });

  test('a set that no greedy choice completes is completed along augmenting paths', () => {
    const [a, b, c] = randomWorld(1, {
      size: 3,
      operatorCount: 1,
      regionCount: 1,
      trustMin: 0,
      availabilityMin: 0,
    });
    const at = (node: typeof a, operator: string, region: string, trust: number) => ({
      ...node!,
      operator,
      trust,
      place: { ...node!.place, region },
    });
    const pool = poolOf([at(a, 'x', 'r', 0.9), at(b, 'x', 's', 0.1), at(c, 'y', 'r', 0.1)]);
    const aim = {
      k: 2,
      caps: { perOperator: 1, perRegion: 1 },
      dispersionWeight: 0,
      regionsWanted: 0,
      operatorsWanted: 0,
    };
    expect(searchLocally(pool, aim)).toEqual([1, 2]);
  });
});
