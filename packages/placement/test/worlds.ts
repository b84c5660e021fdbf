import * as fc from 'fast-check';
import type { Candidate } from '../index.ts';

/** Cities far apart, each in its own UN M49 subregion. */
const cities = [
  ['Reykjavik', 64.1, -21.9, 'IS', 'Northern Europe'],
  ['Sydney', -33.9, 151.2, 'AU', 'Australia and New Zealand'],
  ['Tokyo', 35.7, 139.7, 'JP', 'Eastern Asia'],
  ['Sao Paulo', -23.5, -46.6, 'BR', 'South America'],
  ['Nairobi', -1.3, 36.8, 'KE', 'Eastern Africa'],
  ['Toronto', 43.7, -79.4, 'CA', 'Northern America'],
  ['Mumbai', 19.1, 72.9, 'IN', 'Southern Asia'],
  ['Zurich', 47.4, 8.5, 'CH', 'Western Europe'],
  ['Lagos', 6.5, 3.4, 'NG', 'Western Africa'],
  ['Madrid', 40.4, -3.7, 'ES', 'Southern Europe'],
  ['Singapore', 1.4, 103.8, 'SG', 'South-eastern Asia'],
  ['Warsaw', 52.2, 21, 'PL', 'Eastern Europe'],
] as const;

/**
 * Nodes dealt out over the cities and over `operatorCount` operators.
 *
 * @param size nodes
 * @param operatorCount operators
 * @param trust of each, 0..1
 */
export function spreadWorld(size: number, operatorCount: number, trust = 0.5): Candidate[] {
  return Array.from({ length: size }, (_, index) => {
    const [name, lat, lon, country, region] = cities[index % cities.length]!;
    return {
      nodeId: `node-${String(index).padStart(5, '0')}`,
      place: { name, lat, lon, country, region },
      operator: `operator-${index % operatorCount}`,
      trust,
      availability: 0.97,
    };
  });
}

/** Numbers 0..1 from a seed: mulberry32, so that a failure can be run again. */
export function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How a random world is drawn. Trust and availability are within the given ranges. */
type WorldShape = {
  readonly size: number;
  readonly operatorCount: number;
  readonly regionCount: number;
  readonly trustMin: number;
  readonly availabilityMin: number;
};

/**
 * A seeded random world: regions are bands of longitude, one node in five has no operator.
 *
 * @param seed any integer
 * @param shape how many of what
 */
export function randomWorld(seed: number, shape: WorldShape): Candidate[] {
  const next = seededNumbers(seed);
  return Array.from({ length: shape.size }, (_, index) => {
    const region = Math.floor(next() * shape.regionCount);
    return {
      nodeId: `node-${String(index).padStart(5, '0')}`,
      place: {
        name: `place ${index}`,
        lat: (Math.asin(2 * next() - 1) * 180) / Math.PI,
        lon: ((region + next()) / shape.regionCount) * 360 - 180,
        country: 'XX',
        region: `region ${region}`,
      },
      operator: next() < 0.2 ? null : `operator ${Math.floor(next() * shape.operatorCount)}`,
      trust: shape.trustMin + (1 - shape.trustMin) * next(),
      availability: shape.availabilityMin + (1 - shape.availabilityMin) * next(),
    };
  });
}

/** Worlds of up to `sizeMax` nodes, from one operator in one region to many of many. */
export function worlds(sizeMax: number): fc.Arbitrary<Candidate[]> {
  return fc
    .record({
      seed: fc.integer(),
      size: fc.integer({ min: 1, max: sizeMax }),
      operatorCount: fc.integer({ min: 1, max: 20 }),
      regionCount: fc.integer({ min: 1, max: 12 }),
      trustMin: fc.constantFrom(0, 0.4, 0.7, 0.9),
      availabilityMin: fc.constantFrom(0, 0.8, 0.97),
    })
    .map(({ seed, ...shape }) => randomWorld(seed, shape));
}
