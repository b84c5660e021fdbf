/** A world whose keys are kept: dealt, audited, healed, dealt anew and opened, while things happen to its nodes. */
import { at, type Crypto, type ErrorCode, type Profile, type Risk, toHex } from '@skerry/base';
import { type Manifest, seatsOf } from '@skerry/wire';
import { beginningMs, keepings, lifetimes } from '../parameters.ts';
import { type AuditWatch, createAuditWatch } from './audit-watch.ts';
import { type Chance, createChance } from './chance.ts';
import { beginFates, type Lot, type Misfortunes } from './fates.ts';
import { createHealingDesk, type HealingDesk } from './healing-desk.ts';
import { createHolderHost, type HolderHost } from './holder-host.ts';
import { createOwnerDesk, isKey, newKey, type OwnedKey, type OwnerDesk } from './owner-desk.ts';
import type { Findings } from './scenario.ts';
import { createTruth, type Truth } from './truth.ts';
import { type Bug, type Citizen, type Conduct, createWorld, idOf, type World } from './world.ts';

/** What a kept world is made of. */
export type KeepingOptions = {
  /** Of nodes and what becomes of them; and of all else. */
  readonly seed: string;
  readonly keysSeed?: string;
  readonly crypto: Crypto;
  readonly nodeCount: number;
  readonly operatorCount: number;
  readonly keyCount: number;
  /** @default 'open' */
  readonly profile?: Profile;
  /** The levels of keys, in turn. */
  readonly risks: readonly Risk[];
  /** Nodes that each owner's node knows. */
  readonly knownCount: number;
  readonly days: number;
  /** Days after that in which nothing happens to nodes. */
  readonly quietDays: number;
  readonly auditMs: number;
  /** How old an epoch may get, ms; 0 for any age. */
  readonly refreshMs: number;
  /** Mean ms between two opens of a key; 0 for none. */
  readonly openMs: number;
  /** Mean ms until an owner whose node has departed is back with another. */
  readonly ownerAwayMs: number;
  readonly lot: Lot;
  /** Part of the nodes that misbehave. */
  readonly liars: number;
  readonly findings: Findings;
  readonly planted?: ReadonlySet<Bug>;
  /** Called at the end of each day. */
  readonly onDay?: (day: number, kept: Kept) => void;
  /** Told once all keys are dealt, before anything befalls nodes. */
  readonly onDealt?: (kept: Kept, misfortunes: Misfortunes) => void;
  /** Told what happens to keys, a line each, for who compares two histories. */
  readonly onHistory?: (line: string) => void;
};

/** A kept world. */
export type Kept = {
  readonly world: World;
  readonly truth: Truth;
  readonly keys: OwnedKey[];
  readonly desk: OwnerDesk;
  readonly opens: { right: number; failed: number };
};

/** What the parts of a kept world have in common. */
type Parts = Kept & {
  readonly options: KeepingOptions;
  readonly graceMs: number;
  readonly chance: Chance;
  readonly host: HolderHost;
  readonly watch: AuditWatch;
  readonly healing: HealingDesk;
  /** Gives a key to an owner's node: a new one, or one whose owner has another now. */
  readonly give: (key: OwnedKey, owner: Citizen) => void;
  readonly keyOf: (keyId: string) => OwnedKey | undefined;
  readonly ownedBy: (node: Citizen) => readonly OwnedKey[];
  /** Has a node look at a key soon after a time, and where that fails, again after twice `waitMs`. */
  readonly wake: (node: Citizen, keyId: string, atMs: number, waitMs?: number) => void;
};

const liarKinds: readonly Conduct[] = ['wrong-parts', 'wrong-proofs', 'idle-successor'];

/** When nothing happens to nodes any more: all are up then, and all owners back. */
const churnEndMs = ({ days }: KeepingOptions): number => beginningMs + days * lifetimes.dayMs;

/** The mean of an exponential distribution, drawn from. */
const drawn = (chance: Chance, mean: number): number => -mean * Math.log(1 - chance.unit());

/** Opens a key, and holds that what comes is right. */
function open(
  { truth, desk, opens, options, world }: Pick<Parts, keyof Kept | 'options'>,
  key: OwnedKey,
  done?: () => void,
): void {
  if (!key.owner.isUp || !key.manifest) return done?.();
  const end = truth.onBegun('open', key.keyId, key.owner);
  desk.open(key, opened => {
    if (world.planted.has('open-for-ever') && typeof opened === 'string') return;
    end(typeof opened === 'string' ? opened : 'done');
    if (typeof opened === 'string') opens.failed += 1;
    else {
      opens.right += 1;
      options.findings.check('wrong-key', isKey(key, opened), () => key.keyId);
    }
    done?.();
  });
}

/** Deals a key for the first time, again and again until it succeeds; and then opens it now and then. */
function begin(parts: Parts, key: OwnedKey): void {
  const { world, options, healing, chance } = parts;
  const { queue } = world;
  const openNow = (): void => {
    if (options.openMs > 0) queue.after(drawn(chance, options.openMs), () => open(parts, key, openNow));
  };
  const dealt = (outcome: 'done' | ErrorCode): void => {
    if (outcome !== 'done') return queue.after(keepings.dealAgainMs, () => begin(parts, key));
    onDealt(parts, key);
    openNow();
  };
  if (key.owner.isUp) healing.dealAnew(key, dealt);
  else queue.after(keepings.dealAgainMs, () => begin(parts, key));
}

/** Looks at holders that misbehave, or do not serve yet, and has the next epoch dealt when it is due. */
function onDealt(parts: Parts, key: OwnedKey): void {
  const { world, options, wake } = parts;
  const { manifest, owner, keyId } = key;
  if (!manifest) return;
  const holders = seatsOf(manifest).map(({ nodeKey }) => world.everNodeById(idOf(nodeKey)));
  options.onHistory?.(
    `${parts.keys.indexOf(key)} dealt ${manifest.core.epoch}: ${holders.map(node => node?.slot).join()}`,
  );
  lookAtIdle(parts, key);
  lookAtLiars(parts, key, [owner, ...holders.flatMap(node => node ?? [])]);
  if (options.refreshMs > 0) wake(owner, keyId, manifest.core.createdAtMs + options.refreshMs);
}

/** Has some nodes look at holders that misbehave, as their audits would in time. */
function lookAtLiars({ world, watch }: Parts, { keyId, manifest }: OwnedKey, auditors: Citizen[]): void {
  for (const { x, nodeKey } of manifest ? seatsOf(manifest) : []) {
    const holder = world.everNodeById(idOf(nodeKey));
    if (!holder || holder.conduct === 'honest') continue;
    for (const auditor of auditors) if (auditor !== holder) watch.look(auditor, holder, { keyId, x });
  }
}

/** Looks at holders that are down or serve nothing, as the owner's audits would in time, whoever has seen it before. */
function lookAtIdle({ world, watch }: Parts, { owner, keyId, manifest }: OwnedKey): void {
  for (const { x, nodeKey } of manifest ? seatsOf(manifest) : []) {
    const holder = world.everNodeById(idOf(nodeKey));
    const isWell = holder?.isUp && holder.held.get(keyId)?.active?.core === manifest?.core;
    if (holder && holder !== owner && !isWell) watch.look(owner, holder, { keyId, x });
  }
}

/** One look of a node at a key: what is due is done, and looked at again. */
function look(parts: Parts, node: Citizen, keyId: string, waitMs: number): void {
  const { world, healing, graceMs, keyOf, wake } = parts;
  if (!node.isUp || node.isDeparted || world.witness.isLost(keyId)) return;
  const key = keyOf(keyId);
  const epoch = key?.manifest?.core.epoch;
  // what comes before takes the place of this look, and looks ahead again
  const renewMs =
    key?.owner === node && parts.options.refreshMs > 0 ? key.manifest?.core.createdAtMs : undefined;
  const dueMs = (renewMs ?? 0) + parts.options.refreshMs;
  if (renewMs !== undefined && dueMs > world.queue.nowMs()) wake(node, keyId, dueMs);
  const done = (outcome: 'healed' | 'overtaken' | 'back' | 'failed'): void => {
    if (key?.owner === node && key.manifest?.core.epoch !== epoch) onDealt(parts, key);
    const nextMs = outcome === 'failed' ? Math.min(2 * waitMs, graceMs / 4) : keepings.lookMs;
    wake(node, keyId, world.queue.nowMs() + nextMs, nextMs);
  };
  if (key?.owner === node) {
    lookAtIdle(parts, key); // it may have learnt of new ones since
    healing.healOwned(key, done);
  } else healing.healHeld(node, keyId, done);
}

/** What becomes of nodes, as far as keys have to do with it. */
function watchFates(parts: Parts): Parameters<typeof beginFates>[4] {
  const { world, truth, host, desk, watch, ownedBy, give, wake, options, chance } = parts;
  const { queue } = world;

  function back(key: OwnedKey): void {
    const { owner, manifest, keyId } = key;
    truth.onOwner(keyId, true);
    desk.wake(key);
    desk.lookAgain(key);
    lookAtIdle(parts, key);
    lookAtLiars(parts, key, [owner]); // its node may be another, which has seen nothing yet
    wake(owner, keyId, queue.nowMs() + keepings.lookMs);
    if (manifest && options.refreshMs > 0) wake(owner, keyId, manifest.core.createdAtMs + options.refreshMs);
  }

  return {
    onDown: (node, untilMs) => {
      for (const key of ownedBy(node)) {
        key.isBusy = false;
        truth.onOwner(key.keyId, false);
      }
      watch.onChanged(node, watch.auditorsOf(node), false, untilMs);
    },
    onUp: node => {
      host.wake(node);
      for (const key of ownedBy(node)) back(key);
    },
    onGone: node => {
      truth.onGone(node);
      if (!node.isDeparted) watch.onChanged(node, watch.auditorsOf(node), true, Number.POSITIVE_INFINITY);
    },
    onSettled: (node, before) => {
      for (const key of ownedBy(before)) {
        const awayMs = Math.min(drawn(chance, options.ownerAwayMs), churnEndMs(options) - queue.nowMs());
        queue.after(awayMs, () => {
          give(key, world.nodes[node.slot]!);
          if (key.owner.isUp) back(key);
        });
      }
    },
    onPartition: untilMs => {
      for (const node of world.nodes) {
        const auditors = watch.auditorsOf(node);
        for (const auditor of auditors.keys())
          if (world.network.connects(auditor, node)) auditors.delete(auditor);
        watch.onChanged(node, auditors, false, untilMs);
      }
    },
  };
}

/** The keys of a world, and whose they are. */
function createHoldings(): Pick<Parts, 'keys' | 'give' | 'keyOf' | 'ownedBy'> {
  const keys: OwnedKey[] = [];
  const byId = new Map<string, OwnedKey>();
  const owned = new Map<Citizen, Set<OwnedKey>>();
  return {
    keys,
    give: (key, owner) => {
      const before = owned.get(key.owner);
      if (before?.delete(key) && before.size === 0) owned.delete(key.owner);
      owned.set(owner, (owned.get(owner) ?? new Set<OwnedKey>()).add(key));
      key.owner = owner;
      if (byId.has(key.keyId)) return;
      keys.push(key);
      byId.set(key.keyId, key);
    },
    keyOf: keyId => byId.get(keyId),
    ownedBy: node => [...(owned.get(node) ?? [])],
  };
}

/** A world in which some nodes misbehave, and what hosts the holders of it. */
function createHosted(
  options: KeepingOptions,
  truth: Truth,
  graceMs: number,
): { readonly world: World; readonly host: HolderHost } {
  const { seed, keysSeed = seed, crypto, nodeCount, operatorCount, liars, planted = new Set() } = options;
  const made: { host?: HolderHost } = {};
  const world = createWorld({
    seed,
    keysSeed,
    crypto,
    nodeCount,
    operatorCount,
    conductOf: slot => {
      const chance = createChance(`${seed}/conduct/${slot}`);
      return chance.unit() < liars ? at(liarKinds, chance.below(liarKinds.length)) : 'honest';
    },
    witness: truth.witness,
    planted,
    handle: inWorld => {
      made.host = createHolderHost(inWorld, graceMs);
      return made.host.handle;
    },
  });
  return { world, host: made.host! };
}

/** Has nodes look at keys: where one is to look at a key twice, at the earlier time. */
function createWaking(
  world: World,
  chance: Chance,
  lookAt: (node: Citizen, keyId: string, waitMs: number) => void,
): Parts['wake'] {
  const { queue } = world;
  return (node, keyId, fromMs, waitMs = keepings.lookMs) => {
    const { looks } = node;
    const atMs = Math.max(fromMs, queue.nowMs()) + keepings.lookMs * chance.unit();
    if ((looks.get(keyId) ?? Number.POSITIVE_INFINITY) <= atMs) return;
    looks.set(keyId, atMs);
    queue.after(atMs - queue.nowMs(), () => {
      if (looks.get(keyId) !== atMs) return; // an earlier one took its place
      looks.delete(keyId);
      lookAt(node, keyId, waitMs);
    });
  };
}

/** A point of a key has moved: a holder that misbehaves is looked at, as audits do in time. */
function onMoved({ options, world, watch, keys, keyOf }: Parts, manifest: Manifest, by: Citizen): void {
  const [keyId, { proposal }] = [toHex(manifest.core.keyId), manifest.amendments.at(-1)!];
  const [key, { x }] = [keyOf(keyId), proposal];
  const holder = world.everNodeById(idOf(proposal.nodeKey));
  options.onHistory?.(`${key ? keys.indexOf(key) : ''} moved ${x} by ${by.slot} to ${holder?.slot}`);
  // it may be gone before it hears of it
  if (holder) watch.look(by, holder, { keyId, x });
}

/** The parts of a kept world, before anything has happened. */
function assemble(options: KeepingOptions): Parts {
  const { seed, keysSeed = seed, findings, auditMs, refreshMs } = options;
  const graceMs = auditMs * keepings.auditsPerGrace;
  const chance = createChance(`${keysSeed}/keeping`);
  const truth = createTruth(() => world, findings);
  const { world, host } = createHosted(options, truth, graceMs);
  const desk = createOwnerDesk(world);
  const holdings = createHoldings();
  const wake = createWaking(world, chance, (node, keyId, waitMs) => look(parts, node, keyId, waitMs));
  const watch = createAuditWatch(world, host, desk, {
    auditMs,
    graceMs,
    ownerOf: holdings.keyOf,
    onSuspicion: wake,
  });
  const healing = createHealingDesk(world, host, desk, {
    graceMs,
    refreshMs,
    onBegun: truth.onBegun,
    onMoved: (manifest, by) => onMoved(parts, manifest, by),
  });
  const parts: Parts = {
    ...holdings,
    options,
    graceMs,
    chance,
    world,
    truth,
    opens: { right: 0, failed: 0 },
    host,
    desk,
    watch,
    healing,
    wake,
  };
  return parts;
}

/** Runs a world whose keys are kept, to its end. */
export function keepKeys(options: KeepingOptions): Kept {
  const parts = assemble(options);
  const { world, chance, truth } = parts;
  const { queue } = world;
  const { profile = 'open', nodeCount, keyCount, knownCount, risks, days, quietDays, seed, lot } = options;
  for (let i = 0; i < keyCount; i++) {
    const owner = at(world.nodes, chance.below(nodeCount));
    const known = new Set<number>();
    while (known.size < Math.min(knownCount, nodeCount - 1)) {
      const slot = chance.below(nodeCount);
      if (slot !== owner.slot) known.add(slot);
    }
    const key = newKey(world, owner, { risk: at(risks, i % risks.length), profile }, [...known]);
    parts.give(key, owner);
    queue.after(keepings.dealWithinMs * chance.unit(), () => begin(parts, key));
  }
  queue.run(beginningMs + keepings.dealWithinMs);
  const misfortunes = beginFates(world, seed, lot, churnEndMs(options), watchFates(parts));
  options.onDealt?.(parts, misfortunes);
  for (let day = 1; day <= days + quietDays; day++) {
    queue.run(beginningMs + day * lifetimes.dayMs);
    truth.check();
    options.onDay?.(day, parts);
  }
  return parts;
}
