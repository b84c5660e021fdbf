import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellWidth, printable, toJsonLine, truncate, wrapText } from '../../src/render/text.ts';

const anyText = fc.string({ unit: 'binary' });

describe('text from outside', () => {
  it('printable leaves nothing that acts on a terminal, and printable text as it is', () => {
    fc.assert(
      fc.property(anyText, text => {
        expect(printable(text)).not.toMatch(/[\p{C}\u2028\u2029]/u);
        expect(printable(printable(text))).toBe(printable(text));
      }),
    );
  });

  it('toJsonLine is one line of printable text that parses to the document', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary', noUnicodeString: false }), document => {
        const line = toJsonLine(document);
        expect(line.slice(0, -1)).not.toMatch(/[\p{C}\u2028\u2029]/u);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(document)));
      }),
    );
  });

  it('truncate never gives more cells than asked for, and what fits as it is', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, cells) => {
        const shown = printable(text);
        const cut = truncate(shown, cells);
        expect(cellWidth(cut)).toBeLessThanOrEqual(cells);
        expect(cut === shown).toBe(cellWidth(shown) <= cells);
      }),
    );
  });

  it('wrapText keeps every word, and no line is longer than asked for unless it is one word', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, cells) => {
        const wrapped = wrapText(text, cells, '- ');
        const lines = wrapped.slice(0, -1).split('\n');
        const words = (prose: string): string[] => prose.split(/\s+/u).filter(word => word !== '');
        expect(words(wrapped.slice(2))).toEqual(words(printable(text)));
        for (const line of lines) {
          expect(line).not.toMatch(/[\p{C}\u2028\u2029]/u);
          expect(cellWidth(line) <= cells || words(line.slice(2)).length <= 1).toBe(true);
        }
      }),
    );
  });
});
