import { styleText } from 'node:util';

/** Looks that text may have on a terminal. */
export type Look = Parameters<typeof styleText>[0];

/** Gives text a look, or gives it back as it is. */
export type Paint = (look: Look, text: string) => string;

/**
 * Makes a `Paint`.
 *
 * @param color whether escape sequences may be written, as `takesColor` tells
 */
export function createPaint(color: boolean): Paint {
  return color ? (look, text) => styleText(look, text, { validateStream: false }) : (_look, text) => text;
}

/**
 * Text from outside made safe for a terminal's line: control and formatting characters (escape sequences, changes
 * of writing direction, line breaks) become U+FFFD.
 *
 * @param text from anywhere
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}

/**
 * A document as one line of JSON in which no character acts on a terminal; any parser reads it as it was.
 *
 * @param document plain data
 */
export function toJsonLine(document: unknown): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const escapeAll = (text: string): string => text.replace(/[^]/g, escape);
  return `${JSON.stringify(document).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeAll)}\n`;
}

let segmenter: Intl.Segmenter | undefined;

/** A text's graphemes. The segmenter takes 20 ms to make, which most commands need not pay. */
function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

function widthOf(grapheme: string): number {
  if (/^\p{M}+$/u.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

/**
 * Cells that a text takes on a terminal: two for East Asian wide characters and emoji, none for combining marks.
 *
 * @param text without escape sequences
 */
export function cellWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += widthOf(segment);
  return width;
}

/**
 * A text cut to so many cells, with an ellipsis in the last where something was cut.
 *
 * @param text without escape sequences
 * @param cells 1 or more
 */
export function truncate(text: string, cells: number): string {
  if (cellWidth(text) <= cells) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of graphemesOf(text)) {
    width += widthOf(segment);
    if (width > cells - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/**
 * Prose broken into lines at its spaces; a word that is too long for a line has one of its own, uncut. The text is made
 * safe for a terminal first.
 *
 * @param text from anywhere; it is broken at its single spaces
 * @param cells of a line, with what it begins with; undefined for any
 * @param first what the first line begins with
 * @param rest what each other line begins with
 * @returns lines, each ended by a line feed; at least one
 */
export function wrapText(
  text: string,
  cells: number | undefined,
  first: string,
  rest: string = ' '.repeat(cellWidth(first)),
): string {
  const lines = [first];
  let isEmpty = true;
  for (const word of printable(text).split(' ')) {
    const line = lines.at(-1)!;
    const longer = isEmpty ? line + word : `${line} ${word}`;
    if (isEmpty || cellWidth(longer) <= (cells ?? Number.POSITIVE_INFINITY)) lines[lines.length - 1] = longer;
    else lines.push(rest + word);
    isEmpty = false;
  }
  return lines.map(line => `${line.trimEnd()}\n`).join('');
}
