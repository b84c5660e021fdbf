/** The scenario `durability`: how many keys are lost where nodes leave fast, against a Markov chain that counts them. */
import { auditPace } from '@skerry/custody';
import { churn, durability, keepings, lifetimes, operatorsMin } from '../parameters.ts';
import { createChronicle, dailyOf, summaryOf } from './chronicle.ts';
import { lossWithin, meanBounds } from './durability.ts';
import { calm, type Lot, lifeOf } from './fates.ts';
import { idealCrypto } from './ideal-crypto.ts';
import { keepKeys } from './keeping.ts';
import {
  createFindings,
  createWhole,
  type Findings,
  type Row,
  type Scenario,
  type ScenarioOptions,
  type ScenarioReport,
} from './scenario.ts';
import { rounded } from './statistics.ts';
import { checkers } from './truth.ts';

const { dayMs } = lifetimes;
const hourMs = dayMs / 24;

/** What is held here: all but that no key is lost and that each is full in the end, as no network could. */
const held = [
  'wrong-key',
  'share-altered',
  'theft',
  'caps-broken',
  'two-shares-on-one-node',
  'two-quorums',
  'operation-not-ended',
  'durability-not-as-worked-out',
] as const;

/**
 * How long a share is missing, from the pace of audits alone: until the owner's next audit of a node that has left, a
 * grace from then on, and until the owner looks at what is due. Audits come after 1 - jitter to 1 periods.
 */
function repairTime(auditMs: number): { readonly mean: number; readonly deviation: number } {
  const least = 1 - auditPace.jitter;
  // of the time left in a gap that a moment falls into: E[g^2] / 2 E[g] and E[g^3] / 3 E[g], g uniform
  const gap = (1 + least) / 2;
  const square = (1 + least + least ** 2) / 3;
  const cube = (1 - least ** 4) / (4 * (1 - least));
  const [found, foundSquare] = [square / (2 * gap), cube / (3 * gap)];
  const look = keepings.lookMs;
  return {
    mean: found * auditMs + keepings.auditsPerGrace * auditMs + look / 2,
    deviation: Math.sqrt((foundSquare - found ** 2) * auditMs ** 2 + look ** 2 / 12),
  };
}

/** What the chain says of a year at the churn of the scenario `churn`, by level. */
function yearsOf(auditMs: number): Row[] {
  const lifeMs = lifeOf(lifetimes.churnAMonth);
  return Object.entries(durability.sizes).map(([level, [t, k]]) => {
    const overMs = 20 * dayMs;
    const loss = lossWithin(
      { t, k, lifeMs, repairMs: repairTime(auditMs) },
      overMs,
      durability.yearStatesMax,
    );
    const perYear = 1 - (1 - loss) ** ((365 * dayMs) / overMs);
    return { level, t, k, churnAMonth: lifetimes.churnAMonth, pLossYear: Number(perYear.toPrecision(3)) };
  });
}

/** Nothing happens but that nodes leave for good. */
const departures: Lot = { ...calm, lifeMs: lifeOf(durability.churnAMonth) };

/** Holds that so many keys were lost as the chain has it; says what it has. */
function compare(
  { keys, days, lost }: { readonly keys: number; readonly days: number; readonly lost: number },
  auditMs: number,
  findings: Findings,
): Row {
  const [t, k] = durability.sizes['low']!;
  const repairMs = repairTime(auditMs);
  const overMs = days * dayMs - keepings.dealWithinMs / 2;
  const loss = lossWithin({ t, k, lifeMs: departures.lifeMs, repairMs }, overMs, durability.statesMax);
  const [least, most] = meanBounds(lost);
  const expected = loss * keys;
  findings.check(
    'durability-not-as-worked-out',
    least <= expected && expected <= most,
    () => `${lost} keys lost: between ${least} and ${most} in the mean, not ${expected}`,
  );
  return {
    lost,
    lostWorkedOut: rounded(expected),
    lostMeanLeast: rounded(least),
    lostMeanMost: rounded(most),
    repairHoursWorkedOut: rounded(repairMs.mean / hourMs),
  };
}

function runDurability(options: ScenarioOptions): ScenarioReport {
  const { seed, nodes = durability.nodeCount, keys = durability.keyCount, days = durability.days } = options;
  const all = createFindings(checkers);
  const findings = createFindings(held);
  const { onDay, end } = createChronicle(days);
  const auditMs = auditPace.periodMs;
  const kept = keepKeys({
    seed: `durability/${seed}`,
    crypto: idealCrypto,
    nodeCount: nodes,
    operatorCount: Math.max(operatorsMin, Math.floor(nodes / churn.nodesPerOperator)),
    keyCount: keys,
    risks: ['low'],
    knownCount: durability.knownCount,
    days,
    quietDays: 0,
    auditMs,
    refreshMs: 0,
    openMs: 0,
    ownerAwayMs: 0,
    lot: departures,
    liars: 0,
    findings: {
      ...all,
      check: (checker, holds, what) => {
        if ((held as readonly string[]).includes(checker)) findings.check(checker, holds, what);
      },
    },
    onDay,
  });
  const chapter = end(kept);
  const [t, k] = durability.sizes['low']!;
  const isSized = chapter.sizes.every(size => size[0] === t && size[1] === k);
  findings.check('durability-not-as-worked-out', isSized, () => `a key is not ${t} of ${k}`);
  const compared = compare({ keys, days, lost: kept.truth.lostCount() }, auditMs, findings);
  const { churnAMonth } = durability;
  const size = { nodes, keys, days, churnAMonth, auditHours: auditMs / hourMs };
  const summary = summaryOf(nodes, [chapter]);
  const tables = { years: yearsOf(auditMs), daily: dailyOf(nodes, [chapter]) };
  return {
    scenario: 'durability',
    seed,
    ...findings.report(),
    figures: { ...size, ...compared, ...summary, ...tables },
  };
}

/** Durability, against an independent calculation. */
export const durabilityScenario: Scenario = createWhole(
  {
    summary: 'how many keys are lost where nodes leave fast, against a Markov chain; and P(loss) in a year',
    // on few nodes keys have holders in common and are lost in bunches, which no bounds of a mean allow for
    limits: { nodes: [2000, 20_000], days: [10, 365], keys: [500, 50_000] },
  },
  runDurability,
);
