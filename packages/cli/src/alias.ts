import { aliasLengthMax } from '../parameters.ts';

/**
 * Whether a text may be the alias of a key: printable, with no space around it, and not to be taken for a key id.
 *
 * @param text from anywhere
 */
export function isAlias(text: string): boolean {
  return (
    text.length <= aliasLengthMax &&
    text.trim() === text &&
    /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text) &&
    !/^[0-9a-f]{64}$/i.test(text)
  );
}
