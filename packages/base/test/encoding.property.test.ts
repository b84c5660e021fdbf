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

/** What decoded bytes encode to, or 'refused' by our code; anything else thrown fails the test. */
function reencode(bytes: Uint8Array): string {
  try {
    return toHex(encodeCanonical(decodeCanonical(bytes, 10_000)));
  } catch (error) {
    if (error instanceof SkerryError && error.code === 'MESSAGE_MALFORMED') return 'refused';
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
    const encodings = new Map(values.map(value => [toHex(encodeCanonical(value)), value]));
    for (const value of values) expect(encodings.get(toHex(encodeCanonical(value)))).toEqual(value);
    expect(encodings.size).toBeGreaterThan(1000);
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
  test('either refuses random bytes by our code or gives what encodes to them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        expect(['refused', toHex(bytes)]).toContain(reencode(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  test('either refuses an altered, cut or lengthened encoding or gives what encodes to it', () => {
    fc.assert(
      fc.property(encodable, fc.nat(), fc.nat(255), (value, position, byte) => {
        const encoded = encodeCanonical(value);
        const altered = new Uint8Array(encoded);
        altered[position % altered.length] = byte;
        const cut = encoded.slice(0, position % encoded.length);
        for (const bytes of [altered, cut]) expect(['refused', toHex(bytes)]).toContain(reencode(bytes));
        expect(reencode(Uint8Array.of(...encoded, byte))).toBe('refused');
      }),
      { numRuns: 500 },
    );
  });
});
