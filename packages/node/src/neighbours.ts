import { nodeCrypto } from '@skerry/crypto';
import { availabilityDefault, type Candidate, regionOf, trustNeutral } from '@skerry/placement';
import { decodeNodeRecord, type NodeRecord, nodeIdOf } from '@skerry/wire';
import type { Directory, DirectoryEntry } from './directory.ts';

/** A directory entry with all that its node claims. */
export type NeighbourEntry = DirectoryEntry & { readonly record: NodeRecord };

/**
 * The operator's own statements about others: trust from 0 to 1 by node id, or by `operator:NAME`. What a node says
 * of itself never counts.
 */
export type TrustStatements = Readonly<Record<string, number>>;

/** A directory entry from its signed bytes; throws as `decodeNodeRecord`. */
export function decodeNeighbour(bytes: Uint8Array): NeighbourEntry {
  const record = decodeNodeRecord(nodeCrypto, bytes);
  const { sequence, issuedAtMs, expiresAtMs, addresses } = record;
  return { nodeId: nodeIdOf(record.nodeKey), sequence, issuedAtMs, expiresAtMs, addresses, bytes, record };
}

/**
 * A neighbour as placement sees it: its claimed place, its region from that, and trust by statement or neutral.
 *
 * @param statements about node ids and operators; the node's own comes before its operator's
 */
export function candidateOf({ nodeId, record }: NeighbourEntry, statements: TrustStatements): Candidate {
  const { name, latitudeE6, longitudeE6, country } = record.place;
  const operator = record.operator === '' ? null : record.operator;
  const stated = statements[nodeId] ?? (operator === null ? undefined : statements[`operator:${operator}`]);
  return {
    nodeId,
    place: { name, lat: latitudeE6 / 1e6, lon: longitudeE6 / 1e6, country, region: regionOf(country) },
    operator,
    trust: stated ?? trustNeutral,
    availability: availabilityDefault,
  };
}

/** Every node but this one that may hold a share. */
export function candidates(
  directory: Pick<Directory<NeighbourEntry>, 'entries'>,
  ownNodeId: string,
  statements: TrustStatements,
): Candidate[] {
  return directory
    .entries()
    .filter(({ nodeId, record }) => nodeId !== ownNodeId && record.capacity > 0)
    .map(entry => candidateOf(entry, statements));
}

/** How a node is called in messages: its place and operator, and the end of its id. */
export function labelOf({ nodeId, record }: NeighbourEntry): string {
  const who = record.operator === '' ? '' : ` (${record.operator})`;
  return `${record.place.name}${who} ..${nodeId.slice(-6)}`;
}
