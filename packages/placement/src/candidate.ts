import { SkerryError } from '@skerry/base';
import { candidatesMax } from '../parameters.ts';

/** A node that may hold a share, as the caller believes it to be. The dealer's own node is never one. */
export type Candidate = {
  /** Unique among the candidates, not empty. */
  readonly nodeId: string;
  /** Where it is: degrees north and east, an ISO 3166 country, a UN M49 subregion. */
  readonly place: {
    readonly name: string;
    readonly lat: number;
    readonly lon: number;
    readonly country: string;
    readonly region: string;
  };
  /** Who runs it; null when unknown: then it counts as its own operator. */
  readonly operator: string | null;
  /** 0..1; `trustNeutral` before there is evidence. */
  readonly trust: number;
  /** Probability 0..1 that it answers; `availabilityDefault` before there is evidence. */
  readonly availability: number;
};

/**
 * The key under which a candidate's operator is counted. A nameless node's own key can equal no operator's name.
 *
 * @param candidate any candidate
 */
export function operatorOf(candidate: Pick<Candidate, 'nodeId' | 'operator'>): string {
  return candidate.operator === null ? `node/${candidate.nodeId}` : `operator/${candidate.operator}`;
}

function isProbability(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function checkPlace(place: Candidate['place'] | null | undefined, index: number): void {
  if (typeof place !== 'object' || place === null || !isName(place.region)) {
    throw new SkerryError('SIZING_INVALID', `candidate ${index} has no place with a region`, { index });
  }
  if (typeof place.name !== 'string' || typeof place.country !== 'string') {
    throw new SkerryError('SIZING_INVALID', `the place of candidate ${index} has no name or country`, {
      index,
    });
  }
  const { lat, lon } = place;
  if (typeof lat !== 'number' || typeof lon !== 'number' || !(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) {
    throw new SkerryError('PLACE_INVALID', `the coordinates of candidate ${index} are out of range`, {
      index,
    });
  }
}

/**
 * Holds from here on that every candidate is well formed and named once. Candidates come from gossip and from
 * certificates' JSON, so types are checked too.
 *
 * @param candidates at most `candidatesMax`
 * @throws SIZING_INVALID for a missing or repeated node id, an empty operator, or trust or availability outside 0..1
 * @throws PLACE_INVALID for coordinates out of range
 */
export function checkCandidates(candidates: readonly Candidate[]): void {
  if (candidates.length > candidatesMax) {
    throw new SkerryError('SIZING_INVALID', `more than ${candidatesMax} candidates`, {
      candidates: candidates.length,
    });
  }
  const seen = new Set<string>();
  for (const [index, candidate] of candidates.entries()) {
    if (typeof candidate !== 'object' || candidate === null || !isName(candidate.nodeId)) {
      throw new SkerryError('SIZING_INVALID', `candidate ${index} has no node id`, { index });
    }
    const { nodeId } = candidate;
    if (seen.has(nodeId)) {
      throw new SkerryError('SIZING_INVALID', `candidate ${nodeId} is listed twice`, { index, nodeId });
    }
    seen.add(nodeId);
    if (candidate.operator !== null && !isName(candidate.operator)) {
      throw new SkerryError('SIZING_INVALID', `the operator of ${nodeId} is neither a name nor null`, {
        index,
        nodeId,
      });
    }
    if (!isProbability(candidate.trust) || !isProbability(candidate.availability)) {
      throw new SkerryError('SIZING_INVALID', `trust or availability of ${nodeId} is not within 0 to 1`, {
        index,
        nodeId,
      });
    }
    checkPlace(candidate.place, index);
  }
}
