import { expect, test } from 'vitest';
import { expectedUniformEntropy, scaledTerm, shannonOf, termScale } from '../src/plug-in.ts';

test('the expected entropy of one byte is 0', () => {
  expect(expectedUniformEntropy(1)).toBe(0);
});

test('the expected entropy of two bytes is the chance that they differ', () => {
  expect(expectedUniformEntropy(2)).toBeCloseTo(255 / 256, 14);
});

test('the expected entropy of three bytes is that of their three patterns', () => {
  const distinct = (255 * 254) / 256 ** 2;
  const pair = (3 * 255) / 256 ** 2;
  const pairBits = Math.log2(3) - 2 / 3;
  expect(expectedUniformEntropy(3)).toBeCloseTo(distinct * Math.log2(3) + pair * pairBits, 14);
});

test('the expected entropy agrees with the binomial sum written out', () => {
  const n = 300;
  let sum = 0;
  let probability = (255 / 256) ** n;
  for (let c = 0; c <= n; c++) {
    if (c > 0) sum += probability * c * Math.log2(c);
    probability *= (n - c) / (c + 1) / 255;
  }
  expect(expectedUniformEntropy(n)).toBeCloseTo(Math.log2(n) - (256 / n) * sum, 12);
});

test('the expected entropy approaches the bias of Miller for long windows', () => {
  for (const n of [2 ** 18, 2 ** 21, 2 ** 24]) {
    const miller = 8 - 255 / (2 * n * Math.LN2);
    // Next term of the expansion: (sum of 1/p - 1) / (12 n^2 ln 2).
    const next = (256 ** 2 - 1) / (12 * n ** 2 * Math.LN2);
    expect(Math.abs(expectedUniformEntropy(n) - (miller - next))).toBeLessThan(1e-9);
  }
});

test('the sum of a full window stays under 2^53 at every window, and its scale is a power of two', () => {
  for (const window of [64, 65, 100, 4096, 65_537, 1_000_003, 2 ** 24]) {
    const scale = termScale(window);
    expect(Math.log2(scale) % 1).toBe(0);
    expect(scaledTerm(window, scale) + 128).toBeLessThan(2 ** 53);
    expect(scaledTerm(window, scale)).toBeGreaterThanOrEqual(2 ** 51);
  }
});

test('the entropy of a histogram is that of its frequencies', () => {
  expect(shannonOf(Float64Array.of(5, 0))).toBe(0);
  expect(shannonOf(Float64Array.of(3, 3, 0, 3, 3))).toBe(2);
  expect(shannonOf(Float64Array.of(1, 3))).toBeCloseTo(2 - 0.75 * Math.log2(3), 14);
});
