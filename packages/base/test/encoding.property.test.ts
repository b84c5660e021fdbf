import { decodeCanonical, type Encodable, encodeCanonical, preimage, SkerryError, toHex } from '@skerry/base';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter(value => !value.startsWith('\uFEFF'));

/** Any value that can be encoded, a few arrays deep. */
const { encodable } = fc.letrec<{ encodable: Encodable; list: Encodable }>(tie => ({
  encodable: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger().map(value => (value === 0 ? 0 : value)),
    fc.uint8Array({ maxLength: 40 }),
    text,
    fc.boolean(),
    fc.constant(null),
    tie('list'),
  ),
  list: fc.array(tie('encodable'), { maxLength: 6, depthIdentifier: 'list' }),
}));

/** Decodes, or gives the code of the refusal; anything else thrown fails the test. */
function tryDecode(bytes: Uint8Array): Encodable | SkerryError {
  try {
    return decodeCanonical(bytes, 10_000);
  } catch (error) {
    if (error instanceof SkerryError && error.code === 'MESSAGE_MALFORMED') return error;
    throw error;
  }
}

describe('the encoding', () => {
  test('comes back as the value that went in', () => {
    fc.assert(
      fc.property(encodable, value => {
        expect(decodeCanonical(encodeCanonical(value), 10_000)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test('is different for different values', () => {
    const values = fc.sample(encodable, { numRuns: 2000, seed: 7 });
    const byEncoding = new Map<string, Encodable>();
    for (const value of values) {
      const encoded = toHex(encodeCanonical(value));
      if (byEncoding.has(encoded)) expect(byEncoding.get(encoded)).toEqual(value);
      byEncoding.set(encoded, value);
    }
    expect(byEncoding.size).toBeGreaterThan(1000);
  });

  test('of preimages depends on how fields are divided', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 20 }), fc.nat(), (bytes, at) => {
        const cut = 1 + (at % (bytes.length - 1));
        const divided = preimage('test', bytes.slice(0, cut), bytes.slice(cut));
        expect(divided).not.toEqual(preimage('test', bytes));
        expect(divided).not.toEqual(preimage('test', [bytes.slice(0, cut), bytes.slice(cut)]));
      }),
    );
  });
});

describe('decoding', () => {
  test('either refuses random bytes by our code or re-encodes them identically', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        const value = tryDecode(bytes);
        if (!(value instanceof SkerryError)) expect(encodeCanonical(value)).toEqual(bytes);
      }),
      { numRuns: 5000 },
    );
  });

  test('either refuses an altered, cut or lengthened encoding or re-encodes it identically', () => {
    fc.assert(
      fc.property(encodable, fc.nat(), fc.nat(255), (value, position, byte) => {
        const encoded = encodeCanonical(value);
        const altered = new Uint8Array(encoded);
        altered[position % altered.length] = byte;
        for (const bytes of [altered, encoded.slice(0, position % encoded.length)]) {
          const decoded = tryDecode(bytes);
          if (!(decoded instanceof SkerryError)) expect(encodeCanonical(decoded)).toEqual(bytes);
        }
        expect(tryDecode(Uint8Array.of(...encoded, byte))).toBeInstanceOf(SkerryError);
      }),
      { numRuns: 500 },
    );
  });
});
