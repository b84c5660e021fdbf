import { describe, expect, it } from 'vitest';
import { isCountry, regionName, regionOf } from '../src/regions.ts';

/** Every officially assigned code of ISO 3166-1 (249), and XK. */
const countries = `
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
  CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
  GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
  KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
  MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
  SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
  UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK`
  .trim()
  .split(/\s+/);

/** How many countries M49 (as of 2024) lists in each region, with what it leaves out as `regions.ts` says. */
const sizes = {
  '005': 16,
  '010': 1,
  '011': 17,
  '013': 8,
  '014': 22,
  '015': 7,
  '017': 9,
  '018': 5,
  '021': 5,
  '029': 28,
  '030': 8,
  '034': 9,
  '035': 11,
  '039': 17,
  '053': 6,
  '054': 5,
  '057': 8,
  '061': 10,
  '143': 5,
  '145': 18,
  '151': 10,
  '154': 16,
  '155': 9,
};

describe('regionOf', () => {
  it('knows the region of all 249 countries of ISO 3166-1 and of Kosovo, and no other', () => {
    expect(new Set(countries).size).toBe(250);
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
    const known = letters.flatMap(a => letters.map(b => a + b)).filter(isCountry);
    expect(known).toEqual([...countries].sort());
  });

  it('puts as many countries into each region as M49 does', () => {
    const counted: Record<string, number> = {};
    for (const country of countries) counted[regionOf(country)] = (counted[regionOf(country)] ?? 0) + 1;
    expect(counted).toEqual(sizes);
  });

  it.each([
    ['IS', '154', 'Northern Europe'],
    ['EE', '154', 'Northern Europe'],
    ['DE', '155', 'Western Europe'],
    ['PL', '151', 'Eastern Europe'],
    ['RU', '151', 'Eastern Europe'],
    ['HR', '039', 'Southern Europe'],
    ['CY', '145', 'Western Asia'],
    ['IR', '034', 'Southern Asia'],
    ['KZ', '143', 'Central Asia'],
    ['TW', '030', 'Eastern Asia'],
    ['TL', '035', 'South-eastern Asia'],
    ['SD', '015', 'Northern Africa'],
    ['SS', '014', 'Eastern Africa'],
    ['AO', '017', 'Middle Africa'],
    ['SH', '011', 'Western Africa'],
    ['SZ', '018', 'Southern Africa'],
    ['US', '021', 'Northern America'],
    ['GL', '021', 'Northern America'],
    ['MX', '013', 'Central America'],
    ['PR', '029', 'Caribbean'],
    ['GF', '005', 'South America'],
    ['NZ', '053', 'Australia and New Zealand'],
    ['FJ', '054', 'Melanesia'],
    ['GU', '057', 'Micronesia'],
    ['WS', '061', 'Polynesia'],
    ['AQ', '010', 'Antarctica'],
  ])('puts %s into %s, %s', (country, region, name) => {
    expect(regionOf(country)).toBe(region);
    expect(regionName(region)).toBe(name);
  });

  it('gives the world for a country that is unknown, lower case or a name of Object.prototype', () => {
    for (const country of ['', 'XX', 'is', 'toString']) {
      expect(regionOf(country)).toBe('001');
      expect(isCountry(country)).toBe(false);
    }
    expect(regionName('001')).toBe('World');
  });
});

describe('regionName', () => {
  it('gives back what is no code of a region', () => {
    expect(regionName('999')).toBe('999');
    expect(regionName('constructor')).toBe('constructor');
  });
});
