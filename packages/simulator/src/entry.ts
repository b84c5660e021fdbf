/** What nodes tell each other: the entries of the directory, true ones and lies. */
import type { Coordinates } from '@skerry/placement';
import { auditPeriodMs, type Evidence, evidenceOf, type Report } from '@skerry/trust';
import { conduct } from '../parameters.ts';
import type { Mind } from './mind.ts';
import { claimOf, type Inhabitant, isBad } from './population.ts';

/** A report with the round trip that came with it, ms; null where none was measured. */
export type Said = { readonly report: Report; readonly roundTripMs: number | null };

/** What a node says of itself and of others. */
export type Entry = {
  readonly nodeId: string;
  readonly operator: string | null;
  readonly claim: Coordinates;
  readonly atMs: number;
  readonly said: readonly Said[];
};

/** Nodes that an entry says something about, at most (docs/PROTOCOL.md, as `observationsMax` of the wire format). */
const subjectsMax = 32;

const hundredths = (mass: number): number => Math.round(mass * 100) / 100;

const praise: Evidence = {
  availability: { good: conduct.lieMass, bad: 0 },
  integrity: { good: conduct.lieMass, bad: 0 },
};
const slander: Evidence = {
  availability: { good: 0, bad: conduct.lieMass },
  integrity: { good: 0, bad: conduct.lieMass },
};

/** What is said of a subject: what was seen, or a lie. */
function evidenceOn(mind: Mind, subject: Inhabitant, nowMs: number): Evidence | null {
  const { self, seen } = mind;
  const { behaviour } = self;
  if (behaviour === 'sybil') return subject.behaviour === 'sybil' ? praise : null;
  if (isBad(self, nowMs)) {
    if (behaviour === 'colluder') return subject.behaviour === 'colluder' ? praise : slander;
    if (behaviour === 'slanderer') return slander;
  }
  const own = seen.get(subject.nodeId);
  if (own === undefined) return null;
  const { availability, integrity } = evidenceOf(own, nowMs, auditPeriodMs);
  return {
    availability: { good: hundredths(availability.good), bad: hundredths(availability.bad) },
    integrity: { good: hundredths(integrity.good), bad: hundredths(integrity.bad) },
  };
}

/** The round trip that is told: upward to a tenth of a ms; liars say that whoever they slander is beside them. */
function roundTripOf({ self, leastMs }: Mind, subject: Inhabitant, nowMs: number): number | null {
  const isSlanderer = self.behaviour === 'slanderer' || self.behaviour === 'colluder';
  if (isSlanderer && isBad(self, nowMs) && subject.behaviour !== self.behaviour) return 0;
  const measured = leastMs.get(subject.nodeId);
  return measured === undefined ? null : Math.ceil(measured * 10) / 10;
}

/** What a node announces now; who knows more subjects than an entry takes tells of the next ones the next time. */
export function createEntry(mind: Mind, people: readonly Inhabitant[], nowMs: number): Entry {
  const { self } = mind;
  const { nodeId, operator } = self;
  const base = { reporter: nodeId, reporterOperator: operator, atMs: nowMs };
  const known = people.filter(
    subject =>
      subject !== self &&
      subject.joinsAtMs <= nowMs &&
      (mind.seen.has(subject.nodeId) || mind.leastMs.has(subject.nodeId)),
  );
  const start = known.length > subjectsMax ? (mind.turn++ * subjectsMax) % known.length : 0;
  const subjects = [...known.slice(start), ...known.slice(0, start)].slice(0, subjectsMax);
  const none = { good: 0, bad: 0 };
  const said = subjects.map(subject => ({
    report: {
      ...base,
      subject: subject.nodeId,
      ...(evidenceOn(mind, subject, nowMs) ?? { availability: none, integrity: none }),
    },
    roundTripMs: roundTripOf(mind, subject, nowMs),
  }));
  // The wire format refuses a word about oneself; whoever is bad tries, so that trust shows what it makes of it.
  if (isBad(self, nowMs)) said.push({ report: { ...base, subject: nodeId, ...praise }, roundTripMs: 0 });
  return { nodeId, operator, claim: claimOf(self, nowMs), atMs: nowMs, said };
}
