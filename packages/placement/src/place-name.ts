/** Letters that Unicode does not decompose, and how people type them on a plain keyboard. */
const plainLetters: Readonly<Record<string, string>> = {
  æ: 'ae',
  œ: 'oe',
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ı: 'i',
  ə: 'a',
};

/**
 * The form in which names of places are compared: no case, no diacritics, no apostrophes, words parted by single
 * spaces. "São Tomé", "sao tome" and "SAO-TOME" are one.
 *
 * @param names one name a line: folding 34,006 in one text takes a third of the time of folding each
 * @returns as many lines, of letters, digits and single spaces; a line is empty where its name has neither letter
 * nor digit
 */
export function foldPlaceNames(names: string): string {
  return names
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}'`‘’ʻʼʾʿ]+/gu, '')
    .replace(/[æœßøłđðþħıə]/g, letter => plainLetters[letter] ?? letter)
    .replace(/[^\p{L}\p{N}\n]+/gu, ' ')
    .replace(/^ | $/gm, '');
}

/**
 * Edits that turn one name into another: letters put in, taken out, replaced, or two neighbours swapped (optimal
 * string alignment).
 *
 * @param a a folded name
 * @param b a folded name
 * @param most edits beyond which the exact count is of no interest
 * @returns the number of edits, or most + 1 where there are more
 */
export function countEdits(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          last[column]! + 1,
          current[column - 1]! + 1,
          last[column - 1]! + (same ? 0 : 1),
          swapped ? beforeLast[column - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    if (Math.min(...current, ...last) > most) return most + 1;
    beforeLast = last;
    last = current;
  }
  return Math.min(last[b.length]!, most + 1);
}
