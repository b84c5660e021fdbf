import { InvalidArgumentError } from 'commander';

/**
 * A whole number from the command line.
 *
 * @throws InvalidArgumentError when it is none
 */
export function readInteger(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}

/**
 * Collects an option that may be given several times.
 *
 * @param text of this time
 * @param earlier those before
 */
export function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}
