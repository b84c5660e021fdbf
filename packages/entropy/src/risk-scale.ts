import { compareRisk, type Risk, SkerryError } from '@skerry/base';

/** Where normalised entropy (0..1) changes its risk level. */
export type RiskThresholds = {
  /** From here on the level is medium; over 0, under `high`. */
  readonly medium: number;
  /** From here on the level is high; at most 1. */
  readonly high: number;
  /** How far under a threshold a stream must fall to leave its level; 0 or more, less than `medium` and than the gap. */
  readonly hysteresis: number;
};

/** Maps normalised entropy to a risk level; holds no state. */
export type RiskScale = {
  /** The level of one value, 0..1, on its own. */
  levelOf(normalized: number): Risk;
  /**
   * The level that follows `current` when a stream's next window reads `normalized`: it rises at a threshold at
   * once, and falls only when the value is more than the hysteresis under it, so that a stream near a threshold
   * does not flap, and doubt is settled on the side of protection.
   */
  next(current: Risk, normalized: number): Risk;
};

/**
 * Makes a scale from its thresholds.
 *
 * @param thresholds normalised entropy, 0..1
 * @throws SkerryError RISK_SCALE_INVALID unless 0 < medium < high <= 1 and the hysteresis, 0 or more, is smaller
 *   than `medium` and than high - medium (so that each level can be left)
 */
export function createRiskScale(thresholds: RiskThresholds): RiskScale {
  const { medium, high, hysteresis } = thresholds;
  const ascending = 0 < medium && medium < high && high <= 1;
  if (!ascending || !(hysteresis >= 0 && hysteresis < Math.min(medium, high - medium))) {
    throw new SkerryError('RISK_SCALE_INVALID', '', { medium, high, hysteresis });
  }
  const levelOf = (normalized: number): Risk =>
    normalized >= high ? 'high' : normalized >= medium ? 'medium' : 'low';
  return {
    levelOf,
    next(current, normalized) {
      const rising = levelOf(normalized);
      if (compareRisk(rising, current) >= 0) return rising;
      const falling = levelOf(normalized + hysteresis);
      return compareRisk(falling, current) < 0 ? falling : current;
    },
  };
}
