/** Good nodes and six bad ones: how soon each is told from the other. */
import { trustGoals } from '@skerry/trust';
import { promises } from '../parameters.ts';
import { createView, type Mind, type Verdict, type View } from './mind.ts';
import { isBad } from './population.ts';
import type { Rules } from './rules.ts';
import type { Findings, Row } from './scenario.ts';
import { runSociety, type Society, type SocietyOptions } from './society.ts';
import { leastOf, meanOf, medianOf, mostOf, rounded } from './statistics.ts';

/** What one node thought of another, look by look. */
type Course = {
  readonly observer: Mind;
  readonly subject: Mind;
  readonly looks: { readonly atPeriods: number; readonly trust: number }[];
  /** From the first look at which the observer had evidence of its own on a good subject. */
  hasEvidence: boolean;
};

/** The rows of the tables: one for each way to be bad, and one for all good nodes. */
export type MisbehaviourRows = {
  readonly bad: readonly Row[];
  readonly good: Row;
};

/** Periods from a time on until trust is for good on one side of a goal; null where it ends on the other. */
function periodsUntil(
  { looks }: Course,
  fromPeriods: number,
  isThere: (trust: number) => boolean,
): number | null {
  const last = looks.findLast(({ trust }) => !isThere(trust));
  if (last === undefined) return 0;
  const next = looks.find(({ atPeriods }) => atPeriods > last.atPeriods);
  return next === undefined ? null : Math.max(0, next.atPeriods - fromPeriods);
}

function checkNumbers({ assessment }: Verdict, findings: Findings, who: string): void {
  const { trust, earned, availability, confidence, integrity } = assessment;
  for (const value of [trust, earned, availability, confidence, integrity.mean]) {
    findings.check('nan-or-out-of-range', value >= 0 && value <= 1, () => `${who}: ${value}`);
  }
}

/** Verdicts with and without what a node says itself are the same. */
function checkOwnWord(
  view: View,
  observer: Mind,
  subjectId: string,
  trust: number,
  findings: Findings,
): void {
  const without = view.verdictOn(observer, subjectId, reporter => reporter !== subjectId)?.assessment.trust;
  const who = `${subjectId} as ${observer.self.nodeId} sees it`;
  findings.check('own-word-counted', without === trust, () => `${who}: ${without} becomes ${trust}`);
}

function checkFloors(
  course: Course,
  { nowMs }: View,
  atPeriods: number,
  turnPeriods: number,
  findings: Findings,
): void {
  const { subject, observer, looks, hasEvidence } = course;
  const trust = looks.at(-1)?.trust ?? Number.NaN;
  const who = `${subject.self.nodeId} (${subject.self.behaviour}) as ${observer.self.nodeId} sees it`;
  const what = () => `${who} after ${atPeriods} periods: ${trust.toFixed(3)}`;
  if (isBad(subject.self, nowMs)) {
    const isDue = atPeriods >= turnPeriods + promises.fallPeriods;
    findings.check('bad-above-floor', !isDue || trust < trustGoals.high, what);
  } else if (subject.self.behaviour === 'good' && hasEvidence) {
    findings.check('good-below-floor', atPeriods < promises.risePeriods || trust >= trustGoals.high, what);
  }
}

function checkPlace(
  { self }: Mind,
  { place }: Verdict,
  isDue: boolean,
  findings: Findings,
  observer: Mind,
): void {
  const isRefuted = place.verdict === 'refuted';
  const who = () => `${self.nodeId} as ${observer.self.nodeId} sees it: ${place.verdict}`;
  if (self.behaviour === 'place-liar') {
    findings.check('liar-place-not-refuted', !isDue || isRefuted, who);
  } else findings.check('honest-place-refuted', !isRefuted, who);
}

function lookAt(
  society: Society,
  rules: Rules,
  atPeriods: number,
  turnPeriods: number,
  courses: Map<string, Course>,
  findings: Findings,
): void {
  const { minds } = society;
  const view = createView(society, rules, true);
  for (const observer of minds) {
    if (observer.self.behaviour !== 'good') continue;
    for (const subject of minds) {
      const { nodeId } = subject.self;
      const verdict = subject === observer ? undefined : view.verdictOn(observer, nodeId);
      if (verdict === undefined) continue;
      const { trust } = verdict.assessment;
      const key = `${observer.self.nodeId} ${nodeId}`;
      const course = courses.get(key) ?? { observer, subject, looks: [], hasEvidence: false };
      courses.set(key, course);
      course.looks.push({ atPeriods, trust });
      course.hasEvidence ||= observer.seen.has(nodeId);
      checkNumbers(verdict, findings, key);
      checkFloors(course, view, atPeriods, turnPeriods, findings);
      const isLate = atPeriods >= turnPeriods + promises.fallPeriods;
      checkPlace(subject, verdict, isLate, findings, observer);
      if (isBad(subject.self, view.nowMs)) checkOwnWord(view, observer, nodeId, trust, findings);
    }
  }
}

/**
 * Runs a network in which some nodes are bad from `turnPeriods` on.
 *
 * @param options the looks are the experiment's own: one at the turn and one at the end of each period after
 * @param periods audit periods after the turn
 */
export function runMisbehaviour(
  options: Omit<SocietyOptions, 'looksAtPeriods' | 'onLook' | 'before'>,
  turnPeriods: number,
  periods: number,
  findings: Findings,
): MisbehaviourRows {
  const courses = new Map<string, Course>();
  runSociety({
    ...options,
    looksAtPeriods: Array.from({ length: periods + 1 }, (_, index) => turnPeriods + index),
    onLook: (society, atPeriods) => lookAt(society, options.rules, atPeriods, turnPeriods, courses, findings),
  });
  const byBehaviour = Map.groupBy(courses.values(), ({ subject }) => subject.self.behaviour);
  const { good = [], ...bad } = Object.fromEntries(byBehaviour);
  const seen = good.filter(({ hasEvidence }) => hasEvidence);
  return {
    bad: Object.entries(bad).map(([behaviour, list]) => badRow(behaviour, list, turnPeriods)),
    good: goodRow(seen),
  };
}

function endsOf(list: readonly Course[]): number[] {
  return list.map(({ looks }) => looks.at(-1)?.trust ?? Number.NaN);
}

function badRow(behaviour: string, list: readonly Course[], turnPeriods: number): Row {
  const after = list.map(course => periodsUntil(course, turnPeriods, trust => trust < trustGoals.high));
  const fell = after.filter(periods => periods !== null);
  const ends = endsOf(list);
  return {
    behaviour,
    observers: list.length,
    periodsMedian: medianOf(fell),
    periodsWorst: fell.length === after.length ? mostOf(fell) : null,
    trustMost: rounded(mostOf(list.flatMap(({ looks }) => looks.map(({ trust }) => trust)))),
    trustEndMean: rounded(meanOf(ends)),
    trustEndMost: rounded(mostOf(ends)),
  };
}

function goodRow(list: readonly Course[]): Row {
  const until = (goal: number) => {
    const periods = list.map(course => periodsUntil(course, 0, trust => trust >= goal));
    const reached = periods.filter(count => count !== null);
    return {
      median: medianOf(reached),
      worst: reached.length === periods.length ? mostOf(reached) : null,
    };
  };
  const [medium, high] = [until(trustGoals.medium), until(trustGoals.high)];
  const late = list.flatMap(({ looks }) =>
    looks.filter(({ atPeriods }) => atPeriods >= promises.risePeriods),
  );
  return {
    pairs: list.length,
    toMediumMedian: medium.median,
    toMediumWorst: medium.worst,
    toHighMedian: high.median,
    toHighWorst: high.worst,
    trustLeastAfterRise: rounded(leastOf(late.map(({ trust }) => trust))),
    trustEndLeast: rounded(leastOf(endsOf(list))),
  };
}
