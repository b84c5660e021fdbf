/** What one node knows of others, and what all of them make of each other at one time. */
import { emptyAuditHistory } from '@skerry/custody';
import { type Coordinates, greatCircleKm } from '@skerry/placement';
import {
  type Assessment,
  auditPeriodMs,
  emptyReputation,
  type ObservationKind,
  type PlaceBound,
  type PlaceVerdict,
  type Report,
  type Reputation,
  reporterWeight,
} from '@skerry/trust';
import { conduct } from '../parameters.ts';
import type { Entry, Said } from './entry.ts';
import type { Inhabitant } from './population.ts';
import type { Rules } from './rules.ts';

/** What one node knows by itself. */
export type Mind = {
  readonly self: Inhabitant;
  readonly seen: Map<string, Reputation>;
  /** Least round trip to others, ms. */
  readonly leastMs: Map<string, number>;
  history: ReturnType<typeof emptyAuditHistory>;
  /** Entries announced so far that did not take all it knows. */
  turn: number;
};

/** A node that knows nobody. */
export function createMind(self: Inhabitant, nowMs: number): Mind {
  return { self, seen: new Map(), leastMs: new Map(), history: emptyAuditHistory(nowMs), turn: 0 };
}

/** What a node knows, in another life of it: the same knowledge, none of which changes in the first. */
export function remember({ seen, leastMs, history, turn }: Mind, self: Inhabitant): Mind {
  return { self, seen: new Map(seen), leastMs: new Map(leastMs), history, turn };
}

/** Enters what a node saw of another. */
export function note(mind: Mind, nodeId: string, kind: ObservationKind, nowMs: number, rules: Rules): void {
  const before = mind.seen.get(nodeId) ?? emptyReputation(nowMs);
  mind.seen.set(nodeId, rules.observe(before, { kind, atMs: nowMs }, auditPeriodMs));
}

/** How far a node can be at most, by this one's own round trip to it. */
function ownBounds({ self, leastMs }: Mind, nodeId: string, claim: Coordinates): PlaceBound[] {
  const roundTripMs = leastMs.get(nodeId);
  if (roundTripMs === undefined) return [];
  const km = greatCircleKm(self.city, claim);
  return [{ observer: self.nodeId, operator: null, isSelf: true, weight: 1, roundTripMs, claimedKm: km }];
}

/** What one node makes of another, and of where it says it is. */
export type Verdict = { readonly assessment: Assessment; readonly place: PlaceVerdict };

/** Which words count: all, unless some are left out to see what they make. */
type Heeded = (reporter: string) => boolean;

/** What all nodes make of each other at one time. */
export type View = {
  readonly nowMs: number;
  /** What a node makes of another; undefined of one that announces nothing. */
  readonly verdictOn: (observer: Mind, subjectId: string, isHeeded?: Heeded) => Verdict | undefined;
  /** The weight 0..1 of a reporter's word. */
  readonly weightOf: (observer: Mind, reporterId: string) => number;
};

/**
 * What nodes make of each other, worked out when wanted and as the daemon does it: the place by the own round trip and
 * those that others tell, trust by own evidence and others' reports, and the weight of a word by own evidence alone.
 *
 * @param board the newest entry of each node
 * @param isPlaceVerified whether claims of place are held against round trips
 */
export function createView(
  { board, nowMs }: { readonly board: ReadonlyMap<string, Entry>; readonly nowMs: number },
  rules: Rules,
  isPlaceVerified: boolean,
): View {
  const live = new Map([...board].filter(([, { atMs }]) => nowMs - atMs <= conduct.entryLifeMs));
  const heard = Map.groupBy(
    [...live.values()].flatMap(({ said }) => said),
    ({ report }) => report.subject,
  );
  const weights = new Map<Mind, Map<string, number>>();

  function judge(entry: Entry, bounds: readonly PlaceBound[]): PlaceVerdict {
    const { nodeId, operator } = entry;
    return rules.judgePlace({ nodeId, operator, bounds, isVerified: isPlaceVerified });
  }

  function caseOf(mind: Mind, { nodeId, operator }: Entry, place: PlaceVerdict) {
    const own = mind.seen.get(nodeId) ?? null;
    return { nodeId, operator, own, stated: null, place, nowMs, periodMs: auditPeriodMs };
  }

  function weigh(mind: Mind, reporterId: string): number {
    const entry = live.get(reporterId);
    if (entry === undefined || reporterId === mind.self.nodeId) return 0;
    return reporterWeight(caseOf(mind, entry, judge(entry, ownBounds(mind, reporterId, entry.claim))));
  }

  function weightOf(mind: Mind, reporterId: string): number {
    const known = weights.get(mind) ?? new Map<string, number>();
    weights.set(mind, known);
    const weight = known.get(reporterId) ?? weigh(mind, reporterId);
    known.set(reporterId, weight);
    return weight;
  }

  function boundsBy(mind: Mind, said: readonly Said[], claim: Coordinates): PlaceBound[] {
    return said.flatMap(({ report, roundTripMs }) => {
      const { reporter: observer, reporterOperator: operator } = report;
      const entry = live.get(observer);
      if (entry === undefined || roundTripMs === null || observer === mind.self.nodeId) return [];
      const weight = weightOf(mind, observer);
      const km = greatCircleKm(entry.claim, claim);
      return [{ observer, operator, isSelf: false, weight, roundTripMs, claimedKm: km }];
    });
  }

  return {
    nowMs,
    weightOf,
    verdictOn: (mind, subjectId, isHeeded = () => true) => {
      const entry = board.get(subjectId);
      if (entry === undefined) return undefined;
      const said = (heard.get(subjectId) ?? []).filter(({ report }) => isHeeded(report.reporter));
      const bounds = [...ownBounds(mind, subjectId, entry.claim), ...boundsBy(mind, said, entry.claim)];
      const place = judge(entry, bounds);
      const reports: Report[] = said.map(({ report }) => report);
      const assessment = rules.assess({
        ...caseOf(mind, entry, place),
        reports,
        weightOf: reporter => weightOf(mind, reporter),
      });
      return { assessment, place };
    },
  };
}
