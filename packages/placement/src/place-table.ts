import { assert } from '@skerry/base';
import { foldPlaceNames } from './place-name.ts';

/** A city of the gazetteer. */
export type City = {
  /** GeoNames' main name: English where it has one, else local; no control characters. */
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** The state's letters in the United States, as in ISO 3166-2; '' elsewhere. */
  readonly subdivision: string;
  /** Degrees north; the file keeps hundredths (0.01 degrees are at most 1.1 km). */
  readonly lat: number;
  /** Degrees east; the file keeps hundredths. */
  readonly lon: number;
  /** People, in whole thousands. */
  readonly population: number;
};

/** A city and its other names, folded by `foldPlaceNames`; its folded main name is not among them. */
export type NamedCity = City & { readonly aliases: readonly string[] };

const header = 'skerry places 1';
const columnSeparator = '\f';

/**
 * The gazetteer's file: a header and six columns of one line for each city: name, country (with the subdivision after
 * a hyphen), latitude and longitude in hundredths of a degree, population in thousands, and aliases, each between
 * tabs. Columns compress a fifth better than rows, and a column that nobody asks for need not be parsed.
 *
 * @param cities at least one, in any order; sorted by country and longitude they compress best
 * @returns text that `CityTable` reads
 */
export function formatCities(cities: readonly NamedCity[]): string {
  assert(
    cities.every(city => !/\p{C}/u.test(city.name + city.aliases.join(''))),
    'no control characters in names',
  );
  const columns: ((city: NamedCity) => string)[] = [
    city => city.name,
    city => (city.subdivision === '' ? city.country : `${city.country}-${city.subdivision}`),
    city => String(Math.round(city.lat * 100)),
    city => String(Math.round(city.lon * 100)),
    city => String(city.population),
    city => (city.aliases.length === 0 ? '' : `\t${city.aliases.join('\t')}\t`),
  ];
  return [header, ...columns.map(column => cities.map(column).join('\n'))].join(columnSeparator);
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function rowsWhere(lines: readonly string[], matches: (line: string) => boolean): number[] {
  return lines.flatMap((line, row) => (matches(line) ? [row] : []));
}

/** The cities of a gazetteer's file by row, 0 to count - 1. Columns are parsed when first asked for. */
export class CityTable {
  readonly #columns: readonly (() => string[])[];
  readonly #foldedNames: () => string[];

  /** @param text what `formatCities` made; anything else is a bug, for the file comes with this package */
  constructor(text: string) {
    const [first, ...columns] = text.split(columnSeparator);
    assert(first === header && columns.length === 6, 'a whole gazetteer of version 1');
    this.#columns = columns.map(column => lazily(() => column.split('\n')));
    this.#foldedNames = lazily(() => foldPlaceNames(columns[0]!).split('\n'));
  }

  #column(index: number): string[] {
    return this.#columns[index]!();
  }

  /** The number of cities. */
  get count(): number {
    return this.#column(0).length;
  }

  /** The city of a row. */
  city(row: number): City {
    assert(row >= 0 && row < this.count, 'a row of the table');
    const code = this.#column(1)[row]!;
    return {
      name: this.#column(0)[row]!,
      country: code.slice(0, 2),
      subdivision: code.slice(3),
      lat: Number(this.#column(2)[row]) / 100,
      lon: Number(this.#column(3)[row]) / 100,
      population: Number(this.#column(4)[row]),
    };
  }

  /** Rows of the cities whose main name folds to this. */
  rowsNamed(folded: string): number[] {
    return rowsWhere(this.#foldedNames(), name => name === folded);
  }

  /** Rows of the cities that have this among their aliases. */
  rowsAliased(folded: string): number[] {
    return rowsWhere(this.#column(5), aliases => aliases.includes(`\t${folded}\t`));
  }

  /** Folded main name and aliases of a row. */
  foldedNames(row: number): string[] {
    const aliases = this.#column(5)[row]!;
    return [this.#foldedNames()[row]!, ...aliases.split('\t').filter(alias => alias !== '')];
  }
}
