/** Whether holders have failed, by what a node has itself seen of them: what healing acts on. */
import { absencesMax, lossesMax, missesMin } from '../parameters.ts';

/** Since when a node gave no answer, when that was seen last, Unix ms, and how many audits found it so. */
type Absence = { readonly sinceMs: number; readonly latestMs: number; readonly misses: number };

/** Since when a holder says that it has no share of a key, Unix ms. */
type Loss = { readonly nodeId: string; readonly sinceMs: number };

/** What a node has seen of those that hold keys with it or for it; plain data, so that a restart can keep it. */
export type Health = {
  /** By node id. */
  readonly absences: ReadonlyMap<string, Absence>;
  /** By key and point (`shareNameOf`). */
  readonly losses: ReadonlyMap<string, Loss>;
};

/** Nothing was seen that is amiss. */
export const emptyHealth: Health = { absences: new Map(), losses: new Map() };

/** What an audit or a round showed of the holder of a point, or that the point has moved to it. */
export type Sight = {
  /** In hexadecimal. */
  readonly keyId: string;
  readonly x: number;
  readonly nodeId: string;
  /**
   * It proved its share; it answered, without saying of it; it gave no answer; it said that it has no such share; it is to
   * have the share made from now on.
   */
  readonly kind: 'well' | 'there' | 'absent' | 'lost' | 'moved';
  /** Unix ms. */
  readonly atMs: number;
};

/**
 * One name for one share.
 *
 * @param keyId in hexadecimal
 */
function shareNameOf(keyId: string, x: number): string {
  return `${keyId}/${x}`;
}

/** A map with one entry more, at its end; over the limit the oldest goes. */
function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T, max: number): Map<string, T> {
  const next = new Map(map);
  next.set(key, value);
  for (const oldest of next.keys()) {
    if (next.size <= max) break;
    next.delete(oldest);
  }
  return next;
}

function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  if (!map.has(key)) return map;
  const next = new Map(map);
  next.delete(key);
  return next;
}

/**
 * Health after one more sight. A node that answers anything is not absent; a share is lost until its holder proves it, or
 * the point moves: who has it then, be it the same node, has the time anew. An absence that nobody looked at for the
 * grace begins anew: it is this node that was away then.
 *
 * @param health so far; returned itself where nothing changes
 * @param sight what was seen
 * @param graceMs how long an absence is borne
 */
export function noteSight(health: Health, { keyId, x, nodeId, kind, atMs }: Sight, graceMs: number): Health {
  const share = shareNameOf(keyId, x);
  if (kind === 'absent') {
    const last = health.absences.get(nodeId);
    const known = last && atMs - last.latestMs < graceMs ? last : undefined;
    const misses = (known?.misses ?? 0) + 1;
    const absence = { sinceMs: known?.sinceMs ?? atMs, latestMs: atMs, misses };
    return { ...health, absences: withEntry(health.absences, nodeId, absence, absencesMax) };
  }
  const absences = without(health.absences, nodeId);
  const loss = health.losses.get(share);
  let losses = health.losses;
  const isOver = kind === 'moved' || (kind === 'well' && loss?.nodeId === nodeId);
  if (isOver) losses = without(losses, share);
  if (kind === 'lost' && loss?.nodeId !== nodeId) {
    losses = withEntry(losses, share, { nodeId, sinceMs: atMs }, lossesMax);
  }
  return absences === health.absences && losses === health.losses ? health : { absences, losses };
}

/** What an audit is to find out of a node before others: whether it is still away, or what else it has lost. */
export type Doubt = 'absent' | 'lost';

/**
 * Nodes that are to be audited before others: those that gave no answer, so that whether it was a moment is known within
 * the grace however many there are to audit; and those that lost a share, since they may have lost all.
 *
 * @param health as seen
 */
export function doubtsOf({ absences, losses }: Health): Map<string, Doubt> {
  const doubts = new Map<string, Doubt>();
  for (const { nodeId } of losses.values()) doubts.set(nodeId, 'lost');
  for (const nodeId of absences.keys()) doubts.set(nodeId, 'absent');
  return doubts;
}

/** That a holder has failed, and since when, Unix ms. */
export type Failure = { readonly reason: 'absent' | 'lost'; readonly sinceMs: number };

/**
 * Whether the holder of a point has failed, at the time: it gave no answer for the grace, by several audits, or has said
 * for a quarter of it that it has no share.
 *
 * @param health as seen
 * @param share the key in hexadecimal, the point, and the node that holds it now
 * @param nowMs Unix ms
 * @param graceMs how long an absence is borne
 */
export function failureOf(
  health: Health,
  { keyId, x, nodeId }: Pick<Sight, 'keyId' | 'x' | 'nodeId'>,
  nowMs: number,
  graceMs: number,
): Failure | null {
  const loss = health.losses.get(shareNameOf(keyId, x));
  if (loss?.nodeId === nodeId && nowMs - loss.sinceMs >= graceMs / 4) {
    return { reason: 'lost', sinceMs: loss.sinceMs };
  }
  const absence = health.absences.get(nodeId);
  const isGone = absence && absence.misses >= missesMin && nowMs - absence.sinceMs >= graceMs;
  return isGone ? { reason: 'absent', sinceMs: absence.sinceMs } : null;
}
