import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { SkerryError } from '@skerry/base';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGazetteer } from '../src/place-gazetteer.ts';
import { CityTable, formatCities } from '../src/place-table.ts';

const file = readFileSync(new URL('../data/places.br', import.meta.url));
const text = brotliDecompressSync(file).toString('utf8');
const gazetteer = createGazetteer(text);
const table = new CityTable(text);
/** Every hundredth city: unknown names are slow to suggest for among all of them. */
const few = createGazetteer(
  formatCities(
    Array.from({ length: Math.floor(table.count / 100) }, (_, index) => ({
      ...table.city(index * 100),
      aliases: table.foldedNames(index * 100).slice(1),
    })),
  ),
);

/** The country that a text resolves to, or the code that it is refused with. */
function outcome(typed: string): string {
  try {
    return few.resolve(typed).place.country;
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  }
}

describe('resolve', () => {
  it('finds any city by its name and country, and by the label it gives it', () => {
    fc.assert(
      fc.property(fc.nat({ max: table.count - 1 }), row => {
        const { name, country } = table.city(row);
        const { place } = gazetteer.resolve(`${name}, ${country}`);
        expect(place).toMatchObject({ name: expect.any(String), country });
        expect(gazetteer.resolve(gazetteer.labelOf(place)).place).toEqual(place);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps any point as it is', () => {
    const lat = fc.double({ min: -90, max: 90, noNaN: true }).map(value => Number(value.toFixed(6)) + 0);
    const lon = fc.double({ min: -180, max: 180, noNaN: true }).map(value => Number(value.toFixed(6)) + 0);
    fc.assert(
      fc.property(lat, lon, (lat, lon) => {
        const { place } = gazetteer.resolve(`${lat.toFixed(6)},${lon.toFixed(6)}`);
        expect({ lat: place.lat, lon: place.lon }).toStrictEqual({ lat, lon });
        expect(place.region).toMatch(/^\d{3}$/);
      }),
      { numRuns: 20 },
    );
  });

  it('answers any text with a place or one of its two errors', () => {
    const letter = fc.constantFrom(...Array.from('aeiknrstvüØ東IS ,-.19\n'));
    fc.assert(
      fc.property(fc.string({ unit: letter, maxLength: 24 }), typed => {
        expect(outcome(typed)).toMatch(/^([A-Z]{2}|PLACE_UNKNOWN|PLACE_INVALID)$/);
      }),
    );
  });
});
