import { toHex } from '@skerry/base';
import { bytes, type Shape, where } from './shapes.ts';

/**
 * The u-coordinates of low order on Curve25519 and its twist, in all their encodings under 2^255: 0, 1, two of order
 * 8, p - 1, and p and p + 1, which stand for 0 and 1 (D. J. Bernstein, "Curve25519: new Diffie-Hellman speed
 * records", 2006, and cr.yp.to/ecdh.html, "validate"). With such a key every shared secret is zero (RFC 7748
 * section 6.1), so that a mask or a message under it is open to everybody.
 */
const lowOrderKeys: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/**
 * Whether an X25519 public key is of low order. A comparison and no scalar multiplication: one for each key of a
 * core of 255 points would cost a receiver 90 ms before it has seen a valid signature.
 *
 * @param key 32 bytes; the top bit counts for nothing, as in RFC 7748 section 5
 */
export function hasLowOrder(key: Uint8Array): boolean {
  const masked = key.slice();
  masked[31]! &= 0x7f;
  return lowOrderKeys.has(toHex(masked));
}

/** A fresh X25519 public key that something will be sealed to. */
export const exchangeKeyShape: Shape<Uint8Array> = where(
  bytes(32),
  key => !hasLowOrder(key),
  'an X25519 key that is not of low order',
);
