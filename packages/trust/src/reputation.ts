/**
 * What one node has itself seen of another: a Beta reputation (Josang and Ismail, The Beta Reputation System, 2002)
 * on two questions, with exponential forgetting in steps of one audit period.
 */
import { assert } from '@skerry/base';
import {
  auditPeriodMs,
  availabilityPerPeriod,
  halfLifePeriods,
  integrityGoodPerPeriod,
  observationTable,
} from '../parameters.ts';
import {
  addEvidence,
  type Evidence,
  noEvidence,
  type Observation,
  type ObservationKind,
} from './observation.ts';

/** What is left of one kind of observation from former periods. */
export type Seen = {
  /** How often, ever. */
  readonly count: number;
  /** When last, ms since 1970. */
  readonly latestMs: number;
  /** Mass on availability, decayed to the present period; whether it is good or bad, the kind says. */
  readonly availability: number;
  /** Mass on integrity, decayed to the present period. */
  readonly integrity: number;
};

/**
 * What one node has itself seen of another. Plain JSON: `JSON.stringify` stores it, `parseReputation` reads it.
 * Within a period only counts are kept, so the order in which things were seen there makes no difference.
 */
export type Reputation = {
  readonly seen: Readonly<Partial<Record<ObservationKind, Seen>>>;
  readonly period: {
    /** Start of the audit period under way, ms since 1970. */
    readonly startedAtMs: number;
    /** Observations in it; they weigh in at once, and count into `seen`'s masses when it ends. */
    readonly counts: Readonly<Partial<Record<ObservationKind, number>>>;
  };
  /** When it was first proven to cheat, or null. */
  readonly cheatedAtMs: number | null;
};

/** The part of the evidence that one kind of observation makes, and how old the latest of that kind is. */
type KindEvidence = {
  readonly kind: ObservationKind;
  /** How often, ever. */
  readonly count: number;
  /** Since the latest, never negative. */
  readonly ageMs: number;
  /** What it adds to the evidence now, after caps and decay. */
  readonly evidence: Evidence;
};

type Masses = { readonly availability: number; readonly integrity: number };

const kinds = Object.keys(observationTable) as ObservationKind[];

/** The last instant that a Date can name. */
const timeMaxMs = 8_640_000_000_000_000;

/**
 * Nothing seen yet.
 *
 * @param nowMs ms since 1970; the first audit period begins then
 */
export function emptyReputation(nowMs: number): Reputation {
  return { seen: {}, period: { startedAtMs: isTime(nowMs) ? nowMs : 0, counts: {} }, cheatedAtMs: null };
}

/**
 * The reputation after one more observation. A good one never lowers what `evidenceOf` and `assess` make of it, a bad
 * one never raises it, and within a period order makes no difference.
 *
 * A clock that goes back opens no new period: by less than one, the observation counts into the period under way; by
 * more, the clock was set, and that period goes on from the new time.
 *
 * @param reputation any
 * @param observation what was seen, and when by this node's own clock; a time that is none counts as now's period
 * @param periodMs audit period, over 0
 */
export function observe(
  reputation: Reputation,
  { kind, atMs }: Observation,
  periodMs: number = auditPeriodMs,
): Reputation {
  const current = advance(reputation, atMs, periodMs);
  const { seen, period, cheatedAtMs } = current;
  const before = seen[kind] ?? { count: 0, latestMs: 0, availability: 0, integrity: 0 };
  const whenMs = isTime(atMs) ? atMs : period.startedAtMs;
  return {
    seen: {
      ...seen,
      [kind]: { ...before, count: increment(before.count), latestMs: Math.max(before.latestMs, whenMs) },
    },
    period: { ...period, counts: { ...period.counts, [kind]: increment(period.counts[kind] ?? 0) } },
    cheatedAtMs: kind === 'proof-wrong' ? Math.min(cheatedAtMs ?? whenMs, whenMs) : cheatedAtMs,
  };
}

/**
 * What the observations weigh now, kind by kind: decayed by their age, capped by period. The sum of it is what a
 * node may report to others.
 *
 * @param reputation any
 * @param nowMs ms since 1970
 * @param periodMs audit period, over 0
 * @returns kinds that were seen, in the order of `observationTable`
 */
export function evidenceByKind(
  reputation: Reputation,
  nowMs: number,
  periodMs: number = auditPeriodMs,
): KindEvidence[] {
  const { seen, period } = advance(reputation, nowMs, periodMs);
  const masses = periodMasses(period.counts);
  return kinds.flatMap(kind => {
    const past = seen[kind];
    if (past === undefined) return [];
    const present = masses.get(kind);
    const availability = past.availability + (present?.availability ?? 0);
    const integrity = past.integrity + (present?.integrity ?? 0);
    return {
      kind,
      count: past.count,
      ageMs: isTime(nowMs) ? Math.max(0, nowMs - past.latestMs) : 0,
      evidence: {
        availability: sided(availability, observationTable[kind].availability),
        integrity: sided(integrity, observationTable[kind].integrity),
      },
    };
  });
}

/**
 * The sum of `evidenceByKind`.
 *
 * @param reputation any
 * @param nowMs ms since 1970
 * @param periodMs audit period, over 0
 */
export function evidenceOf(
  reputation: Reputation,
  nowMs: number,
  periodMs: number = auditPeriodMs,
): Evidence {
  return evidenceByKind(reputation, nowMs, periodMs).reduce(
    (sum, { evidence }) => addEvidence(sum, evidence),
    noEvidence,
  );
}

/**
 * A reputation from stored JSON.
 *
 * @param value what `JSON.parse` gave
 * @returns null when it is none; kinds that this version does not know are left out
 */
export function parseReputation(value: unknown): Reputation | null {
  if (!isObject(value) || !isObject(value['seen']) || !isObject(value['period'])) return null;
  const { startedAtMs, counts } = value['period'];
  const cheatedAtMs = value['cheatedAtMs'];
  if (!isTime(startedAtMs) || !isObject(counts)) return null;
  if (cheatedAtMs !== null && !isTime(cheatedAtMs)) return null;
  const seen: Partial<Record<ObservationKind, Seen>> = {};
  const counted: Partial<Record<ObservationKind, number>> = {};
  for (const kind of kinds) {
    if (Object.hasOwn(value['seen'], kind)) {
      const past = parseSeen(value['seen'][kind]);
      if (past === null) return null;
      seen[kind] = past;
    }
    if (Object.hasOwn(counts, kind)) {
      const count = counts[kind];
      if (!isCount(count) || count > (seen[kind]?.count ?? 0)) return null;
      counted[kind] = count;
    }
  }
  return { seen, period: { startedAtMs, counts: counted }, cheatedAtMs };
}

/**
 * What one period's decay leaves of a mass.
 *
 * @param question which half-life
 * @param periods audit periods, 0 or more, fractions allowed
 * @returns 0..1
 */
export function decayOver(question: keyof typeof halfLifePeriods, periods: number): number {
  return 2 ** -(periods / halfLifePeriods[question]);
}

/** The same evidence, seen from a later (or set back) clock. */
function advance(reputation: Reputation, atMs: number, periodMs: number): Reputation {
  assert(Number.isFinite(periodMs) && periodMs > 0, 'an audit period has a length');
  const { startedAtMs, counts } = reputation.period;
  if (!isTime(atMs)) return reputation;
  if (atMs < startedAtMs - periodMs) return setBack(reputation, atMs);
  const elapsed = Math.floor((atMs - startedAtMs) / periodMs);
  if (elapsed < 1) return reputation;
  const masses = periodMasses(counts);
  const left = {
    availability: decayOver('availability', elapsed),
    integrity: decayOver('integrity', elapsed),
  };
  return {
    ...reputation,
    seen: mapSeen(reputation, (kind, past) => ({
      ...past,
      availability: (past.availability + (masses.get(kind)?.availability ?? 0)) * left.availability,
      integrity: (past.integrity + (masses.get(kind)?.integrity ?? 0)) * left.integrity,
    })),
    period: { startedAtMs: startedAtMs + elapsed * periodMs, counts: {} },
  };
}

/** The period under way goes on at an earlier time; nothing was seen later than now. */
function setBack(reputation: Reputation, atMs: number): Reputation {
  const { period, cheatedAtMs } = reputation;
  return {
    seen: mapSeen(reputation, (_, past) => ({ ...past, latestMs: Math.min(past.latestMs, atMs) })),
    period: { ...period, startedAtMs: atMs },
    cheatedAtMs: cheatedAtMs === null ? null : Math.min(cheatedAtMs, atMs),
  };
}

function mapSeen(
  { seen }: Reputation,
  change: (kind: ObservationKind, past: Seen) => Seen,
): Reputation['seen'] {
  const changed: Partial<Record<ObservationKind, Seen>> = {};
  for (const kind of kinds) {
    const past = seen[kind];
    if (past !== undefined) changed[kind] = change(kind, past);
  }
  return changed;
}

/** What the counts of one period weigh, under its caps. */
function periodMasses(counts: Reputation['period']['counts']): Map<ObservationKind, Masses> {
  const raw = kinds.map(kind => {
    const count = counts[kind] ?? 0;
    const { availability, integrity, integrityPerPeriod } = observationTable[kind];
    return {
      kind,
      isGood: integrity > 0,
      availability: count * Math.abs(availability),
      integrity: integrity > 0 ? count * integrity : Math.min(integrityPerPeriod, count * -integrity),
    };
  });
  const seenOften = shrink(
    availabilityPerPeriod,
    raw.map(({ availability }) => availability),
  );
  const goodOften = shrink(
    integrityGoodPerPeriod,
    raw.filter(({ isGood }) => isGood).map(({ integrity }) => integrity),
  );
  return new Map(
    raw.map(({ kind, isGood, availability, integrity }) => [
      kind,
      { availability: availability * seenOften, integrity: integrity * (isGood ? goodOften : 1) },
    ]),
  );
}

/** The factor 0..1 that brings a sum of masses down to a cap. */
function shrink(cap: number, masses: readonly number[]): number {
  const sum = masses.reduce((total, mass) => total + mass, 0);
  return sum > cap ? cap / sum : 1;
}

function sided(mass: number, side: number): { good: number; bad: number } {
  return side > 0 ? { good: mass, bad: 0 } : { good: 0, bad: mass };
}

function increment(count: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, count + 1);
}

function parseSeen(value: unknown): Seen | null {
  if (!isObject(value)) return null;
  const { count, latestMs, availability, integrity } = value;
  if (!isCount(count) || !isTime(latestMs) || !isMass(availability) || !isMass(integrity)) return null;
  return { count, latestMs, availability, integrity };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= timeMaxMs;
}

function isMass(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER;
}
