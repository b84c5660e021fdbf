import { AssertionError } from '@skerry/base';
import { describe, expect, it } from 'vitest';
import { CityTable, formatCities, type NamedCity } from '../src/place-table.ts';

const munich: NamedCity = {
  name: 'München',
  country: 'DE',
  subdivision: '',
  lat: 48.137,
  lon: 11.575,
  population: 1505,
  aliases: ['munich', 'monaco di baviera'],
};
const salem: NamedCity = {
  name: 'Salem',
  country: 'US',
  subdivision: 'OR',
  lat: 44.94,
  lon: -123.04,
  population: 164,
  aliases: [],
};

describe('CityTable', () => {
  const table = new CityTable(formatCities([munich, salem]));

  it('gives back the cities that were formatted, their coordinates in hundredths', () => {
    const { aliases: _, ...city } = salem;
    expect(table.count).toBe(2);
    expect(table.city(0)).toMatchObject({
      name: 'München',
      country: 'DE',
      subdivision: '',
      lat: 48.14,
      lon: 11.58,
    });
    expect(table.city(1)).toEqual(city);
    expect(table.foldedNames(0)).toEqual(['munchen', 'munich', 'monaco di baviera']);
    expect(table.foldedNames(1)).toEqual(['salem']);
  });

  it('finds rows by whole names and whole aliases only', () => {
    expect(table.rowsNamed('munchen')).toEqual([0]);
    expect(table.rowsNamed('munch')).toEqual([]);
    expect(table.rowsAliased('munich')).toEqual([0]);
    expect(table.rowsAliased('monaco')).toEqual([]);
    expect(table.rowsAliased('munchen')).toEqual([]);
    expect(table.rowsAliased('')).toEqual([]);
  });

  it('takes a text that is not whole, or of another version, for a bug', () => {
    const text = formatCities([munich, salem]);
    expect(() => new CityTable('')).toThrow(AssertionError);
    expect(() => new CityTable(text.replace('1', '2'))).toThrow(AssertionError);
    expect(() => new CityTable(text.slice(0, text.lastIndexOf('\f')))).toThrow(AssertionError);
    expect(() => table.city(2)).toThrow(AssertionError);
  });
});

describe('formatCities', () => {
  it('takes a control character in a name for a bug', () => {
    expect(() => formatCities([{ ...salem, name: 'Sa\nlem' }])).toThrow(AssertionError);
    expect(() => formatCities([{ ...salem, aliases: ['a\tb'] }])).toThrow(AssertionError);
  });
});
