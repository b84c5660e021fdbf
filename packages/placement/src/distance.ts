import { dispersionWeights, distanceSaturationKm } from '../parameters.ts';
import { type Candidate, operatorOf } from './candidate.ts';
import { greatCircleKm } from './geography.ts';

/** What dispersion looks at in a node. */
export type Located = Pick<Candidate, 'nodeId' | 'operator' | 'place'>;

/**
 * How far apart two nodes are in what can take both at once: half for distance up to 3000 km, a quarter each for
 * another region and another operator (PROTOCOL section 6). A metric: a sum of a truncated metric and two discrete
 * ones.
 *
 * @param a any node
 * @param b any node
 * @returns 0 (same place, region and operator) to 1
 */
export function dispersionDistance(a: Located, b: Located): number {
  const kilometres = Math.min(greatCircleKm(a.place, b.place), distanceSaturationKm);
  return (
    (dispersionWeights.distance * kilometres) / distanceSaturationKm +
    (a.place.region === b.place.region ? 0 : dispersionWeights.region) +
    (operatorOf(a) === operatorOf(b) ? 0 : dispersionWeights.operator)
  );
}

/**
 * Mean of `dispersionDistance` over all pairs.
 *
 * @param nodes at least two
 * @returns 0 to 1
 */
export function meanDispersion(nodes: readonly Located[]): number {
  let sum = 0;
  for (const [index, node] of nodes.entries()) {
    for (const other of nodes.slice(index + 1)) sum += dispersionDistance(node, other);
  }
  return (2 * sum) / (nodes.length * (nodes.length - 1));
}
