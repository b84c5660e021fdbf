import type { Candidate, PlacedKey } from '@skerry/placement';
import { type Manifest, nodeIdOf, tenuresOf } from '@skerry/wire';

/**
 * A key as it is placed: who holds its points and held them in this epoch.
 *
 * @param known nodes by their ids; those of which nothing is known are left out
 */
export function placedKey(manifest: Manifest, known: ReadonlyMap<string, Candidate>): PlacedKey {
  const { t, k, policy, profile } = manifest.core;
  const points = [...tenuresOf(manifest)].map(([x, nodeKeys]) => {
    const ids = nodeKeys.map(nodeIdOf);
    const holder = known.get(ids.at(-1) ?? '') ?? null;
    return { x, holder, former: ids.slice(0, -1).flatMap(nodeId => known.get(nodeId) ?? []) };
  });
  return { points, t, k, risk: policy.risk, profile };
}

/**
 * Nodes by their ids, as the last list that has them has them.
 *
 * @param lists in order
 */
export function byNodeId(...lists: readonly (readonly Candidate[])[]): Map<string, Candidate> {
  return new Map(lists.flat().map(candidate => [candidate.nodeId, candidate]));
}
