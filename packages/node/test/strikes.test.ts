import { expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { createStrikes } from '../src/strikes.ts';

const { strikePoints, strikePointsMax, strikeForgivenMs, barredMs, strikesKeptMax } = parameters;
const garbageMax = strikePointsMax / strikePoints.garbage;

test('a node that sends garbage again and again is refused, is told so once, and may come back', () => {
  const strikes = createStrikes();
  const told = Array.from({ length: garbageMax + 3 }, () => strikes.add('a', 'garbage', 0));
  expect(told).toEqual([...Array.from({ length: garbageMax - 1 }, () => false), true, false, false, false]);
  expect(strikes.isBarred('a', barredMs - 1)).toBe(true);
  expect(strikes.isBarred('b', 0)).toBe(false);
  expect(strikes.isBarred('a', barredMs)).toBe(false);
  expect(strikes.add('a', 'garbage', barredMs)).toBe(false);
});

test('what happens now and then is forgiven, however long it goes on', () => {
  const strikes = createStrikes();
  const everyMs = strikePoints.garbage * strikeForgivenMs;
  for (let i = 0; i < 10 * garbageMax; i++) expect(strikes.add('a', 'garbage', i * everyMs)).toBe(false);
  const tooMany = strikePointsMax / strikePoints.flood;
  for (let i = 0; i < 2 * tooMany; i++) {
    expect(strikes.add('b', 'flood', i * strikePoints.flood * strikeForgivenMs)).toBe(false);
  }
  expect(Array.from({ length: tooMany + 1 }, () => strikes.add('c', 'flood', 0))).toContain(true);
});

test('two records of one sequence are for trust to judge, and refuse nobody', () => {
  const strikes = createStrikes();
  for (let i = 0; i < 1_000; i++) expect(strikes.add('a', 'equivocation', 0)).toBe(false);
});

test('it is bounded, and a crowd of new names does not set free who is refused', () => {
  const strikes = createStrikes();
  for (let i = 0; i < garbageMax; i++) strikes.add('a', 'garbage', 0);
  for (let i = 0; i < garbageMax - 1; i++) strikes.add('b', 'garbage', 0);
  for (let i = 0; i < 3 * strikesKeptMax; i++) strikes.add(`stranger ${i}`, 'flood', 0);
  expect(strikes.isBarred('a', 0)).toBe(true);
  expect(strikes.add('b', 'garbage', 0)).toBe(false); // forgotten
});
