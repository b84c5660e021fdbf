import { enumerationMax } from '../parameters.ts';
import { enumerateBest } from './enumeration.ts';
import { augment } from './flow.ts';
import { searchLocally } from './local-search.ts';
import type { Aim, Pool } from './pool.ts';

/** Whether there are at most `limit` sets of k among `size`. */
function fewerSetsThan(limit: number, size: number, k: number): boolean {
  let sets = 1;
  for (let taken = 1; taken <= Math.min(k, size - k); taken++) {
    sets = (sets * (size - taken + 1)) / taken;
    if (sets > limit) return false;
  }
  return true;
}

/**
 * The set of k candidates with the largest (1-w) * mean trust + w * mean pairwise dispersion under the caps
 * (PROTOCOL section 6): exact where there are at most `enumerationMax` sets, else by local search. Whether any set
 * fits is exact always: the maximum flow from operators to regions tells.
 *
 * @param pool the candidates
 * @param aim what the set is for
 * @returns k ascending indices into `pool.candidates`, or undefined when no set of k fits under the caps
 */
export function bestAssignment(pool: Pool, aim: Aim): number[] | undefined {
  if (pool.candidates.length < aim.k || augment(pool, aim, []) === undefined) return undefined;
  if (fewerSetsThan(enumerationMax, pool.candidates.length, aim.k)) return enumerateBest(pool, aim);
  return searchLocally(pool, aim);
}
