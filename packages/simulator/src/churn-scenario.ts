/** The scenario `churn`: keys that heal while nodes leave, fail, lose disks and lie, regions fail and ways are cut. */
import type { Crypto } from '@skerry/base';
import { auditPace } from '@skerry/custody';
import { churn, lifetimes, operatorsMin } from '../parameters.ts';
import { type Chapter, checkEnd, createChronicle, dailyOf, summaryOf } from './chronicle.ts';
import { type Lot, lifeOf } from './fates.ts';
import { idealCrypto } from './ideal-crypto.ts';
import { type KeepingOptions, keepKeys } from './keeping.ts';
import {
  createFindings,
  createScenario,
  joinVerdicts,
  type Scenario,
  type ScenarioOptions,
  type ScenarioReport,
  type Verdict,
} from './scenario.ts';
import { checkers } from './truth.ts';
import type { Bug } from './world.ts';

const { dayMs } = lifetimes;
const hourMs = dayMs / 24;

/** What happens to nodes, each as `lifetimes` explains it. */
const churnLot: Lot = {
  lifeMs: lifeOf(lifetimes.churnAMonth),
  upMs: lifetimes.upDays * dayMs,
  downMedianMs: lifetimes.downMedianHours * hourMs,
  downSpread: lifetimes.downSpread,
  diskLoss: lifetimes.diskLoss,
  regionMs: lifetimes.regionDays * dayMs,
  regionDownMs: lifetimes.regionDownHours * hourMs,
  partitionMs: lifetimes.partitionDays * dayMs,
  partitionDownMs: lifetimes.partitionHours * hourMs,
};

/** What tests have otherwise than a person who asks for the scenario. */
export type ChurnChanges = Partial<
  Pick<
    KeepingOptions,
    'lot' | 'liars' | 'onDealt' | 'onHistory' | 'openMs' | 'risks' | 'profile' | 'ownerAwayMs'
  >
> & {
  readonly crypto?: Crypto;
  readonly planted?: ReadonlySet<Bug>;
};

/** What comes of a part of the keys, among all of the nodes. */
type Part = { readonly verdict: Verdict; readonly chapter: Chapter };

/**
 * Runs a part of the scenario: all of the nodes, to which the same happens in each part, and some of the keys.
 *
 * @param options sizes and seed
 * @param part from 0
 * @param changes what is otherwise: another cryptography, other misfortunes, planted bugs
 */
function runPart(options: ScenarioOptions, part: number, changes: ChurnChanges = {}): Part {
  const { seed, nodes = churn.nodeCount, days = churn.days } = options;
  const findings = createFindings(checkers);
  const allDays = days + churn.quietDays;
  const { onDay, end } = createChronicle(allDays);
  const kept = keepKeys({
    seed: `churn/${seed}`,
    keysSeed: `churn/${seed}/${part}`,
    crypto: idealCrypto,
    nodeCount: nodes,
    operatorCount: Math.max(operatorsMin, Math.floor(nodes / churn.nodesPerOperator)),
    keyCount: keysOf(options, part),
    risks: ['medium', 'medium', 'high'],
    knownCount: churn.knownCount,
    days,
    quietDays: churn.quietDays,
    auditMs: auditPace.periodMs,
    refreshMs: churn.refreshDays * dayMs,
    openMs: churn.openDays * dayMs,
    ownerAwayMs: lifetimes.ownerAwayDays * dayMs,
    lot: churnLot,
    liars: churn.liars,
    findings,
    onDay,
    ...changes,
  });
  const chapter = end(kept);
  checkEnd(kept, findings);
  return { verdict: findings.report(), chapter };
}

const partsOf = ({ keys = churn.keyCount }: ScenarioOptions): number => Math.ceil(keys / churn.keysPerPart);

/** Keys of a part: as even as can be. */
function keysOf(options: ScenarioOptions, part: number): number {
  const { keys = churn.keyCount } = options;
  const parts = partsOf(options);
  return Math.floor(((part + 1) * keys) / parts) - Math.floor((part * keys) / parts);
}

function reportOf(options: ScenarioOptions, parts: readonly Part[]): ScenarioReport {
  const { seed, nodes = churn.nodeCount, keys = churn.keyCount, days = churn.days } = options;
  const chapters = parts.map(({ chapter }) => chapter);
  const { churnAMonth } = lifetimes;
  const size = { nodes, keys, days, churnAMonth, auditHours: auditPace.periodMs / hourMs };
  return {
    scenario: 'churn',
    seed,
    ...joinVerdicts(parts.map(({ verdict }) => verdict)),
    figures: { ...size, ...summaryOf(nodes, chapters), daily: dailyOf(nodes, chapters) },
  };
}

/** Keys that heal, under churn. */
export const churnScenario: Scenario = createScenario<Part>({
  summary: 'keys heal while nodes leave, fail, lose disks and lie, regions fail and ways are cut',
  limits: { nodes: [64, 100_000], days: [1, 3650], keys: [1, 100_000] },
  parts: partsOf,
  runPart,
  report: reportOf,
});

/** Runs the scenario with changes, for tests. */
export function runChurn(options: ScenarioOptions, changes: ChurnChanges): ScenarioReport {
  return reportOf(options, [runPart(options, 0, changes)]);
}
