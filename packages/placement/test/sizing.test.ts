import { describe, expect, test } from 'vitest';
import { capsOf, lossProbability, targetsOf, theftProbability } from '../index.ts';
import {
  checkCounts,
  compromiseOf,
  exactThresholdMin,
  failureDistribution,
  primaryCount,
  upperTail,
} from '../src/sizing.ts';
import { spreadWorld } from './worlds.ts';

describe('sizing', () => {
  test('three plain nodes, two needed, are lost and stolen as often as by hand', () => {
    const holders = spreadWorld(3, 3);
    const down = 0.001 + 0.999 * 0.03;
    const fallen = 10 ** -2.5 + (1 - 10 ** -2.5) * 0.01;
    expect(lossProbability(holders, 2)).toBeCloseTo(3 * down ** 2 * (1 - down) + down ** 3, 12);
    expect(theftProbability(holders, 2, 0)).toBeCloseTo(3 * fallen ** 2 * (1 - fallen) + fallen ** 3, 12);
  });

  test('a node is compromised with 0.1 at no trust, 0.01 at neutral and 0.001 at full trust', () => {
    expect([0, 0.5, 1].map(compromiseOf)).toEqual([0.1, 0.01, 0.001]);
  });

  test('an operator falls by the mean trust of the nodes it has among the holders', () => {
    const [first, second] = spreadWorld(2, 1);
    const holders = [
      { ...first!, trust: 0.2 },
      { ...second!, trust: 0.8 },
    ];
    const together = 10 ** (-1.5 - 2 * 0.5);
    const alone = 10 ** (-1 - 0.4) * 10 ** (-1 - 1.6);
    expect(theftProbability(holders, 2, 0)).toBeCloseTo(together + (1 - together) * alone, 15);
  });

  test('a repair budget counts as shares that the adversary has already', () => {
    const holders = spreadWorld(7, 7);
    expect(theftProbability(holders, 4, 1)).toBe(theftProbability(holders, 3, 0));
    expect(theftProbability(holders, 2, 2)).toBe(1);
  });

  test('tails far below the precision of 1 - P keep their value', () => {
    const distribution = failureDistribution(
      Array.from({ length: 20 }, () => ({ together: 0, each: [1e-3] })),
    );
    expect(upperTail(distribution, 20) / 1e-60).toBeCloseTo(1, 9);
    expect(upperTail(distribution, 21)).toBe(0);
    expect(upperTail(distribution, 0)).toBe(1);
  });

  test('caps follow from the threshold, the repair budget and the colluding operators, and are at least 1', () => {
    expect(capsOf({ t: 2, k: 3 }, targetsOf('local', 'low'), 'low')).toEqual({
      perOperator: 1,
      perRegion: 1,
    });
    expect(capsOf({ t: 3, k: 5 }, targetsOf('local', 'medium'), 'medium')).toEqual({
      perOperator: 2,
      perRegion: 2,
    });
    expect(capsOf({ t: 4, k: 7 }, targetsOf('local', 'high'), 'high')).toEqual({
      perOperator: 1,
      perRegion: 2,
    });
    expect(capsOf({ t: 6, k: 11 }, targetsOf('open', 'high'), 'high')).toEqual({
      perOperator: 2,
      perRegion: 4,
    });
    expect(capsOf({ t: 2, k: 3 }, targetsOf('open', 'high'), 'high')).toEqual({
      perOperator: 1,
      perRegion: 1,
    });
    expect(exactThresholdMin(targetsOf('open', 'high'), 'high')).toBe(4);
  });

  test('primaries are the shortest prefix of which t answer 99 times in 100', () => {
    const holders = spreadWorld(7, 7);
    expect(primaryCount(holders, 4, 2)).toBe(5);
    expect(primaryCount(holders, 4, 6)).toBe(6);
    expect(1 - lossProbability(holders.slice(0, 4), 4)).toBeLessThan(0.99);
    expect(1 - lossProbability(holders.slice(0, 5), 4)).toBeGreaterThanOrEqual(0.99);
  });

  test('where no prefix shorter than k is that likely to answer, all but one are primaries', () => {
    expect(primaryCount(spreadWorld(3, 3), 2, 2)).toBe(2);
  });

  test.each([
    [1, 2, 3],
    [3, 2, 4],
    [2, 3, 3],
    [2, 3, 256],
    [2.5, 3, 4],
    [Number.NaN, 3, 4],
  ])('refuses the counts t = %d, n = %d, k = %d', (t, n, k) => {
    expect(() => checkCounts({ t, n, k })).toThrow(expect.objectContaining({ code: 'SHARE_COUNTS_INVALID' }));
  });

  test('refuses a profile or level that there is not', () => {
    for (const [profile, risk] of [
      ['open', 'extreme'],
      ['toString', 'low'],
    ]) {
      expect(() => targetsOf(profile as 'open', risk as 'low')).toThrow(
        expect.objectContaining({ code: 'SIZING_INVALID' }),
      );
    }
  });
});
