import { type Crypto, compareBytes, SkerryError, toHex } from '@skerry/base';
import { manifestBytesMax } from '../parameters.ts';
import { activationShape, checkActivation } from './activation.ts';
import { authoritySignaturesShape } from './authority.ts';
import { checkCore, coreHashOf, coreShape } from './core.ts';
import { decode, encode, type TypeOf, tuple } from './shapes.ts';

const manifestShape = tuple({
  core: coreShape,
  signatures: authoritySignaturesShape,
  activation: activationShape,
});
/** What describes a key to everybody: its core, the authority's signatures, and its activation. */
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

function verify(crypto: Crypto, manifest: Manifest): Manifest {
  const coreHash = checkCore(crypto, manifest.core, manifest.signatures);
  checkActivation(crypto, manifest.core, coreHash, manifest.activation);
  return manifest;
}

/**
 * A manifest that holds on its own: canonical, signed by its authority, activated with true receipts.
 *
 * @param received from the DHT, a peer or a disk: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, CORE_INVALID, SIGNATURE_INVALID, ACTIVATION_INVALID
 */
export function decodeManifest(crypto: Crypto, received: Uint8Array): Manifest {
  return verify(crypto, parseManifest(received));
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
  return verify(crypto, manifest);
}

/**
 * Orders two valid manifests of one key: the later epoch is newer, then the lower core hash, then the lower bytes.
 * All nodes that see the same manifests so keep the same one.
 *
 * @returns positive when `a` is newer than `b`, 0 only when they are the same
 */
export function compareManifests(crypto: Crypto, a: Manifest, b: Manifest): number {
  if (a.core.epoch !== b.core.epoch) return a.core.epoch - b.core.epoch;
  const byHash = compareBytes(coreHashOf(crypto, b.core), coreHashOf(crypto, a.core));
  return byHash === 0 ? compareBytes(encodeManifest(b), encodeManifest(a)) : byHash;
}
