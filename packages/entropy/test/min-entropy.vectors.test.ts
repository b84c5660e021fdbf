import { expect, test } from 'vitest';
import { mostCommonValueEstimate } from '../index.ts';

test('the estimate of the example in NIST SP 800-90B section 6.3.1 is .5363 bits', () => {
  const samples = [0, 1, 1, 2, 0, 1, 2, 2, 0, 1, 0, 1, 1, 0, 2, 2, 1, 0, 2, 1];
  const counts = new Float64Array(3);
  for (const sample of samples) counts[sample]! += 1;
  expect(mostCommonValueEstimate(counts)).toBeCloseTo(0.5363, 4);
});

test('a constant stream has no min-entropy', () => {
  expect(mostCommonValueEstimate(Float64Array.of(0, 1000))).toBe(0);
});

test('the bound never exceeds certainty', () => {
  expect(mostCommonValueEstimate(Float64Array.of(1, 1))).toBe(0);
});
