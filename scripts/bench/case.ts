/** One measured figure of `npm run bench`. */
export type Case = {
  /** What was measured, as `area/subject vs peer`. */
  name: string;
  /** Median over the runs, in `unit`. */
  value: number;
  unit: string;
  /** What it is held against; null when the peer is not installed or there is none. */
  peer: string | null;
  /** How many times better than the peer, a median over runs side by side; null without a peer. */
  ratio: number | null;
  /** The ratio to reach; null when there is no goal. */
  goal: number | null;
  /** Whether the ratio reaches the goal; null without either. */
  met: boolean | null;
  /** Largest less smallest run, over the median. */
  spread: number;
};

/**
 * The middle of some numbers, the mean of the two middle ones for an even count.
 *
 * @param values at least one
 */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * How far runs lie apart: the largest less the smallest, over the median.
 *
 * @param values at least one, positive
 */
function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/**
 * A case from runs of the subject and of its peer, taken in turns so that both meet the same machine.
 *
 * @param name as `Case.name`
 * @param unit of `values`, more is better
 * @param values one for each run
 * @param peer what it is called and its values, run for run; null when there is none
 * @param goal ratio to reach, or null
 */
export function compare(
  name: string,
  unit: string,
  values: readonly number[],
  peer: { name: string; values: readonly number[] } | null,
  goal: number | null,
): Case {
  const ratio = peer === null ? null : median(values.map((value, run) => value / peer.values[run]!));
  return {
    name,
    value: median(values),
    unit,
    peer: peer?.name ?? null,
    ratio,
    goal,
    met: ratio === null || goal === null ? null : ratio >= goal,
    spread: spread(values),
  };
}
