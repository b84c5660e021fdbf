import { greatCircleKm } from '@skerry/placement';
import { boundKm } from '@skerry/trust';
import { expect, test } from 'vitest';
import { conduct, paths } from '../parameters.ts';
import { createChance } from '../src/chance.ts';
import { cities, exchange, leastRoundTripMs, spotIn } from '../src/paths.ts';

test('no way is shorter than light takes, and each is longer by the detour', () => {
  for (const from of cities) {
    for (const to of cities) {
      const ms = leastRoundTripMs(from, to);
      const km = greatCircleKm(from, to);
      expect(boundKm(ms)).toBeGreaterThanOrEqual(km);
      expect(boundKm(ms - 2 * paths.accessMs)).toBeCloseTo(paths.detour * km, 6);
    }
  }
});

test('a spot in a city is within the suburbs', () => {
  const chance = createChance('spots');
  for (const city of cities) {
    expect(greatCircleKm(city, spotIn(city, chance))).toBeLessThan(paths.suburbKm * 1.01);
  }
});

test('an answer takes the way and what queues add, and seconds more where something is lost', () => {
  const chance = createChance('exchanges');
  const all = Array.from({ length: 20_000 }, () => exchange(50, chance));
  const came = all.filter(one => one !== null);
  const resent = came.filter(({ isResent }) => isResent);
  expect(Math.min(...came.map(({ tookMs }) => tookMs))).toBeGreaterThanOrEqual(50);
  expect(Math.max(...came.map(({ tookMs }) => tookMs))).toBeLessThanOrEqual(conduct.auditDeadlineMs);
  expect(Math.min(...resent.map(({ tookMs }) => tookMs))).toBeGreaterThan(1000);
  expect(resent.length / all.length).toBeCloseTo(paths.loss, 2);
});
