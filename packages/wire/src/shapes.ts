import { decodeCanonical, type Encodable, encodeCanonical, SkerryError } from '@skerry/base';

/**
 * One shape on the wire: how a value becomes canonical CBOR and how received CBOR is checked on its way back.
 * Everything has a bound; a tuple is an array on the wire and an object with named fields in the program.
 */
export type Shape<T> = {
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

/**
 * Bytes of one length, or of a range of lengths.
 *
 * @param min shortest, in bytes
 * @param max longest, in bytes; `min` when left out
 */
export function bytes(min: number, max: number = min): Shape<Uint8Array> {
  return {
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
  return {
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

/**
 * A text without control characters.
 *
 * @param maxLength longest, in UTF-16 units
 */
export function text(maxLength: number): Shape<string> {
  return {
    pack: value => value,
    unpack: (raw, path) => {
      if (typeof raw !== 'string' || raw.length > maxLength || /\p{Cc}/u.test(raw)) {
        throw malformed(path, `a text of at most ${maxLength} characters without control characters`);
      }
      return raw;
    },
  };
}

/** True or false. */
export const flag: Shape<boolean> = {
  pack: value => value,
  unpack: (raw, path) => {
    if (typeof raw !== 'boolean') throw malformed(path, 'true or false');
    return raw;
  },
};

/**
 * One of a closed set of words.
 *
 * @param words the set
 */
export function word<const W extends string>(words: readonly W[]): Shape<W> {
  return {
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
 * The canonical bytes of a value.
 *
 * @param shape of the value
 * @param value one that the shape would accept
 */
export function encode<T>(shape: Shape<T>, value: T): Uint8Array<ArrayBuffer> {
  return encodeCanonical(shape.pack(value));
}

/**
 * The value that received bytes stand for.
 *
 * @param shape of the value
 * @param received from a peer or a disk: anything
 * @param maxBytes size limit, checked before anything is parsed
 * @param name of the message, for the error
 * @throws MESSAGE_TOO_LARGE over the limit; MESSAGE_MALFORMED where bytes are not canonical or not of the shape
 */
export function decode<T>(shape: Shape<T>, received: Uint8Array, maxBytes: number, name: string): T {
  return shape.unpack(decodeCanonical(received, maxBytes), name);
}
