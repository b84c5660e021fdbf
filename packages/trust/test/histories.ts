import * as fc from 'fast-check';
import {
  type Assessment,
  type AssessmentInput,
  assess,
  auditPeriodMs,
  emptyReputation,
  type ObservationKind,
  observationTable,
  observe,
  type Reputation,
} from '../index.ts';

/** When the tests' histories begin, ms since 1970. */
export const startMs = 1_700_000_000_000;

/** All kinds. */
export const kinds = Object.keys(observationTable) as ObservationKind[];

/** Kinds that speak for a node, and kinds that speak against it. */
export const goodKinds = kinds.filter(kind => observationTable[kind].availability > 0);
export const badKinds = kinds.filter(kind => !goodKinds.includes(kind));

/** The same observations in each of a number of periods, a little into it. */
export function periodsOf(
  periods: number,
  seen: readonly ObservationKind[],
  before: Reputation = emptyReputation(startMs),
): Reputation {
  let reputation = before;
  for (let period = 0; period < periods; period++) {
    const atMs = before.period.startedAtMs + period * auditPeriodMs + 1;
    for (const kind of seen) reputation = observe(reputation, { kind, atMs });
  }
  return reputation;
}

/** Four good answers in each period. */
export function provenFor(periods: number): Reputation {
  return periodsOf(periods, ['proof', 'proof', 'drill-right', 'contribution']);
}

/** An assessment of what one node has seen itself, at the end of it, unless more is said. */
export function assessOwn(own: Reputation | null, more: Partial<AssessmentInput> = {}): Assessment {
  return assess({
    nodeId: 'subject',
    operator: null,
    own,
    reports: [],
    weightOf: () => 1,
    stated: null,
    place: null,
    nowMs: own?.period.startedAtMs ?? startMs,
    ...more,
  });
}

/** Any time: mostly within some periods of the start, now and then nonsense. */
export const times = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: startMs, max: startMs + 90 * auditPeriodMs }) },
  { weight: 1, arbitrary: fc.double() },
);

/** Any history, with clocks that go anywhere. */
export const histories = fc
  .array(fc.record({ kind: fc.constantFrom(...kinds), atMs: times }), { maxLength: 60 })
  .map(list => list.reduce((past, seen) => observe(past, seen), emptyReputation(startMs)));
