import { assert } from './errors.ts';

/**
 * Joins byte strings into one new buffer, in order.
 *
 * @param parts any number of buffers; none is kept
 */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Whether two byte strings are equal, looking at every byte whatever the outcome, so that the time taken tells
 * only the lengths. (JavaScript promises no constant time; this is the shape of it.)
 *
 * @param a any bytes
 * @param b any bytes
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/**
 * Orders byte strings: by their bytes, a prefix before what it begins.
 *
 * @returns negative, 0 or positive, as `Array.prototype.sort` wants
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/**
 * Writes zeros over secrets. Their owner calls it when it is done with them; copies that the engine made are
 * beyond reach.
 *
 * @param buffers buffers that the caller owns
 */
export function wipe(...buffers: readonly Uint8Array[]): void {
  for (const buffer of buffers) buffer.fill(0);
}

const digits = '0123456789abcdef';

/**
 * Lower-case hexadecimal. For public values only: a string cannot be wiped.
 *
 * @param bytes any bytes
 */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += digits[byte >> 4]! + digits[byte & 15]!;
  return text;
}

/**
 * The bytes that lower- or upper-case hexadecimal stands for, or undefined when it is not hexadecimal.
 *
 * @param text an even number of hexadecimal digits
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * The element at an index that is known to exist.
 *
 * @param list any list
 * @param index 0 to length - 1; anything else is a bug
 */
export function at<T>(list: ArrayLike<T>, index: number): T {
  assert(index >= 0 && index < list.length, 'index within the list');
  return list[index] as T;
}
