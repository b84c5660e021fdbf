import { type HealerEffect, type HealerEvent, type Remedy, startHealing, stepHealing } from '@skerry/custody';

/** What a healing needs of its node: what comes of each of its effects. */
type Carry = (effect: Exclude<HealerEffect, { type: 'end' }>) => Promise<HealerEvent>;

/**
 * Carries the healer's machine to its end.
 *
 * @param remedies at least one
 * @param carry what its node does
 */
export async function runHealing(
  remedies: readonly Remedy[],
  carry: Carry,
): Promise<Extract<HealerEffect, { type: 'end' }>['outcome']> {
  let { state, effect } = startHealing(remedies);
  while (effect.type !== 'end') ({ state, effect } = stepHealing(state, await carry(effect)));
  return effect.outcome;
}
