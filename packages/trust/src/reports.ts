/** What others say they have seen of a node: weighed by the trust in who says it, and capped. */
import {
  auditPeriodMs,
  integrityPrior,
  reportedMassMax,
  reportMassMax,
  slanderedEvidenceMin,
  slanderedOperatorsMin,
} from '../parameters.ts';
import type { Evidence, Tally } from './observation.ts';
import { decayOver, evidenceOf, type Reputation } from './reputation.ts';

/** What one node says it has itself seen of another: the sum of its own evidence, signed in its node record. */
export type Report = Evidence & {
  /** Node id of who says it. */
  readonly reporter: string;
  /** Who runs the reporter, by its claim; null when unknown: then it counts as its own. */
  readonly reporterOperator: string | null;
  /** Node id of whom it is about. */
  readonly subject: string;
  /** When it was signed, ms since 1970 by the reporter's clock. */
  readonly atMs: number;
};

/** The node that reports are about. */
type Subject = { readonly nodeId: string; readonly operator: string | null };

/** What a report came to. The sum over all is what reports add to the evidence. */
export type CountedReport = {
  readonly reporter: string;
  /** Since it was signed, never negative. */
  readonly ageMs: number;
  /** After weight, age and caps. */
  readonly evidence: Evidence;
};

type Question = keyof Evidence;

/**
 * What reports about a subject add to the evidence. Only the newest of each reporter counts. A report weighs by the
 * weight of its reporter and its age, is capped per reporter, per operator, and in all (good and bad each). A node's word
 * about itself counts nothing; of its operator's words only what is bad counts, so that naming another's operator as
 * its own silences nobody.
 *
 * The bound: reports of m lying operators (operators that a liar speaks as) add at most m * 1 to the mass of
 * integrity, at most 8 each of good and bad, and m * 0.5, at most 4 each, to availability; they take nothing away that
 * other operators said. So where N and A are all other masses, priors included, slander leaves a trust of at least
 * T * N / (N + m) * A / (A + m/2), and praise leaves at least N / (N + m) of the doubt in a node's integrity.
 *
 * @param subject whom the reports are about; those about others are left out
 * @param reports in any order
 * @param weightOf weight 0..1 of a reporter, from own evidence only (`reporterWeight`)
 * @param nowMs ms since 1970
 * @param periodMs audit period, over 0
 */
export function weighReports(
  subject: Subject,
  reports: readonly Report[],
  weightOf: (reporter: string) => number,
  nowMs: number,
  periodMs: number = auditPeriodMs,
): CountedReport[] {
  const heard = newestOfEach(reports).flatMap(report => {
    if (report.subject !== subject.nodeId || report.reporter === subject.nodeId) return [];
    const weight = weightOf(report.reporter);
    if (!(weight > 0)) return [];
    const ageMs = Math.max(0, nowMs - report.atMs);
    return Number.isFinite(ageMs) ? { report, weight: Math.min(1, weight), ageMs } : [];
  });
  const sums = { availability: sumsByReporter('availability'), integrity: sumsByReporter('integrity') };
  return heard.map(({ report, ageMs }, index) => ({
    reporter: report.reporter,
    ageMs,
    evidence: { availability: sums.availability[index]!, integrity: sums.integrity[index]! },
  }));

  function sumsByReporter(question: Question): Tally[] {
    const caps = reportMassMax[question];
    const perReporter = heard.map(({ report, weight, ageMs }) => {
      const said = report[question];
      const ofItsOwn = subject.operator !== null && report.reporterOperator === subject.operator;
      const capped = capTogether({ good: ofItsOwn ? 0 : said.good, bad: said.bad }, caps.reporter);
      return scale(capped, weight * decayOver(question, ageMs / periodMs));
    });
    const byOperator = Map.groupBy(perReporter.keys(), index => operatorKey(heard[index]!.report));
    for (const members of byOperator.values()) {
      const factor = capFactor(
        members.reduce((sum, index) => sum + massOf(perReporter[index]!), 0),
        caps.operator,
      );
      for (const index of members) perReporter[index] = scale(perReporter[index]!, factor);
    }
    const good = capFactor(
      perReporter.reduce((sum, tally) => sum + tally.good, 0),
      caps.all,
    );
    const bad = capFactor(
      perReporter.reduce((sum, tally) => sum + tally.bad, 0),
      caps.all,
    );
    return perReporter.map(tally => ({ good: tally.good * good, bad: tally.bad * bad }));
  }
}

/**
 * The subjects whom a reporter calls bad although this node has itself found them good. Whoever does so with nodes of
 * `slanderedOperatorsMin` operators is to be observed as `slander`; one or two nodes may well treat two others
 * differently, and frame who tells.
 *
 * @param reports all reports of one reporter
 * @param ownOf this node's own evidence on a subject and who runs it; null when there is none
 * @param nowMs ms since 1970
 * @param periodMs audit period, over 0
 * @returns node ids; empty when they are of too few operators
 */
export function findSlander(
  reports: readonly Report[],
  ownOf: (subject: string) => { readonly operator: string | null; readonly own: Reputation } | null,
  nowMs: number,
  periodMs: number = auditPeriodMs,
): string[] {
  const operators = new Set<string>();
  const subjects = new Set<string>();
  for (const { subject, integrity } of reports) {
    const known = integrity.bad > integrity.good ? ownOf(subject) : null;
    if (known === null) continue;
    const { good, bad } = evidenceOf(known.own, nowMs, periodMs).integrity;
    const mean = (integrityPrior.good + good) / (integrityPrior.good + integrityPrior.bad + good + bad);
    if (mean < slanderedEvidenceMin.mean || good < slanderedEvidenceMin.good) continue;
    if (known.own.cheatedAtMs !== null) continue;
    subjects.add(subject);
    operators.add(known.operator === null ? `node/${subject}` : `operator/${known.operator}`);
  }
  return operators.size >= slanderedOperatorsMin ? [...subjects] : [];
}

/** Well-formed reports, the newest of each reporter about each subject; of two of one time the later in the list. */
function newestOfEach(reports: readonly Report[]): Report[] {
  const newest = new Map<string, Report>();
  for (const report of reports) {
    if (!isSound(report)) continue;
    const key = JSON.stringify([report.reporter, report.subject]);
    const other = newest.get(key);
    if (other === undefined || report.atMs >= other.atMs) newest.set(key, report);
  }
  return [...newest.values()];
}

function isSound({ availability, integrity, atMs }: Report): boolean {
  const masses = [availability.good, availability.bad, integrity.good, integrity.bad];
  return Number.isFinite(atMs) && masses.every(mass => mass >= 0 && mass <= reportedMassMax);
}

function operatorKey({ reporter, reporterOperator }: Report): string {
  return reporterOperator === null ? `node/${reporter}` : `operator/${reporterOperator}`;
}

function massOf({ good, bad }: Tally): number {
  return good + bad;
}

function scale({ good, bad }: Tally, factor: number): Tally {
  return { good: good * factor, bad: bad * factor };
}

function capFactor(mass: number, cap: number): number {
  return mass > cap ? cap / mass : 1;
}

function capTogether(tally: Tally, cap: number): Tally {
  return scale(tally, capFactor(massOf(tally), cap));
}
