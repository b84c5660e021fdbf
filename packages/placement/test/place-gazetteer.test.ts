import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { SkerryError } from '@skerry/base';
import { describe, expect, it } from 'vitest';
import { placeTextMax } from '../src/place.ts';
import { createGazetteer } from '../src/place-gazetteer.ts';
import { CityTable, formatCities, type NamedCity } from '../src/place-table.ts';
import { isCountry, regionOf } from '../src/regions.ts';

const file = readFileSync(new URL('../data/places.br', import.meta.url));
const text = brotliDecompressSync(file).toString('utf8');
const gazetteer = createGazetteer(text);

/** The error that a text gives: "CODE message". */
function refusal(place: string, where = gazetteer): string {
  try {
    where.resolve(place);
    return 'none';
  } catch (error) {
    if (error instanceof SkerryError) return `${error.code} ${error.message}`;
    throw error;
  }
}

describe('places.br', () => {
  const table = new CityTable(text);
  const cities = Array.from({ length: table.count }, (_, row) => table.city(row));

  it('has more than 30,000 cities in less than 500 kB', () => {
    expect(cities.length).toBeGreaterThan(30_000);
    expect(file.length).toBeLessThan(500_000);
  });

  it('has a country with a region, coordinates in range and a printable, bounded name for every city', () => {
    const faulty = cities.filter(
      ({ name, country, subdivision, lat, lon, population }) =>
        !isCountry(country) ||
        regionOf(country) === '001' ||
        !/^([A-Z]{2})?$/.test(subdivision) ||
        (country === 'US') !== (subdivision !== '') ||
        !(Math.abs(lat) <= 90 && Math.abs(lon) <= 180) ||
        !(population >= 0 && Number.isInteger(population)) ||
        name === '' ||
        name.length > placeTextMax ||
        /\p{C}/u.test(name),
    );
    expect(faulty).toEqual([]);
    expect(new Set(cities.map(({ country }) => country)).size).toBeGreaterThan(240);
  });
});

describe('resolve', () => {
  it('resolves Reykjavik with and without its accent and its country', () => {
    const expected = { name: 'Reykjavík', lat: 64.14, lon: -21.9, country: 'IS', region: '154' };
    for (const name of ['Reykjavik, IS', 'Reykjavík,is', 'REYKJAVIK', ' reykjavík ', 'Reykjavi\u0301k']) {
      expect(gazetteer.resolve(name)).toEqual({ place: expected, alternatives: [] });
    }
  });

  it.each([
    ['München, DE', 'Munich', 'DE'],
    ['München', 'Munich', 'DE'],
    ['Muenchen', 'Munich', 'DE'],
    ['munich', 'Munich', 'DE'],
    ['Wien', 'Vienna', 'AT'],
    ['Köln', 'Köln', 'DE'],
    ['Koeln', 'Köln', 'DE'],
    ['Roma', 'Rome', 'IT'],
    ['Firenze', 'Florence', 'IT'],
    ['Praha', 'Prague', 'CZ'],
    ['København', 'Copenhagen', 'DK'],
    ['Moskva', 'Moscow', 'RU'],
    ['Den Haag', 'The Hague', 'NL'],
    ['New York', 'New York City', 'US'],
    ['Kiev', 'Kyiv', 'UA'],
    ['Łódź', 'Łódź', 'PL'],
    ['Biel', 'Biel/Bienne', 'CH'],
    ['London, CA', 'London', 'CA'],
    ['Vaduz', 'Vaduz', 'LI'],
  ])('resolves %s to %s, %s', (typed, name, country) => {
    expect(gazetteer.resolve(typed).place).toMatchObject({ name, country, region: regionOf(country) });
  });

  it('tells states of the United States apart', () => {
    const { place, alternatives } = gazetteer.resolve('Springfield, US-MO');
    expect(place).toEqual({ name: 'Springfield', lat: 37.22, lon: -93.3, country: 'US', region: '021' });
    expect(alternatives).toEqual([]);
    expect(gazetteer.resolve('springfield, us-il').place).toMatchObject({ lat: 39.8, lon: -89.64 });
  });

  it('takes the most populous city of an ambiguous name and gives the others, at most eight', () => {
    const { place, alternatives } = gazetteer.resolve('Springfield');
    const labels = [place, ...alternatives].map(gazetteer.labelOf);
    expect(labels.slice(0, 3)).toEqual(['Springfield, US-MO', 'Springfield, US-MA', 'Springfield, US-IL']);
    expect(gazetteer.resolve('Santa Cruz').alternatives.length).toBe(8);
  });

  it('keeps the coordinates of a point and names the nearest city', () => {
    const { place, alternatives } = gazetteer.resolve('64.15,-21.94');
    expect(place).toEqual({ name: 'Reykjavík', lat: 64.15, lon: -21.94, country: 'IS', region: '154' });
    expect(alternatives).toEqual([]);
    expect(gazetteer.resolve('48.123456,11.5').place).toMatchObject({ lat: 48.123456, country: 'DE' });
  });

  it('finds the nearest city over the date line and from the pole', () => {
    expect(gazetteer.resolve('-18.1,-179.9').place.country).toBe('FJ');
    expect(gazetteer.resolve('90,0').place.region).toBe('154');
  });

  it('suggests what may have been meant', () => {
    expect(refusal('Reykjavk')).toBe(
      'PLACE_UNKNOWN no place is known as "Reykjavk"; did you mean "Reykjavík, IS"?',
    );
    expect(refusal('Munich, FR')).toContain('did you mean "Munich, DE"');
    expect(refusal('London, UK')).toContain('did you mean "London, GB"');
    expect(refusal('Portland, OR')).toContain('did you mean "Portland, US-OR"');
    expect(refusal('Paris, France')).toContain('did you mean "Paris, FR"');
    expect(refusal('München, DE-BY')).toContain('did you mean "Munich, DE"');
  });

  it('suggests coordinates where no name is near', () => {
    expect(refusal('Qwxzyqwxzy')).toBe(
      'PLACE_UNKNOWN no place is known as "Qwxzyqwxzy"; give the nearest larger city or "lat,lon"',
    );
  });

  it('refuses what is neither name nor point', () => {
    expect(refusal('95,0')).toMatch(/^PLACE_INVALID /);
    expect(refusal('Reyk\njavik')).toMatch(/^PLACE_INVALID /);
  });
});

describe('a gazetteer of few cities', () => {
  const city = (name: string, population: number, lat: number, aliases: string[] = []): NamedCity => ({
    name,
    country: 'IS',
    subdivision: '',
    lat,
    lon: 0,
    population,
    aliases,
  });
  const small = createGazetteer(
    formatCities([
      city('Vík', 20, 10),
      city('Vík', 30, 20),
      city('Stórvík', 900, 30, ['vik']),
      city('Hverfi', 5, 30),
      city('Aa', 15, 40),
    ]),
  );

  it('puts cities of that name before more populous ones that it is another name of', () => {
    const { place, alternatives } = small.resolve('Vik');
    expect([place, ...alternatives].map(({ lat }) => lat)).toEqual([20, 10, 30]);
  });

  it('labels a city that a namesake of its country hides by its coordinates, which resolve to it', () => {
    const { place, alternatives } = small.resolve('Vik, IS');
    expect(small.labelOf(place)).toBe('Vík, IS');
    const [hidden] = alternatives;
    expect(small.labelOf(hidden!)).toBe('10,0');
    expect(small.resolve('10,0').place).toEqual(hidden);
  });

  it('labels a point that is no city by its coordinates', () => {
    expect(small.labelOf(small.resolve('10.5,0.25').place)).toBe('10.5,0.25');
  });

  it('names the most populous of cities that share coordinates', () => {
    expect(small.resolve('30,0').place.name).toBe('Stórvík');
  });

  it('suggests for a short name only what differs by one edit', () => {
    expect(refusal('Vok', small)).toContain('"Vík, IS"');
    expect(refusal('Bb', small)).not.toContain('Aa');
  });
});
