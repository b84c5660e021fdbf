/** What becomes of nodes: they are down for a while, depart for good, lose their disks; regions fail, ways are cut. */
import { at } from '@skerry/base';
import { lifetimes } from '../parameters.ts';
import { type Chance, createChance } from './chance.ts';
import type { Party } from './network.ts';
import { cities } from './paths.ts';
import type { Citizen, World } from './world.ts';

/** How often what happens; each is explained in `lifetimes`. */
export type Lot = {
  /** Mean ms until a node departs for good, exponentially distributed. */
  readonly lifeMs: number;
  /** Mean ms that a node is up at a time, exponentially; 0 where none is ever down. */
  readonly upMs: number;
  /** Median ms that it is down, and the spread of its logarithm (log-normal). */
  readonly downMedianMs: number;
  readonly downSpread: number;
  /** Part of the times that a node comes back without its disk. */
  readonly diskLoss: number;
  /** Mean ms between two outages of a region, and how long each lasts; 0 for none. */
  readonly regionMs: number;
  readonly regionDownMs: number;
  /** Mean ms between two partitions, and how long each lasts; 0 for none. */
  readonly partitionMs: number;
  readonly partitionDownMs: number;
};

/** Nothing happens by chance. */
export const calm: Lot = {
  lifeMs: 1e15,
  upMs: 0,
  downMedianMs: 0,
  downSpread: 0,
  diskLoss: 0,
  regionMs: 0,
  regionDownMs: 0,
  partitionMs: 0,
  partitionDownMs: 0,
};

/** What is told of what becomes of nodes. */
type FateWatch = {
  readonly onDown: (node: Citizen, untilMs: number) => void;
  readonly onUp: (node: Citizen) => void;
  /** Before what a node has is gone: by departure, or with its disk, in which case it is up. */
  readonly onGone: (node: Citizen) => void;
  /** Another node is in the slot of one that has departed. */
  readonly onSettled: (node: Citizen, before: Citizen) => void;
  /** Nodes on different sides do not reach each other any more. */
  readonly onPartition: (untilMs: number) => void;
};

const exponential = (chance: Chance, mean: number): number => -mean * Math.log(1 - chance.unit());

/** What can be brought about besides. */
export type Misfortunes = {
  readonly goDown: (node: Citizen, downMs: number) => void;
  readonly depart: (node: Citizen) => void;
  /** Cuts the network for a time: nodes on different sides do not reach each other. */
  readonly cut: (sideOf: (party: Party) => number, forMs: number) => void;
};

/** Normally distributed (Box and Muller 1958). */
function normal(chance: Chance): number {
  return Math.sqrt(-2 * Math.log(1 - chance.unit())) * Math.cos(2 * Math.PI * chance.unit());
}

/** What becomes of the nodes of a world, until when. */
type Fates = {
  readonly world: World;
  readonly chance: Chance;
  readonly lot: Lot;
  readonly untilMs: number;
  readonly watch: FateWatch;
};

/** Whether nothing happens to nodes any more, so long from now. */
function isOver({ world, untilMs }: Fates, afterMs: number): boolean {
  return world.queue.nowMs() + afterMs >= untilMs;
}

function goDown(fates: Fates, node: Citizen, downMs: number): void {
  if (!node.isUp || node.isDeparted) return;
  const { world, untilMs, watch } = fates;
  const { queue } = world;
  const endMs = Math.min(queue.nowMs() + downMs, untilMs);
  node.isUp = false;
  node.life += 1;
  node.jobs.clear();
  node.downUntilMs = endMs;
  watch.onDown(node, endMs);
  queue.after(endMs - queue.nowMs(), () => comeUp(fates, node));
}

function comeUp(fates: Fates, node: Citizen): void {
  if (node.isUp || node.isDeparted) return;
  const { world, chance, lot, watch } = fates;
  if (chance.unit() < lot.diskLoss || world.planted.has('volatile-disk')) {
    watch.onGone(node);
    node.held.clear();
    node.lapses.clear();
  }
  node.isUp = true;
  watch.onUp(node);
  planOutage(fates, node);
}

function planOutage(fates: Fates, node: Citizen): void {
  const { world, chance, lot } = fates;
  if (lot.upMs === 0) return;
  const upMs = exponential(chance, lot.upMs);
  if (isOver(fates, upMs)) return;
  const { life } = node;
  world.queue.after(upMs, () => {
    if (node.life !== life) return;
    goDown(fates, node, lot.downMedianMs * Math.exp(lot.downSpread * normal(chance)));
  });
}

function planDeparture(fates: Fates, node: Citizen): void {
  const lifeMs = exponential(fates.chance, fates.lot.lifeMs);
  if (isOver(fates, lifeMs)) return;
  fates.world.queue.after(lifeMs, () => depart(fates, node));
}

/** A node is gone for good, and another takes its slot. */
function depart(fates: Fates, node: Citizen): void {
  const { world, watch } = fates;
  node.isUp = false;
  node.life += 1;
  node.downUntilMs = Number.POSITIVE_INFINITY;
  watch.onDown(node, Number.POSITIVE_INFINITY);
  watch.onGone(node);
  node.isDeparted = true;
  node.held.clear();
  const next = world.settle(node.slot);
  watch.onSettled(next, node);
  begin(fates, next);
}

function begin(fates: Fates, node: Citizen): void {
  planOutage(fates, node);
  planDeparture(fates, node);
}

/** The next outage of a country, and the one after it. */
function planRegion(fates: Fates): void {
  const { world, chance, lot } = fates;
  const afterMs = exponential(chance, lot.regionMs);
  if (lot.regionMs === 0 || isOver(fates, afterMs)) return;
  world.queue.after(afterMs, () => {
    const { country } = at(cities, chance.below(cities.length));
    for (const node of world.nodes) {
      const isIn = node.candidate.place.country === country;
      if (isIn) goDown(fates, node, lot.regionDownMs * (0.9 + 0.2 * chance.unit()));
    }
    planRegion(fates);
  });
}

/** The next partition, of some cities from all others, and the one after it. */
function planPartition(fates: Fates): void {
  const { world, chance, lot } = fates;
  const afterMs = exponential(chance, lot.partitionMs);
  if (lot.partitionMs === 0 || isOver(fates, afterMs + lot.partitionDownMs)) return;
  world.queue.after(afterMs, () => {
    const apart = new Set(chance.pick([...cities.keys()], 1 + chance.below(cities.length / 2)));
    cut(fates, ({ cityIndex }) => (apart.has(cityIndex) ? 1 : 0), lot.partitionDownMs);
    world.queue.after(lot.partitionDownMs, () => planPartition(fates));
  });
}

/** Cuts the network for a time. */
function cut({ world, watch }: Fates, sideOf: (party: Party) => number, forMs: number): void {
  const { queue, network } = world;
  network.partition(sideOf);
  watch.onPartition(queue.nowMs() + forMs);
  queue.after(forMs, () => {
    network.partition(null);
    world.records.merge();
  });
}

/**
 * Begins with what becomes of the nodes of a world.
 *
 * @param untilMs when nothing happens to them any more, ms of virtual time: then all come back that are only down
 * @returns how to bring about what chance does not
 */
export function beginFates(
  world: World,
  seed: string,
  lot: Lot,
  untilMs: number,
  watch: FateWatch,
): Misfortunes {
  const fates: Fates = { world, chance: createChance(`${seed}/fates`), lot, untilMs, watch };
  for (const node of world.nodes) begin(fates, node);
  planRegion(fates);
  planPartition(fates);
  return {
    goDown: (node, downMs) => goDown(fates, node, downMs),
    depart: node => depart(fates, node),
    cut: (sideOf, forMs) => cut(fates, sideOf, forMs),
  };
}

/** A month of churn as a part of the nodes, as the mean life that it makes, ms. */
export function lifeOf(churnAMonth: number): number {
  return (30 * lifetimes.dayMs) / -Math.log(1 - churnAMonth);
}
