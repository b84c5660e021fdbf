export {
  availabilityDefault,
  type Targets,
  trustNeutral,
} from './parameters.ts';
export type { Candidate } from './src/candidate.ts';
export {
  type Coalition,
  type Constraint,
  type PlacementCertificate,
  verifyCertificate,
} from './src/certificate.ts';
export { dispersionDistance, type Located } from './src/distance.ts';
export { type Coordinates, greatCircleKm } from './src/geography.ts';
export { type Place, placeTextMax } from './src/place.ts';
export { createGazetteer, type Gazetteer } from './src/place-gazetteer.ts';
export { foldPlaceNames } from './src/place-name.ts';
export { formatCities, type NamedCity } from './src/place-table.ts';
export { type Placement, type PlacementRequest, planPlacement } from './src/plan.ts';
export { regionName, regionOf } from './src/regions.ts';
export {
  type Caps,
  type Counts,
  capsOf,
  lossProbability,
  type Member,
  targetsOf,
  theftProbability,
} from './src/sizing.ts';
export {
  certifySuccession,
  type PlacedKey,
  type PlacedPoint,
  rankSuccessors,
  theftWithStrays,
} from './src/succession.ts';
