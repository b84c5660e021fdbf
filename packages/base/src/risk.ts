/** Risk levels in ascending order: what the entropy of data, or a policy, asks of its key's protection. */
export const riskLevels = ['low', 'medium', 'high'] as const;

/** One of `riskLevels`. */
export type Risk = (typeof riskLevels)[number];

/** Profiles of targets (docs/PROTOCOL.md, sizing): the internet, or one machine or rack. */
export const profiles = ['open', 'local'] as const;

/** One of `profiles`. */
export type Profile = (typeof profiles)[number];

/**
 * Orders risk levels.
 *
 * @returns negative when `a` is lower than `b`, 0 when equal, positive when higher
 */
export function compareRisk(a: Risk, b: Risk): number {
  return riskLevels.indexOf(a) - riskLevels.indexOf(b);
}
