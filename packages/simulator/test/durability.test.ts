import { describe, expect, it } from 'vitest';
import { lossWithin, meanBounds } from '../src/durability.ts';
import { durabilityScenario } from '../src/durability-scenario.ts';

const dayMs = 86_400_000;

describe('the Markov chain', () => {
  it('agrees with the closed form where the second loss is the last', () => {
    // two of three: the first leaves at 3/L, then another at 2/L within a repair of 1/r, exponentially distributed
    const [lifeMs, meanMs, overMs] = [60 * dayMs, dayMs, 365 * dayMs];
    const repairMs = { mean: meanMs, deviation: meanMs };
    const [a, b, r] = [3 / lifeMs, 2 / lifeMs, 1 / meanMs];
    const sum = a + b + r;
    const root = Math.sqrt(sum ** 2 - 4 * a * b);
    const [fast, slow] = [(sum + root) / 2, (sum - root) / 2];
    const stays = (fast * Math.exp(-slow * overMs) - slow * Math.exp(-fast * overMs)) / (fast - slow);
    const loss = lossWithin({ t: 2, k: 3, lifeMs, repairMs }, overMs, 10);
    expect(loss / (1 - stays)).toBeCloseTo(1, 2);
  });

  it('loses less the more shares there are to spare, and the sooner they are made again', () => {
    const loss = (k: number, days: number): number => {
      const repairMs = { mean: days * dayMs, deviation: (days * dayMs) / 4 };
      return lossWithin({ t: 3, k, lifeMs: 100 * dayMs, repairMs }, 365 * dayMs, 300);
    };
    expect(loss(5, 1)).toBeLessThan(loss(4, 1) / 5);
    expect(loss(4, 1)).toBeLessThan(loss(4, 2) / 1.5);
    expect(loss(4, 1)).toBeGreaterThan(0);
  });
});

describe('the bounds of a mean', () => {
  it('hold it 99 times in 100', () => {
    // Garwood's exact limits, from tables of the chi-squared distribution
    expect(meanBounds(0)).toEqual([0, expect.closeTo(5.3, 0)]);
    expect(meanBounds(10)).toEqual([expect.closeTo(3.72, 1), expect.closeTo(21.4, 1)]);
    expect(meanBounds(100)).toEqual([expect.closeTo(76.1, 1), expect.closeTo(128.8, 1)]);
  });
});

describe('durability', () => {
  it('is in virtual time what the chain has, within its bounds', () => {
    const { ok, violations, figures } = durabilityScenario.run({
      seed: 3,
      nodes: 2000,
      keys: 1500,
      days: 30,
    });
    expect({ ok, violations }).toEqual({ ok: true, violations: [] });
    expect(Number(figures['lost'])).toBeGreaterThan(3);
    expect(figures['repairHoursP50']).toBeCloseTo(Number(figures['repairHoursWorkedOut']), -1);
  });
});
