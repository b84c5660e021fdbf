import { type Crypto, compareBytes, SkerryError, toHex } from '@skerry/base';
import { amendmentsMax, manifestBytesMax } from '../parameters.ts';
import { activationShape, checkActivation } from './activation.ts';
import { amendmentShape, checkAmendments, compareChains } from './amendment.ts';
import { authoritySignaturesShape, checkAuthority } from './authority.ts';
import { checkCore, coreHashOf, coreShape, pointsHashOf } from './core.ts';
import { decode, encode, list, nullable, type TypeOf, tuple } from './shapes.ts';
import { checkSuccessor, successorShape } from './successor.ts';

/** The shape of a manifest. */
export const manifestShape = tuple({
  core: coreShape,
  signatures: authoritySignaturesShape,
  /** Over the points (`pointsHashOf`), for who is to publish a share's record. */
  pointsSignatures: authoritySignaturesShape,
  activation: activationShape,
  amendments: list(amendmentShape, 0, amendmentsMax),
  /** The key that took this one's place, or null. */
  successor: nullable(successorShape),
});
/**
 * What describes a key to everybody: its core, the authority's signatures, its activation, what became of its points,
 * and the key that took its place.
 */
export type Manifest = TypeOf<typeof manifestShape>;

/**
 * The DHT path of a key's manifest.
 *
 * @param keyId 32 bytes
 */
export function manifestPath(keyId: Uint8Array): string {
  return `/skerry/key/${toHex(keyId)}`;
}

/** A manifest's canonical bytes, at most `manifestBytesMax`, owned by the caller. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return encode(manifestShape, manifest);
}

/**
 * A manifest in its shape, for one that was verified before: nothing of it is believed. Verifying one of 255 points
 * costs 530 signatures, so that records already on the shelf are ordered without it.
 *
 * @param received bytes of a record that `decodeManifest` or `checkManifestRecord` accepted
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED
 */
export function parseManifest(received: Uint8Array): Manifest {
  return decode(manifestShape, received, manifestBytesMax, 'manifest');
}

/**
 * Holds that a manifest is signed by its authority, activated with true receipts, and amended by the rules.
 *
 * @param manifest decoded from a peer's bytes
 * @returns the core's hash, 32 bytes
 * @throws CORE_INVALID, SIGNATURE_INVALID, ACTIVATION_INVALID, AMENDMENT_INVALID, RECORD_INVALID
 */
export function checkManifest(crypto: Crypto, manifest: Manifest): Uint8Array<ArrayBuffer> {
  const { core, signatures, pointsSignatures, activation, successor } = manifest;
  const coreHash = checkCore(crypto, core, signatures);
  const { keyId, epoch, points } = core;
  checkAuthority(crypto, core.authority, pointsHashOf(crypto, keyId, epoch, points), pointsSignatures);
  checkActivation(crypto, core, coreHash, activation);
  checkAmendments(crypto, manifest, coreHash);
  if (successor) checkSuccessor(crypto, core, successor);
  return coreHash;
}

/**
 * A manifest that holds on its own: canonical, signed by its authority, activated with true receipts, amended by rule.
 *
 * @param received from the DHT, a peer or a disk: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, and what `checkManifest` throws
 */
export function decodeManifest(crypto: Crypto, received: Uint8Array): Manifest {
  const manifest = parseManifest(received);
  checkManifest(crypto, manifest);
  return manifest;
}

/**
 * As `decodeManifest`, and the manifest is the one its DHT path names; that is looked at first, as it costs nothing.
 *
 * @param path DHT path, from a peer: anything
 * @param received from a peer: anything
 * @throws RECORD_INVALID where path and record differ; what `decodeManifest` throws
 */
export function checkManifestRecord(crypto: Crypto, path: string, received: Uint8Array): Manifest {
  const manifest = parseManifest(received);
  if (manifestPath(manifest.core.keyId) !== path) {
    throw new SkerryError('RECORD_INVALID', 'a manifest is not for the key that its path names');
  }
  checkManifest(crypto, manifest);
  return manifest;
}

/** Whether two manifests are of the same parts, so that they need not be compared. */
function isOfSame(a: Manifest, b: Manifest): boolean {
  const isSameChain =
    a.amendments.length === b.amendments.length && a.amendments.every((one, i) => one === b.amendments[i]);
  return a.core === b.core && a.activation === b.activation && a.successor === b.successor && isSameChain;
}

/**
 * Orders two valid manifests of one key: the later epoch is newer, then the lower core hash, then the newer chain of
 * amendments, then one with a successor, then the lower bytes. All nodes that see the same manifests so keep the same
 * one.
 *
 * @returns positive when `a` is newer than `b`, 0 only when they are the same
 */
export function compareManifests(crypto: Crypto, a: Manifest, b: Manifest): number {
  if (isOfSame(a, b)) return 0;
  if (a.core.epoch !== b.core.epoch) return a.core.epoch - b.core.epoch;
  const coreHash = coreHashOf(crypto, a.core);
  const byHash = compareBytes(coreHashOf(crypto, b.core), coreHash);
  if (byHash !== 0) return byHash;
  const byChain = compareChains(crypto, coreHash, a.amendments, b.amendments);
  if (byChain !== 0) return byChain;
  const bySuccessor = Number(a.successor !== null) - Number(b.successor !== null);
  return bySuccessor === 0 ? compareBytes(encodeManifest(b), encodeManifest(a)) : bySuccessor;
}
