/**
 * Where the nodes of a swarm are and who runs them: real cities, on all continents and in many subregions, and
 * operators that are made up. Node i takes city and operator i, over and over.
 */
export const cities = [
  'Reykjavik, IS',
  'Sao Paulo, BR',
  'Tokyo, JP',
  'Nairobi, KE',
  'Frankfurt am Main, DE',
  'San Francisco, US-CA',
  'Sydney, AU',
  'Mumbai, IN',
  'Mexico City, MX',
  'Cape Town, ZA',
  'Singapore, SG',
  'Madrid, ES',
  'Warsaw, PL',
  'Istanbul, TR',
  'Toronto, CA',
  'Lagos, NG',
  'Santiago, CL',
  'Seoul, KR',
  'Auckland, NZ',
  'Dublin, IE',
  'Cairo, EG',
  'Almaty, KZ',
  'Havana, CU',
  'Accra, GH',
] as const;

/** Names of simulated operators. */
export const operators = [
  'auk',
  'bonxie',
  'curlew',
  'dunlin',
  'eider',
  'fulmar',
  'gannet',
  'heron',
  'ibis',
  'jaeger',
  'kittiwake',
  'loon',
] as const;
