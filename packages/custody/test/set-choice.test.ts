import { nodeRandom } from '@skerry/crypto';
import { describe, expect, it } from 'vitest';
import { asksMax } from '../parameters.ts';
import { chooseSet, nameSet } from '../src/set-choice.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const situation = (t: number, usable: readonly number[]) => ({
  t,
  usable,
  isSlow: (x: number): boolean => x === 0,
  suspicion: new Map<number, number>(),
  tried: new Set<string>(),
});

function choose(count: number, of: number): number {
  return count === 0 ? 1 : (choose(count - 1, of - 1) * of) / count;
}

describe('the choice of a set', () => {
  it('goes through every set once, and then there is none', () => {
    const trial = situation(6, upTo(12));
    for (let i = 0; i < 924; i++) {
      const set = chooseSet(nodeRandom, trial)!;
      expect(set.every((x, j) => j === 0 || x > set[j - 1]!)).toBe(true);
      expect(trial.tried.has(nameSet(set))).toBe(false);
      trial.tried.add(nameSet(set));
      for (const x of set) trial.suspicion.set(x, (trial.suspicion.get(x) ?? 0) + 1);
    }
    expect(chooseSet(nodeRandom, trial)).toBeNull();
  });

  it('begins with those that come first', () => {
    expect(chooseSet(nodeRandom, situation(3, [9, 4, 7, 1, 2]))).toEqual([4, 7, 9]);
  });

  it('takes those that were in the fewest wrong sets', () => {
    const trial = situation(2, upTo(5));
    trial.suspicion.set(1, 2).set(2, 1).set(3, 3);
    expect(chooseSet(nodeRandom, trial)).toEqual([4, 5]);
    trial.tried.add('4,5');
    trial.suspicion.set(4, 1).set(5, 1);
    const second = chooseSet(nodeRandom, trial)!;
    expect(second.every(x => [2, 4, 5].includes(x))).toBe(true);
  });

  it('takes slow holders only once every set without them was tried', () => {
    const trial = { ...situation(3, upTo(7)), isSlow: (x: number) => x === 1 };
    const sets = upTo(35).map(() => {
      const set = chooseSet(nodeRandom, trial)!;
      trial.tried.add(nameSet(set));
      return set.includes(1);
    });
    expect(sets).toEqual([...upTo(20).map(() => false), ...upTo(15).map(() => true)]);
  });

  it('has none where there are too few to ask', () => {
    expect(chooseSet(nodeRandom, situation(3, [1, 2]))).toBeNull();
  });

  it('among 12 holders may go through all sets, whatever the threshold', () => {
    for (let k = 3; k <= 12; k++) {
      for (let t = 2; t < k; t++) expect(choose(t, k) * t).toBeLessThanOrEqual(asksMax);
    }
    expect(choose(6, 13) * 6).toBeGreaterThan(asksMax);
  });

  it('leaves out one liar at the third set, and two of 24 soon', () => {
    for (const [liars, setsMax] of [
      [[1], 3],
      [[1, 2], 60],
    ] as const) {
      const trial = situation(12, upTo(24));
      let sets = 0;
      for (let spoilt = true; spoilt; sets++) {
        const set = chooseSet(nodeRandom, trial)!;
        spoilt = set.some(x => (liars as readonly number[]).includes(x));
        trial.tried.add(nameSet(set));
        for (const x of set) trial.suspicion.set(x, (trial.suspicion.get(x) ?? 0) + 1);
      }
      expect(sets).toBeLessThanOrEqual(setsMax);
    }
  });
});
