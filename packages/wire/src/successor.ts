import { type Crypto, equalBytes, preimage, SkerryError } from '@skerry/base';
import { authoritySignaturesShape, checkAuthority } from './authority.ts';
import type { Core } from './core.ts';
import { bytes, type TypeOf, timeMs, tuple } from './shapes.ts';

/** The authority's word that another key took this one's place: what was under it is now under that one. */
export const successorShape = tuple({
  keyId: bytes(32),
  decidedAtMs: timeMs,
  signatures: authoritySignaturesShape,
});
/** A decoded successor; `checkSuccessor` says whether it is true. */
export type Successor = TypeOf<typeof successorShape>;

/**
 * What an authority signs to name a successor.
 *
 * @param keyId of the key that ends, 32 bytes
 * @param successor all that is signed
 * @returns 32 bytes
 */
export function successorHashOf(
  crypto: Crypto,
  keyId: Uint8Array,
  successor: Pick<Successor, 'keyId' | 'decidedAtMs'>,
): Uint8Array<ArrayBuffer> {
  return crypto.sha256(preimage('successor', keyId, successor.keyId, successor.decidedAtMs));
}

/**
 * Holds that a successor is another key, and named by the authority of this one.
 *
 * @param core of the key that ends
 * @param successor from a peer
 * @throws RECORD_INVALID for the key itself, SIGNATURE_INVALID
 */
export function checkSuccessor(crypto: Crypto, { keyId, authority }: Core, successor: Successor): void {
  if (equalBytes(keyId, successor.keyId)) throw new SkerryError('RECORD_INVALID', 'a key succeeds itself');
  checkAuthority(crypto, authority, successorHashOf(crypto, keyId, successor), successor.signatures);
}
