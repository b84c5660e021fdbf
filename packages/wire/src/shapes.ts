import { decodeCanonical, type Encodable, encodeCanonical, SkerryError } from '@skerry/base';

/**
 * One shape on the wire: how a value becomes canonical CBOR and how received CBOR is checked on its way back.
 * Everything has a bound; a tuple is an array on the wire and an object with named fields in the program.
 */
export type Shape<T> = {
  /** Bytes of the longest encoding of a value of this shape; it follows from the bounds. */
  readonly bytesMax: number;
  /** The value as CBOR's arrays, integers, bytes, texts and nulls. */
  readonly pack: (value: T) => Encodable;
  /** Checks and converts; throws MESSAGE_MALFORMED naming `path`, the place within the message. */
  readonly unpack: (raw: Encodable, path: string) => T;
};

/** The type that a shape describes. */
export type TypeOf<S> = S extends Shape<infer T> ? T : never;

function malformed(path: string, expected: string): SkerryError {
  return new SkerryError('MESSAGE_MALFORMED', `${path} is not ${expected}`, { path, expected });
}

/** Bytes of CBOR's head for a count or an integer (RFC 8949 section 3). */
function headBytes(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 2 ** 8) return 2;
  if (argument < 2 ** 16) return 3;
  return argument < 2 ** 32 ? 5 : 9;
}

/** Longest UTF-8 form of a UTF-16 unit, in bytes. */
const utf8BytesMax = 3;

/**
 * Bytes of one length, or of a range of lengths.
 *
 * @param min shortest, in bytes
 * @param max longest, in bytes; `min` when left out
 */
export function bytes(min: number, max: number = min): Shape<Uint8Array> {
  return {
    bytesMax: headBytes(max) + max,
    pack: value => value,
    unpack: (raw, path) => {
      if (!(raw instanceof Uint8Array) || raw.length < min || raw.length > max) {
        throw malformed(path, min === max ? `${min} bytes` : `${min} to ${max} bytes`);
      }
      return raw;
    },
  };
}

/**
 * A whole number within bounds, both inclusive.
 *
 * @param min smallest; a safe integer
 * @param max largest; a safe integer
 */
export function integer(min: number, max: number): Shape<number> {
  const largest = Math.max(...[min, max].map(bound => (bound < 0 ? -1 - bound : bound)));
  return {
    bytesMax: headBytes(largest),
    pack: value => value,
    unpack: (raw, path) => {
      if (typeof raw !== 'number' || !Number.isSafeInteger(raw) || raw < min || raw > max) {
        throw malformed(path, `an integer from ${min} to ${max}`);
      }
      return raw;
    },
  };
}

/** Milliseconds since 1970, up to the year 10000. */
export const timeMs: Shape<number> = integer(0, 253_402_300_800_000);

/** Control characters, line and paragraph separators, and those that turn the direction of writing. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/**
 * A text without control characters: what a peer says of itself can't move the cursor of a terminal, break a line
 * of a log, or show its letters in another order.
 *
 * @param maxLength longest, in UTF-16 units
 */
export function text(maxLength: number): Shape<string> {
  return {
    bytesMax: headBytes(utf8BytesMax * maxLength) + utf8BytesMax * maxLength,
    pack: value => value,
    unpack: (raw, path) => {
      if (typeof raw !== 'string' || raw.length > maxLength || unprintable.test(raw)) {
        throw malformed(path, `a text of at most ${maxLength} characters without control characters`);
      }
      return raw;
    },
  };
}

/** True or false. */
export const flag: Shape<boolean> = {
  bytesMax: 1,
  pack: value => value,
  unpack: (raw, path) => {
    if (typeof raw !== 'boolean') throw malformed(path, 'true or false');
    return raw;
  },
};

/**
 * One of a closed set of words.
 *
 * @param words the set, in ASCII
 */
export function word<const W extends string>(words: readonly W[]): Shape<W> {
  const longest = Math.max(...words.map(({ length }) => length));
  return {
    bytesMax: headBytes(longest) + longest,
    pack: value => value,
    unpack: (raw, path) => {
      const found = words.find(candidate => candidate === raw);
      if (found === undefined) throw malformed(path, `one of ${words.join(', ')}`);
      return found;
    },
  };
}

/**
 * A value or null.
 *
 * @param shape of the value
 */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return {
    bytesMax: shape.bytesMax,
    pack: value => (value === null ? null : shape.pack(value)),
    unpack: (raw, path) => (raw === null ? null : shape.unpack(raw, path)),
  };
}

/**
 * A list with bounds on its length, both inclusive.
 *
 * @param shape of each item
 * @param min fewest items
 * @param max most items
 */
export function list<T>(shape: Shape<T>, min: number, max: number): Shape<T[]> {
  return {
    bytesMax: headBytes(max) + max * shape.bytesMax,
    pack: values => values.map(value => shape.pack(value)),
    unpack: (raw, path) => {
      if (!Array.isArray(raw) || raw.length < min || raw.length > max) {
        throw malformed(path, `a list of ${min} to ${max}`);
      }
      return raw.map((item, i) => shape.unpack(item, `${path}[${i}]`));
    },
  };
}

/**
 * Named fields, on the wire an array in the order given.
 *
 * @param fields name and shape of each
 */
export function tuple<T extends object>(fields: { readonly [K in keyof T]: Shape<T[K]> }): Shape<T> {
  const entries = Object.entries(fields) as [keyof T & string, Shape<T[keyof T]>][];
  return {
    bytesMax: entries.reduce((sum, [, shape]) => sum + shape.bytesMax, headBytes(entries.length)),
    pack: value => entries.map(([name, shape]) => shape.pack(value[name])),
    unpack: (raw, path) => {
      if (!Array.isArray(raw) || raw.length !== entries.length) {
        throw malformed(path, `a list of ${entries.length}`);
      }
      const items: readonly Encodable[] = raw;
      return Object.fromEntries(
        entries.map(([name, shape], i) => [name, shape.unpack(items[i] ?? null, `${path}.${name}`)]),
      ) as T;
    },
  };
}

/**
 * A shape with one more rule.
 *
 * @param shape of the value
 * @param holds the rule
 * @param expected what the value is to be, for the error
 */
export function where<T>(shape: Shape<T>, holds: (value: T) => boolean, expected: string): Shape<T> {
  return {
    ...shape,
    unpack: (raw, path) => {
      const value = shape.unpack(raw, path);
      if (!holds(value)) throw malformed(path, expected);
      return value;
    },
  };
}

/**
 * The canonical bytes of a value: different values of one shape have different bytes.
 *
 * @param shape of the value
 * @param value one that the shape would accept; stays the caller's
 * @returns bytes owned by the caller, at most `shape.bytesMax`
 */
export function encode<T>(shape: Shape<T>, value: T): Uint8Array<ArrayBuffer> {
  return encodeCanonical(shape.pack(value));
}

/**
 * The value that received bytes stand for. They are held against the size limit before anything is parsed, and
 * against the longest encoding that the shape has.
 *
 * @param shape of the value
 * @param received from a peer or a disk: anything
 * @param bytesMax size limit, in bytes
 * @param name of the message, for the error
 * @returns a value that shares no memory with `received`, so that its secrets are the caller's to wipe
 * @throws MESSAGE_TOO_LARGE over a limit; MESSAGE_MALFORMED where bytes are not canonical or not of the shape
 */
export function decode<T>(shape: Shape<T>, received: Uint8Array, bytesMax: number, name: string): T {
  return shape.unpack(decodeCanonical(received, Math.min(bytesMax, shape.bytesMax)), name);
}
