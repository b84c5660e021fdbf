import {
  assess,
  auditPeriodMs,
  emptyReputation,
  evidenceOf,
  findSlander,
  observe,
  type Report,
  type Reputation,
  reporterWeight,
  trustGoals,
} from '../index.ts';
import { startMs } from './histories.ts';

/** One row of the table: how far colluders move what honest nodes think of honest nodes, as differences of trust. */
type CollusionFigures = {
  /** Part of the nodes that collude, percent. */
  readonly colludersPercent: number;
  /** What the plain mean of all nodes' words, each counted alike, would be off by. */
  readonly plainMean: number;
  /** Subjects that the node audits itself: mean and largest error. */
  readonly audited: { readonly mean: number; readonly worst: number };
  /** Subjects that it only hears of. */
  readonly heard: { readonly mean: number; readonly worst: number };
  /** Largest error of audited subjects where slander is observed as such from the fourth period on. */
  readonly noticed: number;
  /** Percent of the audited honest subjects that are kept out of high risk by the lies. */
  readonly shutOutPercent: number;
};

const nodeCount = 40;
const auditedCount = 12;
const periodCount = 20;
const noticedFrom = 4;

type World = {
  /** What each node has seen of each that it audits. */
  readonly seen: readonly ReadonlyMap<number, Reputation>[];
  readonly colluders: number;
};

/** The nodes that a node audits: the next ones on a ring, in steps that are coprime to its length. */
function auditedBy(node: number): number[] {
  return Array.from({ length: auditedCount }, (_, index) => (node + 1 + index * 3) % nodeCount);
}

/**
 * Forty nodes of forty operators. All answer audits well for twenty periods, colluders too: so they earn weight. Then
 * colluders report every honest node as bad and each other as good, with as much mass as a report may have.
 */
function runPeriods(colluders: number, isNoticed: boolean): World {
  const seen = Array.from(
    { length: nodeCount },
    (_, node) => new Map(auditedBy(node).map(other => [other, emptyReputation(startMs)])),
  );
  for (let period = 0; period < periodCount; period++) {
    const atMs = startMs + period * auditPeriodMs;
    const lies = liesOf(colluders, atMs);
    for (const known of seen) {
      for (const [other, reputation] of known) {
        let next = reputation;
        for (let answer = 0; answer < 4; answer++) next = observe(next, { kind: 'proof', atMs });
        const isLiar = isNoticed && period >= noticedFrom && other < colluders;
        if (isLiar && slandersTo(known, lies.get(other)!, atMs))
          next = observe(next, { kind: 'slander', atMs });
        known.set(other, next);
      }
    }
  }
  return { seen, colluders };
}

function slandersTo(known: ReadonlyMap<number, Reputation>, lies: readonly Report[], atMs: number): boolean {
  const ownOf = (subject: string) => {
    const own = known.get(Number(subject));
    return own === undefined ? null : { operator: null, own };
  };
  return findSlander(lies, ownOf, atMs).length > 0;
}

function liesOf(colluders: number, atMs: number): Map<number, Report[]> {
  return new Map(
    Array.from({ length: colluders }, (_, liar) => [
      liar,
      Array.from({ length: nodeCount }, (__, subject) => lieOf(liar, subject, colluders, atMs)),
    ]),
  );
}

function lieOf(liar: number, subject: number, colluders: number, atMs: number): Report {
  const side = subject < colluders ? { good: 1e6, bad: 0 } : { good: 0, bad: 1e6 };
  return reportOf(liar, subject, atMs, { availability: side, integrity: side });
}

function reportOf(
  reporter: number,
  subject: number,
  atMs: number,
  evidence: Pick<Report, 'availability' | 'integrity'>,
): Report {
  return { reporter: String(reporter), reporterOperator: null, subject: String(subject), atMs, ...evidence };
}

const nowMs = startMs + (periodCount - 1) * auditPeriodMs;
const plain = { operator: null, stated: null, place: null, nowMs };

/** What each node's word weighs with one of them. */
function weightsFor(known: ReadonlyMap<number, Reputation>): number[] {
  return Array.from({ length: nodeCount }, (_, node) =>
    reporterWeight({ ...plain, nodeId: String(node), own: known.get(node) ?? null }),
  );
}

/** Trust of one node in another, with and without the lies. */
function compare(
  { seen, colluders }: World,
  weights: readonly number[],
  assessor: number,
  subject: number,
): { with: number; without: number } {
  const truths = seen.flatMap((known, reporter) => {
    const reputation = known.get(subject);
    if (reporter < colluders || reporter === assessor || reputation === undefined) return [];
    return reportOf(reporter, subject, nowMs, evidenceOf(reputation, nowMs));
  });
  const lies = Array.from({ length: colluders }, (_, liar) => lieOf(liar, subject, colluders, nowMs));
  const own = seen[assessor]!.get(subject) ?? null;
  const weightOf = (reporter: string) => weights[Number(reporter)]!;
  const trustBy = (reports: Report[]) =>
    assess({ ...plain, nodeId: String(subject), own, reports, weightOf }).trust;
  return { with: trustBy([...lies, ...truths]), without: trustBy(truths) };
}

function errorsIn(world: World): { audited: number[]; heard: number[]; shutOut: number } {
  const [audited, heard]: [number[], number[]] = [[], []];
  let shutOut = 0;
  for (let assessor = world.colluders; assessor < nodeCount; assessor++) {
    const weights = weightsFor(world.seen[assessor]!);
    for (let subject = world.colluders; subject < nodeCount; subject++) {
      if (subject === assessor) continue;
      const trust = compare(world, weights, assessor, subject);
      const error = Math.abs(trust.with - trust.without);
      const isAudited = world.seen[assessor]!.has(subject);
      (isAudited ? audited : heard).push(error);
      if (isAudited && trust.without >= trustGoals.high && trust.with < trustGoals.high) shutOut++;
    }
  }
  return { audited, heard, shutOut };
}

/**
 * The figures for one share of colluders.
 *
 * @param colludersPercent percent of the nodes, below 100
 */
export function simulateCollusion(colludersPercent: number): CollusionFigures {
  const colluders = Math.round((nodeCount * colludersPercent) / 100);
  const { audited, heard, shutOut } = errorsIn(runPeriods(colluders, false));
  const noticed = errorsIn(runPeriods(colluders, true)).audited;
  const honestReporters = nodeCount - colluders - 1;
  return {
    colludersPercent,
    plainMean: colluders / (colluders + honestReporters),
    audited: { mean: meanOf(audited), worst: Math.max(...audited) },
    heard: { mean: meanOf(heard), worst: Math.max(...heard) },
    noticed: Math.max(...noticed),
    shutOutPercent: (100 * shutOut) / audited.length,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
