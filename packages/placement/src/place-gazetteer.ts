import { SkerryError } from '@skerry/base';
import { type Coordinates, greatCircleKm } from './geography.ts';
import { type Place, type PlaceQuery, readPlaceQuery } from './place.ts';
import { countEdits, foldPlaceNames } from './place-name.ts';
import { type City, CityTable } from './place-table.ts';
import { regionOf } from './regions.ts';

/** Alternatives of an ambiguous name, at most: what a person reads in a terminal. */
const alternativesMax = 8;

/** Suggestions for an unknown name, at most. */
const suggestionsMax = 3;

/** Edits by which a suggestion may differ from what was typed; one for names of up to four letters. */
const editsMax = 2;

/** Places by name, offline. */
export type Gazetteer = {
  /**
   * Where a text says. Names are compared without case and diacritics. Cities whose main name it is come first, then
   * those that it is another name of ("München"), each by falling population: the first is the place, the others are
   * the alternatives, at most eight. A point keeps its exact coordinates and takes name, country and region from the
   * nearest known city, however far that is.
   *
   * @param text "Reykjavik", "Reykjavik, IS", "Springfield, US-MO" (ISO 3166-2, in the United States only) or
   * "64.15,-21.94" (degrees north, degrees east)
   * @throws PLACE_INVALID when the text is empty, over `placeTextMax` characters or not printable, or the point is
   * out of range
   * @throws PLACE_UNKNOWN when no city has the name; the message suggests the nearest names
   */
  readonly resolve: (text: string) => { place: Place; alternatives: Place[] };
  /**
   * The text that resolves to this very place: "Springfield, US-MO", "Munich, DE", or its coordinates where a more
   * populous namesake stands before it or it is a point. (Of two cities in one hundredth of a degree, coordinates
   * name the more populous.)
   *
   * @param place as `resolve` gave it
   */
  readonly labelOf: (place: Place) => string;
};

type NameQuery = Extract<PlaceQuery, { kind: 'name' }>;

function placeOf({ name, lat, lon, country }: City): Place {
  return { name, lat, lon, country, region: regionOf(country) };
}

/** The city next to a point; of those that share rounded coordinates (a city and its districts) the most populous. */
function nearestCity(table: CityTable, point: Coordinates): City {
  let nearest = table.city(0);
  let nearestKm = greatCircleKm(nearest, point);
  for (let row = 1; row < table.count; row++) {
    const city = table.city(row);
    const km = greatCircleKm(city, point);
    if (km < nearestKm || (km === nearestKm && city.population > nearest.population)) {
      nearest = city;
      nearestKm = km;
    }
  }
  return nearest;
}

/** Cities that a query may mean, the most likely first. */
function matchCities(table: CityTable, { name, country, subdivision }: NameQuery): City[] {
  const pick = (rows: number[]): City[] =>
    rows
      .map(row => table.city(row))
      .filter(city => country === '' || city.country === country)
      .filter(city => subdivision === '' || city.subdivision === subdivision)
      .sort((a, b) => b.population - a.population);
  const folded = foldPlaceNames(name);
  // Who has no umlauts at hand types ae, oe, ue for what folds to a, o, u.
  for (const spelling of new Set([folded, folded.replace(/([aou])e/g, '$1')])) {
    const cities = [...pick(table.rowsNamed(spelling)), ...pick(table.rowsAliased(spelling))];
    if (cities.length > 0) return cities;
  }
  return [];
}

/** The most populous cities of the nearest names to one that nothing matches: the same name elsewhere, above all. */
function suggestCities(table: CityTable, query: NameQuery): City[] {
  const folded = foldPlaceNames(query.name.replace(/,.*/, ''));
  let fewest = folded.length <= 4 ? 1 : editsMax;
  let rows: number[] = [];
  for (let row = 0; row < table.count; row++) {
    const edits = Math.min(...table.foldedNames(row).map(name => countEdits(folded, name, fewest)));
    if (edits > fewest) continue;
    if (edits < fewest) rows = [];
    fewest = edits;
    rows.push(row);
  }
  return rows
    .map(row => table.city(row))
    .sort((a, b) => b.population - a.population)
    .slice(0, suggestionsMax);
}

function labelPlace(table: CityTable, place: Place): string {
  const city = table
    .rowsNamed(foldPlaceNames(place.name))
    .map(row => table.city(row))
    .find(({ lat, lon, country }) => lat === place.lat && lon === place.lon && country === place.country);
  if (city !== undefined) {
    const { name, country, subdivision } = city;
    const [first] = matchCities(table, { kind: 'name', name, country, subdivision });
    if (first?.lat === city.lat && first.lon === city.lon && first.name === city.name) {
      return subdivision === '' ? `${name}, ${country}` : `${name}, ${country}-${subdivision}`;
    }
  }
  return `${place.lat},${place.lon}`;
}

function unknownPlace(table: CityTable, text: string, query: NameQuery): SkerryError {
  const labels = suggestCities(table, query).map(city => `"${labelPlace(table, placeOf(city))}"`);
  const advice =
    labels.length === 0
      ? 'give the nearest larger city or "lat,lon"'
      : `did you mean ${labels.join(' or ')}?`;
  return new SkerryError('PLACE_UNKNOWN', `no place is known as "${text}"; ${advice}`, { text });
}

/**
 * A gazetteer over the cities of a file: `data/places.br` of this package has 34,006, every one of 15,000 people or
 * more and the smaller capitals. Making it is cheap; the first name and the first point each cost tens of
 * milliseconds, an unknown name a tenth of a second.
 *
 * @param text the decompressed file, decoded as UTF-8; one that is not whole is a bug
 * @example
 * const { place, alternatives } = createGazetteer(text).resolve('Springfield, US-MO');
 */
export function createGazetteer(text: string): Gazetteer {
  const table = new CityTable(text);
  return {
    resolve: text => {
      const query = readPlaceQuery(text);
      if (query.kind === 'point') {
        return { place: { ...placeOf(nearestCity(table, query.at)), ...query.at }, alternatives: [] };
      }
      const [first, ...others] = matchCities(table, query);
      if (first === undefined) throw unknownPlace(table, text, query);
      return { place: placeOf(first), alternatives: others.slice(0, alternativesMax).map(placeOf) };
    },
    labelOf: place => labelPlace(table, place),
  };
}
