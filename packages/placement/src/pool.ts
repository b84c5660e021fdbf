import { dispersionWeights, distanceSaturationKm } from '../parameters.ts';
import { type Candidate, operatorOf } from './candidate.ts';
import { earthRadiusKm } from './geography.ts';
import type { Caps } from './sizing.ts';

/** Candidates laid out for search: sorted by node id, with what the inner loops read in flat arrays. */
export type Pool = {
  readonly candidates: readonly Candidate[];
  readonly trust: Float64Array;
  /** Unit vectors, three numbers a candidate: a distance then needs no sine or cosine. */
  readonly vectors: Float64Array;
  /** Index of each candidate's operator, 0..operatorCount-1. */
  readonly operator: Int32Array;
  readonly operatorCount: number;
  /** Each operator's candidates, the most trusted first. */
  readonly byOperator: readonly (readonly number[])[];
  /** Index of each candidate's region, 0..regionCount-1. */
  readonly region: Int32Array;
  readonly regionCount: number;
};

/** What a set of holders is chosen for. */
export type Aim = {
  /** Size of the set, at least 2. */
  readonly k: number;
  /** Hard: never exceeded. */
  readonly caps: Caps;
  /** w, 0..1: what mean pairwise dispersion counts against mean trust. */
  readonly dispersionWeight: number;
  /** Distinct regions wanted, before anything else, as far as the caps allow. */
  readonly regionsWanted: number;
  /** Distinct operators wanted, likewise. */
  readonly operatorsWanted: number;
};

/** Numbers keys in the order in which they first come. */
function numberKeys(keys: readonly string[]): { indices: Int32Array; count: number } {
  const numbers = new Map<string, number>();
  const indices = Int32Array.from(keys, key => {
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  });
  return { indices, count: numbers.size };
}

/** Lays candidates out for search. Sorting by node id makes every result independent of the order given. */
export function poolOf(candidates: readonly Candidate[]): Pool {
  const sorted = [...candidates].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  const vectors = new Float64Array(3 * sorted.length);
  for (const [index, { place }] of sorted.entries()) {
    const lat = (place.lat * Math.PI) / 180;
    const lon = (place.lon * Math.PI) / 180;
    vectors[3 * index] = Math.cos(lat) * Math.cos(lon);
    vectors[3 * index + 1] = Math.cos(lat) * Math.sin(lon);
    vectors[3 * index + 2] = Math.sin(lat);
  }
  const operators = numberKeys(sorted.map(operatorOf));
  const regions = numberKeys(sorted.map(({ place }) => place.region));
  const trust = Float64Array.from(sorted, candidate => candidate.trust);
  const byOperator: number[][] = Array.from({ length: operators.count }, () => []);
  for (const [index, operator] of operators.indices.entries()) byOperator[operator]!.push(index);
  for (const list of byOperator) list.sort((a, b) => trust[b]! - trust[a]! || a - b);
  return {
    candidates: sorted,
    trust,
    vectors,
    operator: operators.indices,
    operatorCount: operators.count,
    byOperator,
    region: regions.indices,
    regionCount: regions.count,
  };
}

/** Square of the chord, on the unit sphere, of `distanceSaturationKm`: beyond it no arc need be computed. */
const saturatedChord = (2 * Math.sin(distanceSaturationKm / earthRadiusKm / 2)) ** 2;

/**
 * The same value as `dispersionDistance`, for the search's inner loops.
 *
 * @param pool both candidates' pool
 * @param a an index
 * @param b an index
 */
export function distanceWithin(pool: Pool, a: number, b: number): number {
  const { vectors } = pool;
  const dx = vectors[3 * a]! - vectors[3 * b]!;
  const dy = vectors[3 * a + 1]! - vectors[3 * b + 1]!;
  const dz = vectors[3 * a + 2]! - vectors[3 * b + 2]!;
  const chord = dx * dx + dy * dy + dz * dz;
  let distance = dispersionWeights.distance;
  if (chord < saturatedChord) {
    distance *= (2 * Math.asin(Math.sqrt(chord) / 2) * earthRadiusKm) / distanceSaturationKm;
  }
  if (pool.region[a] !== pool.region[b]) distance += dispersionWeights.region;
  if (pool.operator[a] !== pool.operator[b]) distance += dispersionWeights.operator;
  return distance;
}
