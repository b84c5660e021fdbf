/** Where nodes are, and how long it takes to ask one. */
import { type Coordinates, greatCircleKm } from '@skerry/placement';
import { boundKm } from '@skerry/trust';
import { conduct, paths } from '../parameters.ts';
import type { Chance } from './chance.ts';

/** A city with the point that nodes there claim, and its country. */
export type City = Coordinates & { readonly name: string; readonly country: string };

/** Cities of all continents, those of the swarm of real peers (coordinates by GeoNames, CC BY 4.0). */
export const cities: readonly City[] = [
  { name: 'Reykjavík', country: 'IS', lat: 64.14, lon: -21.9 },
  { name: 'São Paulo', country: 'BR', lat: -23.55, lon: -46.64 },
  { name: 'Tokyo', country: 'JP', lat: 35.69, lon: 139.69 },
  { name: 'Nairobi', country: 'KE', lat: -1.28, lon: 36.82 },
  { name: 'Frankfurt am Main', country: 'DE', lat: 50.12, lon: 8.68 },
  { name: 'San Francisco', country: 'US', lat: 37.77, lon: -122.42 },
  { name: 'Sydney', country: 'AU', lat: -33.87, lon: 151.21 },
  { name: 'Mumbai', country: 'IN', lat: 19.07, lon: 72.88 },
  { name: 'Mexico City', country: 'MX', lat: 19.43, lon: -99.13 },
  { name: 'Cape Town', country: 'ZA', lat: -33.93, lon: 18.42 },
  { name: 'Singapore', country: 'SG', lat: 1.29, lon: 103.85 },
  { name: 'Madrid', country: 'ES', lat: 40.42, lon: -3.7 },
  { name: 'Warsaw', country: 'PL', lat: 52.23, lon: 21.01 },
  { name: 'Istanbul', country: 'TR', lat: 41.01, lon: 28.95 },
  { name: 'Toronto', country: 'CA', lat: 43.71, lon: -79.4 },
  { name: 'Lagos', country: 'NG', lat: 6.45, lon: 3.39 },
  { name: 'Santiago', country: 'CL', lat: -33.46, lon: -70.65 },
  { name: 'Seoul', country: 'KR', lat: 37.57, lon: 126.98 },
  { name: 'Auckland', country: 'NZ', lat: -36.85, lon: 174.76 },
  { name: 'Dublin', country: 'IE', lat: 53.33, lon: -6.25 },
  { name: 'Cairo', country: 'EG', lat: 30.06, lon: 31.25 },
  { name: 'Almaty', country: 'KZ', lat: 43.25, lon: 76.91 },
  { name: 'Havana', country: 'CU', lat: 23.13, lon: -82.38 },
  { name: 'Accra', country: 'GH', lat: 5.56, lon: -0.2 },
];

/** Somewhere in a city: within `suburbKm` of its centre to the north and to the east. */
export function spotIn(city: City, chance: Chance): Coordinates {
  const degrees = paths.suburbKm / Math.SQRT2 / 111.2;
  const lat = city.lat + degrees * (2 * chance.unit() - 1);
  const lon = city.lon + (degrees * (2 * chance.unit() - 1)) / Math.cos((city.lat * Math.PI) / 180);
  return { lat, lon };
}

/** The least time from a request to its answer, ms: the way through fibre, with its detours, there and back. */
export function leastRoundTripMs(from: Coordinates, to: Coordinates): number {
  return 2 * paths.accessMs + (paths.detour * greatCircleKm(from, to)) / boundKm(1);
}

/** A request and its answer: how long they took, ms, and whether either was lost and sent again. */
type Exchange = { readonly tookMs: number; readonly isResent: boolean };

/**
 * One request and its answer, from a node that is up.
 *
 * @returns null where the answer comes after the deadline of an audit
 */
export function exchange(leastMs: number, chance: Chance): Exchange | null {
  let tookMs = leastMs - paths.jitterMs * Math.log(1 - chance.unit());
  let isResent = false;
  for (let waitMs: number = paths.resendMs; chance.unit() < paths.loss; waitMs *= 2) {
    tookMs += waitMs;
    isResent = true;
  }
  return tookMs > conduct.auditDeadlineMs ? null : { tookMs, isResent };
}
