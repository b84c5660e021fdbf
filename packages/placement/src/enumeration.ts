import { type Aim, distanceWithin, type Pool } from './pool.ts';

/** A set that is better by less is a tie, and ties go to the lower node ids. */
const gainMin = 1e-12;

/** The state of the depth-first search: the set so far and the best whole set. */
type Search = {
  readonly pool: Pool;
  readonly aim: Aim;
  readonly distances: Float64Array;
  readonly trustMax: number;
  readonly members: number[];
  readonly operatorShares: Int32Array;
  readonly regionShares: Int32Array;
  best: number[] | undefined;
  bestScore: number;
};

/** The objective of a whole set, less 1 for each region and operator wanted and missing. */
function scoreOf(search: Search, trust: number, distance: number): number {
  const { aim } = search;
  const pairs = (aim.k * (aim.k - 1)) / 2;
  const regions = search.regionShares.reduce((sum, shares) => sum + Math.min(1, shares), 0);
  const operators = search.operatorShares.reduce((sum, shares) => sum + Math.min(1, shares), 0);
  return (
    ((1 - aim.dispersionWeight) * trust) / aim.k +
    (aim.dispersionWeight * distance) / pairs -
    Math.max(0, aim.regionsWanted - regions) -
    Math.max(0, aim.operatorsWanted - operators)
  );
}

/** No set that begins like this one scores more: the rest have the highest trust and are at distance 1. */
function boundOf(search: Search, trust: number, distance: number): number {
  const { aim, members } = search;
  const pairs = (aim.k * (aim.k - 1)) / 2;
  const pairsLeft = pairs - (members.length * (members.length - 1)) / 2;
  const trustLeft = (aim.k - members.length) * search.trustMax;
  return (
    ((1 - aim.dispersionWeight) * (trust + trustLeft)) / aim.k +
    (aim.dispersionWeight * (distance + pairsLeft)) / pairs
  );
}

function extend(search: Search, from: number, trust: number, distance: number): void {
  const { pool, aim, members, operatorShares, regionShares } = search;
  if (members.length === aim.k) {
    const score = scoreOf(search, trust, distance);
    if (score > search.bestScore + gainMin) {
      search.best = [...members];
      search.bestScore = score;
    }
    return;
  }
  if (boundOf(search, trust, distance) <= search.bestScore + gainMin) return;
  const size = pool.candidates.length;
  for (let candidate = from; candidate <= size - (aim.k - members.length); candidate++) {
    const operator = pool.operator[candidate]!;
    const region = pool.region[candidate]!;
    if (operatorShares[operator]! >= aim.caps.perOperator) continue;
    if (regionShares[region]! >= aim.caps.perRegion) continue;
    let added = 0;
    for (const member of members) added += search.distances[member * size + candidate]!;
    operatorShares[operator] = operatorShares[operator]! + 1;
    regionShares[region] = regionShares[region]! + 1;
    members.push(candidate);
    extend(search, candidate + 1, trust + pool.trust[candidate]!, distance + added);
    members.pop();
    operatorShares[operator] = operatorShares[operator]! - 1;
    regionShares[region] = regionShares[region]! - 1;
  }
}

/**
 * The best set of k under the caps, by looking at every set that could be it, in the order of node ids.
 *
 * @param pool few enough candidates that there are at most `enumerationMax` sets
 * @param aim what the set is for
 * @returns k ascending indices, or undefined when no set fits under the caps
 */
export function enumerateBest(pool: Pool, aim: Aim): number[] | undefined {
  const size = pool.candidates.length;
  const distances = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) distances[a * size + b] = distanceWithin(pool, a, b);
  }
  const search: Search = {
    pool,
    aim,
    distances,
    trustMax: pool.trust.reduce((most, trust) => Math.max(most, trust), 0),
    members: [],
    operatorShares: new Int32Array(pool.operatorCount),
    regionShares: new Int32Array(pool.regionCount),
    best: undefined,
    bestScore: Number.NEGATIVE_INFINITY,
  };
  extend(search, 0, 0, 0);
  return search.best;
}
