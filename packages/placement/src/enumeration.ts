import { searchLocally } from './local-search.ts';
import { type Aim, distanceWithin, type Pool } from './pool.ts';

/** A set that is better by less is a tie, and ties go to the lower node ids. */
const gainMin = 1e-12;

/** The state of the depth-first search: the set so far and the best whole set. */
type Search = {
  readonly pool: Pool;
  readonly aim: Aim;
  /** Between all pairs, row by row. */
  readonly distances: Float64Array;
  /** For each candidate, the largest distance to any. */
  readonly farthest: Float64Array;
  /** What one unit of trust, and of one pair's distance, adds to the score. */
  readonly units: { readonly trust: number; readonly distance: number };
  readonly members: number[];
  /** After 0, 1, ... members: for each candidate, what it would add to the score at once. */
  readonly worths: readonly Float64Array[];
  /** Room for a bound's arithmetic. */
  readonly gains: Float64Array;
  readonly operatorShares: Int32Array;
  readonly regionShares: Int32Array;
  best: number[] | undefined;
  bestScore: number;
};

function distinct(indices: Int32Array, members: readonly number[]): number {
  return new Set(members.map(member => indices[member]!)).size;
}

/** What the regions and operators wanted and missing take off a set's score: 1 each. */
function missing(pool: Pool, aim: Aim, members: readonly number[]): number {
  return (
    Math.max(0, aim.regionsWanted - distinct(pool.region, members)) +
    Math.max(0, aim.operatorsWanted - distinct(pool.operator, members))
  );
}

function isFull(search: Search, candidate: number): boolean {
  const { pool, aim } = search;
  return (
    search.operatorShares[pool.operator[candidate]!]! >= aim.caps.perOperator ||
    search.regionShares[pool.region[candidate]!]! >= aim.caps.perRegion
  );
}

/**
 * No set that goes on from here with candidates from `from` scores more: each further member adds what it would add
 * now, and at most its largest distance for half of its pairs with the other further ones.
 */
function boundOf(search: Search, from: number, score: number): number {
  const { worths, gains, farthest, aim, members } = search;
  const left = aim.k - members.length;
  const now = worths[members.length]!;
  const pairs = ((left - 1) / 2) * search.units.distance;
  let candidates = 0;
  for (let candidate = from; candidate < now.length; candidate++) {
    if (isFull(search, candidate)) continue;
    gains[candidates] = now[candidate]! + pairs * farthest[candidate]!;
    candidates++;
  }
  if (candidates < left) return Number.NEGATIVE_INFINITY;
  const ascending = gains.subarray(0, candidates).sort();
  let bound = score;
  for (let most = candidates - left; most < candidates; most++) bound += ascending[most]!;
  return bound;
}

/** Counts a member's share in (+1) or out (-1). */
function count(search: Search, candidate: number, change: 1 | -1): void {
  const { pool, operatorShares, regionShares } = search;
  const operator = pool.operator[candidate]!;
  const region = pool.region[candidate]!;
  operatorShares[operator] = operatorShares[operator]! + change;
  regionShares[region] = regionShares[region]! + change;
}

/** Goes through all sets that begin with the members so far and go on with candidates from `from`. */
function extend(search: Search, from: number, score: number): void {
  const { pool, aim, members } = search;
  if (members.length === aim.k) {
    const whole = score - missing(pool, aim, members);
    if (whole > search.bestScore + gainMin) {
      search.best = [...members];
      search.bestScore = whole;
    }
    return;
  }
  const last = members.length === aim.k - 1;
  if (!last && boundOf(search, from, score) <= search.bestScore + gainMin) return;
  const size = pool.candidates.length;
  const worths = search.worths[members.length]!;
  const next = search.worths[members.length + 1]!;
  for (let candidate = from; candidate <= size - (aim.k - members.length); candidate++) {
    if (isFull(search, candidate)) continue;
    for (let other = last ? size : candidate + 1; other < size; other++) {
      next[other] = worths[other]! + search.units.distance * search.distances[candidate * size + other]!;
    }
    count(search, candidate, 1);
    members.push(candidate);
    extend(search, candidate + 1, score + worths[candidate]!);
    members.pop();
    count(search, candidate, -1);
  }
}

function beginSearch(pool: Pool, aim: Aim): Search {
  const size = pool.candidates.length;
  const distances = new Float64Array(size * size);
  const farthest = new Float64Array(size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) distances[a * size + b] = distanceWithin(pool, a, b);
    farthest[a] = Math.max(...distances.subarray(a * size, (a + 1) * size));
  }
  const units = {
    trust: (1 - aim.dispersionWeight) / aim.k,
    distance: (2 * aim.dispersionWeight) / (aim.k * (aim.k - 1)),
  };
  const worths = Array.from({ length: aim.k + 1 }, () => new Float64Array(size));
  for (let candidate = 0; candidate < size; candidate++) {
    worths[0]![candidate] = units.trust * pool.trust[candidate]!;
  }
  return {
    pool,
    aim,
    distances,
    farthest,
    units,
    members: [],
    worths,
    gains: new Float64Array(size),
    operatorShares: new Int32Array(pool.operatorCount),
    regionShares: new Int32Array(pool.regionCount),
    best: undefined,
    bestScore: Number.NEGATIVE_INFINITY,
  };
}

/**
 * The best set of k under the caps, of all sets, the first in the order of node ids among equals: by branch and bound
 * from what local search comes to.
 *
 * @param pool few enough candidates that there are at most `enumerationMax` sets; some set of k fits under the caps
 * @param aim what the set is for
 * @returns k ascending indices
 */
export function enumerateBest(pool: Pool, aim: Aim): number[] {
  const search = beginSearch(pool, aim);
  const size = pool.candidates.length;
  const local = searchLocally(pool, aim);
  let score = -missing(pool, aim, local);
  for (const [index, member] of local.entries()) {
    score += search.units.trust * pool.trust[member]!;
    for (const other of local.slice(0, index)) {
      score += search.units.distance * search.distances[other * size + member]!;
    }
  }
  search.bestScore = score - 2 * gainMin;
  extend(search, 0, 0);
  return search.best ?? local;
}
