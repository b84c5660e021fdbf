import { type Crypto, compareBytes, SkerryError } from '@skerry/base';
import { manifestBytesMax } from '../parameters.ts';
import {
  checkManifestRecord,
  compareManifests,
  type Manifest,
  manifestPath,
  parseManifest,
} from './manifest.ts';
import { decode, encode } from './shapes.ts';
import { checkTombstone, type Tombstone, tombstoneShape } from './tombstone.ts';

/** What the DHT says of a key: its manifest, or that it was destroyed. */
export type KeyRecord =
  | { readonly type: 'manifest'; readonly manifest: Manifest }
  | { readonly type: 'tombstone'; readonly tombstone: Tombstone };

/** A tombstone is an array of five (RFC 8949 section 3.1), a manifest one of six. */
const tombstoneHead = 0x85;

function isTombstone(received: Uint8Array): boolean {
  return received[0] === tombstoneHead;
}

function parseTombstone(received: Uint8Array): Tombstone {
  return decode(tombstoneShape, received, manifestBytesMax, 'tombstone');
}

/** A tombstone's canonical bytes, as they stand in the DHT; owned by the caller. */
export function encodeTombstone(tombstone: Tombstone): Uint8Array<ArrayBuffer> {
  return encode(tombstoneShape, tombstone);
}

/**
 * What a record at a key's DHT path says; it holds on its own and is the key's.
 *
 * @param path DHT path, from a peer: anything
 * @param received from a peer: anything
 * @throws RECORD_INVALID where path and record differ; what `decodeManifest` and `checkTombstone` throw
 */
export function checkKeyRecord(crypto: Crypto, path: string, received: Uint8Array): KeyRecord {
  if (!isTombstone(received)) {
    return { type: 'manifest', manifest: checkManifestRecord(crypto, path, received) };
  }
  const tombstone = parseTombstone(received);
  if (manifestPath(tombstone.keyId) !== path) {
    throw new SkerryError('RECORD_INVALID', 'a tombstone is not for the key that its path names');
  }
  checkTombstone(crypto, tombstone);
  return { type: 'tombstone', tombstone };
}

/**
 * Orders two records of one key, both verified before: a tombstone is newer than every manifest, of two tombstones the
 * one with the lower bytes, and manifests as `compareManifests` has them.
 *
 * @returns positive when `a` is newer than `b`, 0 only when they are the same
 */
export function compareKeyRecords(crypto: Crypto, a: Uint8Array, b: Uint8Array): number {
  const [aEnds, bEnds] = [isTombstone(a), isTombstone(b)];
  if (aEnds && bEnds) return compareBytes(b, a);
  if (aEnds || bEnds) return aEnds ? 1 : -1;
  return compareManifests(crypto, parseManifest(a), parseManifest(b));
}
