/** What is told of a kept world: how its keys stand day by day, and how they stand in the end. */
import { theftOf } from '@skerry/custody';
import { lossProbability } from '@skerry/placement';
import { compareManifests, type Manifest, seatsOf } from '@skerry/wire';
import { chronicle } from '../parameters.ts';
import { auditBytesPerDay } from './audit-cost.ts';
import { servedBy } from './holder-host.ts';
import type { Kept } from './keeping.ts';
import { isKey, type OwnedKey } from './owner-desk.ts';
import type { Findings, Row } from './scenario.ts';
import { leastOf, meanOf, mostOf, quantileOf, rounded } from './statistics.ts';
import { idOf } from './world.ts';

/** How the keys of a world stand at the end of a day; counts are since it began. */
type Tally = {
  readonly day: number;
  readonly keys: number;
  /** Keys whose points all have their shares. */
  readonly full: number;
  /** Shares beyond the threshold, of each key. */
  readonly spares: readonly number[];
  readonly moves: number;
  readonly bytes: number;
  /** P(loss) and P(theft) of some of the keys. */
  readonly losses: readonly number[];
  readonly thefts: readonly number[];
  readonly lost: number;
  readonly opensFailed: number;
};

/** How a world has ended: plain data. */
export type Chapter = {
  readonly tallies: readonly Tally[];
  readonly repairTimesMs: readonly number[];
  readonly opened: number;
  readonly votedMoves: number;
  readonly refreshes: number;
  /** Shares that open each key, and its shares. */
  readonly sizes: readonly (readonly [t: number, k: number])[];
};

/** Keys of a list, so many at most, evenly spread. */
function someOf(keys: readonly OwnedKey[], most: number): OwnedKey[] {
  const step = Math.max(1, Math.ceil(keys.length / most));
  return keys.filter((_, index) => index % step === 0);
}

/** P(fewer than t shares can be had), with the holders that have theirs now. */
function lossOf({ world, truth }: Kept, { keyId, manifest }: OwnedKey): number[] {
  const margin = truth.marginOf(keyId);
  if (!manifest || margin?.core !== manifest.core) return [];
  const seats = seatsOf(manifest).filter(({ x }) => margin.active.has(x));
  const holders = seats.flatMap(({ nodeKey }) => world.nodeOf(nodeKey)?.candidate ?? []);
  return [holders.length < manifest.core.t ? 1 : lossProbability(holders, manifest.core.t)];
}

function tallyOf(day: number, kept: Kept): Tally {
  const { world, truth, keys, opens } = kept;
  const margins = keys.flatMap(({ keyId }) => truth.marginOf(keyId) ?? []);
  const some = someOf(keys, chronicle.ratedKeysMax);
  return {
    day,
    keys: keys.length,
    full: margins.filter(({ live, core }) => live >= core.k).length,
    spares: margins.map(({ live, core }) => live - core.t),
    moves: truth.counts.moves,
    bytes: [...world.network.traffic.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    losses: some.flatMap(key => lossOf(kept, key)),
    thefts: some.flatMap(({ manifest, certificate }) =>
      manifest && certificate ? theftOf(manifest, certificate) : [],
    ),
    lost: truth.lostCount(),
    opensFailed: opens.failed,
  };
}

/** Whether a day is one of those that are told: so many in all, the first and the last among them. */
function isTold(day: number, days: number): boolean {
  const step = Math.max(1, Math.ceil(days / chronicle.rowsMax));
  return day === 1 || day === days || day % step === 0;
}

/**
 * Writes down how a world goes.
 *
 * @param days until it ends
 */
export function createChronicle(days: number) {
  const tallies: Tally[] = [];
  return {
    onDay: (day: number, kept: Kept): void => {
      if (isTold(day, days)) tallies.push(tallyOf(day, kept));
    },
    end: ({ truth, keys, opens }: Kept): Chapter => ({
      tallies,
      repairTimesMs: truth.repairTimesMs,
      opened: opens.right,
      votedMoves: truth.counts.votedMoves,
      refreshes: truth.counts.refreshes,
      sizes: keys.flatMap(({ manifest }) => (manifest ? [[manifest.core.t, manifest.core.k] as const] : [])),
    }),
  };
}

/** Three digits of a probability. */
const power = (probability: number | null): number | null =>
  probability === null ? null : Number(probability.toPrecision(3));

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What several tallies of one day come to. */
function joined(tallies: readonly Tally[]): Omit<Tally, 'day'> {
  const sum = (name: 'keys' | 'full' | 'moves' | 'bytes' | 'lost' | 'opensFailed'): number =>
    sumOf(tallies.map(one => one[name]));
  const all = (name: 'spares' | 'losses' | 'thefts'): number[] => tallies.flatMap(one => one[name]);
  return {
    keys: sum('keys'),
    full: sum('full'),
    spares: all('spares'),
    moves: sum('moves'),
    bytes: sum('bytes'),
    losses: all('losses'),
    thefts: all('thefts'),
    lost: sum('lost'),
    opensFailed: sum('opensFailed'),
  };
}

/** A row for each day that is told, of all the worlds that keys were spread over. */
export function dailyOf(nodes: number, chapters: readonly Chapter[]): Row[] {
  const [first] = chapters;
  let before = { day: 0, moves: 0, bytes: 0 };
  return (first?.tallies ?? []).map(({ day }, index) => {
    const now = joined(chapters.flatMap(({ tallies }) => tallies[index] ?? []));
    const days = day - before.day;
    const row: Row = {
      day,
      full: rounded(now.full / now.keys),
      spareMean: rounded(meanOf(now.spares)),
      spareLeast: leastOf(now.spares),
      movesPerDay: rounded((now.moves - before.moves) / days),
      bytesPerNodeDay: Math.round((now.bytes - before.bytes) / days / nodes),
      pLossMean: power(meanOf(now.losses)),
      pLossMost: power(mostOf(now.losses)),
      pTheftMost: power(mostOf(now.thefts)),
      lost: now.lost,
      opensFailed: now.opensFailed,
    };
    before = { day, moves: now.moves, bytes: now.bytes };
    return row;
  });
}

/** Single figures of all the worlds that keys were spread over. */
export function summaryOf(nodes: number, chapters: readonly Chapter[]): Row {
  const last = joined(chapters.flatMap(({ tallies }) => tallies.at(-1) ?? []));
  const days = chapters[0]?.tallies.at(-1)?.day ?? 0;
  const times = chapters.flatMap(({ repairTimesMs }) => repairTimesMs);
  const hours = (part: number): number | null => {
    const ms = quantileOf(times, part);
    return ms === null ? null : rounded(ms / 3_600_000);
  };
  const sizes = chapters.flatMap(one => one.sizes);
  const load = {
    keysPerNode: last.keys / nodes,
    holderCount: meanOf(sizes.map(([, k]) => k)) ?? 0,
    threshold: meanOf(sizes.map(([t]) => t)) ?? 0,
    manifestCopies: chronicle.manifestCopies,
  };
  return {
    keysLost: last.lost,
    opened: sumOf(chapters.map(({ opened }) => opened)),
    opensFailed: last.opensFailed,
    moves: last.moves,
    votedMoves: sumOf(chapters.map(({ votedMoves }) => votedMoves)),
    refreshes: sumOf(chapters.map(({ refreshes }) => refreshes)),
    repaired: times.length,
    repairHoursP50: hours(0.5),
    repairHoursP99: hours(0.99),
    healingBytesPerNodeDay: Math.round(last.bytes / days / nodes),
    auditBytesPerNodeDay: Math.round(auditBytesPerDay(nodes, load)),
  };
}

/** Holds in the end: every key opens, right; each point has its share; and its holders and its owner tell one history. */
export function checkEnd({ world, truth, keys, desk }: Kept, findings: Findings): void {
  const opened = new Set<OwnedKey>();
  for (const { keyId, manifest } of keys) {
    findings.check('not-open-in-the-end', manifest !== null, () => `${keyId} was never dealt`);
  }
  const kept = keys.filter(({ keyId, manifest }) => manifest !== null && !truth.witness.isLost(keyId));
  for (const key of kept) {
    desk.open(key, came => {
      if (typeof came !== 'string' && isKey(key, came)) opened.add(key);
    });
  }
  world.queue.run(world.queue.nowMs() + chronicle.lastOpenMs);
  for (const key of kept) {
    const { keyId, manifest, owner } = key;
    findings.check('not-open-in-the-end', opened.has(key), () => `${keyId} of ${owner.nodeId}`);
    const margin = truth.marginOf(keyId);
    const isFull = margin !== undefined && margin.live >= margin.core.k;
    findings.check('not-full-in-the-end', isFull, () => `${keyId}: ${margin?.live} of ${margin?.core.k}`);
    for (const { x, nodeKey } of manifest ? seatsOf(manifest) : []) {
      const holder = world.nodeOf(nodeKey);
      const served = holder && servedBy(holder, keyId);
      const isOne = manifest && served && compareManifests(world.crypto, served, manifest) === 0;
      const place = (one: Manifest | null | undefined): string =>
        one ? `epoch ${one.core.epoch}, ${one.amendments.length} moves` : 'nothing';
      findings.check(
        'two-histories',
        isOne === true,
        () => `${keyId}: ${idOf(nodeKey)} at ${x} has ${place(served)}, and its owner ${place(manifest)}`,
      );
    }
  }
}
