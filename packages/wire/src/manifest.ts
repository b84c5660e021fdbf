import { type Crypto, compareBytes, equalBytes, fromHex, SkerryError, toHex } from '@skerry/base';
import { manifestBytesMax } from '../parameters.ts';
import { activationShape, checkActivation } from './activation.ts';
import { authoritySignaturesShape, checkCore, coreHashOf, coreShape } from './core.ts';
import { decode, encode, type TypeOf, tuple } from './shapes.ts';

/** What describes a key to everybody: its core, the authority's signatures, and its activation. */
export const manifestShape = tuple({
  core: coreShape,
  signatures: authoritySignaturesShape,
  activation: activationShape,
});
/** See `manifestShape`. */
export type Manifest = TypeOf<typeof manifestShape>;

/**
 * The DHT path of a key's manifest.
 *
 * @param keyId 32 bytes
 */
export function manifestPath(keyId: Uint8Array): string {
  return `/skerry/key/${toHex(keyId)}`;
}

/** A manifest's canonical bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return encode(manifestShape, manifest);
}

/**
 * A manifest that holds on its own: canonical, signed by its authority, activated with true receipts.
 *
 * @param received from the DHT, a peer or a disk: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, CORE_INVALID, SIGNATURE_INVALID, ACTIVATION_INVALID
 */
export function decodeManifest(crypto: Crypto, received: Uint8Array): Manifest {
  const manifest = decode(manifestShape, received, manifestBytesMax, 'manifest');
  const coreHash = checkCore(crypto, manifest.core, manifest.signatures);
  checkActivation(crypto, manifest.core, coreHash, manifest.activation);
  return manifest;
}

/**
 * As `decodeManifest`, and the manifest is the one its DHT path names.
 *
 * @throws RECORD_INVALID where path and record differ
 */
export function checkManifestRecord(crypto: Crypto, path: string, received: Uint8Array): Manifest {
  const keyId = fromHex(path.split('/').at(-1) ?? '');
  const manifest = decodeManifest(crypto, received);
  if (!keyId || !equalBytes(manifest.core.keyId, keyId) || manifestPath(keyId) !== path) {
    throw new SkerryError('RECORD_INVALID', 'a manifest is not for the key that its path names');
  }
  return manifest;
}

/**
 * Orders two valid manifests of one key: the later epoch is newer, then the lower core hash, then the lower bytes.
 *
 * @returns positive when `a` is newer than `b`, 0 when they are the same
 */
export function compareManifests(crypto: Crypto, a: Manifest, b: Manifest): number {
  if (a.core.epoch !== b.core.epoch) return a.core.epoch - b.core.epoch;
  const byHash = compareBytes(coreHashOf(crypto, b.core), coreHashOf(crypto, a.core));
  return byHash === 0 ? compareBytes(encodeManifest(b), encodeManifest(a)) : byHash;
}
