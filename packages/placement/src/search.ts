import type { Profile, Risk } from '@skerry/base';
import {
  attemptsMax,
  levelTable,
  plannedShareCountMax,
  regionsMin,
  type Targets,
  thresholdMin,
} from '../parameters.ts';
import { bestAssignment } from './assignment.ts';
import type { Candidate } from './candidate.ts';
import { type Pool, poolOf } from './pool.ts';
import {
  type Caps,
  type Counts,
  capsOf,
  failureDistribution,
  lossProbability,
  operatorGroup,
  regionGroup,
  theftProbability,
  upperTail,
} from './sizing.ts';

/** A level of a profile, with its targets. */
export type Level = { readonly profile: Profile; readonly risk: Risk; readonly targets: Targets };

/** What the placement of a lower level has on the same network, which a higher level does not go under. */
export type Minima = Counts & { readonly regions: number; readonly operators: number };

/** No lower level: what every key has. */
export const noMinima: Minima = {
  t: thresholdMin,
  n: thresholdMin,
  k: thresholdMin + 1,
  regions: regionsMin,
  operators: 0,
};

/** A set of holders under the hard caps, and what it reaches. */
export type Choice = {
  readonly t: number;
  readonly k: number;
  readonly pool: Pool;
  /** Indices into the pool, ascending. */
  readonly members: readonly number[];
  readonly pLoss: number;
  readonly pTheft: number;
  /** By how many powers of ten the worse of the two targets is missed; 0 when both are met. */
  readonly miss: number;
};

type Miss = { readonly loss: number; readonly theft: number };

type Pair = { readonly t: number; readonly k: number; readonly bound: Miss };

function missOf(probability: number, target: number): number {
  return Math.max(0, Math.log10(probability / target));
}

function worse(miss: Miss): number {
  return Math.max(miss.loss, miss.theft);
}

/** Deals members out to `count` groups as evenly as can be. */
function dealOut(members: readonly Candidate[], count: number): Candidate[][] {
  return Array.from({ length: Math.min(count, members.length) }, (_, group) =>
    members.filter((_, index) => index % count === group),
  );
}

/**
 * For each t and k, the least that any k of the pool could miss by: the k most available and the k most trusted
 * nodes, spread evenly over all regions and operators. Clustering only fattens tails as thin as the targets. What could
 * miss least comes first, then the smaller k, then the smaller t; so what could miss by nothing comes before the rest is
 * worked out.
 */
function* pairsOf(pool: Pool, level: Level, minima: Minima): Generator<Pair, void> {
  const available = pool.candidates.toSorted((a, b) => b.availability - a.availability);
  const trusted = pool.candidates.toSorted((a, b) => b.trust - a.trust);
  const { lossMax, theftMax, repairBudget } = level.targets;
  const others: Pair[] = [];
  for (let k = minima.k; k <= Math.min(pool.candidates.length, plannedShareCountMax); k++) {
    const down = failureDistribution(dealOut(available.slice(0, k), pool.regionCount).map(regionGroup));
    const fallen = failureDistribution(dealOut(trusted.slice(0, k), pool.operatorCount).map(operatorGroup));
    for (let t = minima.t; t < k; t++) {
      const caps = capsOf({ t, k }, level.targets, level.risk);
      if (k > caps.perOperator * pool.operatorCount || k > caps.perRegion * pool.regionCount) continue;
      const loss = missOf(upperTail(down, k - t + 1), lossMax);
      const theft = missOf(upperTail(fallen, t - repairBudget), theftMax);
      const pair = { t, k, bound: { loss, theft } };
      if (worse(pair.bound) === 0) yield pair;
      else others.push(pair);
    }
  }
  yield* others.sort((a, b) => worse(a.bound) - worse(b.bound) || a.k - b.k || a.t - b.t);
}

/**
 * The best set of k for threshold t under the level's hard caps, validated with its real members' values.
 *
 * @param pool the candidates
 * @param level for the caps, the weight and the targets
 * @param counts t and k
 * @param minima regions and operators wanted
 * @returns undefined when no set of k fits under the caps
 */
export function chooseHolders(
  pool: Pool,
  level: Level,
  counts: Pick<Counts, 't' | 'k'>,
  minima: Minima,
): Choice | undefined {
  const { t, k } = counts;
  const members = bestAssignment(pool, {
    k,
    caps: capsOf(counts, level.targets, level.risk),
    dispersionWeight: levelTable[level.risk].dispersionWeight,
    regionsWanted: minima.regions,
    operatorsWanted: minima.operators,
  });
  if (members === undefined) return undefined;
  const holders = members.map(member => pool.candidates[member]!);
  const { lossMax, theftMax, repairBudget } = level.targets;
  const pLoss = lossProbability(holders, t);
  const pTheft = theftProbability(holders, t, repairBudget);
  const miss = worse({ loss: missOf(pLoss, lossMax), theft: missOf(pTheft, theftMax) });
  return { t, k, pool, members, pLoss, pTheft, miss };
}

/** Whether an attempt at the same k shows that this one is no better: more t only raises P(loss), less P(theft). */
function isRuledOut(pair: Pair, tried: readonly Pair[], best: Choice | undefined): boolean {
  if (best === undefined) return false;
  const others = tried.filter(({ k }) => k === pair.k);
  return others.some(({ t, bound }) => (t < pair.t ? bound.loss : bound.theft) >= best.miss);
}

/** Whether what did not fit tells that this fits no better. */
function isTighter(it: { caps: Caps; k: number }, unfit: { caps: Caps; k: number }): boolean {
  return (
    it.k >= unfit.k &&
    it.caps.perOperator <= unfit.caps.perOperator &&
    it.caps.perRegion <= unfit.caps.perRegion
  );
}

/**
 * The choice with the smallest miss, then the smallest k, then the smallest t: best first by what each pair could
 * reach, until none left could do better than the best reached, or `attemptsMax` were tried.
 *
 * @param candidates those that may be chosen
 * @param level for the caps, the weight and the targets
 * @param minima none is gone under, regions and operators as far as the caps allow
 * @returns undefined when nothing fits under the caps
 */
export function searchCounts(
  candidates: readonly Candidate[],
  level: Level,
  minima: Minima,
): Choice | undefined {
  const pool = poolOf(candidates);
  const { lossMax, theftMax } = level.targets;
  const tried: Pair[] = [];
  const unfit: { caps: Caps; k: number }[] = [];
  let best: Choice | undefined;
  for (const pair of pairsOf(pool, level, minima)) {
    if (tried.length + unfit.length >= attemptsMax) break;
    if (best !== undefined && worse(pair.bound) >= best.miss) break;
    const caps = capsOf(pair, level.targets, level.risk);
    if (isRuledOut(pair, tried, best) || unfit.some(other => isTighter({ caps, k: pair.k }, other))) continue;
    const choice = chooseHolders(pool, level, pair, minima);
    if (choice === undefined) {
      unfit.push({ caps, k: pair.k });
      continue;
    }
    const bound = { loss: missOf(choice.pLoss, lossMax), theft: missOf(choice.pTheft, theftMax) };
    tried.push({ ...pair, bound });
    if (best === undefined || choice.miss < best.miss) best = choice;
  }
  return best;
}
