import { decode, encodeInto, Tokenizer, Type } from 'cborg';
import { canonicalDepthMax, canonicalItemsMax } from '../parameters.ts';
import { equalBytes } from './bytes.ts';
import { assert, SkerryError } from './errors.ts';

/**
 * What can be encoded: safe integers, byte strings, text, booleans, null, and arrays of them. No maps, no floats,
 * no undefined, no tags: so one value has one encoding (RFC 8949 section 4.2.1).
 */
export type Encodable = number | Uint8Array | string | boolean | null | readonly Encodable[];

const byteOrderMark = '\uFEFF';

/** Bytes of a head (RFC 8949 section 3): of an integer, or of the length of what follows. */
function headLength(value: number): number {
  if (value < 24) return 1;
  if (value < 2 ** 8) return 2;
  if (value < 2 ** 16) return 3;
  return value < 2 ** 32 ? 5 : 9;
}

/** Bytes of a text in UTF-8. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // each half of a pair has two bytes of the four
    if (unit >= 0x80) length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return length;
}

/** What is counted of a value while it is looked at. */
type Tally = { items: number; bytes: number };

/** Throws unless a value is `Encodable`, and within the limits of depth and items that decoding sets too. */
function checkCanonical(value: unknown, depth: number, tally: Tally): void {
  if (++tally.items > canonicalItemsMax) throw malformed('an encoding has too many items');
  if (value === null || typeof value === 'boolean') tally.bytes += 1;
  else if (value instanceof Uint8Array) tally.bytes += headLength(value.length) + value.length;
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0))
      throw malformed('a number is not a safe integer');
    tally.bytes += headLength(value < 0 ? -1 - value : value);
  } else if (typeof value === 'string') {
    // A lone surrogate has no UTF-8 form, and a decoder drops a leading byte order mark: neither would come back.
    if (!value.isWellFormed() || value.startsWith(byteOrderMark)) throw malformed('a text has no UTF-8 form');
    const length = utf8Length(value);
    tally.bytes += headLength(length) + length;
  } else {
    if (!Array.isArray(value)) throw malformed('a value has no canonical encoding');
    if (depth === canonicalDepthMax) throw malformed('an encoding is nested too deeply');
    tally.bytes += headLength(value.length);
    for (const element of value) checkCanonical(element, depth + 1, tally);
  }
}

function malformed(message: string, cause?: unknown): SkerryError {
  return new SkerryError('MESSAGE_MALFORMED', message, {}, cause);
}

/**
 * The one encoding of a value: deterministic CBOR (RFC 8949 section 4.2.1; docs/PROTOCOL.md, encoding). Different
 * values have different encodings, and `decodeCanonical` returns an equal value.
 *
 * The bytes are written straight into the returned buffer, so that wiping it wipes the only copy made here.
 *
 * @param value stays the caller's
 * @returns a buffer of exactly the encoding's length, owned by the caller
 * @throws MESSAGE_MALFORMED for a value that is not `Encodable` (an unsafe integer, -0, text without a UTF-8 form or
 *   with a leading byte order mark), nested deeper than `canonicalDepthMax` or of more than `canonicalItemsMax` items
 *
 * @example
 * toHex(encodeCanonical([1, 'a', new Uint8Array([255])])); // '83016161' + '41ff'
 */
export function encodeCanonical(value: Encodable): Uint8Array<ArrayBuffer> {
  const tally = { items: 0, bytes: 0 };
  checkCanonical(value, 0, tally);
  const bytes = new Uint8Array(tally.bytes);
  const { written } = encodeInto(value, bytes);
  assert(written === bytes.length, 'an encoding has the length computed for it');
  return bytes;
}

/**
 * What is hashed, signed or fed to a key derivation: `["skerry/<name>/v1", ...fields]`, encoded. Preimages of
 * different names or fields are different (docs/PROTOCOL.md, encoding).
 *
 * @param name what the bytes are for: lower-case words joined by hyphens; anything else is a bug
 * @param fields as the protocol lists them, in order
 * @returns bytes owned by the caller
 * @throws MESSAGE_MALFORMED as `encodeCanonical`
 *
 * @example
 * const keyId = crypto.sha256(preimage('key-id', authority, nonce));
 */
export function preimage(name: string, ...fields: readonly Encodable[]): Uint8Array<ArrayBuffer> {
  assert(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name), 'the name of a preimage is lower-case words');
  return encodeCanonical([`skerry/${name}/v1`, ...fields]);
}

const decodeOptions = { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false };

const allowedTypes: ReadonlySet<unknown> = new Set([
  Type.uint,
  Type.negint,
  Type.bytes,
  Type.string,
  Type.array,
  Type.true,
  Type.false,
  Type.null,
]);

/** Reads tokens of the allowed types only, and stops at the limits of depth and items. */
class BoundedTokenizer extends Tokenizer {
  /** How many elements each open array still lacks, the outermost first. */
  private readonly missing: number[] = [];
  private items = 0;

  override next(): ReturnType<Tokenizer['next']> {
    const token = super.next();
    if (!allowedTypes.has(token.type)) throw new Error('an item is of a type that is not allowed');
    if (++this.items > canonicalItemsMax) throw new Error('too many items');
    const { missing } = this;
    if (missing.length > 0) missing[missing.length - 1]!--;
    if (token.type === Type.array) missing.push(token.value as number);
    if (missing.length > canonicalDepthMax) throw new Error('nested too deeply');
    while (missing.at(-1) === 0) missing.pop();
    return token;
  }
}

/**
 * The value that bytes from a peer or a disk encode, where they are its one canonical encoding: shortest lengths, no
 * trailing bytes, definite lengths, valid UTF-8, arrays only, within the limits of depth and items.
 *
 * @param bytes anything; byte strings in the result are copies
 * @param bytesMax bytes that such a message may have
 * @throws MESSAGE_TOO_LARGE over `bytesMax`
 * @throws MESSAGE_MALFORMED for anything that `encodeCanonical` would not have written
 */
export function decodeCanonical(bytes: Uint8Array, bytesMax: number): Encodable {
  if (bytes.length > bytesMax) {
    throw new SkerryError('MESSAGE_TOO_LARGE', '', { bytes: bytes.length, bytesMax });
  }
  let value: Encodable;
  try {
    const tokenizer = new BoundedTokenizer(bytes, decodeOptions);
    value = decode(bytes, { ...decodeOptions, tokenizer }) as Encodable;
  } catch (error) {
    throw malformed('', error);
  }
  if (!equalBytes(encodeCanonical(value), bytes)) throw malformed('the encoding is not the canonical one');
  return value;
}
