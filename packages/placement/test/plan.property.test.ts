import { type Profile, profiles, type Risk, riskLevels, SkerryError } from '@skerry/base';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Candidate,
  capsOf,
  type Placement,
  planPlacement,
  targetsOf,
  verifyCertificate,
} from '../index.ts';
import { levelTable, standbyMax } from '../parameters.ts';
import { operatorOf } from '../src/candidate.ts';
import { randomWorld, seededNumbers, worlds } from './worlds.ts';

/** The placement, or undefined where it is refused with figures. */
function tryPlan(
  candidates: Candidate[],
  risk: Risk,
  profile: Profile,
  acceptReduced: boolean,
): Placement | undefined {
  try {
    return planPlacement({ candidates, risk, profile, acceptReduced });
  } catch (error) {
    if (error instanceof SkerryError && error.code === 'PLACEMENT_INFEASIBLE') return undefined;
    throw error;
  }
}

/** Shares of each group, the largest first. */
function sharesBy(holders: readonly Candidate[], keyOf: (holder: Candidate) => string): number[] {
  return [...Map.groupBy(holders, keyOf).values()].map(group => group.length).sort((a, b) => b - a);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function regionOf(holder: Candidate): string {
  return holder.place.region;
}

const requests = fc.record({
  world: worlds(30),
  risk: fc.constantFrom(...riskLevels),
  profile: fc.constantFrom(...profiles),
  acceptReduced: fc.boolean(),
});

describe('every placement', () => {
  test('keeps the caps, three regions and t shares whichever region is lost', () => {
    fc.assert(
      fc.property(requests, ({ world, risk, profile, acceptReduced }) => {
        const placement = tryPlan(world, risk, profile, acceptReduced);
        fc.pre(placement !== undefined);
        const { t, n, k, holders } = placement;
        const caps = capsOf(placement, targetsOf(profile, risk), risk);
        const operators = sharesBy(holders, operatorOf);
        const regions = sharesBy(holders, regionOf);
        expect(new Set(holders.map(({ nodeId }) => nodeId)).size).toBe(k);
        expect(2 <= t && t <= n && n < k && k === holders.length).toBe(true);
        expect(operators[0]).toBeLessThanOrEqual(caps.perOperator);
        expect(regions[0]).toBeLessThanOrEqual(caps.perRegion);
        expect(regions.length).toBeGreaterThanOrEqual(3);
        expect(k - regions[0]!).toBeGreaterThanOrEqual(t);
        verifyCertificate(structuredClone(placement.certificate));
      }),
      { numRuns: 30 },
    );
  });

  test('that is not reduced keeps its targets, its floor, and its threshold from m operators or a region after R moves', () => {
    fc.assert(
      fc.property(requests, ({ world, risk, profile }) => {
        const placement = tryPlan(world, risk, profile, false);
        fc.pre(placement !== undefined);
        const targets = targetsOf(profile, risk);
        const { t, holders, certificate } = placement;
        expect(placement.reduced).toBe(false);
        expect(Math.min(...holders.map(({ trust }) => trust))).toBeGreaterThanOrEqual(targets.trustFloor);
        const colluding = sharesBy(holders, operatorOf).slice(0, levelTable[risk].colludingOperators);
        expect(sum(colluding) + targets.repairBudget).toBeLessThan(t);
        expect(sharesBy(holders, regionOf)[0]! + targets.repairBudget).toBeLessThan(t);
        expect(certificate.reached.pLoss).toBeLessThanOrEqual(targets.lossMax);
        expect(certificate.reached.pTheft).toBeLessThanOrEqual(targets.theftMax);
        expect(certificate.constraints.every(({ slack }) => slack >= 0)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('names standbys that are no holders and that replace some holder under the caps', () => {
    fc.assert(
      fc.property(requests, ({ world, risk, profile }) => {
        const placement = tryPlan(world, risk, profile, true);
        fc.pre(placement !== undefined);
        const caps = capsOf(placement, targetsOf(profile, risk), risk);
        expect(placement.standby.length).toBeLessThanOrEqual(standbyMax);
        for (const standby of placement.standby) {
          expect(placement.holders.map(({ nodeId }) => nodeId)).not.toContain(standby.nodeId);
          const fits = placement.holders.some(gone => {
            const after = [...placement.holders.filter(holder => holder !== gone), standby];
            return (
              sharesBy(after, operatorOf)[0]! <= caps.perOperator &&
              sharesBy(after, regionOf)[0]! <= caps.perRegion
            );
          });
          expect(fits).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('is the same whatever the order of the candidates', () => {
    fc.assert(
      fc.property(requests, fc.integer(), ({ world, risk, profile, acceptReduced }, seed) => {
        const next = seededNumbers(seed);
        const order = world.map(candidate => ({ candidate, key: next() })).sort((a, b) => a.key - b.key);
        const shuffled = order.map(({ candidate }) => candidate);
        expect(tryPlan(shuffled, risk, profile, acceptReduced)).toEqual(
          tryPlan(world, risk, profile, acceptReduced),
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('a higher risk', () => {
  test('never has fewer holders, primaries or a lower threshold on the same network, reduced or not', () => {
    fc.assert(
      fc.property(worlds(30), fc.constantFrom(...profiles), fc.boolean(), (world, profile, acceptReduced) => {
        const placements = riskLevels
          .map(risk => tryPlan(world, risk, profile, acceptReduced))
          .filter(placement => placement !== undefined);
        for (const count of ['t', 'n', 'k'] as const) {
          const counts = placements.map(placement => placement[count]);
          expect(counts).toEqual(counts.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 25 },
    );
  });

  test('has no fewer regions and operators where trust leaves the same nodes to choose from', () => {
    let compared = 0;
    for (let seed = 0; seed < 40; seed++) {
      const world = randomWorld(seed, {
        size: 10 + (seed % 40),
        operatorCount: 5 + (seed % 15),
        regionCount: 4 + (seed % 8),
        trustMin: 0.75,
        availabilityMin: 0.9,
      });
      for (const profile of profiles) {
        const placements = riskLevels.map(risk => tryPlan(world, risk, profile, false));
        for (const [index, placement] of placements.entries()) {
          const lower = placements[index - 1];
          if (placement === undefined || lower === undefined) continue;
          compared++;
          for (const keyOf of [operatorOf, regionOf]) {
            const had = sharesBy(lower.holders, keyOf).length;
            expect(sharesBy(placement.holders, keyOf).length).toBeGreaterThanOrEqual(had);
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(100);
  });
});
