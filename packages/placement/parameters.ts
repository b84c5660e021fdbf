import type { Profile, Risk } from '@skerry/base';

/** Availability of a node before there is evidence; probability 0..1. PROTOCOL section 5. */
export const availabilityDefault = 0.97;

/** Trust in a node before there is evidence, 0..1: neither earned nor lost. PROTOCOL section 5. */
export const trustNeutral = 0.5;

/** Probability 0..1 that a whole region is out at once (rho): about nine hours a year. PROTOCOL section 5. */
export const regionOutage = 0.001;

/**
 * Compromise as powers of ten: a node is compromised with 10^(node - 2T), an operator as a whole (kappa) with
 * 10^(operator - 2 mean T), for trust T of 0..1. PROTOCOL section 5.
 */
export const compromiseExponents = { node: -1, operator: -1.5, perTrust: -2 } as const;

/** Probability 0..1 with which the primaries alone should answer with t shares. PROTOCOL section 5. */
export const firstWaveMin = 0.99;

/** Distance in km from which farther apart counts no more: beyond any storm, grid or jurisdiction. PROTOCOL section 6. */
export const distanceSaturationKm = 3000;

/** What distance, another region and another operator add to the dispersion of two nodes; they sum to 1. PROTOCOL section 6. */
export const dispersionWeights = { distance: 0.5, region: 0.25, operator: 0.25 } as const;

/** Regions that a placement must span, so that no one region is the majority. PROTOCOL section 6. */
export const regionsMin = 3;

/** Smallest threshold; one share alone must never be the key. PROTOCOL section 1. */
export const thresholdMin = 2;

/** Shares of one key, at most: the nonzero points of GF(256). PROTOCOL section 1. */
export const shareCountMax = 255;

/**
 * Shares that sizing asks for by itself, at most; explicit counts may ask for more. Every level is met by 11 plain nodes
 * at its trust floor; a network that misses it with 40 misses it for want of trust, availability or operators.
 */
export const plannedShareCountMax = 40;

/** Replacements named beside the holders, at most; the healer moves at most one point in an epoch without the owner. */
export const standbyMax = 8;

/** Sets, at most, that the exact search looks at before local search takes over. PROTOCOL section 6. */
export const enumerationMax = 200_000;

/** Swaps of one climb, at most. Each gains, so that it ends by itself; this is the bound that every loop has. */
export const swapsMax = 1000;

/**
 * Climbs of one local search, at most: of 3,500 random worlds under tight caps, 1 climb came to 0.87 of the optimum at
 * worst, 4 to 0.92, 8 to 0.97.
 */
export const climbsMax = 8;

/** Candidates times k of all climbs of one local search, at most, where it is more than one climb: milliseconds. */
export const climbWorkMax = 200_000;

/** Placements tried for one level and pool, at most; each takes milliseconds, a few tens at 10^4 nodes. */
export const attemptsMax = 64;

/** Candidates of one plan, at most: the largest network simulated. */
export const candidatesMax = 100_000;

/** What a level of a profile must reach. */
export type Targets = {
  /** P(fewer than t shares available), at most. */
  readonly lossMax: number;
  /** P(at least t - R shares compromised), at most. */
  readonly theftMax: number;
  /** Trust 0..1 that each holder must have, at least. */
  readonly trustFloor: number;
  /** R: points that may be moved in an epoch without the owner. */
  readonly repairBudget: number;
};

/** The two profiles' targets. PROTOCOL section 5. */
export const targetTable: Readonly<Record<Profile, Readonly<Record<Risk, Targets>>>> = {
  open: {
    low: { lossMax: 1e-3, theftMax: 1e-3, trustFloor: 0.45, repairBudget: 0 },
    medium: { lossMax: 1e-5, theftMax: 1e-5, trustFloor: 0.6, repairBudget: 1 },
    high: { lossMax: 1e-6, theftMax: 1e-8, trustFloor: 0.75, repairBudget: 1 },
  },
  local: {
    low: { lossMax: 1e-2, theftMax: 1e-2, trustFloor: 0.45, repairBudget: 0 },
    medium: { lossMax: 1e-3, theftMax: 1e-3, trustFloor: 0.5, repairBudget: 0 },
    high: { lossMax: 1e-4, theftMax: 1e-4, trustFloor: 0.5, repairBudget: 1 },
  },
};

/** What a level asks in both profiles. PROTOCOL section 5. */
export const levelTable: Readonly<
  Record<Risk, { readonly dispersionWeight: number; readonly colludingOperators: number }>
> = {
  low: { dispersionWeight: 0.3, colludingOperators: 1 },
  medium: { dispersionWeight: 0.5, colludingOperators: 1 },
  high: { dispersionWeight: 0.65, colludingOperators: 2 },
};
