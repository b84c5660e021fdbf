import { expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { createLeastRoundTrip } from '../src/least-round-trip.ts';

const halfMs = parameters.leastRoundTripMs / 2;

test('the least of all measurements is kept', () => {
  const least = createLeastRoundTrip();
  expect(least.leastMs(0)).toBeUndefined();
  for (const sampleMs of [30, 10, 20]) least.add(sampleMs, 5);
  expect(least.leastMs(6)).toBe(10);
  expect(least.samples(6)).toBe(3);
});

test('what a node had where it was before is kept for half a window at least, and forgotten within a whole one', () => {
  const least = createLeastRoundTrip();
  least.add(10, halfMs - 1);
  least.add(200, halfMs + 1);
  expect(least.samples(halfMs + 1)).toBe(1);
  expect(least.leastMs(2 * halfMs - 1)).toBe(10);
  expect(least.leastMs(2 * halfMs)).toBe(200);
  expect(least.leastMs(3 * halfMs)).toBeUndefined();
});

test('after a long silence nothing is known', () => {
  const least = createLeastRoundTrip();
  least.add(10, 0);
  expect(least.leastMs(20 * halfMs)).toBeUndefined();
  expect(least.samples(20 * halfMs)).toBe(0);
});
