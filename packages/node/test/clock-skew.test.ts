import { expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { createClockSkew } from '../src/clock-skew.ts';
import { recordingLog } from './hosts.ts';

const warned = (log: { lines: string[] }): number => log.lines.filter(line => line.startsWith('warn')).length;

test('the estimate is the median over neighbours, and null before the first', () => {
  const skew = createClockSkew(recordingLog());
  expect(skew.estimateMs()).toBeNull();
  skew.hear('a', 1_000, 0);
  expect(skew.estimateMs()).toBe(1_000);
  skew.hear('b', -500, 0);
  expect(skew.estimateMs()).toBe(250);
  skew.hear('liar', 1e12, 0);
  expect(skew.estimateMs()).toBe(1_000);
  skew.hear('a', 10_020, 10_000);
  expect(skew.estimateMs()).toBe(20);
});

test.each([5, -5])('a clock that is %i minutes behind is told to its operator once', minutes => {
  const log = recordingLog();
  const skew = createClockSkew(log);
  const aheadMs = minutes * 60_000;
  for (const [i, neighbour] of ['a', 'b', 'c', 'd', 'a'].entries()) {
    skew.hear(neighbour, i * 1_000 + aheadMs, i * 1_000);
    expect(warned(log)).toBe(i + 1 < parameters.clockSkewNeighboursMin ? 0 : 1);
  }
  expect(skew.estimateMs()).toBe(aheadMs);
});

test('one liar among three makes no warning, and a clock that is set right can be told of again', () => {
  const log = recordingLog();
  const skew = createClockSkew(log);
  const hear = (aheadMs: readonly number[]): void => {
    for (const [i, ms] of aheadMs.entries()) skew.hear(`node ${i}`, ms, 0);
  };
  hear([0, 10, 1e9]);
  expect(warned(log)).toBe(0);
  hear([3e5, 3e5, 3e5]);
  hear([0, 10, 20]);
  hear([3e5, 3e5, 3e5]);
  expect(warned(log)).toBe(2);
});

test('no more neighbours are remembered than it takes', () => {
  const skew = createClockSkew(recordingLog());
  for (let i = 0; i < 1_000; i++) skew.hear(`early ${i}`, 1e6, 0);
  for (let i = 0; i < parameters.clockSkewNeighboursMax; i++) skew.hear(`late ${i}`, 7, 0);
  expect(skew.estimateMs()).toBe(7);
});
