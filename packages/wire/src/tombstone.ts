import { type Crypto, equalBytes, preimage, SkerryError } from '@skerry/base';
import { authorityShape, authoritySignaturesShape, checkAuthority, keyIdOf } from './authority.ts';
import { bytes, type TypeOf, timeMs, tuple } from './shapes.ts';

/**
 * The authority's word that a key is destroyed: holders erase their shares of it, and it is never dealt again. It
 * takes the manifest's place in the DHT.
 */
export const tombstoneShape = tuple({
  keyId: bytes(32),
  authority: authorityShape,
  nonce: bytes(16),
  destroyedAtMs: timeMs,
  signatures: authoritySignaturesShape,
});
/** A decoded tombstone; `checkTombstone` says whether it is true. */
export type Tombstone = TypeOf<typeof tombstoneShape>;

/**
 * What an authority signs to destroy a key. Authority and nonce are bound by the key id.
 *
 * @param tombstone all that is signed
 * @returns 32 bytes
 */
export function tombstoneHashOf(
  crypto: Crypto,
  { keyId, destroyedAtMs }: Pick<Tombstone, 'keyId' | 'destroyedAtMs'>,
): Uint8Array<ArrayBuffer> {
  return crypto.sha256(preimage('tombstone', keyId, destroyedAtMs));
}

/**
 * Holds that a tombstone is signed by the authority that its key id names.
 *
 * @param tombstone from a peer
 * @throws RECORD_INVALID where the key id is not of that authority and nonce; SIGNATURE_INVALID
 */
export function checkTombstone(crypto: Crypto, tombstone: Tombstone): void {
  const { keyId, authority, nonce, signatures } = tombstone;
  if (!equalBytes(keyIdOf(crypto, authority, nonce), keyId)) {
    throw new SkerryError('RECORD_INVALID', 'a tombstone is not by the authority of its key');
  }
  checkAuthority(crypto, authority, tombstoneHashOf(crypto, tombstone), signatures);
}

/**
 * What a holder signs once it has erased what it kept of a destroyed key.
 *
 * @param tombstoneHash 32 bytes
 * @param nodeKey the holder, 32 bytes
 */
export function deletionPreimage(tombstoneHash: Uint8Array, nodeKey: Uint8Array): Uint8Array {
  return preimage('deletion', tombstoneHash, nodeKey);
}
