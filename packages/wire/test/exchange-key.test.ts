import { fromHex } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasLowOrder } from '../src/exchange-key.ts';

const seed = new Uint8Array(32).fill(5);
const lowOrderKeys = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(text => fromHex(text)!);

function withTopBit(key: Uint8Array): Uint8Array {
  const copy = key.slice();
  copy[31]! |= 0x80;
  return copy;
}

describe('an X25519 key', () => {
  test.each(lowOrderKeys)(
    'of low order is known, with the top bit and without, as OpenSSL knows it: %#',
    key => {
      for (const encoding of [key, withTopBit(key)]) {
        expect(hasLowOrder(encoding)).toBe(true);
        expect(crypto.x25519(seed, encoding)).toBeUndefined();
      }
    },
  );

  test('is of low order exactly where OpenSSL finds that the shared secret is zero', () => {
    const ends = fc.tuple(fc.constantFrom(0, 0xff), fc.nat(255), fc.nat(255));
    const nearLimits = ends.map(([fill, low, high]) => {
      const key = new Uint8Array(32).fill(fill);
      key[0] = low;
      key[31] = high;
      return key;
    });
    const keys = fc.oneof(
      nearLimits,
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.constantFrom(...lowOrderKeys),
    );
    fc.assert(
      fc.property(keys, key => {
        expect(hasLowOrder(key)).toBe(crypto.x25519(seed, key) === undefined);
      }),
      { numRuns: 1000 },
    );
  });
});
