/**
 * Audits in virtual time, where something follows from them: of nodes that are down, have lost shares, cheat, or are new
 * to a key. That a node finds another well, as it does a million times, is not carried out; its cost is reckoned.
 */
import { auditPace, failureOf, noteSight, type Sight } from '@skerry/custody';
import type { Manifest } from '@skerry/wire';
import { deadlines } from '../parameters.ts';
import { type HolderHost, holderIdsOf, probe, servedBy } from './holder-host.ts';
import type { OwnedKey, OwnerDesk } from './owner-desk.ts';
import type { Citizen, World } from './world.ts';

/** A point of a key that the one holds and the other audits. */
type Bond = { readonly keyId: string; readonly x: number };

/** Audits of one node by another that are under way. */
type Chain = { readonly bonds: Bond[]; isThorough: boolean };

/** Audits of a world. */
export type AuditWatch = {
  /**
   * A node is not as it was; those that audit it find out in their time.
   *
   * @param auditors of `auditorsOf`
   * @param isThorough whether each of its shares is to be looked at, and not only whether it is there
   * @param untilMs who looks later than that finds nothing
   */
  readonly onChanged: (
    subject: Citizen,
    auditors: ReadonlyMap<Citizen, readonly Bond[]>,
    isThorough: boolean,
    untilMs: number,
  ) => void;
  /** Those that audit a node, and the points for which they do. */
  readonly auditorsOf: (subject: Citizen) => Map<Citizen, Bond[]>;
  /** One node looks within a period how another holds a point. */
  readonly look: (auditor: Citizen, subject: Citizen, bond: Bond) => void;
};

type AuditOptions = {
  readonly auditMs: number;
  readonly graceMs: number;
  readonly ownerOf: (keyId: string) => OwnedKey | undefined;
  /** Something was seen that healing may have to do with, and from when on. */
  readonly onSuspicion: (auditor: Citizen, keyId: string, atMs: number) => void;
};

/** What audits are carried with; `chains` has those under way, by who audits and who is audited. */
type Watch = {
  readonly world: World;
  readonly host: HolderHost;
  readonly desk: OwnerDesk;
  readonly options: AuditOptions;
  readonly chains: Map<string, Map<Citizen, Chain>>;
};

const { jitter, doubtedParts } = auditPace;

/** Until a node's next audit of another, from any moment: gaps are a period or up to a part of it less. */
function untilNextMs({ world: { chance }, options }: Watch): number {
  const least = 1 - jitter;
  return options.auditMs * Math.sqrt(least ** 2 + (1 - least ** 2) * chance.unit()) * chance.unit();
}

/** The manifest that a node audits a key by: as its owner, or as one of its holders. */
function knownTo({ options }: Watch, auditor: Citizen, keyId: string): Manifest | null | undefined {
  const owned = options.ownerOf(keyId);
  return owned?.owner === auditor ? owned.manifest : servedBy(auditor, keyId);
}

function auditorsOf({ world, options }: Watch, subject: Citizen): Map<Citizen, Bond[]> {
  const auditors = new Map<Citizen, Bond[]>();
  for (const [keyId, held] of subject.held) {
    const manifest = servedBy(subject, keyId) ?? held.incoming?.manifest;
    const seats = manifest ? [...holderIdsOf(manifest)] : [];
    const own = seats.find(([, nodeId]) => nodeId === subject.nodeId);
    if (!own) continue;
    const bond = { keyId, x: own[0] };
    const others = seats.map(([, nodeId]) => world.nodeById(nodeId));
    for (const auditor of new Set([options.ownerOf(keyId)?.owner, ...others])) {
      if (!auditor || auditor === subject) continue;
      const bonds = auditors.get(auditor);
      if (bonds) bonds.push(bond);
      else auditors.set(auditor, [bond]);
    }
  }
  return auditors;
}

/** Begins to audit for some points after a time, or adds them to what is under way. */
function begin(
  watch: Watch,
  auditor: Citizen,
  subject: Citizen,
  bonds: readonly Bond[],
  isThorough: boolean,
  afterMs: number,
): void {
  const { chains, world } = watch;
  const mine = chains.get(auditor.nodeId) ?? new Map<Citizen, Chain>();
  const chain = mine.get(subject);
  if (chain) {
    chain.isThorough ||= isThorough;
    for (const bond of bonds)
      if (!chain.bonds.some(({ keyId }) => keyId === bond.keyId)) chain.bonds.push(bond);
    return;
  }
  chains.set(auditor.nodeId, mine.set(subject, { bonds: [...bonds], isThorough }));
  world.queue.after(afterMs, () => audit(watch, auditor, subject));
}

function end({ chains }: Watch, auditor: Citizen, subject: Citizen): void {
  const mine = chains.get(auditor.nodeId);
  mine?.delete(subject);
  if (mine?.size === 0) chains.delete(auditor.nodeId);
}

/** Enters what was seen, and has healing look from when it may have to act. */
function note(
  { world, options }: Watch,
  auditor: Citizen,
  subject: Citizen,
  bonds: readonly Bond[],
  kind: Sight['kind'],
): void {
  const { graceMs, ownerOf, onSuspicion } = options;
  const [first] = bonds;
  if (!first) return;
  const { nodeId } = subject;
  const sight = { ...first, nodeId, kind, atMs: world.queue.nowMs() };
  auditor.health = noteSight(auditor.health, sight, graceMs);
  if (kind === 'well' || kind === 'there') return;
  for (const { keyId, x } of kind === 'lost' ? [first] : bonds) {
    const forever = Number.MAX_SAFE_INTEGER;
    const failure = failureOf(auditor.health, { keyId, x, nodeId }, forever, graceMs);
    if (!failure) continue;
    const ownMs = failure.reason === 'lost' ? graceMs / 4 : graceMs;
    // holders leave the first grace to the owner
    const waitMs = ownerOf(keyId)?.owner === auditor ? ownMs : 2 * graceMs;
    onSuspicion(auditor, keyId, failure.sinceMs + waitMs);
  }
}

/** Has a node audit another again after a part of a period. */
function again(watch: Watch, auditor: Citizen, subject: Citizen, part: number): void {
  const { world, options } = watch;
  const afterMs = options.auditMs * part + 60_000 * world.chance.unit();
  world.queue.after(afterMs, () => audit(watch, auditor, subject));
}

/** One audit: of the first point that the one still holds for the other. */
function audit(watch: Watch, auditor: Citizen, subject: Citizen): void {
  const { world, chains } = watch;
  const chain = chains.get(auditor.nodeId)?.get(subject);
  if (!chain) return;
  const bonds = chain.bonds.filter(({ keyId, x }) => {
    const manifest = knownTo(watch, auditor, keyId);
    return manifest ? holderIdsOf(manifest).get(x) === subject.nodeId : false;
  });
  chain.bonds.splice(0, chain.bonds.length, ...bonds);
  const [bond] = bonds;
  if (!bond || auditor.isDeparted) return end(watch, auditor, subject);
  if (!auditor.isUp) return again(watch, auditor, subject, 1 - jitter / 2);
  const manifest = knownTo(watch, auditor, bond.keyId)!;
  if (subject.isDeparted || !subject.isUp || !world.network.connects(auditor, subject)) {
    note(watch, auditor, subject, bonds, 'absent');
    return again(watch, auditor, subject, doubtedParts.absent);
  }
  // an honest node proves what it has: that it does is seen in rounds and repairs, and need not be worked out here
  if (provesSurely(subject, bond, manifest)) return judge(watch, auditor, subject, chain, bond, 'proof');
  probe(world, auditor, manifest, bond.x, shown => judge(watch, auditor, subject, chain, bond, shown));
}

/** Whether a node is honest and has its share of a point. */
function provesSurely(subject: Citizen, { keyId, x }: Bond, manifest: Manifest): boolean {
  const held = subject.held.get(keyId);
  if (subject.conduct !== 'honest' || !held?.active || held.incoming) return false;
  return held.active.x === x && held.active.core === manifest.core;
}

/**
 * Has an owner inspect a key of which a node has a share that proves it, and answers rounds wrongly: when that node's
 * turn to be inspected has come. Inspections that would find nothing are not carried out.
 */
function inspectSoon(watch: Watch, auditor: Citizen, subject: Citizen, bond: Bond): void {
  const { world, desk, options } = watch;
  const { keyId, x } = bond;
  const turnMs = auditPace.proofsPerDrill * options.auditMs;
  world.queue.after(turnMs * world.chance.unit(), () => {
    const key = options.ownerOf(keyId);
    const holders = key?.manifest ? holderIdsOf(key.manifest) : new Map<number, string>();
    if (key?.owner !== auditor || holders.get(x) !== subject.nodeId || world.witness.isLost(keyId)) return;
    if (auditor.isDeparted || subject.isDeparted) return;
    if (!auditor.isUp) return inspectSoon(watch, auditor, subject, bond);
    desk.inspect(key, x, liars => {
      const caught = [...holders].filter(([point]) => liars.has(point));
      for (const [, nodeId] of caught) auditor.shunned.set(nodeId, Number.POSITIVE_INFINITY);
      if (caught.length > 0) options.onSuspicion(auditor, keyId, world.queue.nowMs());
      if (!liars.has(x)) inspectSoon(watch, auditor, subject, bond);
    });
  });
}

/** What follows from an answer. */
function judge(
  watch: Watch,
  auditor: Citizen,
  subject: Citizen,
  chain: Chain,
  bond: Bond,
  shown: string,
): void {
  const { queue } = watch.world;
  const { bonds } = chain;
  const first = [bond];
  if (shown === 'proof') {
    note(watch, auditor, subject, first, 'well');
    if (subject.conduct === 'wrong-parts') inspectSoon(watch, auditor, subject, bond);
    bonds.shift();
    if (!chain.isThorough || bonds.length === 0) return end(watch, auditor, subject);
    return again(watch, auditor, subject, 1 - jitter / 2);
  }
  if (shown === 'proof-wrong') {
    auditor.shunned.set(subject.nodeId, Number.POSITIVE_INFINITY);
    for (const { keyId } of bonds) watch.options.onSuspicion(auditor, keyId, queue.nowMs());
    return end(watch, auditor, subject);
  }
  if (shown === 'PEER_UNREACHABLE' || shown === 'DEADLINE_EXCEEDED') {
    note(watch, auditor, subject, bonds, 'absent');
    return again(watch, auditor, subject, doubtedParts.absent);
  }
  const isOutdated = shown === 'POINT_MOVED' || shown === 'EPOCH_MISMATCH';
  if (!isOutdated || !learns(watch, auditor, bond.keyId)) {
    note(watch, auditor, subject, first, 'lost');
    const untilMs = queue.nowMs() + deadlines.shunMs;
    if ((auditor.shunned.get(subject.nodeId) ?? 0) < untilMs) auditor.shunned.set(subject.nodeId, untilMs);
    bonds.push(...bonds.splice(0, 1)); // the next key in turn
  }
  again(watch, auditor, subject, doubtedParts.lost);
}

/** Whether a node learns that a key has gone on. */
function learns({ world, host, desk, options }: Watch, auditor: Citizen, keyId: string): boolean {
  const owned = options.ownerOf(keyId);
  if (owned?.owner === auditor) {
    const isNewer = desk.lookAgain(owned);
    if (isNewer) options.onSuspicion(auditor, keyId, world.queue.nowMs());
    return isNewer;
  }
  const before = servedBy(auditor, keyId);
  host.catchUp(auditor, keyId);
  return servedBy(auditor, keyId) !== before;
}

/** Audits in a world. */
export function createAuditWatch(
  world: World,
  host: HolderHost,
  desk: OwnerDesk,
  options: AuditOptions,
): AuditWatch {
  const watch: Watch = { world, host, desk, options, chains: new Map() };
  return {
    auditorsOf: subject => auditorsOf(watch, subject),
    look: (auditor, subject, bond) => begin(watch, auditor, subject, [bond], false, untilNextMs(watch)),
    onChanged: (subject, auditors, isThorough, untilMs) => {
      for (const [auditor, bonds] of auditors) {
        const afterMs = untilNextMs(watch);
        const isInTime = world.queue.nowMs() + afterMs < untilMs;
        if (isInTime) begin(watch, auditor, subject, bonds, isThorough, afterMs);
      }
    },
  };
}
