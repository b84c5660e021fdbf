import type { ErrorCode } from '@skerry/base';
import { silentMs } from '../parameters.ts';
import type { RequesterState } from './requester-state.ts';

/**
 * What a round showed of one holder.
 *
 * - `contribution`, `drill-right`: it was in a set whose sum was right, in an open, or in a drill or repair, so its part was.
 * - `sum-wrong`, `drill-wrong`: it was in a set whose sum was wrong although all signed their parts. That blames nobody:
 *   two colluders can have it said of any honest member. It weighs little, and the same for each of the set.
 * - `contribution-wrong`: what it sent is no contribution, or its node did not sign it. Nobody else can check that.
 * - `share-lost`: it said itself that it has no such share, or a damaged one.
 * - `answered`: it sent a part of a set that was not completed, so that nobody knows whether it is right.
 * - `refused`: it said that it will not, or cannot now, by whatever code: the grant, the delay, too much to do. A holder
 *   may be right to; one that always does is of no use.
 * - `silent`: it never answered, and owed an answer for `silentMs` or longer.
 * - `unreachable`: it could not be reached, or said that its store fails.
 */
type ObservationKind =
  | 'contribution'
  | 'drill-right'
  | 'sum-wrong'
  | 'drill-wrong'
  | 'contribution-wrong'
  | 'share-lost'
  | 'answered'
  | 'refused'
  | 'silent'
  | 'unreachable';

/** One thing that a round showed of one holder. A round says each kind at most once of each. */
export type RoundObservation = {
  readonly x: number;
  readonly nodeId: string;
  readonly kind: ObservationKind;
  /** Its quickest answer, refusals left out, in ms from request to opened answer; null where there was none. */
  readonly answeredInMs: number | null;
};

/** Findings of this side about what a holder sent. */
const malformed: ReadonlySet<ErrorCode> = new Set([
  'SIGNATURE_INVALID',
  'SHARE_LENGTH_INVALID',
  'MESSAGE_MALFORMED',
  'MESSAGE_TOO_LARGE',
]);

/**
 * What a holder says of itself where its share is gone. KEY_NOT_ACTIVE is not among these: the share is there, and its
 * dealer, or the network, has kept the activation from it.
 */
const lost: ReadonlySet<ErrorCode> = new Set(['KEY_UNKNOWN', 'SHARE_CORRUPT', 'STORE_CORRUPT']);

/** What the code that came instead of an answer shows; nothing where none did. */
function kindOf(code: ErrorCode | null): ObservationKind | undefined {
  if (code === null) return undefined;
  if (malformed.has(code)) return 'contribution-wrong';
  if (lost.has(code)) return 'share-lost';
  if (code === 'DEADLINE_EXCEEDED') return 'silent';
  return code === 'PEER_UNREACHABLE' || code === 'STORE_FAILED' ? 'unreachable' : 'refused';
}

/** Whether a holder owes an answer for so long that it counts as silent. */
function owesTooLong({ attempts }: RequesterState, x: number, nowMs: number): boolean {
  return attempts.some(({ request }) => request.set.includes(x) && nowMs - request.issuedAtMs >= silentMs);
}

/**
 * What a round has shown of each holder that was asked, by the order in which they were to be asked.
 *
 * @param state the round at its end
 * @param nowMs then
 */
export function observationsIn(state: RequesterState, nowMs: number): RoundObservation[] {
  const { order, attempts, failed, slow, suspicion, answeredInMs } = state;
  const isDrill = order.aim.op !== 'open';
  const right = new Set(
    attempts.filter(({ status }) => status === 'right').flatMap(({ request }) => request.set),
  );
  return order.holders.flatMap(({ x, nodeId }) => {
    const kinds = new Set<ObservationKind>();
    if (right.has(x)) kinds.add(isDrill ? 'drill-right' : 'contribution');
    if (suspicion.has(x)) kinds.add(isDrill ? 'drill-wrong' : 'sum-wrong');
    const quickest = answeredInMs.get(x) ?? null;
    const kind = kindOf(failed.get(x) ?? slow.get(x) ?? null);
    if (kind === 'silent') {
      if (quickest === null && owesTooLong(state, x, nowMs)) kinds.add(kind);
    } else if (kind !== undefined) kinds.add(kind);
    if (kinds.size === 0 && quickest !== null) kinds.add('answered');
    return [...kinds].map(kind => ({ x, nodeId, kind, answeredInMs: quickest }));
  });
}

/**
 * Holders that failed, that are slow, or that owe an answer and never gave one, and why, by x.
 *
 * @param state the round at its end
 */
export function missingIn({ attempts, failed, slow }: RequesterState): Map<number, ErrorCode> {
  const reasons = new Map([...slow, ...failed]);
  const heard = new Set(attempts.flatMap(({ contributions }) => [...contributions.keys()]));
  for (const { request, status } of attempts) {
    if (status !== 'open' && status !== 'late') continue;
    for (const x of request.set) {
      if (!heard.has(x) && !reasons.has(x)) reasons.set(x, 'DEADLINE_EXCEEDED');
    }
  }
  return reasons;
}
