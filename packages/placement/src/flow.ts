import type { Aim, Pool } from './pool.ts';

function sharesOf(indices: Int32Array, chosen: ReadonlySet<number>, length: number): number[] {
  const shares = Array.from({ length }, () => 0);
  for (const member of chosen) {
    const group = indices[member]!;
    shares[group] = shares[group]! + 1;
  }
  return shares;
}

/**
 * One augmenting path by breadth-first search: from an operator below its cap along candidates not chosen to a
 * region; from a full region back along a chosen one, which it gives up, to that one's operator; until a region
 * below its cap.
 *
 * @returns candidates whose choice is to be flipped, or undefined when there is no path
 */
function findPath(pool: Pool, aim: Aim, chosen: ReadonlySet<number>): number[] | undefined {
  const operatorShares = sharesOf(pool.operator, chosen, pool.operatorCount);
  const regionShares = sharesOf(pool.region, chosen, pool.regionCount);
  const intoRegion = new Map<number, number>();
  const intoOperator = new Map<number, number | undefined>();
  const queue: number[] = [];
  for (const [operator, shares] of operatorShares.entries()) {
    if (shares >= aim.caps.perOperator) continue;
    intoOperator.set(operator, undefined);
    queue.push(operator);
  }
  for (const operator of queue) {
    for (const candidate of pool.byOperator[operator]!) {
      const region = pool.region[candidate]!;
      if (chosen.has(candidate) || intoRegion.has(region)) continue;
      intoRegion.set(region, candidate);
      if (regionShares[region]! < aim.caps.perRegion) {
        return pathBack(pool, intoRegion, intoOperator, candidate);
      }
      for (const member of chosen) {
        const freed = pool.operator[member]!;
        if (pool.region[member] !== region || intoOperator.has(freed)) continue;
        intoOperator.set(freed, member);
        queue.push(freed);
      }
    }
  }
  return undefined;
}

/** The path's candidates, from its last back to its first. */
function pathBack(
  pool: Pool,
  intoRegion: ReadonlyMap<number, number>,
  intoOperator: ReadonlyMap<number, number | undefined>,
  last: number,
): number[] {
  const path = [last];
  let given = intoOperator.get(pool.operator[last]!);
  while (given !== undefined) {
    const taken = intoRegion.get(pool.region[given]!)!;
    path.push(given, taken);
    given = intoOperator.get(pool.operator[taken]!);
  }
  return path;
}

/**
 * Completes a set that keeps the caps to k members that keep them: the maximum flow from operators to regions
 * (Ford-Fulkerson), begun from the set.
 *
 * @param pool the candidates
 * @param aim k and the caps
 * @param members a set within the caps, fewer than k
 * @returns k members, or undefined when no set of k keeps the caps: the maximum flow is smaller
 */
export function augment(pool: Pool, aim: Aim, members: readonly number[]): number[] | undefined {
  const chosen = new Set(members);
  while (chosen.size < aim.k) {
    const path = findPath(pool, aim, chosen);
    if (path === undefined) return undefined;
    for (const candidate of path) if (!chosen.delete(candidate)) chosen.add(candidate);
  }
  return [...chosen].sort((a, b) => a - b);
}
