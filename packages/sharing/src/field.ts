/**
 * GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (0x11b), the field of `shamir-secret-sharing` and of FIPS 197 section 4.
 *
 * Points are public, shares are secret: no load is indexed by a secret and no branch depends on one. That is the
 * shape of constant time, the most that JavaScript allows (docs/adr/0002-field-arithmetic.md).
 */
import { assert } from '@skerry/base';

/** The modulus without its x^8. */
const reduction = 0x1b;

/**
 * The product of two field elements, by shifting and adding; the same steps whatever they are.
 *
 * @param a 0 to 255
 * @param b 0 to 255
 * @returns 0 to 255
 */
export function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    product ^= -((b >>> bit) & 1) & a;
    a = ((a << 1) & 0xff) ^ (-(a >>> 7) & reduction);
  }
  return product;
}

/**
 * The element that multiplies with `a` to 1: a^254, by Fermat.
 *
 * @param a 1 to 255; 0 has no inverse and is a bug
 * @returns 1 to 255
 */
export function invert(a: number): number {
  assert(a !== 0, 'zero has no inverse');
  let inverse = 1;
  let power = a;
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power);
    inverse = multiply(inverse, power);
  }
  return inverse;
}

/**
 * The Lagrange coefficient lambda_i(S, x): what the share at `points[i]` counts for in the value at `x` of the
 * polynomial of degree under `points.length` through all of them (Shamir 1979).
 *
 * @param points distinct public points, 0 to 255
 * @param i index into `points`
 * @param x 0 to 255
 * @returns 0 to 255; never 0 where `x` is not among `points`
 */
export function lagrangeCoefficient(points: readonly number[], i: number, x: number): number {
  const own = points[i]!;
  let numerator = 1;
  let denominator = 1;
  for (const [j, other] of points.entries()) {
    if (j === i) continue;
    numerator = multiply(numerator, x ^ other);
    denominator = multiply(denominator, own ^ other);
  }
  return multiply(numerator, invert(denominator));
}

/**
 * Adds `source` to `target`, element by element. In this field adding is subtracting is XOR.
 *
 * @param target bytes of at least the length of `source`; changed
 * @param source any bytes
 */
export function addInto(target: Uint8Array, source: Uint8Array): void {
  for (let i = 0; i < source.length; i++) target[i]! ^= source[i]!;
}

/**
 * Adds `factor` times `source` to `target`, four elements to a 32-bit word.
 *
 * @param target bytes of at least the length of `source`; changed
 * @param source any bytes, secret
 * @param factor 0 to 255, public: its bits are branched on
 */
export function addScaledInto(target: Uint8Array, source: Uint8Array, factor: number): void {
  const wordsEnd = source.length & ~3;
  for (let i = 0; i < wordsEnd; i += 4) {
    let word = source[i]! | (source[i + 1]! << 8) | (source[i + 2]! << 16) | (source[i + 3]! << 24);
    let product = 0;
    for (let bits = factor; bits !== 0; bits >>>= 1) {
      if ((bits & 1) !== 0) product ^= word;
      word = ((word & 0x7f7f7f7f) << 1) ^ Math.imul((word >>> 7) & 0x01010101, reduction);
    }
    target[i]! ^= product;
    target[i + 1]! ^= product >>> 8;
    target[i + 2]! ^= product >>> 16;
    target[i + 3]! ^= product >>> 24;
  }
  for (let i = wordsEnd; i < source.length; i++) target[i]! ^= multiply(source[i]!, factor);
}
