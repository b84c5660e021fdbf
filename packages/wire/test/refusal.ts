import { type ErrorCode, SkerryError } from '@skerry/base';

/** Why the work was refused; anything but a SkerryError is thrown on, and success is a failure. */
export function errorOf(work: () => unknown): SkerryError {
  try {
    work();
  } catch (error) {
    if (error instanceof SkerryError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** Why the work was refused, as `CODE: message`. */
export function refusalOf(work: () => unknown): string {
  const { code, message } = errorOf(work);
  return `${code}: ${message}`;
}

/** The code that the work was refused with. */
export function codeOf(work: () => unknown): ErrorCode {
  return errorOf(work).code;
}

/** The bytes with one bit of one byte turned over. */
export function flipped(bytes: Uint8Array, at = 0): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}
