/** Nodes that behave until their word weighs, and then lie together: how far they bend what honest nodes believe. */
import { type Assessment, auditPeriodMs, availabilityPrior, integrityPrior } from '@skerry/trust';
import { beginningMs, collusion } from '../parameters.ts';
import type { Chance } from './chance.ts';
import { createView, type Mind, type View } from './mind.ts';
import { createInhabitants, dealKeys, type HeldKey, type Inhabitant } from './population.ts';
import type { Rules } from './rules.ts';
import type { Findings, Row } from './scenario.ts';
import { runSociety, type Society } from './society.ts';
import { meanOf, mostOf, rounded } from './statistics.ts';

const operatorsThatCount = 8;

/** What a lie did to one node's trust in another, at one look. */
type Bend = { readonly isColluder: boolean; readonly atPeriods: number; readonly error: number };

function massOf(list: Assessment['parts'], question: 'availability' | 'integrity'): number {
  const prior = { availability: availabilityPrior, integrity: integrityPrior }[question];
  return list.reduce(
    (sum, { evidence }) => sum + evidence[question].good + evidence[question].bad,
    prior.good + prior.bad,
  );
}

/** Holds the bound of docs/TRUST.md: what m operators that lie do to one score. */
function checkBound(
  without: Assessment,
  lied: Assessment,
  liars: number,
  findings: Findings,
  who: string,
): void {
  const m = Math.min(liars, operatorsThatCount);
  const [integrity, availability] = [
    massOf(without.parts, 'integrity'),
    massOf(without.parts, 'availability'),
  ];
  const keep = integrity / (integrity + m);
  const keepUp = availability / (availability + m / 2);
  const least = without.trust * keep * keepUp - 1e-9;
  findings.check('bound-exceeded', lied.trust >= least, () => `${who}: trust ${lied.trust} under ${least}`);
  const doubt = (1 - without.integrity.mean) * keep - 1e-9;
  const left = 1 - lied.integrity.mean;
  findings.check('bound-exceeded', left >= doubt, () => `${who}: doubt ${left} under ${doubt}`);
}

function bendsAt(society: Society, view: View, atPeriods: number, findings: Findings): Bend[] {
  const colluders = new Set(
    society.minds.flatMap(({ self }) => (self.behaviour === 'colluder' ? self.nodeId : [])),
  );
  const observers = society.minds.filter(({ self }) => !colluders.has(self.nodeId));
  return observers.flatMap(observer =>
    society.minds.flatMap((subject): Bend[] => {
      const { nodeId } = subject.self;
      const lied = view.verdictOn(observer, nodeId)?.assessment;
      const without = view.verdictOn(observer, nodeId, one => !colluders.has(one))?.assessment;
      if (subject === observer || lied === undefined || without === undefined) return [];
      const isColluder = colluders.has(nodeId);
      const liars = colluders.size - (isColluder ? 1 : 0);
      checkBound(without, lied, liars, findings, `${nodeId} as ${observer.self.nodeId} sees it`);
      return [{ isColluder, atPeriods, error: Math.abs(lied.trust - without.trust) }];
    }),
  );
}

/** The part of honest nodes' claims of place that others take for refuted, since colluders say so. */
function refutedPart(society: Society, view: View): number {
  const honest = society.minds.filter(({ self }) => self.behaviour === 'good');
  const verdicts = honest.flatMap(observer =>
    honest.flatMap(subject => {
      const verdict = subject === observer ? undefined : view.verdictOn(observer, subject.self.nodeId);
      return verdict === undefined ? [] : Number(verdict.place.verdict === 'refuted');
    }),
  );
  return meanOf(verdicts) ?? 0;
}

type Base = {
  readonly people: readonly Inhabitant[];
  readonly keys: readonly HeldKey[];
  readonly before: { readonly minds: readonly Mind[]; readonly atMs: number };
};

/** A network of good nodes, each of its own operator, after the periods in which all behave. */
function behave(chance: Chance, rules: Rules): Base {
  const { nodeCount, keyCount, behavedPeriods } = collusion;
  const people = createInhabitants(chance, {
    name: 'node',
    count: nodeCount,
    operatorOf: () => null,
    behaviourOf: () => 'good',
    turnsAtMs: beginningMs,
  });
  const keys = dealKeys(chance, people, { name: 'key', count: keyCount, dealtAtMs: beginningMs });
  let minds: readonly Mind[] = [];
  runSociety({
    chance,
    people,
    keys,
    rules,
    looksAtPeriods: [behavedPeriods],
    onLook: society => {
      minds = society.minds;
    },
  });
  return { people, keys, before: { minds, atMs: beginningMs + behavedPeriods * auditPeriodMs } };
}

function rowOf(part: number, liars: number, bends: readonly Bend[], refuted: number): Row {
  const errors = (isColluder: boolean, atPeriods?: number) =>
    bends
      .filter(bend => bend.isColluder === isColluder && (atPeriods ?? bend.atPeriods) === bend.atPeriods)
      .map(({ error }) => error);
  const lastPeriods = collusion.behavedPeriods + collusion.lyingPeriods;
  return {
    part,
    colluders: liars,
    honestMean: rounded(meanOf(errors(false))),
    honestWorst: rounded(mostOf(errors(false))),
    honestWorstAtEnd: rounded(mostOf(errors(false, lastPeriods))),
    colludersMean: rounded(meanOf(errors(true))),
    colludersWorst: rounded(mostOf(errors(true))),
    placesRefuted: rounded(refuted),
  };
}

/**
 * The sweep over the part of nodes that collude. Errors are differences of an honest node's trust with the lies and
 * without, at looks soon after the lies begin and at the end of each period, until which slander is noticed as such.
 */
export function runCollusion(
  chance: Chance,
  parts: readonly number[],
  rules: Rules,
  findings: Findings,
): Row[] {
  const { nodeCount, behavedPeriods, lyingPeriods } = collusion;
  const { people, keys, before } = behave(chance, rules);
  return parts.map(part => {
    const liars = Math.round(part * nodeCount);
    const chosen = new Set(chance.pick([...people.keys()], liars));
    const bends: Bend[] = [];
    let refuted = 0;
    runSociety({
      chance,
      people: people.map((one, index) =>
        chosen.has(index) ? { ...one, behaviour: 'colluder', turnsAtMs: before.atMs } : one,
      ),
      keys,
      rules,
      before,
      looksAtPeriods: [
        behavedPeriods + 0.01,
        ...Array.from({ length: lyingPeriods }, (_, index) => behavedPeriods + index + 1),
      ],
      onLook: (society, atPeriods) => {
        bends.push(...bendsAt(society, createView(society, rules, false), atPeriods, findings));
        refuted = Math.max(refuted, refutedPart(society, createView(society, rules, true)));
      },
    });
    return rowOf(part, liars, bends, refuted);
  });
}
