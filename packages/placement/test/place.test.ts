import { SkerryError } from '@skerry/base';
import { describe, expect, it } from 'vitest';
import { placeTextMax, readPlaceQuery } from '../src/place.ts';

function codeOf(text: string): string {
  try {
    readPlaceQuery(text);
    return 'none';
  } catch (error) {
    return error instanceof SkerryError ? error.code : 'other';
  }
}

describe('readPlaceQuery', () => {
  it.each([
    ['64.15,-21.94', 64.15, -21.94],
    [' +64.15 ,  -21.94 ', 64.15, -21.94],
    ['90,180', 90, 180],
    ['-90,-180', -90, -180],
    ['0,0', 0, 0],
  ])('reads the point %s', (text, lat, lon) => {
    expect(readPlaceQuery(text)).toEqual({ kind: 'point', at: { lat, lon } });
  });

  it('reads minus zero as zero', () => {
    expect(readPlaceQuery('-0,-0.0')).toStrictEqual({ kind: 'point', at: { lat: 0, lon: 0 } });
  });

  it.each([
    ['Reykjavik', 'Reykjavik', '', ''],
    ['Reykjavik, IS', 'Reykjavik', 'IS', ''],
    ['Reykjavik,is ', 'Reykjavik', 'IS', ''],
    ['Springfield, us-mo', 'Springfield', 'US', 'MO'],
    ['Washington, D.C., US-DC', 'Washington, D.C.', 'US', 'DC'],
    ['Washington, DC', 'Washington, DC', '', ''],
    ['Paris, France', 'Paris, France', '', ''],
    ['6th of October City', '6th of October City', '', ''],
    ['東京, JP', '東京', 'JP', ''],
  ])('reads the name %s', (text, name, country, subdivision) => {
    expect(readPlaceQuery(text)).toEqual({ kind: 'name', name, country, subdivision });
  });

  it.each(['90.01,0', '0,180.01', '-91,0', '1', '1,2,3', '1;2', '64.15', '64.15 -21.94', ',1', '1,'])(
    'refuses %s, which is no point',
    text => {
      expect(codeOf(text)).toBe('PLACE_INVALID');
    },
  );

  it.each([
    ['nothing', ''],
    ['spaces', '   '],
    ['signs only', '?!, ,'],
    ['a line break', 'Reyk\njavik'],
    ['an escape sequence', 'Reykjavik\u001b[2J'],
    ['a C1 control', 'Reykjavik\u009b'],
    ['a turned direction', 'Reykjavik\u202e'],
    ['a lone surrogate', 'Reykjavik\ud800'],
    ['too much', 'x'.repeat(placeTextMax + 1)],
  ])('refuses %s', (_, text) => {
    expect(codeOf(text)).toBe('PLACE_INVALID');
  });

  it('takes as many characters as the limit says', () => {
    expect(codeOf('x'.repeat(placeTextMax))).toBe('none');
  });

  it('does not repeat in its message what does not print', () => {
    expect(() => readPlaceQuery('Reyk\u001b[2Javik')).toThrow(/^[^\p{C}]*$/u);
  });
});
