export {
  auditPeriodMs,
  availabilityPrior,
  integrityPrior,
  type ObservationWeight,
  observationTable,
  trustGoals,
} from './parameters.ts';
export {
  type Assessment,
  type AssessmentInput,
  assess,
  type Part,
  reporterWeight,
  type Standing,
} from './src/assessment.ts';
export type { Evidence, Observation, ObservationKind, Tally } from './src/observation.ts';
export {
  boundKm,
  type Contradiction,
  judgePlace,
  type PlaceBound,
  type PlaceVerdict,
} from './src/place.ts';
export { findSlander, type Report } from './src/reports.ts';
export {
  emptyReputation,
  evidenceOf,
  observe,
  parseReputation,
  type Reputation,
  type Seen,
} from './src/reputation.ts';
export {
  statedTrust,
  statementOn,
  statementWords,
  type TrustStatement,
  type TrustStatements,
} from './src/statement.ts';
