import { encodeCanonical, SkerryError, toHex } from '@skerry/base';
import {
  bytes,
  decode,
  encode,
  integer,
  list,
  nullable,
  type Shape,
  text,
  timeMs,
  tuple,
} from '@skerry/wire';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flag, word } from '../src/shapes.ts';
import { encodables } from './mutations.ts';

/** A shape, and values of it. */
type Sample = { readonly shape: Shape<unknown>; readonly values: fc.Arbitrary<unknown> };

function sample<T>(shape: Shape<T>, values: fc.Arbitrary<T>): Sample {
  return { shape: shape as Shape<unknown>, values };
}

const range = (most: number) =>
  fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const printable = fc
  .string({
    unit: fc.oneof(fc.constantFrom('a', 'é', '一', '\u{1f600}'), fc.string({ minLength: 1, maxLength: 1 })),
    maxLength: 20,
  })
  .filter(value => !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(value));

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  range(300).map(([min, max]) => sample(bytes(min, max), fc.uint8Array({ minLength: min, maxLength: max }))),
  fc
    .tuple(fc.maxSafeInteger(), fc.maxSafeInteger())
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
    .map(([min, max]) =>
      sample(
        integer(min, max),
        fc.integer({ min, max }).map(value => value + 0),
      ),
    ),
  fc.constant(sample(timeMs, fc.integer({ min: 0, max: 253_402_300_800_000 }))),
  fc.constant(sample(text(40), printable)),
  fc.constant(sample(flag, fc.boolean())),
  fc.constant(sample(word(['open', 'inspect', 'x'.repeat(30)]), fc.constantFrom('open', 'inspect'))),
);

/** Any shape up to three levels deep; its values have a thousand items at most, far from the encoding's limit. */
const { samples } = fc.letrec<{ samples: Sample }>(tie => ({
  samples: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'shape', withCrossShrink: true },
    leaf,
    leaf.map(({ shape, values }) => sample(nullable(shape), fc.option(values))),
    fc
      .tuple(tie('samples'), range(6))
      .map(([{ shape, values }, [min, max]]) =>
        sample(list(shape, min, max), fc.array(values, { minLength: min, maxLength: max })),
      ),
    fc
      .tuple(tie('samples'), tie('samples'))
      .map(([a, b]) =>
        sample(
          tuple({ a: a.shape, b: b.shape }),
          fc.record({ a: a.values, b: b.values }, { noNullPrototype: true }),
        ),
      ),
  ),
}));

/** A shape with two values of it. */
const cases = samples.chain(({ shape, values }) =>
  fc.record({ shape: fc.constant(shape), a: values, b: values }),
);

/** What the value that bytes stand for is encoded as, or `refused`. */
function reencoded(shape: Shape<unknown>, encoded: Uint8Array): string {
  try {
    return toHex(encode(shape, decode(shape, encoded, 100_000, 'value')));
  } catch (error) {
    if (error instanceof SkerryError) return 'refused';
    throw error;
  }
}

describe('every shape', () => {
  test('gives back what it encoded, in no more bytes than it says', () => {
    fc.assert(
      fc.property(cases, ({ shape, a }) => {
        const encoded = encode(shape, a);
        expect(encoded.length).toBeLessThanOrEqual(shape.bytesMax);
        expect(decode(shape, encoded, encoded.length, 'value')).toEqual(a);
      }),
      { numRuns: 1000 },
    );
  });

  test('encodes different values differently, and the same one always alike', () => {
    fc.assert(
      fc.property(cases, ({ shape, a, b }) => {
        const same = fc.stringify(a) === fc.stringify(b);
        expect(toHex(encode(shape, a)) === toHex(encode(shape, b))).toBe(same);
        expect(encode(shape, a)).toEqual(encode(shape, structuredClone(a)));
      }),
      { numRuns: 1000 },
    );
  });

  test('takes of any encoding only what it would have written itself', () => {
    fc.assert(
      fc.property(samples, encodables, ({ shape }, raw) => {
        const encoded = encodeCanonical(raw);
        expect(['refused', toHex(encoded)]).toContain(reencoded(shape, encoded));
      }),
      { numRuns: 1000 },
    );
  });

  test('says of bytes, integers, flags and tuples of them exactly how long they get', () => {
    const exact = [
      sample(bytes(0, 23), fc.constant(new Uint8Array(23))),
      sample(bytes(24), fc.constant(new Uint8Array(24))),
      sample(bytes(0, 65_536), fc.constant(new Uint8Array(65_536))),
      sample(integer(0, 23), fc.constant(23)),
      sample(integer(-25, 0), fc.constant(-25)),
      sample(integer(0, 256), fc.constant(256)),
      sample(integer(0, 65_536), fc.constant(65_536)),
      sample(integer(0, 2 ** 32), fc.constant(2 ** 32)),
      sample(list(flag, 0, 24), fc.constant(Array.from({ length: 24 }, () => true))),
      sample(text(8), fc.constant('一'.repeat(8))),
    ];
    for (const { shape, values } of exact) {
      expect(encode(shape, fc.sample(values, 1)[0]).length).toBe(shape.bytesMax);
    }
  });
});
