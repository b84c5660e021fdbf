/** M49 code of the world: the region of a country that is not known. */
const world = '001';

/**
 * Name and countries (ISO 3166-1 alpha-2) of each region, by its code in UN M49, Standard Country or Area Codes for
 * Statistical Use. Where M49 divides a subregion into intermediate regions (sub-Saharan Africa, Latin America and
 * the Caribbean), these stand in its place: finer, and of the size of the others. Not from M49: Taiwan (TW), which it
 * does not list, stands with Eastern Asia; Kosovo (XK, a user-assigned code) with Southern Europe; Antarctica, which
 * it puts in no region, is its own.
 */
const regionTable: Readonly<Record<string, readonly [name: string, countries: string]>> = {
  [world]: ['World', ''],
  '005': ['South America', 'AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE'],
  '010': ['Antarctica', 'AQ'],
  '011': ['Western Africa', 'BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG'],
  '013': ['Central America', 'BZ CR GT HN MX NI PA SV'],
  '014': ['Eastern Africa', 'BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW'],
  '015': ['Northern Africa', 'DZ EG EH LY MA SD TN'],
  '017': ['Middle Africa', 'AO CD CF CG CM GA GQ ST TD'],
  '018': ['Southern Africa', 'BW LS NA SZ ZA'],
  '021': ['Northern America', 'BM CA GL PM US'],
  '029': ['Caribbean', 'AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI'],
  '030': ['Eastern Asia', 'CN HK JP KP KR MN MO TW'],
  '034': ['Southern Asia', 'AF BD BT IN IR LK MV NP PK'],
  '035': ['South-eastern Asia', 'BN ID KH LA MM MY PH SG TH TL VN'],
  '039': ['Southern Europe', 'AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA XK'],
  '053': ['Australia and New Zealand', 'AU CC CX HM NF NZ'],
  '054': ['Melanesia', 'FJ NC PG SB VU'],
  '057': ['Micronesia', 'FM GU KI MH MP NR PW UM'],
  '061': ['Polynesia', 'AS CK NU PF PN TK TO TV WF WS'],
  '143': ['Central Asia', 'KG KZ TJ TM UZ'],
  '145': ['Western Asia', 'AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE'],
  '151': ['Eastern Europe', 'BG BY CZ HU MD PL RO RU SK UA'],
  '154': ['Northern Europe', 'AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ'],
  '155': ['Western Europe', 'AT BE CH DE FR LI LU MC NL'],
};

const regionsByCountry: ReadonlyMap<string, string> = new Map(
  Object.entries(regionTable).flatMap(([code, [, countries]]) =>
    countries.split(' ').map(country => [country, code] as const),
  ),
);

/**
 * The region in which a country counts for placement (docs/PROTOCOL.md, sizing and placement: what one disaster,
 * grid or jurisdiction may take at once).
 *
 * @param country ISO 3166-1 alpha-2, upper case
 * @returns a UN M49 code of three digits; '001', the world, for a country that is not known
 */
export function regionOf(country: string): string {
  return country === '' ? world : (regionsByCountry.get(country) ?? world);
}

/**
 * Whether a code is a country's, as `regionOf` knows them.
 *
 * @param country any string; only upper case matches
 */
export function isCountry(country: string): boolean {
  return country !== '' && regionsByCountry.has(country);
}

/**
 * The English name of a region, for people.
 *
 * @param region a code that `regionOf` may return; anything else is given back as it is, for it came from a peer
 */
export function regionName(region: string): string {
  const row = Object.hasOwn(regionTable, region) ? regionTable[region] : undefined;
  return row === undefined ? region : row[0];
}
