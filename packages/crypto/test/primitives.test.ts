import { AssertionError } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const seed32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const data = fc.uint8Array({ maxLength: 200 });

/** A copy with one bit of one byte changed. */
function flip(bytes: Uint8Array, position: number): Uint8Array {
  const flipped = new Uint8Array(bytes);
  flipped[position % bytes.length]! ^= 1 << (position % 8);
  return flipped;
}

describe('the AEAD', () => {
  test('opens what it sealed under the same key and context', () => {
    fc.assert(
      fc.property(seed32, data, data, (key, plaintext, aad) => {
        const sealed = nodeCrypto.aeadSeal(key, plaintext, aad);
        expect(sealed.length).toBe(plaintext.length + 16);
        expect(nodeCrypto.aeadOpen(key, sealed, aad)).toEqual(plaintext);
      }),
    );
  });

  test('opens nothing that was altered, cut, or sealed in another context or under another key', () => {
    fc.assert(
      fc.property(seed32, data, data, fc.nat(), (key, plaintext, aad, position) => {
        const sealed = nodeCrypto.aeadSeal(key, plaintext, aad);
        expect(nodeCrypto.aeadOpen(key, flip(sealed, position), aad)).toBeUndefined();
        expect(nodeCrypto.aeadOpen(key, sealed.subarray(0, position % sealed.length), aad)).toBeUndefined();
        expect(nodeCrypto.aeadOpen(flip(key, position), sealed, aad)).toBeUndefined();
        expect(nodeCrypto.aeadOpen(key, sealed, Uint8Array.of(...aad, 0))).toBeUndefined();
      }),
    );
  });
});

describe('Ed25519', () => {
  test('verifies its own signature and no other message, key or signature', () => {
    fc.assert(
      fc.property(seed32, data, fc.nat(), (seed, message, position) => {
        const key = nodeCrypto.ed25519PublicKey(seed);
        const signature = nodeCrypto.ed25519Sign(seed, message);
        expect(nodeCrypto.ed25519Verify(key, message, signature)).toBe(true);
        expect(nodeCrypto.ed25519Verify(key, Uint8Array.of(...message, 0), signature)).toBe(false);
        expect(nodeCrypto.ed25519Verify(key, message, flip(signature, position))).toBe(false);
        expect(nodeCrypto.ed25519Verify(flip(key, position), message, signature)).toBe(false);
      }),
    );
  });

  test('is false, not an error, for keys and signatures of any bytes and length', () => {
    fc.assert(
      fc.property(data, data, data, (key, message, signature) => {
        expect(nodeCrypto.ed25519Verify(key, message, signature)).toBe(false);
      }),
    );
  });

  test('asserts that a seed is 32 bytes', () => {
    expect(() => nodeCrypto.ed25519PublicKey(new Uint8Array(31))).toThrow(AssertionError);
  });
});

describe('X25519', () => {
  test('gives both sides one secret', () => {
    fc.assert(
      fc.property(seed32, seed32, (a, b) => {
        const secret = nodeCrypto.x25519(a, nodeCrypto.x25519PublicKey(b));
        expect(secret).toEqual(nodeCrypto.x25519(b, nodeCrypto.x25519PublicKey(a)));
        expect(secret?.length).toBe(32);
      }),
    );
  });
});

describe('randomness and time', () => {
  test('draws as many bytes as asked for, and others each time', () => {
    expect(nodeRandom.bytes(0).length).toBe(0);
    expect(nodeRandom.bytes(65_536).length).toBe(65_536);
    expect(nodeRandom.bytes(32)).not.toEqual(nodeRandom.bytes(32));
  });

  test('reads the wall clock in milliseconds', () => {
    const before = Date.now();
    const now = nodeClock.nowMs();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});
