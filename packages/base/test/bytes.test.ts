import {
  AssertionError,
  at,
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  toHex,
  wipe,
} from '@skerry/base';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const bytes = fc.uint8Array({ maxLength: 40 });

describe('concatBytes', () => {
  test('joins in order into a buffer of its own', () => {
    const part = Uint8Array.of(1, 2);
    const joined = concatBytes(part, new Uint8Array(0), Uint8Array.of(3));
    part.fill(9);
    expect(joined).toEqual(Uint8Array.of(1, 2, 3));
    expect(joined.buffer.byteLength).toBe(3);
    expect(concatBytes()).toEqual(new Uint8Array(0));
  });
});

describe('equalBytes', () => {
  test('is true for equal bytes and for nothing else', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalBytes(a, new Uint8Array(a))).toBe(true);
        expect(equalBytes(a, b)).toBe(toHex(a) === toHex(b));
        expect(equalBytes(a, concatBytes(a, Uint8Array.of(0)))).toBe(false);
      }),
    );
  });

  test('sees a difference in any one bit', () => {
    for (let bit = 0; bit < 8 * 5; bit++) {
      const other = new Uint8Array(5);
      other[bit >> 3] = 1 << (bit & 7);
      expect(equalBytes(new Uint8Array(5), other)).toBe(false);
    }
  });
});

describe('compareBytes', () => {
  test('orders as hexadecimal text does, a prefix first', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [x, y] = [toHex(a), toHex(b)];
        expect(Math.sign(compareBytes(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
  });
});

describe('toHex and fromHex', () => {
  test('are inverse, in either case', () => {
    fc.assert(
      fc.property(bytes, value => {
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromHex(toHex(value).toUpperCase())).toEqual(value);
      }),
    );
  });

  test('agree with the runtime', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(toHex(all)).toBe(Buffer.from(all).toString('hex'));
  });

  test.each(['a', '0g', '0x00', ' 00', '00\n', '٠٠'])('give nothing for %j', text => {
    expect(fromHex(text)).toBeUndefined();
  });
});

describe('wipe', () => {
  test('writes zeros over every buffer, and over nothing around a view', () => {
    const whole = Uint8Array.of(1, 2, 3, 4);
    const other = Uint8Array.of(5);
    wipe(whole.subarray(1, 3), other);
    expect(whole).toEqual(Uint8Array.of(1, 0, 0, 4));
    expect(other).toEqual(Uint8Array.of(0));
  });
});

describe('at', () => {
  test('gives the element, and asserts that there is one', () => {
    expect(at(['a', 'b'], 1)).toBe('b');
    expect(() => at(['a'], 1)).toThrow(AssertionError);
    expect(() => at(['a'], -1)).toThrow(AssertionError);
  });
});
