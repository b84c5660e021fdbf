import { toHex } from '@skerry/base';

/** Whether each number is greater than the one before: ascending, and none twice. */
export function ascends(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
}

/** Whether no byte string stands twice. */
export function areDistinct(list: readonly Uint8Array[]): boolean {
  return new Set(list.map(toHex)).size === list.length;
}
