import { SkerryError } from '@skerry/base';
import type { Coordinates } from './geography.ts';
import { isCountry } from './regions.ts';

/** Where a node says that it is. */
export type Place = {
  /** Name of the city, or of the nearest known one; at most `placeTextMax` characters, none of them control. */
  readonly name: string;
  /** Degrees north, -90..90. */
  readonly lat: number;
  /** Degrees east, -180..180. */
  readonly lon: number;
  /** ISO 3166-1 alpha-2, upper case; '' when unknown. */
  readonly country: string;
  /** UN M49 code of three digits, as `regionOf` gives it. */
  readonly region: string;
};

/** Characters (UTF-16 units) of a text that names a place, at most; the longest name in the gazetteer has 57. */
export const placeTextMax = 128;

/** What a text that names a place says: a point, or a name, perhaps with its country and subdivision. */
export type PlaceQuery =
  | { readonly kind: 'point'; readonly at: Coordinates }
  | {
      readonly kind: 'name';
      readonly name: string;
      /** ISO 3166-1 alpha-2, or '' for any. */
      readonly country: string;
      /** ISO 3166-2 without the country, or '' for any. */
      readonly subdivision: string;
    };

const number = String.raw`([+-]?\d{1,3}(?:\.\d{1,15})?)`;
const pointPattern = new RegExp(String.raw`^\s*${number}\s*,\s*${number}\s*$`);
const qualifiedPattern = /^(.*),\s*([a-z]{2})(?:-([a-z0-9]{1,3}))?\s*$/i;

function readPoint(text: string): PlaceQuery {
  const [, latText, lonText] = pointPattern.exec(text) ?? [];
  // Adding zero turns -0, which not every codec can tell from 0, into 0.
  const lat = Number(latText) + 0;
  const lon = Number(lonText) + 0;
  if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) {
    throw new SkerryError(
      'PLACE_INVALID',
      `"${text}" is not a latitude -90..90 and a longitude -180..180, as in "64.15,-21.94"`,
      { text },
    );
  }
  return { kind: 'point', at: { lat, lon } };
}

/**
 * Reads what a person typed: "64.15,-21.94", "Reykjavik", "Reykjavik, IS" or "Springfield, US-MO". A text without
 * any letter is a point. What follows the last comma is a country only if there is such a country.
 *
 * @param text what was typed; not trusted
 * @throws PLACE_INVALID when it is empty, longer than `placeTextMax`, has characters that do not print (Unicode
 * category C), or is a point out of range
 */
export function readPlaceQuery(text: string): PlaceQuery {
  if (text.length > placeTextMax || /\p{C}/u.test(text) || !/[\p{L}\p{N}]/u.test(text)) {
    throw new SkerryError(
      'PLACE_INVALID',
      `a place has 1 to ${placeTextMax} printable characters, as in "Reykjavik, IS" or "64.15,-21.94"`,
      { length: text.length },
    );
  }
  if (!/\p{L}/u.test(text)) return readPoint(text);
  const [, name = '', country = '', subdivision = ''] = qualifiedPattern.exec(text) ?? [];
  return isCountry(country.toUpperCase())
    ? { kind: 'name', name, country: country.toUpperCase(), subdivision: subdivision.toUpperCase() }
    : { kind: 'name', name: text, country: '', subdivision: '' };
}
