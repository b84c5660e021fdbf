/** What one node makes of another: every number with where it came from and what would raise it. */
import {
  auditPeriodMs,
  availabilityEnough,
  availabilityPerPeriod,
  availabilityPrior,
  integrityGoodPerPeriod,
  integrityPrior,
  observationTable,
  periodsAheadMax,
  placeRefutedTrustMax,
  trustGoals,
} from '../parameters.ts';
import { addEvidence, type Evidence, noEvidence, type ObservationKind, type Tally } from './observation.ts';
import type { PlaceVerdict } from './place.ts';
import { type Report, weighReports } from './reports.ts';
import { decayOver, evidenceByKind, type Reputation } from './reputation.ts';

/** What an assessment rests on. */
export type AssessmentInput = {
  /** Whom it is about. */
  readonly nodeId: string;
  /** Who runs that node, by its claim; null when unknown. */
  readonly operator: string | null;
  /** What this node has itself seen of it; null when nothing. */
  readonly own: Reputation | null;
  /** What others say they have seen of it, in any order; those about others are left out. */
  readonly reports: readonly Report[];
  /** Weight 0..1 of a reporter, by `reporterWeight`. */
  readonly weightOf: (reporter: string) => number;
  /** This node's operator's own statement, 0 (denied) to 1; null when there is none. */
  readonly stated: number | null;
  /** What measurements say of its place; null when nothing was judged. */
  readonly place: PlaceVerdict | null;
  /** ms since 1970. */
  readonly nowMs: number;
  /** Audit period, over 0; `auditPeriodMs` by default. */
  readonly periodMs?: number;
};

/** Why a trust is what it is: the first that applies, in this order. */
export type Standing =
  /** The operator's statement is 0. */
  | 'denied'
  /** The operator's statement stands for the evidence. */
  | 'stated'
  /** It signed a wrong proof, or a wrong part of a round; only a statement changes that. */
  | 'cheated'
  /** It can't be where it says it is. */
  | 'place-refuted'
  /** What was seen decides. */
  | 'evidence'
  /** Nothing was seen. */
  | 'newcomer';

/** One of the things that an assessment was made of. The parts' evidence sums up to the whole. */
export type Part = {
  readonly source: 'own' | 'report' | 'statement' | 'place';
  /** Of own: the kind of observation; of a report: the reporter's node id; else the statement's or verdict's name. */
  readonly kind: string;
  /** Observations, contradictions of a place, or 1. */
  readonly count: number;
  /** What it adds now; none for statements and places, which act by themselves. */
  readonly evidence: Evidence;
  /** Since the latest, ms; null where it has no age. */
  readonly ageMs: number | null;
};

/** What one node makes of another. */
export type Assessment = {
  /** 0..1, as placement takes it: `statement, or else earned`. */
  readonly trust: number;
  /** 0..1, without the operator's statement. */
  readonly earned: number;
  /** Probability 0..1 that it answers, as sizing takes it: the mean of the posterior. */
  readonly availability: number;
  /** Posterior mean 0..1 of integrity, and the evidence behind it, priors not counted. */
  readonly integrity: Tally & { readonly mean: number };
  /** How much of all this is evidence and not prior, 0..1. */
  readonly confidence: number;
  readonly standing: Standing;
  /** Where it comes from: the statement, the place, own observations, reports. */
  readonly parts: readonly Part[];
  /** Further audit periods with nothing but good answers to each goal: 0 when reached, null when never within a year. */
  readonly periodsTo: { readonly medium: number | null; readonly high: number | null };
  /** For a person: what holds it down, and what would raise it. */
  readonly next: string;
};

/**
 * What to make of a node. Without evidence trust is .5 exactly. It is the mean of the Beta posterior on integrity
 * (Josang and Ismail 2002), less where the availability is under `availabilityEnough`, in proportion. Proven cheating
 * makes it 0, a refuted place `placeRefutedTrustMax` at most, and the operator's statement overrides all of that; what
 * evidence alone gives stays visible as `earned`.
 *
 * @param input see `AssessmentInput`; a statement that is no number is none
 */
export function assess(input: AssessmentInput): Assessment {
  const { nowMs, own, periodMs = auditPeriodMs } = input;
  const stated = input.stated === null || Number.isNaN(input.stated) ? null : clamp(input.stated);
  const ofOwn = own === null ? [] : evidenceByKind(own, nowMs, periodMs);
  const ofOthers = weighReports(input, input.reports, input.weightOf, nowMs, periodMs);
  const evidence = [...ofOwn, ...ofOthers].reduce((sum, part) => addEvidence(sum, part.evidence), noEvidence);
  const hasCheated = own !== null && own.cheatedAtMs !== null;
  const isRefuted = input.place?.verdict === 'refuted';
  const earned = hasCheated ? 0 : Math.min(trustFrom(evidence), isRefuted ? placeRefutedTrustMax : 1);
  const standing = standingOf(stated, hasCheated, isRefuted, massOf(evidence) > 0);
  const isBlocked = standing !== 'evidence' && standing !== 'newcomer';
  const periodsTo = {
    medium: isBlocked ? blockedPeriods(stated, trustGoals.medium) : periodsUntil(evidence, trustGoals.medium),
    high: isBlocked ? blockedPeriods(stated, trustGoals.high) : periodsUntil(evidence, trustGoals.high),
  };
  return {
    trust: stated ?? earned,
    earned,
    availability: meanOf(evidence.availability, availabilityPrior),
    integrity: { ...evidence.integrity, mean: meanOf(evidence.integrity, integrityPrior) },
    confidence: massOf(evidence) / (massOf(evidence) + priorMass),
    standing,
    parts: [
      ...partsOf(stated, input.place),
      ...ofOwn.map(part => ({ source: 'own' as const, ...part })),
      ...ofOthers.map(({ reporter, ...part }) => ({
        source: 'report' as const,
        kind: reporter,
        count: 1,
        ...part,
      })),
    ],
    periodsTo,
    next: nextOf(standing, earned, periodsTo, own, ofOwn, input.place),
  };
}

/**
 * The weight of a reporter's word: twice what its trust is over .5, by own evidence only. So a newcomer's word weighs
 * nothing, and no circle of nodes that praise each other ever gets any weight.
 *
 * @param input the reporter's own case; reports about it are never looked at
 * @returns 0..1
 */
export function reporterWeight(input: Omit<AssessmentInput, 'reports' | 'weightOf'>): number {
  return clamp(2 * assess({ ...input, reports: [], weightOf: () => 0 }).trust - 1);
}

const priorMass = availabilityPrior.good + availabilityPrior.bad + integrityPrior.good + integrityPrior.bad;

function trustFrom({ availability, integrity }: Evidence): number {
  const shortfall = Math.min(1, meanOf(availability, availabilityPrior) / availabilityEnough);
  return meanOf(integrity, integrityPrior) * shortfall;
}

function standingOf(
  stated: number | null,
  hasCheated: boolean,
  isRefuted: boolean,
  isSeen: boolean,
): Standing {
  if (stated !== null) return stated === 0 ? 'denied' : 'stated';
  if (hasCheated) return 'cheated';
  if (isRefuted) return 'place-refuted';
  return isSeen ? 'evidence' : 'newcomer';
}

function partsOf(stated: number | null, place: PlaceVerdict | null): Part[] {
  const parts: Part[] = [];
  if (stated !== null) {
    const kind = stated === 0 ? 'deny' : 'allow';
    parts.push({ source: 'statement', kind, count: 1, evidence: noEvidence, ageMs: null });
  }
  if (place !== null) {
    const count = place.by.length;
    parts.push({ source: 'place', kind: place.verdict, count, evidence: noEvidence, ageMs: null });
  }
  return parts;
}

/** Full audit periods of good answers and nothing else until trust reaches a goal. */
function periodsUntil(evidence: Evidence, goal: number): number | null {
  let { availability, integrity } = evidence;
  for (let periods = 0; periods <= periodsAheadMax; periods++) {
    if (trustFrom({ availability, integrity }) >= goal) return periods;
    availability = afterGoodPeriod(availability, decayOver('availability', 1), availabilityPerPeriod);
    integrity = afterGoodPeriod(integrity, decayOver('integrity', 1), integrityGoodPerPeriod);
  }
  return null;
}

function blockedPeriods(stated: number | null, goal: number): number | null {
  return stated !== null && stated >= goal ? 0 : null;
}

function afterGoodPeriod({ good, bad }: Tally, left: number, gain: number): Tally {
  return { good: good * left + gain, bad: bad * left };
}

function nextOf(
  standing: Standing,
  earned: number,
  periodsTo: Assessment['periodsTo'],
  own: Reputation | null,
  ofOwn: readonly { readonly kind: ObservationKind; readonly count: number; readonly evidence: Evidence }[],
  place: PlaceVerdict | null,
): string {
  if (standing === 'denied' || standing === 'stated') {
    return `its trust is this operator's statement; evidence alone would give ${earned.toFixed(2)}`;
  }
  if (standing === 'cheated') {
    const when = new Date(own?.cheatedAtMs ?? 0).toISOString();
    return `nothing: it was caught cheating at ${when}; only a statement changes that`;
  }
  if (standing === 'place-refuted') {
    const by = place?.by.map(({ observer }) => `..${observer.slice(-6)}`).join(', ');
    return `a true place: the one it claims is refuted by ${by}; or a statement`;
  }
  const worst = ofOwn
    .filter(({ evidence }) => evidence.availability.bad + evidence.integrity.bad > 0)
    .toSorted((a, b) => badnessOf(b.evidence) - badnessOf(a.evidence))[0];
  const why =
    worst === undefined || periodsTo.high === 0
      ? ''
      : `held down most by: ${observationTable[worst.kind].meaning} (${worst.count}); `;
  return `${why}${goalText(periodsTo.medium, trustGoals.medium)}, ${goalText(periodsTo.high, trustGoals.high)}`;
}

function goalText(periods: number | null, goal: number): string {
  if (periods === 0) return `${goal} is reached`;
  if (periods === null) return `${goal} is out of reach for a year`;
  return `${periods} more audit period${periods === 1 ? '' : 's'} of good answers to ${goal}`;
}

/** How much a part pulls down: each mass against its prior's, as availability's is the lighter. */
function badnessOf({ availability, integrity }: Evidence): number {
  return (
    availability.bad / (availabilityPrior.good + availabilityPrior.bad) +
    integrity.bad / (integrityPrior.good + integrityPrior.bad)
  );
}

function meanOf({ good, bad }: Tally, prior: Tally): number {
  return (prior.good + good) / (prior.good + prior.bad + good + bad);
}

function massOf({ availability, integrity }: Evidence): number {
  return availability.good + availability.bad + integrity.good + integrity.bad;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
