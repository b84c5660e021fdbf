import { type Encodable, encodeCanonical } from '@skerry/base';
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
import { describe, expect, test } from 'vitest';
import { flag, where, word } from '../src/shapes.ts';
import { codeOf, refusalOf } from './refusal.ts';

/** A value through the wire; the limit is the shape's own. */
function sent<T>(shape: Shape<T>, raw: Encodable): T {
  return decode(shape, encodeCanonical(raw), 1_000_000, 'value');
}

const everyType: Encodable[] = [0, -1, 1.0, 'text', '', true, false, null, [], [[]], new Uint8Array(0)];

type Row = readonly [string, Shape<unknown>, readonly Encodable[], readonly Encodable[]];

/** A shape with what is within its bounds and what is not. */
function row<T>(
  name: string,
  shape: Shape<T>,
  inside: readonly Encodable[],
  outside: readonly Encodable[],
): Row {
  return [name, shape as unknown as Shape<unknown>, inside, outside];
}

const [one, two, three] = [1, 2, 3].map(length => new Uint8Array(length)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const texts = ['', 'abcd', 'é\u{1f600}', 'a b', 'سلام'];
const unprintable = ['a\n', '\0', 'a\u007f', '\u009b', '\u2028', '\u2029', '\u202e', '\u2066', '\u200f'];
const even = where(integer(0, 9), value => value % 2 === 0, 'even');

describe.each<Row>([
  row('one length of bytes', bytes(2), [two], [one, three]),
  row('a range of lengths', bytes(1, 2), [one, two], [new Uint8Array(0), three]),
  row('an integer', integer(-3, 300), [-3, 0, 300], [-4, 301, Number.MAX_SAFE_INTEGER]),
  row('a time', timeMs, [0, 253_402_300_800_000], [-1, 253_402_300_800_001]),
  row('a text', text(4), texts, ['abcde', 'é\u{1f600}aa', ...unprintable]),
  row('a flag', flag, [true, false], [0, 1, 'true']),
  row('a word', word(['open', 'close']), ['open', 'close'], ['', 'Open', 'toString', 'constructor']),
  row('a nullable', nullable(integer(5, 6)), [null, 5], [4, false, [null]]),
  row('a list', list(integer(0, 9), 1, 3), [[1], [1, 2, 3]], [[], [1, 2, 3, 4], [10], [[1]], [null]]),
  row('a tuple of none', tuple<object>({}), [], [[0], [null]]),
  row(
    'a tuple of two',
    tuple({ a: flag, b: nullable(flag) }),
    [],
    [[], [true], [true, null, null], [null, true], [true, 1]],
  ),
  row('a shape with a rule', even, [0, 8], [1, 9, 10]),
])('%s', (_, shape, inside, outside) => {
  test('takes what is within its bounds', () => {
    for (const raw of inside) expect(sent(shape, raw)).toEqual(raw);
  });

  test('takes nothing out of its bounds', () => {
    for (const raw of outside)
      expect(['MESSAGE_MALFORMED', 'MESSAGE_TOO_LARGE']).toContain(codeOf(() => sent(shape, raw)));
  });

  test('refuses what is out of its bounds as malformed, where the size does not give it away', () => {
    for (const raw of outside) expect(codeOf(() => shape.unpack(raw, 'value'))).toBe('MESSAGE_MALFORMED');
  });

  test('takes other types only where they are in its bounds', () => {
    const known = new Set([...inside, ...outside].map(raw => JSON.stringify(raw)));
    for (const raw of everyType.filter(candidate => !known.has(JSON.stringify(candidate)))) {
      let value: unknown;
      try {
        value = shape.unpack(raw, 'value');
      } catch {
        continue;
      }
      expect(shape.pack(value)).toEqual(raw);
    }
  });
});

describe('a tuple', () => {
  const shape = tuple({ count: integer(0, 9), inner: tuple({ name: text(3) }) });

  test('is an array on the wire and an object in the program', () => {
    expect(shape.pack({ count: 1, inner: { name: 'a' } })).toEqual([1, ['a']]);
    expect(sent(shape, [1, ['a']])).toEqual({ count: 1, inner: { name: 'a' } });
  });

  test('packs its own fields and nothing else', () => {
    const more = { count: 1, inner: { name: 'a', extra: 1 }, extra: true };
    expect(encode(shape, more)).toEqual(encode(shape, { count: 1, inner: { name: 'a' } }));
  });

  test('names the place of what is wrong', () => {
    expect(refusalOf(() => sent(shape, [1, [2]]))).toContain('value.inner.name is not a text');
    expect(
      refusalOf(() =>
        sent(list(shape, 0, 2), [
          [1, ['a']],
          [1, 1],
        ]),
      ),
    ).toContain('value[1].inner is not');
  });

  test('reads a field that is missing from an array with holes as no value', () => {
    expect(codeOf(() => shape.unpack([1] as Encodable, 'value'))).toBe('MESSAGE_MALFORMED');
  });
});

describe('decoding', () => {
  const shape = list(bytes(0, 100), 0, 10);
  const encoded = encode(shape, [new Uint8Array(50)]);

  test("holds bytes against the caller's limit and the shape's own", () => {
    expect(decode(shape, encoded, encoded.length, 'list')).toEqual([new Uint8Array(50)]);
    expect(codeOf(() => decode(shape, encoded, encoded.length - 1, 'list'))).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(() => decode(shape, new Uint8Array(shape.bytesMax + 1), 1_000_000, 'list'))).toBe(
      'MESSAGE_TOO_LARGE',
    );
  });

  test('takes one encoding of a value and no other', () => {
    const others = ['9801', '9f', '81', '815832', '00', 'a0', 'f6', 'c1'].map(text =>
      Buffer.from(text, 'hex'),
    );
    for (const other of others)
      expect(codeOf(() => decode(shape, other, 1000, 'list'))).toBe('MESSAGE_MALFORMED');
    const trailing = Uint8Array.of(...encoded, 0);
    expect(codeOf(() => decode(shape, trailing, 1000, 'list'))).toBe('MESSAGE_MALFORMED');
  });

  test('gives values that share no memory with what was received', () => {
    const received = encode(shape, [new Uint8Array(50).fill(1)]);
    const [decoded] = decode(shape, received, 1000, 'list');
    received.fill(9);
    expect(decoded).toEqual(new Uint8Array(50).fill(1));
  });
});
