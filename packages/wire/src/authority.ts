import { type Crypto, preimage, SkerryError } from '@skerry/base';
import { authorityKeysMax } from '../parameters.ts';
import { areDistinct, ascends } from './order.ts';
import { bytes, integer, list, type TypeOf, tuple } from './shapes.ts';

/** The set of owner keys that may sign for a key: any `needed` of them. Fixed for ever by the keyId. */
export const authorityShape = tuple({
  keys: list(bytes(32), 1, authorityKeysMax),
  needed: integer(1, authorityKeysMax),
});
/** The owner keys (Ed25519, 32 bytes each) that may sign for a key, and how many of them must. */
export type Authority = TypeOf<typeof authorityShape>;

export const authoritySignatureShape = tuple({
  index: integer(0, authorityKeysMax - 1),
  signature: bytes(64),
});
/** One authority signature: which key of the authority, from 0, and its Ed25519 signature. */
export type AuthoritySignature = TypeOf<typeof authoritySignatureShape>;

/** Signatures by distinct keys of an authority, ascending by index, as many as it needs. */
export const authoritySignaturesShape = list(authoritySignatureShape, 1, authorityKeysMax);

/**
 * The id of a key: the hash of who may sign for it and a nonce, so that nobody else can claim it
 * (docs/PROTOCOL.md, encoding).
 *
 * @param authority of the key
 * @param nonce 16 random bytes
 * @returns 32 bytes
 */
export function keyIdOf(crypto: Crypto, authority: Authority, nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  return crypto.sha256(preimage('key-id', authorityShape.pack(authority), nonce));
}

/**
 * Holds that distinct keys of an authority signed a message: exactly as many as it needs. One more would prove
 * nothing, cost its verification, and let whoever passes a record on make another of it by leaving one out.
 *
 * @param authority as the keyId binds it
 * @param message what was signed
 * @param signatures from a peer, ascending by index
 * @throws SIGNATURE_INVALID otherwise
 */
export function checkAuthority(
  crypto: Crypto,
  authority: Authority,
  message: Uint8Array,
  signatures: readonly AuthoritySignature[],
): void {
  const { keys, needed } = authority;
  const counted =
    signatures.length === needed && ascends(signatures.map(({ index }) => index)) && areDistinct(keys);
  const valid =
    counted &&
    signatures.every(({ index, signature }) => {
      const key = keys[index];
      return key !== undefined && crypto.ed25519Verify(key, message, signature);
    });
  if (!valid) throw new SkerryError('SIGNATURE_INVALID', "the authority's signatures do not verify");
}
