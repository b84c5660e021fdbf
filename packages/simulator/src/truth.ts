/** What is so in a world, whatever any node believes; and the checkers that hold it against what was promised. */
import { at, type ErrorCode, toHex } from '@skerry/base';
import type { HeldEpoch, HeldKey } from '@skerry/custody';
import type { Core, Manifest } from '@skerry/wire';
import type { Findings } from './scenario.ts';
import { type Book, beginOperation, createBook, keyOf, nameOf, newestOf, sharingOf } from './truth-book.ts';
import {
  checkDeficit,
  checkOperations,
  checkPlacement,
  checkQuorum,
  checkShare,
  checkTheft,
} from './truth-checks.ts';
import type { Citizen, Witness, World } from './world.ts';

/** The checkers of a world. */
export const checkers = [
  'key-lost',
  'wrong-key',
  'share-altered',
  'theft',
  'caps-broken',
  'two-shares-on-one-node',
  'two-quorums',
  'margin-not-recovered',
  'operation-not-ended',
  'two-histories',
  'not-full-in-the-end',
  'not-open-in-the-end',
] as const;

/** What is so in a world. */
export type Truth = {
  readonly witness: Witness;
  /** A node has departed, or has lost its disk: what it had is gone. */
  readonly onGone: (node: Citizen) => void;
  /** The node of a key's owner went down, or is up again. */
  readonly onOwner: (keyId: string, isUp: boolean) => void;
  readonly onBegun: (what: string, keyId: string, by: Citizen) => (outcome: 'done' | ErrorCode) => void;
  /** Holds that every operation that began ended, and that margins recover. */
  readonly check: () => void;
  /** Keys that are lost. */
  readonly lostCount: () => number;
  /** Points of the newest epoch of a key that have holders, and how many it has. */
  readonly marginOf: (
    keyId: string,
  ) => { readonly live: number; readonly core: Core; readonly active: ReadonlySet<number> } | undefined;
  /** How long points were without a holder until they had one again, ms. */
  readonly repairTimesMs: readonly number[];
  readonly counts: Book['counts'];
};

/** The shares that a state has: those that are served, wait, or are kept for a grace. */
function sharesIn(held: HeldKey | null): HeldEpoch[] {
  if (held === null) return [];
  return [held.active, held.pending, held.retired?.epoch ?? null].filter(epoch => epoch !== null);
}

/** Those of a state's shares that are served, or may come to be: not what is kept for a grace. */
function servedIn(epochs: readonly HeldEpoch[], held: HeldKey | null): HeldEpoch[] {
  return epochs.filter(epoch => epoch !== held?.retired?.epoch);
}

function includes(epochs: readonly HeldEpoch[], one: HeldEpoch): boolean {
  return epochs.some(({ dek }) => dek === one.dek);
}

/** A node has a share that it did not have. */
function gain(book: Book, node: Citizen, keyId: string, epoch: HeldEpoch): void {
  const { core, x } = epoch;
  const sharing = sharingOf(keyOf(book, keyId), epoch);
  sharing.holders.set(x, (sharing.holders.get(x) ?? new Set<string>()).add(node.nodeId));
  sharing.couldOpen ||= sharing.holders.size >= core.t;
  const missingSinceMs = sharing.missing.get(x);
  if (missingSinceMs !== undefined) book.repairTimesMs.push(book.nowMs() - missingSinceMs);
  sharing.missing.delete(x);
  const operator = node.candidate.operator ?? node.nodeId;
  const known = (sharing.knownTo.get(operator) ?? new Set<number>()).add(x);
  sharing.knownTo.set(operator, known);
  checkTheft(book, keyId, sharing, operator, known);
  checkShare(book, node, keyId, sharing, epoch);
}

/** A node no longer has a share. */
function lose(book: Book, node: Citizen, keyId: string, epoch: HeldEpoch): void {
  const key = keyOf(book, keyId);
  const sharing = key.sharings.get(nameOf(epoch.coreHash));
  const holders = sharing?.holders.get(epoch.x);
  if (!sharing || !holders?.delete(node.nodeId) || holders.size > 0) return;
  sharing.holders.delete(epoch.x);
  sharing.missing.set(epoch.x, book.nowMs());
  const isOver = sharing.core.epoch < (newestOf(key)?.core.epoch ?? 0);
  if (isOver) sharing.missing.delete(epoch.x);
  if (sharing.holders.size === 0 && isOver) key.sharings.delete(nameOf(epoch.coreHash));
}

/** Whether a key can still be opened, and since when its margin is not full. */
function look(book: Book, keyId: string): void {
  const key = keyOf(book, keyId);
  if (key.isLost) return;
  const canOpen = [...key.sharings.values()].some(({ core, holders }) => holders.size >= core.t);
  const hasBeen = [...key.sharings.values()].some(({ couldOpen }) => couldOpen);
  if (!canOpen && hasBeen) {
    key.isLost = true;
    key.deficit = null;
    book.findings.check('key-lost', false, () => `${keyId}: fewer than t shares of any epoch are left`);
    return;
  }
  const newest = newestOf(key);
  if (newest && newest.holders.size < newest.core.k) {
    key.deficit ??= { sinceMs: book.nowMs(), excusedMs: 0 };
    return;
  }
  checkDeficit(book, keyId, key);
  key.deficit = null;
}

/** A node's state of a key has changed. */
function onState(
  book: Book,
  node: Citizen,
  keyId: string,
  before: HeldKey | null,
  after: HeldKey | null,
): void {
  const isSame =
    before?.active?.dek === after?.active?.dek &&
    before?.pending?.dek === after?.pending?.dek &&
    before?.retired?.epoch.dek === after?.retired?.epoch.dek;
  if (isSame) return;
  const has = sharesIn(after);
  const servedBefore = servedIn(sharesIn(before), before);
  const servedNow = servedIn(has, after);
  for (const epoch of servedNow) if (!includes(servedBefore, epoch)) gain(book, node, keyId, epoch);
  const isKept = ({ coreHash, x }: HeldEpoch): boolean =>
    servedNow.some(one => one.x === x && nameOf(one.coreHash) === nameOf(coreHash));
  for (const epoch of servedBefore) if (!isKept(epoch)) lose(book, node, keyId, epoch);
  if (after?.active) sharingOf(keyOf(book, keyId), after.active).wasServed = true;
  const names = has.map(({ coreHash }) => nameOf(coreHash));
  book.findings.check(
    'two-shares-on-one-node',
    new Set(names).size === names.length,
    () => `${node.nodeId} of ${keyId}`,
  );
  look(book, keyId);
}

/** An amendment was adopted: the last of a manifest. */
function onAmended(book: Book, manifest: Manifest): void {
  const { core, amendments } = manifest;
  const keyId = toHex(core.keyId);
  const { votes } = at(amendments, amendments.length - 1);
  book.counts.moves += 1;
  if (votes.length > 0) {
    book.counts.votedMoves += 1;
    checkQuorum(book, keyId, manifest);
  }
  checkPlacement(book, keyId, manifest);
}

/** A node has departed, or has lost its disk. */
function onGone(book: Book, node: Citizen): void {
  for (const [keyId, held] of node.held) {
    for (const epoch of servedIn(sharesIn(held), held)) lose(book, node, keyId, epoch);
    look(book, keyId);
  }
}

/** The node of a key's owner went down, or is up again: then the time that it was away is excused. */
function onOwner(book: Book, keyId: string, isUp: boolean): void {
  const key = keyOf(book, keyId);
  const { deficit, ownerDownSinceMs } = key;
  if (!isUp) {
    key.ownerDownSinceMs ??= book.nowMs();
    return;
  }
  if (ownerDownSinceMs !== null && deficit)
    deficit.excusedMs += book.nowMs() - Math.max(ownerDownSinceMs, deficit.sinceMs);
  key.ownerDownSinceMs = null;
}

/** The newest epoch of a key, and which of its points have holders. */
function marginOf(book: Book, keyId: string): ReturnType<Truth['marginOf']> {
  const newest = newestOf(keyOf(book, keyId));
  if (!newest) return undefined;
  const { core, holders } = newest;
  return { live: holders.size, core, active: new Set(holders.keys()) };
}

/** What is so in a world, with checkers. */
export function createTruth(worldOf: () => World, findings: Findings): Truth {
  const book = createBook(worldOf, findings);
  const { keys, repairTimesMs, counts } = book;
  return {
    witness: {
      onState: (node, keyId, before, after) => onState(book, node, keyId, before, after),
      onAmended: manifest => onAmended(book, manifest),
      isLost: keyId => keyOf(book, keyId).isLost,
    },
    onGone: node => onGone(book, node),
    onOwner: (keyId, isUp) => onOwner(book, keyId, isUp),
    onBegun: (what, keyId, by) => beginOperation(book, what, keyId, by),
    check: () => {
      checkOperations(book);
      for (const [keyId, key] of keys) checkDeficit(book, keyId, key);
    },
    lostCount: () => [...keys.values()].filter(({ isLost }) => isLost).length,
    marginOf: keyId => marginOf(book, keyId),
    repairTimesMs,
    counts,
  };
}
