/** The scenario `trust`: liars, the unreliable, colluders and sybils among nodes that judge by evidence. */
import { auditPeriodMs } from '@skerry/trust';
import { beginningMs, collusion, misbehaviour, promises, sybils } from '../parameters.ts';
import { auditCosts } from './audit-cost.ts';
import { type Chance, createChance } from './chance.ts';
import { runCollusion } from './collusion.ts';
import { type MisbehaviourRows, runMisbehaviour } from './misbehaviour.ts';
import { createInhabitants, dealKeys, faults } from './population.ts';
import { type Rules, trueRules } from './rules.ts';
import {
  createFindings,
  createWhole,
  type Figures,
  type Findings,
  type Row,
  type Scenario,
  type ScenarioOptions,
} from './scenario.ts';
import { runSybils } from './sybils.ts';

/** What the scenario holds, each by a checker. */
const checkers = [
  'bad-above-floor',
  'good-below-floor',
  'honest-place-refuted',
  'liar-place-not-refuted',
  'nan-or-out-of-range',
  'own-word-counted',
  'bound-exceeded',
  'sybil-too-soon',
  'sybil-word-counted',
  'sybil-holds-high',
  'newcomer-weighs',
  'cost-not-as-stated',
] as const;

type Size = { readonly nodes: number; readonly days: number; readonly keys: number };

/** Thirty nodes, more or less, six of which are bad from `turnPeriods` on, each in its own way. */
function misbehave(
  chance: Chance,
  { nodes, days, keys }: Size,
  turnPeriods: number,
  rules: Rules,
  findings: Findings,
): MisbehaviourRows {
  const bad = new Map(
    chance
      .pick(faults, faults.length)
      .map((fault, index) => [Math.floor(((2 * index + 1) * nodes) / (2 * faults.length)), fault]),
  );
  const people = createInhabitants(chance, {
    name: 'node',
    count: nodes,
    operatorOf: index => `operator-${index % misbehaviour.operatorCount}`,
    behaviourOf: index => bad.get(index) ?? 'good',
    turnsAtMs: beginningMs + turnPeriods * auditPeriodMs,
  });
  const dealt = dealKeys(chance, people, { name: 'key', count: keys, dealtAtMs: beginningMs });
  return runMisbehaviour({ chance, people, keys: dealt, rules }, turnPeriods, days, findings);
}

/** The parts of the scenario. */
const parts = ['early', 'late', 'colluders', 'sybils', 'costs'] as const;

/** What only tests of the checkers say: rules that are broken, which parts to run, and how much of them. */
export type Trial = {
  readonly rules?: Rules;
  readonly only?: readonly (typeof parts)[number][];
  readonly colludingParts?: readonly number[];
  readonly sybilCount?: number;
};

/**
 * Runs the scenario, each part with a chance of its own.
 *
 * @param trial of tests @default the true rules, and all parts
 */
export function runTrust(
  { seed, nodes, days, keys }: ScenarioOptions,
  {
    rules = trueRules,
    only = parts,
    colludingParts = collusion.parts,
    sybilCount = sybils.sybilCount,
  }: Trial = {},
): ReturnType<Scenario['run']> {
  const findings = createFindings(checkers);
  const size = {
    nodes: nodes ?? misbehaviour.nodeCount,
    days: days ?? misbehaviour.days,
    keys: keys ?? misbehaviour.keyCount,
  };
  const { behavedPeriods } = misbehaviour;
  const chanceOf = (part: string) => createChance(`trust/${seed}/${part}`);
  const good: Row[] = [];
  const figuresBy: Readonly<Record<(typeof parts)[number], () => Figures>> = {
    early: () => {
      const rows = misbehave(chanceOf('early'), size, 0, rules, findings);
      good.push({ network: 'bad from the start', ...rows.good });
      return { badFromTheStart: rows.bad };
    },
    late: () => {
      const rows = misbehave(chanceOf('late'), size, behavedPeriods, rules, findings);
      good.push({ network: `bad after ${behavedPeriods} periods`, ...rows.good });
      return { [`badAfter${behavedPeriods}Periods`]: rows.bad, good };
    },
    colluders: () => ({ colluders: runCollusion(chanceOf('colluders'), colludingParts, rules, findings) }),
    sybils: () => {
      const { rows, shares } = runSybils(chanceOf('sybils'), sybilCount, rules, findings);
      return { sybils: rows, sybilShares: shares };
    },
    costs: () => ({ auditCost: auditCosts(chanceOf('costs'), findings) }),
  };
  const figures = only.reduce((sum, part) => ({ ...sum, ...figuresBy[part]() }), { ...size } as Figures);
  return { scenario: 'trust', seed, ...findings.report(), figures };
}

/** Trust from evidence: see docs/TRUST.md. */
export const trustScenario: Scenario = createWhole(
  {
    summary: 'six ways to be bad, colluders and sybils, against trust from evidence; and what audits cost',
    limits: { nodes: [12, 60], days: [promises.fallPeriods, 100], keys: [20, 1000] },
  },
  options => runTrust(options),
);
