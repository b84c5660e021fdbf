import { graveLifeMs, retiredLifeMs } from '../parameters.ts';
import { type HeldEpoch, type HeldKey, lapseMs, pendingUntilMs } from './held-key.ts';
import type { HolderStep } from './holder.ts';
import { eraseAll } from './holder-succession.ts';

/**
 * Whether a share has waited too long for its activation.
 *
 * @param pending as stored
 * @param nowMs Unix ms
 */
export function hasLapsed(pending: HeldEpoch, nowMs: number): boolean {
  return pendingUntilMs(pending) <= nowMs;
}

/** Whether nothing of a key is worth keeping. */
function isEmpty({
  offers,
  pending,
  active,
  retired,
  nominations,
  incoming,
  left,
  erasures,
  grave,
}: HeldKey): boolean {
  const kept = [pending, active, retired, incoming, left, grave].every(part => part === null);
  return kept && [offers, nominations, erasures].every(list => list.length === 0);
}

/**
 * Drops what is over its time: offers, nominations, pending and retired epochs, graves, and what is remembered of grants
 * that have expired. Of a share that goes so, the store's files are cleaned.
 *
 * @param held the key as stored
 * @param nowMs Unix ms
 */
export function expire(held: HeldKey | null, nowMs: number): HolderStep {
  if (held === null || lapseMs(held) > nowMs) return { held, effects: [] };
  const { pending, retired, left, grave } = held;
  const isLive = ({ expiresAtMs }: { readonly expiresAtMs: number }): boolean => expiresAtMs > nowMs;
  const isOver = retired !== null && retired.retiredAtMs + retiredLifeMs <= nowMs;
  const gone = isOver ? [{ epoch: retired.epoch.core.epoch, x: retired.epoch.x }] : [];
  const next: HeldKey = {
    ...held,
    offers: held.offers.filter(isLive),
    nominations: held.nominations.filter(isLive),
    pending: pending && hasLapsed(pending, nowMs) ? null : pending,
    retired: isOver ? null : retired,
    left: left && left.leftAtMs + graveLifeMs <= nowMs ? null : left,
    erasures: [...held.erasures, ...gone],
    uses: held.uses.filter(isLive),
    announcements: held.announcements.filter(isLive),
    revocations: held.revocations.filter(isLive),
    drills: held.drills.filter(isLive),
    grave: grave && grave.deletedAtMs + graveLifeMs <= nowMs ? null : grave,
  };
  return { held: isEmpty(next) ? null : next, effects: [{ type: 'store' }, ...eraseAll(next)] };
}
