import { assert, type Profile, type Risk, SkerryError } from '@skerry/base';
import {
  compromiseExponents,
  firstWaveMin,
  levelTable,
  regionOutage,
  shareCountMax,
  type Targets,
  targetTable,
  thresholdMin,
  trustNeutral,
} from '../parameters.ts';
import { type Candidate, operatorOf } from './candidate.ts';

/** t, n and k of a key: `2 <= t <= n < k <= 255`. */
export type Counts = {
  /** Shares that bring the key back. */
  readonly t: number;
  /** Primaries: the holders asked first. */
  readonly n: number;
  /** All shares stored: primaries and spares. */
  readonly k: number;
};

/** What sizing looks at in a holder. */
export type Member = Pick<Candidate, 'nodeId' | 'operator' | 'trust' | 'availability'> & {
  readonly place: Pick<Candidate['place'], 'region'>;
  /** Copies of its share that former holders may still have. @default 0 */
  readonly strays?: number;
};

/** Nodes that fail together with probability `together`, and otherwise each with its own. All 0..1. */
export type FailureGroup = { readonly together: number; readonly each: readonly number[] };

/** Most shares that one operator and one region may hold. */
export type Caps = { readonly perOperator: number; readonly perRegion: number };

/**
 * The targets of a level in a profile (PROTOCOL section 5).
 *
 * @throws SIZING_INVALID when there is no such level or profile
 */
export function targetsOf(profile: Profile, risk: Risk): Targets {
  if (!Object.hasOwn(targetTable, profile) || !Object.hasOwn(targetTable[profile], risk)) {
    throw new SkerryError('SIZING_INVALID', 'no such profile or risk level');
  }
  return targetTable[profile][risk];
}

/**
 * The hard caps for a threshold and share count at a level (PROTOCOL section 6): m operators together hold at most
 * t-1-R shares, so that they stay under t after R moves; so does one region, and without it t are left. A cap is at
 * least 1: where t-1-R < m no cap could promise the first, and the certificate's slack says so.
 *
 * @param counts t and k
 * @param targets for R
 * @param risk for m
 */
export function capsOf(counts: Pick<Counts, 't' | 'k'>, targets: Targets, risk: Risk): Caps {
  const bound = counts.t - 1 - targets.repairBudget;
  return {
    perOperator: Math.max(1, Math.floor(bound / levelTable[risk].colludingOperators)),
    perRegion: Math.max(1, Math.min(bound, counts.k - counts.t)),
  };
}

/**
 * Smallest threshold for which the operator cap keeps its promise exactly: t-1-R >= m.
 *
 * @param targets for R
 * @param risk for m
 */
export function exactThresholdMin(targets: Targets, risk: Risk): number {
  return Math.max(thresholdMin, targets.repairBudget + levelTable[risk].colludingOperators + 1);
}

/**
 * Holds from here on that counts keep `2 <= t <= n < k <= 255` (PROTOCOL section 1).
 *
 * @throws SHARE_COUNTS_INVALID otherwise
 */
export function checkCounts(counts: Counts): void {
  const { t, n, k } = counts;
  const whole = Number.isInteger(t) && Number.isInteger(n) && Number.isInteger(k);
  if (!(whole && thresholdMin <= t && t <= n && n < k && k <= shareCountMax)) {
    throw new SkerryError(
      'SHARE_COUNTS_INVALID',
      `t = ${t}, n = ${n}, k = ${k} break 2 <= t <= n < k <= 255`,
      { t, n, k },
    );
  }
}

/**
 * Probability that a node is compromised: 10^(-1-2T) (PROTOCOL section 5).
 *
 * @param trust T, 0..1
 */
export function compromiseOf(trust: number): number {
  return 10 ** (compromiseExponents.node + compromiseExponents.perTrust * trust);
}

/** The distribution of failures in one more group, folded into that of the groups before it. */
function addGroup(failures: Float64Array, group: FailureGroup): Float64Array {
  const size = group.each.length;
  const inside = new Float64Array(size + 1);
  inside[0] = 1 - group.together;
  for (const [index, probability] of group.each.entries()) {
    for (let failed = index + 1; failed >= 0; failed--) {
      inside[failed] = inside[failed]! * (1 - probability) + (inside[failed - 1] ?? 0) * probability;
    }
  }
  inside[size] = inside[size]! + group.together;
  const folded = new Float64Array(failures.length + size);
  for (const [before, weight] of failures.entries()) {
    for (const [failed, probability] of inside.entries()) {
      folded[before + failed] = folded[before + failed]! + weight * probability;
    }
  }
  return folded;
}

/**
 * The distribution of the number of nodes that fail, where groups are independent of each other: the convolution
 * over groups of [together * all + (1 - together) * Poisson-binomial(each)]. Exact, in O(k^2). Only sums of products of
 * probabilities, so even tails of 1e-12 keep nearly full precision.
 *
 * @param groups disjoint; k nodes in all
 * @returns k + 1 probabilities; element i is P(exactly i fail)
 */
export function failureDistribution(groups: readonly FailureGroup[]): Float64Array {
  let failures: Float64Array = Float64Array.of(1);
  for (const group of groups) failures = addGroup(failures, group);
  return failures;
}

/**
 * P(at least `from` fail).
 *
 * @param distribution of `failureDistribution`
 * @param from a count; 0 or less gives 1, more than there are nodes 0
 */
export function upperTail(distribution: Float64Array, from: number): number {
  if (from <= 0) return 1;
  let sum = 0;
  for (let count = distribution.length - 1; count >= from; count--) sum += distribution[count]!;
  return Math.min(1, sum);
}

/** The nodes of one region: out together with rho, each down with 1 - a. */
export function regionGroup(members: readonly Member[]): FailureGroup {
  return { together: regionOutage, each: members.map(member => 1 - member.availability) };
}

/** The nodes of one operator: compromised together with kappa, each with q. */
export function operatorGroup(members: readonly Member[]): FailureGroup {
  assert(members.length > 0, 'an operator runs a node');
  const meanTrust = members.reduce((sum, member) => sum + member.trust, 0) / members.length;
  return {
    together: 10 ** (compromiseExponents.operator + compromiseExponents.perTrust * meanTrust),
    each: members.map(({ trust, strays = 0 }) => {
      const compromise = compromiseOf(trust);
      return strays === 0 ? compromise : 1 - (1 - compromise) * (1 - compromiseOf(trustNeutral)) ** strays;
    }),
  };
}

/**
 * P(fewer than t shares available): nodes fail alone, and with their region (PROTOCOL section 5).
 *
 * @param holders one share each, k of them
 * @param threshold t
 * @returns probability 0..1
 */
export function lossProbability(holders: readonly Member[], threshold: number): number {
  const groups = [...Map.groupBy(holders, member => member.place.region).values()].map(regionGroup);
  return upperTail(failureDistribution(groups), holders.length - threshold + 1);
}

/**
 * P(at least t - R shares compromised): nodes fall alone, and with their operator, whose own probability follows
 * from the mean trust of the nodes it has among these holders (PROTOCOL section 5).
 *
 * @param holders one share each, k of them
 * @param threshold t
 * @param repairBudget R, counted as already in the adversary's hands
 * @returns probability 0..1
 */
export function theftProbability(
  holders: readonly Member[],
  threshold: number,
  repairBudget: number,
): number {
  const groups = [...Map.groupBy(holders, operatorOf).values()].map(operatorGroup);
  return upperTail(failureDistribution(groups), threshold - repairBudget);
}

/**
 * How many of the holders, in their order, are primaries: the smallest prefix of which t answer with
 * `firstWaveMin`, within t to k-1; k-1 where no such prefix reaches it (docs/adr/0003-sizing.md).
 *
 * @param holders k of them, in order
 * @param threshold t
 * @param atLeast a lower bound on n, at most k-1
 * @returns n
 */
export function primaryCount(holders: readonly Member[], threshold: number, atLeast: number): number {
  const most = holders.length - 1;
  for (let count = Math.max(threshold, atLeast); count < most; count++) {
    if (1 - lossProbability(holders.slice(0, count), threshold) >= firstWaveMin) return count;
  }
  return most;
}
