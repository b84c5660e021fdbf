import { AssertionError } from '@skerry/base';
import * as fc from 'fast-check';
import { combine } from 'shamir-secret-sharing';
import { describe, expect, test } from 'vitest';
import { addInto, addScaledInto, invert, lagrangeCoefficient, multiply } from '../src/field.ts';

const byte = fc.nat(255);

describe('multiply', () => {
  test('gives all 65,536 products that shamir-secret-sharing gives', async () => {
    // combine of y at b ^ 1 and of 0 at b is y * b / (b ^ 1 ^ b) = y * b: its product, through its public API.
    const everyByte = Uint8Array.from({ length: 256 }, (_, a) => a);
    let compared = 0;
    for (let b = 0; b < 256; b++) {
      const products = await combine([
        Uint8Array.of(...everyByte, b ^ 1),
        Uint8Array.of(...new Uint8Array(256), b),
      ]);
      expect(products).toEqual(everyByte.map(a => multiply(a, b)));
      compared += products.length;
    }
    expect(compared).toBe(65_536);
  });

  test('gives the example of FIPS 197, section 4.2', () => {
    expect(multiply(0x57, 0x83)).toBe(0xc1);
    expect(multiply(0x57, 0x13)).toBe(0xfe);
  });

  test('is commutative, associative and distributive', () => {
    fc.assert(
      fc.property(byte, byte, byte, (a, b, c) => {
        expect(multiply(a, b)).toBe(multiply(b, a));
        expect(multiply(a, multiply(b, c))).toBe(multiply(multiply(a, b), c));
        expect(multiply(a, b ^ c)).toBe(multiply(a, b) ^ multiply(a, c));
      }),
    );
  });
});

describe('invert', () => {
  test('gives every nonzero element its inverse', () => {
    for (let a = 1; a < 256; a++) expect(multiply(a, invert(a))).toBe(1);
  });

  test('asserts that zero is not asked for', () => {
    expect(() => invert(0)).toThrow(AssertionError);
  });
});

describe('lagrangeCoefficient', () => {
  const points = fc.uniqueArray(byte, { minLength: 1, maxLength: 12 });

  test('is 1 at its own point and 0 at the others, and the coefficients at any x add up to 1', () => {
    fc.assert(
      fc.property(points, byte, (points, x) => {
        let sum = 0;
        for (const i of points.keys()) {
          for (const [j, other] of points.entries()) {
            expect(lagrangeCoefficient(points, i, other)).toBe(i === j ? 1 : 0);
          }
          sum ^= lagrangeCoefficient(points, i, x);
        }
        expect(sum).toBe(1);
      }),
    );
  });

  test('is never 0 away from the points: every share of a set counts', () => {
    fc.assert(
      fc.property(points, byte, (points, x) => {
        fc.pre(!points.includes(x));
        for (const i of points.keys()) expect(lagrangeCoefficient(points, i, x)).not.toBe(0);
      }),
    );
  });
});

describe('addInto and addScaledInto', () => {
  const lengths = Array.from({ length: 12 }, (_, length) => length);

  test.each(lengths)('do on %i bytes what the field does on each', length => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: length, maxLength: length }),
        fc.uint8Array({ minLength: length, maxLength: length }),
        byte,
        (target, source, factor) => {
          const added = new Uint8Array(target);
          addInto(added, source);
          expect(added).toEqual(target.map((value, i) => value ^ source[i]!));
          const scaled = new Uint8Array(target);
          addScaledInto(scaled, source, factor);
          expect(scaled).toEqual(target.map((value, i) => value ^ multiply(source[i]!, factor)));
        },
      ),
      { numRuns: 30 },
    );
  });

  test('agree with multiply on all 65,536 products, at every place in a word', () => {
    for (let factor = 0; factor < 256; factor++) {
      for (let offset = 0; offset < 4; offset++) {
        const source = Uint8Array.from({ length: 259 }, (_, i) => i - offset);
        const scaled = new Uint8Array(source.length);
        addScaledInto(scaled, source, factor);
        const expected = source.map(value => multiply(value, factor));
        expect(Buffer.compare(scaled, expected)).toBe(0);
      }
    }
  });

  test('leave the source and what lies around a view alone', () => {
    const whole = new Uint8Array(12).fill(1);
    const source = new Uint8Array(5).fill(2);
    addScaledInto(whole.subarray(3, 8), source, 3);
    expect(whole).toEqual(Uint8Array.of(1, 1, 1, 7, 7, 7, 7, 7, 1, 1, 1, 1));
    expect(source).toEqual(new Uint8Array(5).fill(2));
  });
});
