import { equalBytes, type Risk, riskLevels, toHex } from '@skerry/base';
import { type PlacementCertificate, targetsOf, theftWithStrays } from '@skerry/placement';
import { type Core, type Manifest, nodeIdOf, quorumOf, seatsOf, tenuresOf } from '@skerry/wire';
import type { Failure } from './health.ts';

/** How a key stands: all its shares live; some missing; so few beyond the threshold that the next may matter; too few. */
export type MarginLevel = 'full' | 'thin' | 'critical' | 'lost';

/** A key's live shares, and how many more than the threshold they are. */
export type Margin = { readonly live: number; readonly margin: number; readonly level: MarginLevel };

/**
 * How a key stands by its live shares. It is critical where one more loss, or as many as may be moved without the owner,
 * would leave fewer than the threshold.
 *
 * @param core of the key
 * @param live shares whose holders have not failed
 */
export function marginOf(
  { t, k, repairBudget }: Pick<Core, 't' | 'k' | 'repairBudget'>,
  live: number,
): Margin {
  const margin = live - t;
  if (margin < 0) return { live, margin, level: 'lost' };
  if (live === k) return { live, margin, level: 'full' };
  return { live, margin, level: margin < Math.max(1, repairBudget) ? 'critical' : 'thin' };
}

/** Why a new epoch is dealt. */
export type RefreshReason = 'leak' | 'schedule' | 'risk' | 'reduced' | 'chain';

/** What is to be done for a key. */
export type Remedy =
  | { readonly type: 'move'; readonly x: number; readonly reason: Failure['reason'] | 'cheated' | 'denied' }
  | { readonly type: 'refresh'; readonly why: RefreshReason };

/** A key as its owner's node sees it. */
export type OwnedCase = {
  readonly manifest: Manifest;
  /** Why holders have failed, by their points. */
  readonly failures: ReadonlyMap<number, Failure>;
  /** Holders that may have given their share away, by their points: caught cheating, or denied by the operator. */
  readonly suspects: ReadonlyMap<number, 'cheated' | 'denied'>;
  /** Whether P(theft) is over the level's target, with the copies that former holders may still have. */
  readonly isTheftOver: boolean;
  /** The level that the data asks for by now, if it is higher than the key's; private to the owner. */
  readonly raisedTo: Risk | null;
  /** Whether a key below its level's targets could have them on the network as it is. */
  readonly canLift: boolean;
};

/** Copies that former holders may still have, by the node that holds the point now. */
function straysOf(manifest: Manifest): Map<string, number> {
  const strays = new Map<string, number>();
  for (const nodeKeys of tenuresOf(manifest).values()) {
    const holder = nodeKeys.at(-1);
    const others = new Set(nodeKeys.map(toHex));
    if (holder && others.delete(toHex(holder)) && others.size > 0) strays.set(nodeIdOf(holder), others.size);
  }
  return strays;
}

/**
 * P(theft) of a key, with the copies that former holders may still have of their shares.
 *
 * @param manifest of the key
 * @param certificate of its holders now
 * @returns probability 0..1
 */
export function theftOf(manifest: Manifest, certificate: PlacementCertificate): number {
  return theftWithStrays(certificate, straysOf(manifest));
}

/**
 * Whether a key that met its level's targets misses the one for theft, as former holders may have copies of their shares.
 *
 * @param manifest of the key
 * @param certificate of its holders now
 */
export function isTheftOver(manifest: Manifest, certificate: PlacementCertificate): boolean {
  const { policy, profile } = manifest.core;
  if (policy.reduced || policy.manual || certificate.reduced) return false;
  const hasStrays = straysOf(manifest).size > 0;
  return hasStrays && theftOf(manifest, certificate) > targetsOf(profile, policy.risk).theftMax;
}

/** Points of which a copy may be in wrong hands: whose holder is suspect now, or was moved away for it. */
function leakedPoints({ manifest, suspects }: Pick<OwnedCase, 'manifest' | 'suspects'>): Set<number> {
  const moved = manifest.amendments.filter(
    ({ proposal: { reason } }) => reason === 'cheated' || reason === 'denied',
  );
  return new Set([...suspects.keys(), ...moved.map(({ proposal }) => proposal.x)]);
}

/**
 * Whether so many shares of one epoch may have leaked that the key is not safe any more, whoever holds it: what is under
 * it has to be sealed again under another.
 *
 * @param key as the owner's node sees it
 */
export function isExposed(key: Pick<OwnedCase, 'manifest' | 'suspects'>): boolean {
  return leakedPoints(key).size >= key.manifest.core.t;
}

/** The point to move first: a suspect's, then the one whose holder failed first. */
function worstPoint({ failures, suspects }: OwnedCase): Extract<Remedy, { type: 'move' }> | undefined {
  const [suspect] = suspects;
  if (suspect) return { type: 'move', x: suspect[0], reason: suspect[1] };
  const [first] = [...failures].sort(([, a], [, b]) => a.sinceMs - b.sinceMs);
  return first && { type: 'move', x: first[0], reason: first[1].reason };
}

/**
 * What a key's owner does for it now (docs/PROTOCOL.md, healing): a new epoch where one more share than may have leaked,
 * and R moves, could give the key away, when its time has come, when it protects more than it was made for, or can have
 * what it was promised; and a new holder for a point whose holder failed. With fewer than t live shares nothing is left
 * to do but wait for holders to come back.
 *
 * @param key as the owner's node sees it
 * @param nowMs Unix ms
 * @param refreshMs how old an epoch may get; 0 for any age
 * @returns remedies, of which the first that succeeds is enough for now; those after it are less
 */
export function remediesFor(key: OwnedCase, nowMs: number, refreshMs: number): Remedy[] {
  const { core, amendments } = key.manifest;
  const { t, k, repairBudget, policy } = core;
  const leaked = leakedPoints(key).size;
  const mayLeak = leaked < t && (leaked >= Math.max(1, t - 1 - repairBudget) || key.isTheftOver);
  if (marginOf(core, k - key.failures.size).level === 'lost') return [];
  const isRaised =
    key.raisedTo !== null && riskLevels.indexOf(key.raisedTo) > riskLevels.indexOf(policy.risk);
  const reasons: readonly (readonly [RefreshReason, boolean])[] = [
    ['leak', mayLeak],
    ['risk', isRaised],
    ['reduced', policy.reduced && key.canLift],
    ['chain', amendments.length >= 2 * k],
    ['schedule', refreshMs > 0 && nowMs - core.createdAtMs >= refreshMs],
  ];
  const due = reasons.find(([, isDue]) => isDue);
  const move = worstPoint(key);
  return [...(due ? [{ type: 'refresh', why: due[0] } as const] : []), ...(move ? [move] : [])];
}

/** A key as one of its holders sees it. */
export type HeldCase = {
  readonly manifest: Manifest;
  /** This holder's node key. */
  readonly nodeKey: Uint8Array;
  /** Why holders have failed, by their points, by this node's own audits. */
  readonly failures: ReadonlyMap<number, Failure>;
};

/**
 * What a holder proposes where the owner does nothing: after twice the grace the point whose holder failed first, within
 * the repair budget, if so many holders are left that they can vote for it. Holders take turns, the first in the core's
 * order first, so that two proposals seldom meet.
 *
 * @param key as this holder sees it
 * @param nowMs Unix ms
 * @param graceMs how long an absence is borne
 */
export function proposalOf(
  { manifest, nodeKey, failures }: HeldCase,
  nowMs: number,
  graceMs: number,
): Extract<Remedy, { type: 'move' }> | null {
  const { core, amendments } = manifest;
  const votedMoves = amendments.filter(({ votes }) => votes.length > 0).length;
  if (votedMoves >= core.repairBudget || core.k - failures.size < quorumOf(core)) return null;
  const voters = seatsOf(manifest).filter(({ x }) => !failures.has(x));
  const rank = voters.findIndex(seat => equalBytes(seat.nodeKey, nodeKey));
  const [first] = [...failures].sort(([a, { sinceMs }], [b, other]) => sinceMs - other.sinceMs || a - b);
  if (rank < 0 || !first) return null;
  const [x, { reason, sinceMs }] = first;
  const waitMs = (2 + rank / 4) * graceMs;
  return nowMs - sinceMs >= waitMs ? { type: 'move', x, reason } : null;
}
