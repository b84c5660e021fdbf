import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countEdits, foldPlaceNames } from '../src/place-name.ts';

describe('foldPlaceNames', () => {
  it('changes nothing the second time, keeps the number of lines, and does not care for the form of accents', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        const folded = foldPlaceNames(text);
        expect(foldPlaceNames(folded)).toBe(folded);
        expect(folded.split('\n').length).toBe(text.split('\n').length);
        expect(foldPlaceNames(text.normalize('NFD'))).toBe(foldPlaceNames(text.normalize('NFC')));
      }),
    );
  });
});

/** Optimal string alignment by its recursive definition. */
function slowEdits(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const ways = [
    slowEdits(a.slice(1), b) + 1,
    slowEdits(a, b.slice(1)) + 1,
    slowEdits(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  ];
  if (a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0])
    ways.push(slowEdits(a.slice(2), b.slice(2)) + 1);
  return Math.min(...ways);
}

describe('countEdits', () => {
  it('agrees with the recursive definition, whatever the bound', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 5 });
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 5 }), (a, b, most) => {
        expect(countEdits(a, b, most)).toBe(Math.min(slowEdits(a, b), most + 1));
      }),
    );
  });
});
