import {
  AssertionError,
  decodeCanonical,
  type Encodable,
  encodeCanonical,
  fromHex,
  preimage,
  toHex,
} from '@skerry/base';
import { describe, expect, test } from 'vitest';
import { canonicalDepthMax, canonicalItemsMax } from '../parameters.ts';

const hex = (text: string) => fromHex(text)!;
const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' });

/** An array in an array, `depth` deep. */
function nest(depth: number): Encodable {
  let value: Encodable = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

describe('encodeCanonical', () => {
  test.each<[Encodable, string]>([
    // RFC 8949 appendix A, the types that are allowed
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [100, '1864'],
    [1000, '1903e8'],
    [1_000_000, '1a000f4240'],
    [1_000_000_000_000, '1b000000e8d4a51000'],
    [-1, '20'],
    [-100, '3863'],
    [-1000, '3903e7'],
    [false, 'f4'],
    [true, 'f5'],
    [null, 'f6'],
    [new Uint8Array(0), '40'],
    [Uint8Array.of(1, 2, 3, 4), '4401020304'],
    ['', '60'],
    ['IETF', '6449455446'],
    ['ü', '62c3bc'],
    ['水', '63e6b0b4'],
    ['𐅑', '64f0908591'],
    [[], '80'],
    [[1, [2, 3], [4, 5]], '8301820203820405'],
    // and the edges of safe integers
    [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
  ])('encodes %j as RFC 8949 does', (value, encoded) => {
    expect(toHex(encodeCanonical(value))).toBe(encoded);
    expect(decodeCanonical(hex(encoded), 100)).toEqual(value);
  });

  test('gives the length that it takes, at every edge of heads and of UTF-8', () => {
    const lengths = [0, 1, 22, 23, 24, 25, 254, 255, 256, 257, 65_534, 65_535, 65_536];
    const integers = [...lengths, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1].flatMap(n => (n === 0 ? [n] : [n, -n]));
    const texts = lengths.flatMap(length =>
      ['a', '\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '𐅑'].map(character =>
        character.repeat(Math.ceil(length / 4)),
      ),
    );
    const lists = lengths.filter(length => length < 1000).map(length => Array<number>(length).fill(0));
    const values: Encodable[] = [
      ...integers,
      ...lengths.map(length => new Uint8Array(length)),
      ...texts,
      ...lists,
    ];
    for (const value of values) expect(decodeCanonical(encodeCanonical(value), 400_000)).toEqual(value);
  });

  test.each([
    ['an unsafe integer', 2 ** 53],
    ['a float', 0.5],
    ['minus zero', -0],
    ['not a number', Number.NaN],
    ['undefined', undefined],
    ['a bigint', 1n],
    ['an object', {}],
    ['a map', new Map()],
    ['a wider array of numbers', Uint16Array.of(1)],
    ['a hole', Array(1)],
    ['a lone surrogate', '\uD800'],
    ['a leading byte order mark', '\uFEFFa'],
    ['too deep a nest', nest(canonicalDepthMax + 1)],
    ['too many items', Array(canonicalItemsMax).fill(0)],
  ])('refuses %s', (_, value) => {
    expect(() => encodeCanonical(value as Encodable)).toThrow(malformed);
    expect(() => encodeCanonical([value as Encodable])).toThrow(malformed);
  });

  test('returns a buffer of its own that nothing else lives in', () => {
    const secret = new Uint8Array(100).fill(7);
    const encoded = encodeCanonical([secret]);
    expect(encoded.buffer.byteLength).toBe(encoded.length);
    encoded.fill(0);
    expect(secret[0]).toBe(7);
  });

  test('takes subclasses of Uint8Array for the bytes they hold', () => {
    expect(encodeCanonical(Buffer.from([1, 2]))).toEqual(encodeCanonical(Uint8Array.of(1, 2)));
  });
});

describe('decodeCanonical', () => {
  test.each([
    ['nothing', ''],
    ['a length longer than needed', '1817'],
    ['a string length longer than needed', '5801ff'],
    ['an array length longer than needed', '980100'],
    ['trailing bytes', '0000'],
    ['a cut array', '8201'],
    ['a cut string', '4401'],
    ['a cut length', '19ff'],
    ['an indefinite array', '9f01ff'],
    ['indefinite bytes', '5f4101ff'],
    ['a break', 'ff'],
    ['a map', 'a0'],
    ['a map with an entry', 'a10102'],
    ['a tag', 'c100'],
    ['undefined', 'f7'],
    ['a simple value', 'f8ff'],
    ['a half float', 'f93c00'],
    ['a float', 'fa3f800000'],
    ['a double', 'fb3ff0000000000000'],
    ['an unsafe integer', '1b0020000000000000'],
    ['an unsafe negative integer', '3b001fffffffffffff'],
    ['invalid UTF-8', '61ff'],
    ['an overlong form in UTF-8', '62c080'],
    ['a surrogate in UTF-8', '63eda080'],
    ['a leading byte order mark', '64efbbbf61'],
    ['an array said to have 2^53 elements', '9b001fffffffffffff'],
    ['an array said to have 2^32 elements', '9affffffff'],
    ['a string said to have 2^32 bytes', '5affffffff'],
  ])('refuses %s', (_, encoded) => {
    expect(() => decodeCanonical(hex(encoded), 100)).toThrow(malformed);
    expect(() => decodeCanonical(hex(`81${encoded}`), 100)).toThrow(malformed);
  });

  test('refuses one byte more than its limit and takes the limit', () => {
    const bytes = encodeCanonical(new Uint8Array(50));
    expect(decodeCanonical(bytes, bytes.length)).toEqual(new Uint8Array(50));
    expect(() => decodeCanonical(bytes, bytes.length - 1)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }),
    );
  });

  test('takes the deepest nest and refuses a deeper one, however deep', () => {
    const deepest = nest(canonicalDepthMax);
    expect(decodeCanonical(encodeCanonical(deepest), 100)).toEqual(deepest);
    for (const depth of [canonicalDepthMax + 1, 100_000]) {
      const bytes = new Uint8Array(depth).fill(0x81);
      bytes[depth - 1] = 0x80;
      expect(() => decodeCanonical(bytes, depth)).toThrow(malformed);
    }
  });

  test('takes as many items as allowed, the array included, and refuses one more', () => {
    const most = Array(canonicalItemsMax - 1).fill(0);
    expect(decodeCanonical(encodeCanonical(most), canonicalItemsMax + 10)).toHaveLength(most.length);
    const bytes = new Uint8Array(5 + canonicalItemsMax);
    bytes.set([0x9a, 0x00, 0x01, 0x00, 0x00]); // 65,536 elements
    expect(() => decodeCanonical(bytes, bytes.length)).toThrow(malformed);
  });

  test('returns byte strings that do not share memory with what was received', () => {
    const received = encodeCanonical([Uint8Array.of(1, 2, 3)]);
    const [decoded] = decodeCanonical(received, 100) as [Uint8Array];
    received.fill(0);
    expect(decoded).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('preimage', () => {
  test('is an array that begins with its versioned name', () => {
    expect(decodeCanonical(preimage('key-id', 1, [2]), 100)).toEqual(['skerry/key-id/v1', 1, [2]]);
  });

  test.each(['', 'Round', 'a/b', '-a', 'a-', 'a b'])('asserts that %j is no name', name => {
    expect(() => preimage(name)).toThrow(AssertionError);
  });
});
