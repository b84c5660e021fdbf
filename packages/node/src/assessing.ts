import { type Clock, compareBytes, equalBytes, toHex } from '@skerry/base';
import { type Candidate, type Coordinates, greatCircleKm, regionOf } from '@skerry/placement';
import {
  type Assessment,
  type AssessmentInput,
  assess,
  evidenceOf,
  findSlander,
  judgePlace,
  type PlaceBound,
  type PlaceVerdict,
  type Report,
  reporterWeight,
  statedTrust,
  statementOn,
  type TrustStatement,
  type TrustStatements,
} from '@skerry/trust';
import {
  isNodeId,
  type NodeRecord,
  nodeIdOf,
  nodeKeyOf,
  observationsMax,
  observedHundredthsMax,
  roundTripTenthsMsMax,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { Directory } from './directory.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { NeighbourEntry } from './neighbours.ts';
import type { PeerStreams } from './streams.ts';

/** What a third node says that it has seen of the one that a verdict is on. */
type Mention = {
  readonly report: Report;
  /** Weight of its word here, 0 to 1. */
  readonly weight: number;
};

/** What a node makes of another, and of where it says it is. */
type BareVerdict = {
  readonly assessment: Assessment;
  readonly place: PlaceVerdict;
  /** What this node's operator states on it, or null. */
  readonly statement: TrustStatement | null;
};

type Verdict = BareVerdict & {
  /** What others say of it, those without weight too. */
  readonly mentions: readonly Mention[];
};

/** What this node makes of others, from what it has seen itself, what others say, and what its operator states. */
export type Assessor = {
  /** Of a node in the directory; undefined for one that is in none. */
  readonly verdictOn: (nodeId: string) => Verdict | undefined;
  /** What this node's operator states on a node, or null. */
  readonly statementOn: (nodeId: string) => TrustStatement | null;
  /** Every node but this one that may hold a share, as placement takes it. */
  readonly candidates: () => Candidate[];
  /** What this node's next record says of others: as many as a record takes, the next ones the next time. */
  readonly observations: () => NodeRecord['observations'];
  /** How this node stands with others, as far as they say; by the weight of their words here. */
  readonly ownStanding: () => Verdict;
  /** Looks at what a new record says of others, and notes whoever slanders. */
  readonly hear: (entry: NeighbourEntry) => void;
};

type AssessorOptions = {
  readonly nodeId: string;
  readonly place: Coordinates;
  readonly operator: string;
  readonly directory: Pick<Directory<NeighbourEntry>, 'entry' | 'entries'>;
  readonly evidence: Pick<EvidenceStore, 'of' | 'note' | 'nodeIds'>;
  readonly streams: Pick<PeerStreams, 'leastRoundTripMs'>;
  readonly statements: TrustStatements;
  readonly isPlaceVerified: boolean;
  /** Milliseconds of an audit period. */
  readonly periodMs: number;
  readonly clock: Clock;
};

/** A report with the round trip that came with it. */
type Heard = { readonly report: Report; readonly roundTripMs: number | null };

const hundredths = (mass = 0): number => Math.min(observedHundredthsMax, Math.round(mass * 100));

function claimOf({ record }: NeighbourEntry): Coordinates {
  return { lat: record.place.latitudeE6 / 1e6, lon: record.place.longitudeE6 / 1e6 };
}

function operatorIn({ record }: NeighbourEntry): string | null {
  return record.operator === '' ? null : record.operator;
}

/** One thing that a record says of another node, and whose record it is. */
type Said = { readonly by: NeighbourEntry; readonly said: NodeRecord['observations'][number] };

/**
 * What a record says of a node.
 *
 * @param subject its node id: to work it out from its key takes longer than all else
 */
function heardOf({ by, said }: Said, subject: string): Heard {
  return {
    report: {
      reporter: by.nodeId,
      reporterOperator: operatorIn(by),
      subject,
      atMs: by.issuedAtMs,
      availability: { good: said.availabilityGood / 100, bad: said.availabilityBad / 100 },
      integrity: { good: said.integrityGood / 100, bad: said.integrityBad / 100 },
    },
    roundTripMs: said.roundTripTenthsMs === null ? null : said.roundTripTenthsMs / 10,
  };
}

/** What this node knows of others by itself alone. */
type OwnCases = {
  /** What is known of a node: the case for `assess`, without reports, and the statement on it. */
  readonly caseOf: (entry: NeighbourEntry) => OwnCase;
  /** This node's own bound on where another is, if it has measured one. */
  readonly boundOn: (nodeId: string, claim: Coordinates) => PlaceBound[];
  readonly judge: (nodeId: string, operator: string | null, bounds: readonly PlaceBound[]) => PlaceVerdict;
  /** The weight of a reporter's word, by what this node has seen of it itself. */
  readonly weightOf: (reporter: string) => number;
};

type OwnCase = {
  readonly base: Omit<AssessmentInput, 'reports' | 'weightOf' | 'stated'>;
  readonly statement: TrustStatement | null;
  /** The trust that this node's operator states, where it states any. */
  readonly stated: (earned: number) => number | null;
};

function createOwnCases(options: AssessorOptions): OwnCases {
  const { nodeId: ownId, directory, evidence, streams, statements, periodMs, clock } = options;

  function judge(nodeId: string, operator: string | null, bounds: readonly PlaceBound[]): PlaceVerdict {
    return judgePlace({ nodeId, operator, bounds, isVerified: options.isPlaceVerified });
  }

  function boundOn(nodeId: string, claim: Coordinates): PlaceBound[] {
    const roundTripMs = streams.leastRoundTripMs(nodeId);
    if (roundTripMs === undefined) return [];
    const claimedKm = greatCircleKm(options.place, claim);
    return [{ observer: ownId, operator: null, isSelf: true, weight: 1, roundTripMs, claimedKm }];
  }

  function caseOf(entry: NeighbourEntry): OwnCase {
    const { nodeId } = entry;
    const operator = operatorIn(entry);
    const place = judge(nodeId, operator, boundOn(nodeId, claimOf(entry)));
    const own = evidence.of(nodeId) ?? null;
    // Anybody can take an operator's name: what is stated of that helps no node that is proven bad.
    const isBad = place.verdict === 'refuted' || (own !== null && own.cheatedAtMs !== null);
    const statement = statementOn(statements, nodeId, isBad ? null : operator);
    return {
      base: { nodeId, operator, own, place, nowMs: clock.nowMs(), periodMs },
      statement,
      stated: earned => (statement === null ? null : statedTrust(statement, earned)),
    };
  }

  return {
    caseOf,
    boundOn,
    judge,
    weightOf: reporter => {
      const entry = directory.entry(reporter);
      if (!entry || reporter === ownId) return 0;
      const { base, statement, stated } = caseOf(entry);
      if (base.own === null && statement === null) return 0; // a newcomer, or less
      const { earned } = assess({ ...base, stated: null, reports: [], weightOf: () => 0 });
      return reporterWeight({ ...base, stated: stated(earned) });
    },
  };
}

/** Verdicts on nodes of the directory, and on this one. They are worked out when wanted, and kept for a moment. */
type Verdicts = {
  readonly on: (entry: NeighbourEntry) => BareVerdict;
  readonly onThisNode: () => BareVerdict;
  /** What others say of a node, those without weight too. */
  readonly mentionsOf: (nodeId: string) => Mention[];
};

/** Bounds on where a node is by others' round trips to it. */
function boundsByOthers(
  { nodeId: ownId, directory }: AssessorOptions,
  heard: readonly Heard[],
  claim: Coordinates,
  weightOf: (reporter: string) => number,
): PlaceBound[] {
  return heard.flatMap(({ report, roundTripMs }) => {
    const { reporter, reporterOperator: operator } = report;
    const entry = directory.entry(reporter);
    if (!entry || roundTripMs === null || reporter === ownId) return [];
    const claimedKm = greatCircleKm(claimOf(entry), claim);
    const weight = weightOf(reporter);
    return [{ observer: reporter, operator, isSelf: false, weight, roundTripMs, claimedKm }];
  });
}

/** What records say, from those whose word weighs something; with the weights, for as long as they are fresh. */
function createHearing({ directory, clock }: AssessorOptions, cases: OwnCases) {
  let atMs = Number.NEGATIVE_INFINITY;
  let weights = new Map<string, number>();
  let bySubject = new Map<string, Said[]>();
  let verdicts = new Map<string, BareVerdict>();

  /** The weight of a reporter's word, as it was when what is kept was worked out. */
  function weightOf(reporter: string): number {
    const weight = weights.get(reporter) ?? cases.weightOf(reporter);
    weights.set(reporter, weight);
    return weight;
  }

  return {
    weightOf,
    /** Verdicts so far; none where time has passed. */
    verdicts: (): Map<string, BareVerdict> => {
      const nowMs = clock.nowMs();
      if (Math.abs(nowMs - atMs) < parameters.verdictMs) return verdicts;
      [atMs, weights, verdicts] = [nowMs, new Map(), new Map()];
      const said = directory
        .entries()
        .filter(({ nodeId }) => weightOf(nodeId) > 0)
        .flatMap(by => by.record.observations.map(said => ({ by, said })));
      bySubject = Map.groupBy(said, ({ said: { subject } }) => toHex(subject));
      return verdicts;
    },
    heardOf: (nodeId: string, nodeKey: Uint8Array): Heard[] =>
      (bySubject.get(toHex(nodeKey)) ?? []).map(said => heardOf(said, nodeId)),
  };
}

function createVerdicts(options: AssessorOptions, cases: OwnCases): Verdicts {
  const { nodeId: ownId, directory, periodMs, clock } = options;
  const hearing = createHearing(options, cases);
  const { weightOf } = hearing;

  function workOut(entry: NeighbourEntry): BareVerdict {
    const heard = hearing.heardOf(entry.nodeId, entry.record.nodeKey);
    const claim = claimOf(entry);
    const { base, statement, stated } = cases.caseOf(entry);
    const bounds = [
      ...cases.boundOn(entry.nodeId, claim),
      ...boundsByOthers(options, heard, claim, weightOf),
    ];
    const place = cases.judge(entry.nodeId, base.operator, bounds);
    const input = { ...base, place, reports: heard.map(({ report }) => report), weightOf };
    const unstated = assess({ ...input, stated: null });
    const trust = stated(unstated.earned);
    const assessment = trust === null ? unstated : assess({ ...input, stated: trust });
    return { assessment, place, statement };
  }

  return {
    on: entry => {
      const verdicts = hearing.verdicts();
      const verdict = verdicts.get(entry.nodeId) ?? workOut(entry);
      verdicts.set(entry.nodeId, verdict);
      return verdict;
    },
    onThisNode: () => {
      hearing.verdicts();
      const operator = options.operator === '' ? null : options.operator;
      const heard = hearing.heardOf(ownId, nodeKeyOf(ownId));
      const place = cases.judge(ownId, operator, boundsByOthers(options, heard, options.place, weightOf));
      const reports = heard.map(({ report }) => report);
      const unknown = { own: null, stated: null, nowMs: clock.nowMs(), periodMs };
      const assessment = assess({ nodeId: ownId, operator, place, reports, weightOf, ...unknown });
      return { assessment, place, statement: null };
    },
    mentionsOf: nodeId => {
      const key = nodeKeyOf(nodeId);
      const others = directory.entries().filter(({ nodeId: teller }) => teller !== ownId);
      return others.flatMap(by =>
        by.record.observations
          .filter(({ subject }) => equalBytes(subject, key))
          .map(said => {
            const { report } = heardOf({ by, said }, nodeId);
            return { report, weight: weightOf(by.nodeId) };
          }),
      );
    },
  };
}

/** Where a node counts as being: where it says, or else beside whoever refutes that. */
function placeOf(
  { directory, place: ownPlace }: AssessorOptions,
  entry: NeighbourEntry,
  { verdict, by }: PlaceVerdict,
): Candidate['place'] {
  const { name, country } = entry.record.place;
  if (verdict !== 'refuted') return { name, ...claimOf(entry), country, region: regionOf(country) };
  const witness = by[0] && directory.entry(by[0].observer);
  return { name, ...(witness ? claimOf(witness) : ownPlace), country, region: 'refuted' };
}

/** What one observation of a record says. */
function observationOf(
  { evidence, streams, periodMs, clock }: AssessorOptions,
  nodeId: string,
): NodeRecord['observations'][number] {
  const own = evidence.of(nodeId);
  const seen = own && evidenceOf(own, clock.nowMs(), periodMs);
  const leastMs = streams.leastRoundTripMs(nodeId);
  return {
    subject: nodeKeyOf(nodeId),
    availabilityGood: hundredths(seen?.availability.good),
    availabilityBad: hundredths(seen?.availability.bad),
    integrityGood: hundredths(seen?.integrity.good),
    integrityBad: hundredths(seen?.integrity.bad),
    roundTripTenthsMs: leastMs === undefined ? null : Math.min(roundTripTenthsMsMax, Math.ceil(leastMs * 10)),
  };
}

/** What this node makes of others. */
export function createAssessor(options: AssessorOptions): Assessor {
  const { nodeId: ownId, directory, evidence, streams, statements, periodMs, clock } = options;
  const verdicts = createVerdicts(options, createOwnCases(options));
  let turn = 0;

  return {
    verdictOn: nodeId => {
      const entry = directory.entry(nodeId);
      return entry && { ...verdicts.on(entry), mentions: verdicts.mentionsOf(nodeId) };
    },
    statementOn: nodeId => {
      const entry = directory.entry(nodeId);
      return statementOn(statements, nodeId, entry ? operatorIn(entry) : null);
    },
    candidates: () =>
      directory
        .entries()
        .filter(({ nodeId, record }) => nodeId !== ownId && record.capacity > 0)
        .map(entry => {
          const { assessment, place } = verdicts.on(entry);
          const { trust, availability } = assessment;
          const where = placeOf(options, entry, place);
          return { nodeId: entry.nodeId, place: where, operator: operatorIn(entry), trust, availability };
        }),
    observations: () => {
      const nodeIds = new Set([...directory.entries().map(({ nodeId }) => nodeId), ...evidence.nodeIds()]);
      nodeIds.delete(ownId);
      const seen = [...nodeIds].filter(
        nodeId =>
          isNodeId(nodeId) &&
          (evidence.of(nodeId) !== undefined || streams.leastRoundTripMs(nodeId) !== undefined),
      );
      const start = seen.length > observationsMax ? (turn++ * observationsMax) % seen.length : 0;
      return [...seen.slice(start), ...seen.slice(0, start)]
        .slice(0, observationsMax)
        .map(nodeId => observationOf(options, nodeId))
        .sort((a, b) => compareBytes(a.subject, b.subject));
    },
    ownStanding: () => ({ ...verdicts.onThisNode(), mentions: verdicts.mentionsOf(ownId) }),
    hear: entry => {
      if (entry.nodeId === ownId) return;
      const reports = entry.record.observations
        .filter(said => said.integrityBad > said.integrityGood)
        .map(said => heardOf({ by: entry, said }, nodeIdOf(said.subject)).report);
      const ownOf = (subject: string) => {
        const own = evidence.of(subject);
        const about = directory.entry(subject);
        return own && about ? { operator: operatorIn(about), own } : null;
      };
      const slandered = findSlander(reports, ownOf, clock.nowMs(), periodMs);
      if (slandered.length > 0) evidence.note(entry.nodeId, 'slander');
    },
  };
}
