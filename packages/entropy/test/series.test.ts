import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seriesPointsMax } from '../parameters.ts';
import { createSeries } from '../src/series.ts';

test('a short series is its values', () => {
  const series = createSeries();
  expect(series.points()).toEqual([]);
  for (const value of [3, 1, 4]) series.push(value);
  expect(series.points()).toEqual([3, 1, 4]);
});

test('the points are always means of equally many values in order, the last of the rest, never too many', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), count => {
      const series = createSeries();
      for (let value = 0; value < count; value++) series.push(value);
      const points = series.points();
      expect(points.length).toBeLessThanOrEqual(seriesPointsMax);
      expect(points.length).toBeGreaterThanOrEqual(Math.min(count, seriesPointsMax / 2));
      const span = spanOf(count);
      points.forEach((point, i) => {
        const first = i * span;
        const last = Math.min(first + span, count) - 1;
        expect(point).toBe((first + last) / 2);
      });
    }),
    { numRuns: 50 },
  );
});

/** Values to a point after so many: doubled whenever the points would be too many. */
function spanOf(count: number): number {
  let span = 1;
  while (count / span >= seriesPointsMax) span *= 2;
  return span;
}
