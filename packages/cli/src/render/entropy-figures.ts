import { type EntropyReport, expectedUniformEntropy, riskThresholdsDefault } from '@skerry/entropy';

/** How an entropy report is shown, whatever draws it. */
export type EntropyLabels = {
  /** What was measured; it may come from outside. */
  readonly title: string;
  /** How windows were laid over the stream. */
  readonly mode: 'rolling' | 'block';
};

/**
 * The risk thresholds of a report in bits per byte: the scale is of normalised entropy, so they follow from what
 * random bytes read at that window.
 *
 * @param report of at least 256 bytes
 */
export function thresholdBits({ bytes, window }: EntropyReport): { medium: number; high: number } {
  const full = expectedUniformEntropy(Math.max(1, Math.min(bytes, window)));
  return { medium: riskThresholdsDefault.medium * full, high: riskThresholdsDefault.high * full };
}
