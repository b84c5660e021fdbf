import { type Crypto, equalBytes, preimage, SkerryError } from '@skerry/base';
import { revocationBytesMax } from '../parameters.ts';
import { authorityShape, authoritySignaturesShape, checkAuthority, keyIdOf } from './authority.ts';
import { isGrantId, secondsMax } from './grant.ts';
import { bytes, decode, encode, integer, nullable, type TypeOf, text, tuple, where } from './shapes.ts';

const seconds = integer(0, secondsMax);
const grantShape = tuple({ jti: where(text(64), isGrantId, 'the id of a grant'), exp: seconds });

/**
 * The authority's word that one grant of a key, or all that began before a time, are worth nothing from here on. It
 * carries all that a node needs to check it alone, so that any node may pass it on.
 */
export const revocationShape = where(
  tuple({
    keyId: bytes(32),
    authority: authorityShape,
    nonce: bytes(16),
    /** The grant that ends, and when it would have ended by itself; null where all end that began before a time. */
    grant: nullable(grantShape),
    /** Grants that began before it end, seconds since 1970; null where one grant does. */
    issuedBefore: nullable(seconds),
    signatures: authoritySignaturesShape,
  }),
  ({ grant, issuedBefore }) => (grant === null) !== (issuedBefore === null),
  'about one grant, or about all before a time',
);
/** A decoded revocation; `checkRevocation` says whether it is true. */
export type Revocation = TypeOf<typeof revocationShape>;

/**
 * What an authority signs to revoke. Authority and nonce are bound by the key id.
 *
 * @param revocation all that is signed
 * @returns 32 bytes
 */
export function revocationHashOf(
  crypto: Crypto,
  { keyId, grant, issuedBefore }: Pick<Revocation, 'keyId' | 'grant' | 'issuedBefore'>,
): Uint8Array<ArrayBuffer> {
  return crypto.sha256(preimage('revocation', keyId, grant && grantShape.pack(grant), issuedBefore));
}

/**
 * Holds that a revocation is signed by the authority that its key id names.
 *
 * @param revocation from a peer
 * @throws RECORD_INVALID where the key id is not of that authority and nonce; SIGNATURE_INVALID
 */
export function checkRevocation(crypto: Crypto, revocation: Revocation): void {
  const { keyId, authority, nonce, signatures } = revocation;
  if (!equalBytes(keyIdOf(crypto, authority, nonce), keyId)) {
    throw new SkerryError('RECORD_INVALID', 'a revocation is not by the authority of its key');
  }
  checkAuthority(crypto, authority, revocationHashOf(crypto, revocation), signatures);
}

/** A revocation's canonical bytes, owned by the caller. */
export function encodeRevocation(revocation: Revocation): Uint8Array<ArrayBuffer> {
  return encode(revocationShape, revocation);
}

/**
 * A revocation that holds on its own.
 *
 * @param received from gossip: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, and what `checkRevocation` throws
 */
export function decodeRevocation(crypto: Crypto, received: Uint8Array): Revocation {
  const revocation = decode(revocationShape, received, revocationBytesMax, 'revocation');
  checkRevocation(crypto, revocation);
  return revocation;
}
