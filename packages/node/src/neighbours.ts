import { nodeCrypto } from '@skerry/crypto';
import { decodeNodeRecord, type NodeRecord, nodeIdOf } from '@skerry/wire';
import type { DirectoryEntry } from './directory.ts';

/** A directory entry with all that its node claims. */
export type NeighbourEntry = DirectoryEntry & { readonly record: NodeRecord };

/** A directory entry from its signed bytes; throws as `decodeNodeRecord`. */
export function decodeNeighbour(bytes: Uint8Array): NeighbourEntry {
  const record = decodeNodeRecord(nodeCrypto, bytes);
  const { sequence, issuedAtMs, expiresAtMs, addresses } = record;
  return { nodeId: nodeIdOf(record.nodeKey), sequence, issuedAtMs, expiresAtMs, addresses, bytes, record };
}

/** How a node is called in messages: its place and operator, and the end of its id. */
export function labelOf({ nodeId, record }: NeighbourEntry): string {
  const who = record.operator === '' ? '' : ` (${record.operator})`;
  return `${record.place.name}${who} ..${nodeId.slice(-6)}`;
}
