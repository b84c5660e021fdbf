import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { addressesMax, decodeNodeRecord, type NodeRecord, nodeIdOf, signNodeRecord } from '@skerry/wire';
import type { NeighbourEntry } from '../src/neighbours.ts';

/** Signs with what is no signature, which takes no time. */
const unsigning = { ...nodeCrypto, ed25519Sign: () => nodeRandom.bytes(64) };

/**
 * What a node of a seed says of itself; with about as many bytes as there may be where `isLarge`, and with a false
 * signature where `isUnsigned`: a hundred thousand true ones take their time.
 */
export function recordOf(
  seed: Uint8Array,
  changes: Partial<NodeRecord> = {},
  { isLarge = false, isUnsigned = false }: { readonly isLarge?: boolean; readonly isUnsigned?: boolean } = {},
): Uint8Array {
  const nowMs = Date.now();
  return signNodeRecord(isUnsigned ? unsigning : nodeCrypto, seed, {
    version: 1,
    nodeKey: changes.nodeKey ?? nodeCrypto.ed25519PublicKey(seed),
    sequence: 1,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 3_600_000,
    addresses: isLarge ? Array.from({ length: addressesMax }, (_, i) => longAddress(i)) : [],
    place: { name: 'Nowhere', latitudeE6: 0, longitudeE6: 0, country: '' },
    operator: '',
    capacity: 1,
    software: 'made up',
    observations: [],
    ...changes,
  });
}

function longAddress(i: number): string {
  return `/dns4/${'a'.repeat(200)}/tcp/${i + 1}`;
}

/** The node id of a seed. */
export function nodeIdOfSeed(seed: Uint8Array): string {
  return nodeIdOf(nodeCrypto.ed25519PublicKey(seed));
}

/** A new seed. */
export function newSeed(): Uint8Array {
  return nodeRandom.bytes(32);
}

/** An entry from its bytes as a node reads them, whatever its signature. */
export function decodeUnverified(bytes: Uint8Array): NeighbourEntry {
  const record = decodeNodeRecord({ ...nodeCrypto, ed25519Verify: () => true }, bytes);
  const { sequence, issuedAtMs, expiresAtMs, addresses } = record;
  return { nodeId: nodeIdOf(record.nodeKey), sequence, issuedAtMs, expiresAtMs, addresses, bytes, record };
}
