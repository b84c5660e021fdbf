import { describe, expect, it } from 'vitest';
import { countEdits, foldPlaceNames } from '../src/place-name.ts';

describe('foldPlaceNames', () => {
  it.each([
    ['München', 'munchen'],
    ['Mu\u0308nchen', 'munchen'],
    ['REYKJAVÍK', 'reykjavik'],
    ['São Tomé', 'sao tome'],
    ['sao-tome', 'sao tome'],
    ['Tromsø', 'tromso'],
    ['Łódź', 'lodz'],
    ['Gießen', 'giessen'],
    ['İstanbul', 'istanbul'],
    ['Diyarbakır', 'diyarbakir'],
    ["'s-Hertogenbosch", 's hertogenbosch'],
    ['Nuku‘alofa', 'nukualofa'],
    ['  St.  Louis ', 'st louis'],
    ['Biel/Bienne', 'biel bienne'],
    ['東京', '東京'],
    ['...', ''],
  ])('folds %s to %s', (name, folded) => {
    expect(foldPlaceNames(name)).toBe(folded);
  });

  it('folds each line of a text by itself and keeps empty ones', () => {
    expect(foldPlaceNames('Zürich \n\n (Halle)\n?')).toBe('zurich\n\nhalle\n');
  });
});

describe('countEdits', () => {
  it.each([
    ['', '', 0],
    ['paris', 'paris', 0],
    ['pari', 'paris', 1],
    ['pariss', 'paris', 1],
    ['baris', 'paris', 1],
    ['prais', 'paris', 1],
    ['', 'ab', 2],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('counts from "%s" to "%s" %i', (a, b, edits) => {
    expect(countEdits(a, b, 5)).toBe(edits);
    expect(countEdits(b, a, 5)).toBe(edits);
  });

  it('says one more than the most when there are more', () => {
    expect(countEdits('kitten', 'sitting', 2)).toBe(3);
    expect(countEdits('abcdef', 'uvwxyz', 2)).toBe(3);
    expect(countEdits('a', 'abcdefgh', 2)).toBe(3);
  });
});
