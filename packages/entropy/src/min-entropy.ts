import { confidenceQuantile } from '../parameters.ts';

/**
 * Min-entropy by the most common value estimate of NIST SP 800-90B section 6.3.1: with p the share of the most
 * frequent value among n samples, -log2 of its upper confidence bound min(1, p + 2.576 sqrt(p (1 - p) / (n - 1))).
 * It bounds what an attacker gains by one best guess, where Shannon entropy speaks of the average.
 *
 * @param counts how often each value occurred, any number of values, in sum at least 2; stays the caller's
 * @returns bits per sample, 0 upwards
 */
export function mostCommonValueEstimate(counts: Float64Array): number {
  let total = 0;
  let most = 0;
  for (const count of counts) {
    total += count;
    if (count > most) most = count;
  }
  const share = most / total;
  const bound = share + confidenceQuantile * Math.sqrt((share * (1 - share)) / (total - 1));
  return bound >= 1 ? 0 : -Math.log2(bound);
}
