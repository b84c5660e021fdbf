import { seriesPointsMax } from '../parameters.ts';

/** A series of averages in constant memory. */
type Series = {
  /** Adds the next value. */
  push(value: number): void;
  /** The points so far, oldest first, at most `seriesPointsMax`; a new array, the caller's. */
  points(): number[];
};

/**
 * Makes an empty series. Every point is the mean of equally many consecutive values (the last point of those that
 * have come so far); when the points run out, neighbours are averaged and each point spans twice as many.
 */
export function createSeries(): Series {
  const points = new Float64Array(seriesPointsMax);
  let length = 0;
  let span = 1;
  let pending = 0;
  let pendingSum = 0;
  return {
    push(value) {
      pendingSum += value;
      pending += 1;
      if (pending < span) return;
      points[length++] = pendingSum / span;
      pending = 0;
      pendingSum = 0;
      if (length < seriesPointsMax) return;
      length /= 2;
      span *= 2;
      for (let i = 0; i < length; i++) points[i] = (points[2 * i]! + points[2 * i + 1]!) / 2;
    },
    points() {
      const whole = Array.from(points.subarray(0, length));
      return pending === 0 ? whole : [...whole, pendingSum / pending];
    },
  };
}
