import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatProbability } from '../../src/render/format.ts';

describe('figures for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [102_400, '100 KiB'],
    [1_048_575, '1 MiB'],
    [4 * 2 ** 40, '4 TiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0'],
    [1, '1'],
    [0.5, '0.5'],
    [0.123, '0.12'],
    [0.001, '0.001'],
    [0.000031, '3.1e-5'],
    [1e-8, '1e-8'],
    [0.97, '0.97'],
    [0.99997, '0.99997'],
  ])('a probability of %d is %s', (probability, text) => {
    expect(formatProbability(probability)).toBe(text);
  });

  it.each([
    [0, '0 ms'],
    [350, '350 ms'],
    [999.6, '1 s'],
    [1500, '1.5 s'],
    [12_400, '12 s'],
    [59_700, '1 min'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [86_400_000, '1 d'],
    [349_200_000, '4 d 1 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('thousands stand apart', () => {
    expect([0, 999, 16_607.4].map(formatCount)).toEqual(['0', '999', '16,607']);
  });
});
