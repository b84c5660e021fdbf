import { describe, expect, it } from 'vitest';
import { createChance } from '../src/chance.ts';

describe('chance', () => {
  it('is the same for the same seed, and another for another', () => {
    const draw = (seed: string): number[] => {
      const chance = createChance(seed);
      return Array.from({ length: 20 }, () => chance.unit());
    };
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
    expect(draw('1')).not.toEqual(draw('2'));
  });

  it('is spread evenly', () => {
    const chance = createChance('even');
    const counts = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 160_000; i++) counts[chance.below(16)]!++;
    // Chi square over 15 degrees of freedom: 37.7 has one chance in a thousand, and the seed is fixed.
    const square = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(square).toBeLessThan(37.7);
  });

  it('picks different things, and forks do not move it', () => {
    const chance = createChance('pick');
    const other = createChance('pick');
    other.fork('x').unit();
    const list = Array.from({ length: 30 }, (_, i) => i);
    const picked = chance.pick(list, 12);
    expect(new Set(picked).size).toBe(12);
    expect(other.pick(list, 12)).toEqual(picked);
    expect(chance.fork('a').unit()).not.toBe(chance.fork('b').unit());
    expect(chance.bytes(5)).toHaveLength(5);
  });
});
