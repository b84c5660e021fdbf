/** What one node may see of another. `observationTable` says what each weighs and why. */
export type ObservationKind =
  | 'proof'
  | 'contribution'
  | 'drill-right'
  | 'silent'
  | 'unreachable'
  | 'share-lost'
  | 'proof-wrong'
  | 'contribution-wrong'
  | 'drill-wrong'
  | 'flood'
  | 'equivocation'
  | 'slander';

/** One thing seen of another node. */
export type Observation = {
  readonly kind: ObservationKind;
  /** By this node's own clock, ms since 1970. */
  readonly atMs: number;
};

/** Evidence on one question, in observations' worth: both 0 or more, fractions allowed. */
export type Tally = {
  /** Mass that speaks for the node. */
  readonly good: number;
  /** Mass that speaks against it. */
  readonly bad: number;
};

/** What is known of a node on the two questions that trust asks: does it answer, and is what it answers true. */
export type Evidence = {
  readonly availability: Tally;
  readonly integrity: Tally;
};

/** No evidence at all. */
export const noEvidence: Evidence = { availability: { good: 0, bad: 0 }, integrity: { good: 0, bad: 0 } };

/**
 * Both tallies of both, added.
 *
 * @param a any evidence
 * @param b any evidence
 */
export function addEvidence(a: Evidence, b: Evidence): Evidence {
  return {
    availability: addTally(a.availability, b.availability),
    integrity: addTally(a.integrity, b.integrity),
  };
}

function addTally(a: Tally, b: Tally): Tally {
  return { good: a.good + b.good, bad: a.bad + b.bad };
}
