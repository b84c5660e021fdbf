import { compareRisk, type Risk, SkerryError } from '@skerry/base';
import type { Sourced } from './configuration.ts';

/**
 * The level that a key is dealt at. Entropy is a ratchet: it raises protection over the minimum, and only a person
 * lowers it, knowingly.
 *
 * @param measured what the data asks for
 * @param minimum the configured one
 * @param asked what a person asks for, who may go under the measured level and not under the minimum
 * @returns the level, and whether it is under the measured one
 * @throws RISK_BELOW_MINIMUM where a level under the minimum is asked for
 */
export function chooseRisk(
  measured: Risk,
  { value: minimum, source }: Sourced<Risk>,
  asked?: Risk,
): { readonly risk: Risk; readonly downgraded: boolean } {
  if (asked === undefined) {
    return { risk: compareRisk(measured, minimum) < 0 ? minimum : measured, downgraded: false };
  }
  if (compareRisk(asked, minimum) < 0) {
    throw new SkerryError(
      'RISK_BELOW_MINIMUM',
      `risk ${asked} is below the configured minimum ${minimum} (from ${source}); ask for ${minimum} or more`,
      { asked, minimum, source },
    );
  }
  return { risk: asked, downgraded: compareRisk(asked, measured) < 0 };
}
