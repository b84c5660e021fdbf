/** What is so of the keys of a world, written down: who has had which shares, and what is under way. */
import { type ErrorCode, toHex } from '@skerry/base';
import type { HeldEpoch } from '@skerry/custody';
import type { Core } from '@skerry/wire';
import type { Findings } from './scenario.ts';
import type { Citizen, World } from './world.ts';

/** One sharing of a key, as it is. */
export type Sharing = {
  readonly core: Core;
  /** Nodes that have the share of a point on their disks and are not gone, by point; those that serve it or may come to. */
  readonly holders: Map<number, Set<string>>;
  /** The shares as they were dealt. */
  readonly shares: Map<number, string>;
  /** Points whose shares nodes of an operator have ever had. */
  readonly knownTo: Map<string, Set<number>>;
  /** Whether t points had holders at one time. */
  couldOpen: boolean;
  /** Whether a node has served it: what was deposited for a deal that came to nothing is no epoch of the key. */
  wasServed: boolean;
  /** When a point was left without a holder, ms. */
  readonly missing: Map<number, number>;
};

/** A key, as it is. */
export type TrueKey = {
  readonly sharings: Map<string, Sharing>;
  isLost: boolean;
  /** Since when not every point of its newest epoch has a holder, ms, and how long its owner's node was away in that. */
  deficit: { sinceMs: number; excusedMs: number } | null;
  ownerDownSinceMs: number | null;
};

/** Something that a node does with a key, from when it began. */
type Operation = {
  readonly what: string;
  readonly keyId: string;
  readonly by: Citizen;
  readonly life: number;
  readonly sinceMs: number;
};

/** What is so in a world, as it is written down. */
export type Book = {
  readonly worldOf: () => World;
  readonly nowMs: () => number;
  readonly findings: Findings;
  readonly keys: Map<string, TrueKey>;
  /** What a quorum voted for, by what it follows. */
  readonly quorums: Map<string, string>;
  /** What is under way. */
  readonly operations: Set<Operation>;
  /** How long points were without a holder until they had one again, ms. */
  readonly repairTimesMs: number[];
  readonly counts: {
    moves: number;
    votedMoves: number;
    refreshes: number;
    began: number;
    failed: Map<string, number>;
  };
};

/** A book in which nothing is written yet. */
export function createBook(worldOf: () => World, findings: Findings): Book {
  return {
    worldOf,
    nowMs: () => worldOf().queue.nowMs(),
    findings,
    keys: new Map(),
    quorums: new Map(),
    operations: new Set(),
    repairTimesMs: [],
    counts: { moves: 0, votedMoves: 0, refreshes: 0, began: 0, failed: new Map() },
  };
}

const sharingName = new WeakMap<Uint8Array, string>();

/** What a sharing is called, by the hash of its core. */
export function nameOf(coreHash: Uint8Array): string {
  const known = sharingName.get(coreHash);
  if (known !== undefined) return known;
  const name = toHex(coreHash.subarray(0, 8));
  sharingName.set(coreHash, name);
  return name;
}

/** A key of the book: one that nobody has had a share of is written down now. */
export function keyOf({ keys }: Book, keyId: string): TrueKey {
  const known = keys.get(keyId);
  if (known) return known;
  const key: TrueKey = { sharings: new Map(), isLost: false, deficit: null, ownerDownSinceMs: null };
  keys.set(keyId, key);
  return key;
}

/** The sharing of an epoch: one that nobody has had a share of is written down now. */
export function sharingOf({ sharings }: TrueKey, { coreHash, core }: HeldEpoch): Sharing {
  const name = nameOf(coreHash);
  const known = sharings.get(name);
  if (known) return known;
  const sharing: Sharing = {
    core,
    holders: new Map(),
    shares: new Map(),
    knownTo: new Map(),
    couldOpen: false,
    wasServed: false,
    missing: new Map(),
  };
  sharings.set(name, sharing);
  return sharing;
}

/** The sharing that counts: of those that nodes have served, the one of the latest epoch that some still have. */
export function newestOf(key: TrueKey): Sharing | undefined {
  let newest: Sharing | undefined;
  for (const sharing of key.sharings.values()) {
    if (sharing.holders.size === 0 || !sharing.wasServed) continue;
    if (!newest || sharing.core.epoch > newest.core.epoch) newest = sharing;
  }
  return newest;
}

/** Writes down that a node has begun with something; what it gives is called when that ends. */
export function beginOperation(
  { operations, counts, nowMs }: Book,
  what: string,
  keyId: string,
  by: Citizen,
): (outcome: 'done' | ErrorCode) => void {
  const operation: Operation = { what, keyId, by, life: by.life, sinceMs: nowMs() };
  operations.add(operation);
  counts.began += 1;
  return outcome => {
    operations.delete(operation);
    if (outcome === 'done' && what === 'refresh') counts.refreshes += 1;
    if (outcome !== 'done')
      counts.failed.set(`${what}: ${outcome}`, (counts.failed.get(`${what}: ${outcome}`) ?? 0) + 1);
  };
}
