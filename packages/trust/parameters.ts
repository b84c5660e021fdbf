import type { ObservationKind, Tally } from './src/observation.ts';

/**
 * Audit period in ms: a day. Within one, good answers count up to a cap, so that trust takes days whatever is spent.
 * Swarms that are simulated or tested pass a shorter one. Range: a second to a week.
 */
export const auditPeriodMs = 86_400_000;

/**
 * Audit periods after which evidence counts half. Integrity: a month, as what a node did a season ago says little of
 * it now. Availability: ten days, so that a node that went down for good shows it within a week. Range 3 to 100.
 */
export const halfLifePeriods = { availability: 10, integrity: 30 } as const;

/**
 * Beta prior on integrity: even, so that a stranger is at .5 exactly. Its mass makes the way up three full periods to
 * .6 and ten to .75 (a test holds both). Range of each 4.2 to 4.5.
 */
export const integrityPrior: Tally = { good: 4.4, bad: 4.4 };

/**
 * Beta prior on availability: mean .97 (PROTOCOL section 5), and light, worth two periods. One silence of a stranger
 * leaves it above .45, the floor of low risk; two don't. Mass in a range of 2 to 8.
 */
export const availabilityPrior: Tally = { good: 3.88, bad: 0.12 };

/** Availability 0..1 from which it takes nothing from trust any more: sizing reckons with the rest. Range .8 to .97. */
export const availabilityEnough = 0.9;

/** Mass of integrity, at most, that good observations of one subject add in one period: two answers. Range .5 to 2. */
export const integrityGoodPerPeriod = 1;

/**
 * Mass of availability, at most, that one subject's observations add in one period, good and bad together: four
 * answers or silences. Beyond that they are scaled, so that the estimate stays unbiased. Range 1 to 4.
 */
export const availabilityPerPeriod = 2;

/** What an observation weighs: masses are above 0 for good, below 0 for bad. */
export type ObservationWeight = {
  readonly availability: number;
  readonly integrity: number;
  /** Mass on integrity, at most, from this kind in one period; for bad ones (`integrityGoodPerPeriod` has the good). */
  readonly integrityPerPeriod: number;
  /** For a person: what was seen. */
  readonly meaning: string;
};

/**
 * The weights, with their reasons in docs/TRUST.md. Relations that tests hold: silence weighs less than any wrong
 * answer; a lost share takes a node of any age below .75 at once; of drills that went wrong, all t members share the
 * suspicion, so that each bears little.
 */
export const observationTable: Readonly<Record<ObservationKind, ObservationWeight>> = {
  proof: {
    availability: 0.5,
    integrity: 0.5,
    integrityPerPeriod: 0,
    meaning: 'proved that it has its share',
  },
  contribution: {
    availability: 0.5,
    integrity: 0.5,
    integrityPerPeriod: 0,
    meaning: 'took part in a round that came out right',
  },
  'drill-right': {
    availability: 0.5,
    integrity: 0.5,
    integrityPerPeriod: 0,
    meaning: 'took part in a drill that came out right',
  },
  silent: {
    availability: -0.5,
    integrity: -0.1,
    integrityPerPeriod: 1,
    meaning: 'was connected and did not answer',
  },
  unreachable: { availability: -0.5, integrity: 0, integrityPerPeriod: 0, meaning: 'could not be reached' },
  'share-lost': {
    availability: -0.5,
    integrity: -16,
    integrityPerPeriod: 16,
    meaning: 'said that it has no share of a key that it holds',
  },
  'proof-wrong': {
    availability: -0.5,
    integrity: -16,
    integrityPerPeriod: 16,
    meaning: 'signed a wrong proof, or a wrong part that an inspection found',
  },
  'contribution-wrong': {
    availability: -0.5,
    integrity: -4,
    integrityPerPeriod: 16,
    meaning: 'answered a round with a part that is malformed or not signed',
  },
  'drill-wrong': {
    availability: 0,
    integrity: -0.25,
    integrityPerPeriod: 0.5,
    meaning: 'took part in a drill that came out wrong',
  },
  flood: {
    availability: 0,
    integrity: -2,
    integrityPerPeriod: 8,
    meaning: 'sent what is malformed, or more than its limits allow',
  },
  equivocation: {
    availability: 0,
    integrity: -4,
    integrityPerPeriod: 16,
    meaning: 'signed two different records of itself with one number',
  },
  slander: {
    availability: 0,
    integrity: -1,
    integrityPerPeriod: 1,
    meaning: 'reported as bad several nodes that this node has found good',
  },
};

/**
 * Mass, at most, that others' reports add to the evidence on one subject: from one reporter, from all reporters of
 * one operator, and in all (good and bad each). Eight of integrity is under the ten periods that .75 takes: no word of
 * others alone makes a node fit for high risk. Half of that for availability, so that no number of liars takes a
 * long-proven node below .75. Ranges: reporter <= operator <= all < 9.
 */
export const reportMassMax = {
  integrity: { reporter: 0.5, operator: 1, all: 8 },
  availability: { reporter: 0.25, operator: 0.5, all: 4 },
} as const;

/** Mass that a report may claim, at most; a larger one is nonsense and is dropped. */
export const reportedMassMax = 1_000_000;

/** Operators, at least, whose nodes a reporter calls bad against this node's own evidence before that is slander. Range 2 to 5. */
export const slanderedOperatorsMin = 3;

/** Own mean of integrity 0..1, at least, and own good mass, at least, for a node to be slandered. */
export const slanderedEvidenceMin = { mean: 0.6, good: 3 } as const;

/** Trust 0..1, at most, of a node whose claim of place is refuted: below every floor. Range 0 to .44. */
export const placeRefutedTrustMax = 0.25;

/** Trust that PROTOCOL section 5 asks of holders on the open internet; the way up is told to these. */
export const trustGoals = { medium: 0.6, high: 0.75 } as const;

/** Audit periods, at most, that the way up looks ahead: a year. */
export const periodsAheadMax = 365;

/** Speed of light in a vacuum, km/s (exact by the definition of the metre). */
export const lightKmPerSecond = 299_792.458;

/** Group index of single-mode fibre: 1.4676 at 1310 nm, 1.4682 at 1550 nm (Corning SMF-28 Ultra, product sheet). */
export const fibreIndex = 1.468;

/** Distance in km that a claim is allowed on top: two cities are not two points, each some 50 km across. Range 25 to 200. */
export const placeToleranceKm = 100;

/** What a sphere's great circle may be off from the flattened Earth's, as a part of the distance. */
export const sphereErrorMax = 0.006;

/**
 * Distance in km that a place must be shown to be within for a claim to be called consistent: a continent. Fibre goes
 * detours, so an observer shows it up to about 1500 km off. Range 1000 to 10,000.
 */
export const consistentKmMax = 5000;

/** Operators, at least, whose nodes must agree on a claim where this node's own measurement does not settle it. Range 2 to 5. */
export const witnessingOperatorsMin = 3;

/** Weight 0..1 that a reporter needs, at least, to count among those: trust of .75. */
export const witnessWeightMin = 0.5;

/** Trust, at least, of a node that this node's operator allows: a stranger's. */
export const allowedTrustMin = 0.5;

/** Trust, at least, of a node that this node's operator vouches for: over the floor of high risk, .75. Range .75 to 1. */
export const vouchedTrustMin = 0.8;
