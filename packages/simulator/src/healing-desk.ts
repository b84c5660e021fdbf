/** Healing in virtual time: the healer's machine for owned keys and for held ones, carried as a node carries it. */
import { assert, type ErrorCode, equalBytes, toHex } from '@skerry/base';
import {
  type Failure,
  failureOf,
  type HealerEffect,
  type HealerEvent,
  isTheftOver,
  noteSight,
  proposalOf,
  type Remedy,
  remediesFor,
  startHealing,
  stepHealing,
} from '@skerry/custody';
import { type Candidate, certifySuccession, type PlacedKey, rankSuccessors } from '@skerry/placement';
import { compareManifests, type Manifest, seatsOf, tenuresOf } from '@skerry/wire';
import { deadlines } from '../parameters.ts';
import { deal, movePoint } from './deals.ts';
import { type HolderHost, holderIdsOf, probe, servedBy } from './holder-host.ts';
import { candidatesOf, holdersOf, type OwnedKey, type OwnerDesk } from './owner-desk.ts';
import { type Citizen, idOf, type World } from './world.ts';

type Carry = (effect: Exclude<HealerEffect, { type: 'end' }>, deliver: (event: HealerEvent) => void) => void;

type Ended = Extract<HealerEffect, { type: 'end' }>['outcome'];

/** Carries the healer's machine. */
function runHealing(remedies: readonly Remedy[], carry: Carry, done: (outcome: Ended) => void): void {
  const follow = ({ state, effect }: ReturnType<typeof startHealing>): void => {
    if (effect.type === 'end') return done(effect.outcome);
    carry(effect, event => follow(stepHealing(state, event)));
  };
  follow(startHealing(remedies));
}

/** Why holders have failed, by what a node's audits saw. */
function failuresOf(world: World, node: Citizen, manifest: Manifest, keyId: string, graceMs: number) {
  const failures = new Map<number, Failure>();
  const { health } = node;
  if (health.absences.size === 0 && health.losses.size === 0) return failures;
  for (const [x, nodeId] of holderIdsOf(manifest)) {
    const failure = failureOf(health, { keyId, x, nodeId }, world.queue.nowMs(), graceMs);
    if (failure) failures.set(x, failure);
  }
  return failures;
}

/** What healing needs of its scenario. */
type HealingOptions = {
  readonly graceMs: number;
  /** How old an epoch may get, ms; 0 for any age. */
  readonly refreshMs: number;
  /** Told of what an owner or a holder begins; says how to end it. */
  readonly onBegun: (what: string, keyId: string, by: Citizen) => (outcome: 'done' | ErrorCode) => void;
  /** A point of a key has gone to another node: the last amendment's. */
  readonly onMoved: (manifest: Manifest, by: Citizen) => void;
};

/** Heals keys. */
export type HealingDesk = {
  /** Does what is due for a key at its owner's node; says what came of it, if anything was due. */
  readonly healOwned: (key: OwnedKey, done: (outcome: Ended) => void) => void;
  /** The same at a holder's, where its owner does nothing. */
  readonly healHeld: (node: Citizen, keyId: string, done: (outcome: Ended) => void) => void;
  /** Deals a key, or its next epoch. */
  readonly dealAnew: (key: OwnedKey, deliver: (outcome: 'done' | ErrorCode) => void) => void;
};

/** A key as it is placed: who holds its points and held them in this epoch. */
function placedKey(world: World, manifest: Manifest, others: ReadonlyMap<string, Candidate>): PlacedKey {
  const { t, k, policy, profile } = manifest.core;
  const known = (nodeKey: Uint8Array): Candidate | undefined =>
    world.nodeOf(nodeKey)?.candidate ?? others.get(idOf(nodeKey));
  const points = [...tenuresOf(manifest)].map(([x, nodeKeys]) => ({
    x,
    holder: known(nodeKeys.at(-1)!) ?? null,
    former: nodeKeys.slice(0, -1).flatMap(nodeKey => known(nodeKey) ?? []),
  }));
  return { points, t, k, risk: policy.risk, profile };
}

/** The node id of the holder of a point. */
function holderAt(manifest: Manifest, x: number): string {
  const nodeId = holderIdsOf(manifest).get(x);
  assert(nodeId !== undefined, 'the point is one of the key');
  return nodeId;
}

/** What healing is carried with. */
type Healing = HealingOptions & {
  readonly world: World;
  readonly host: HolderHost;
  readonly desk: OwnerDesk;
};

type Move = Extract<Remedy, { type: 'move' }>;

type Deliver = (outcome: 'done' | ErrorCode) => void;

function isAlive(world: World, by: Citizen, nodeId: string): boolean {
  const node = world.nodeById(nodeId);
  return node?.isUp === true && world.network.connects(by, node);
}

/** Those of some nodes that may take a point and answer; and its holder once more. */
function nomineesFor(
  world: World,
  by: Citizen,
  placed: PlacedKey,
  x: number,
  among: Candidate[],
  leaving: string,
): string[] {
  const alive = among.filter(({ nodeId }) => isAlive(world, by, nodeId));
  const taken = new Set(placed.points.map(({ holder }) => holder?.nodeId));
  const ranked = world.planted.has('ignore-caps')
    ? alive.filter(({ nodeId }) => !taken.has(nodeId))
    : rankSuccessors(placed, x, alive);
  const first = ranked.slice(0, deadlines.nomineesMax).map(({ nodeId }) => nodeId);
  return isAlive(world, by, leaving) ? [...first, leaving] : first;
}

/** The last amendment's node has the time anew, as seen by who moved the point. */
function noteMoved({ queue }: World, node: Citizen, { core, amendments }: Manifest): void {
  const { x, nodeKey } = amendments.at(-1)!.proposal;
  const [keyId, nodeId] = [toHex(core.keyId), idOf(nodeKey)];
  node.health = noteSight(node.health, { keyId, x, nodeId, kind: 'moved', atMs: queue.nowMs() }, 0);
}

/** Moves a point of a key by its owner's word. */
function move({ world, desk, onMoved }: Healing, key: OwnedKey, { x, reason }: Move, deliver: Deliver): void {
  const { manifest, owner, signer, former } = key;
  assert(manifest !== null, 'what is healed was dealt');
  const leaving = holderAt(manifest, x);
  const others = new Map<string, Candidate>(
    [...(key.certificate?.holders ?? []), ...former].map(one => [one.nodeId, one]),
  );
  const candidates = candidatesOf(world, key);
  const nominees = nomineesFor(world, owner, placedKey(world, manifest, others), x, candidates, leaving);
  const adopt = (next: Manifest): void => {
    const successor = holderAt(next, x);
    const candidate = candidates.find(({ nodeId }) => nodeId === successor);
    const gone = others.get(leaving) ?? candidates.find(({ nodeId }) => nodeId === leaving);
    if (gone && successor !== leaving) key.former = [...key.former, gone];
    if (candidate && key.certificate) {
      key.certificate = certifySuccession(key.certificate, leaving, candidate, candidates);
    }
    key.manifest = next;
    world.records.put(owner, next);
    desk.tell(key, 'update', [...new Set([...holdersOf(next), leaving])], deadlines.formerHoldersMs);
    noteMoved(world, owner, next);
    onMoved(next, owner);
  };
  movePoint(world, owner, { manifest, x, reason, nominees, signer }, adopt, deliver);
}

function dealAnew({ world, desk, onBegun }: Healing, key: OwnedKey, deliver: Deliver): void {
  const plant = { anotherKey: world.planted.has('another-key') && key.manifest !== null };
  const { risk } = key;
  const end = onBegun(key.manifest === null ? 'deal' : 'refresh', key.keyId, key.owner);
  const finish: Deliver = outcome => {
    end(outcome);
    deliver(outcome);
  };
  if (key.manifest === null) return deal(world, desk, key, { risk, opened: key.key, plant }, finish);
  if (!desk.settle(key)) return finish('DEPOSIT_FAILED');
  desk.open(key, opened => {
    if (typeof opened === 'string') return finish(opened);
    deal(world, desk, key, { risk, opened, plant }, finish);
  });
}

/** What a key needs, as its owner's node sees it. */
function standing({ world, graceMs, refreshMs }: Healing, key: OwnedKey): readonly Remedy[] {
  const { manifest, certificate, owner, keyId, risk } = key;
  if (!manifest || !certificate) return [];
  const failures = failuresOf(world, owner, manifest, keyId, graceMs);
  const suspects = new Map<number, 'cheated'>();
  for (const [x, nodeId] of holderIdsOf(manifest)) {
    if (owner.shunned.get(nodeId) === Number.POSITIVE_INFINITY) suspects.set(x, 'cheated');
  }
  const over = { isTheftOver: isTheftOver(manifest, certificate), raisedTo: risk, canLift: false };
  return remediesFor({ manifest, failures, suspects, ...over }, world.queue.nowMs(), refreshMs);
}

/** Tells the healer's machine how an act ended. */
function tellEnd(deliver: (event: HealerEvent) => void): Deliver {
  return outcome => deliver(outcome === 'done' ? { type: 'acted' } : { type: 'failed', code: outcome });
}

/** Tells the healer's machine whether the holder of a point proves its share. */
function tellProbe(
  { world, graceMs }: Healing,
  node: Citizen,
  manifest: Manifest,
  x: number,
  deliver: (event: HealerEvent) => void,
): void {
  probe(world, node, manifest, x, shown => {
    const isProved = shown === 'proof';
    const [keyId, nodeId] = [toHex(manifest.core.keyId), holderAt(manifest, x)];
    const sight = { keyId, x, nodeId, kind: 'well', atMs: world.queue.nowMs() } as const;
    if (isProved) node.health = noteSight(node.health, sight, graceMs);
    deliver({ type: 'probed', isProved });
  });
}

function healOwned(healing: Healing, key: OwnedKey, done: (outcome: Ended) => void): void {
  const { world, desk, onBegun } = healing;
  if (world.planted.has('never-heal')) return;
  if (key.isBusy || !key.owner.isUp) return done('failed');
  const isSettled = desk.settle(key);
  const remedies = standing(healing, key).filter(({ type }) => isSettled || type === 'move');
  if (remedies.length === 0) return isSettled ? undefined : done('failed');
  const { owner, manifest } = key;
  const { life } = owner;
  assert(manifest !== null, 'what is healed was dealt');
  key.isBusy = true;
  const end = onBegun('heal', key.keyId, owner);
  const carry: Carry = (effect, deliver) => {
    if (effect.type === 'look') return deliver({ type: 'looked', isNewer: desk.lookAgain(key) });
    if (effect.type === 'probe') return tellProbe(healing, owner, manifest, effect.x, deliver);
    if (effect.remedy.type === 'refresh') dealAnew(healing, key, tellEnd(deliver));
    else move(healing, key, effect.remedy, tellEnd(deliver));
  };
  runHealing(remedies, carry, outcome => {
    if (owner.life === life) key.isBusy = false;
    end('done');
    done(outcome);
  });
}

function healHeld(healing: Healing, node: Citizen, keyId: string, done: (outcome: Ended) => void): void {
  const { world, host, graceMs, onBegun } = healing;
  const manifest = servedBy(node, keyId);
  if (!manifest || !node.isUp) return;
  const failures = failuresOf(world, node, manifest, keyId, graceMs);
  const proposal = proposalOf({ manifest, nodeKey: node.nodeKey, failures }, world.queue.nowMs(), graceMs);
  if (!proposal) return;
  const end = onBegun('vote', keyId, node);
  const carry: Carry = (effect, deliver) => {
    if (effect.type === 'look') {
      host.catchUp(node, keyId);
      const now = servedBy(node, keyId);
      const isNewer = !now || (now !== manifest && compareManifests(world.crypto, now, manifest) !== 0);
      return deliver({ type: 'looked', isNewer });
    }
    if (effect.type === 'probe') return tellProbe(healing, node, manifest, effect.x, deliver);
    propose(healing, node, manifest, proposal, tellEnd(deliver));
  };
  runHealing([proposal], carry, outcome => {
    end('done');
    done(outcome);
  });
}

/** Moves a point of a key by the votes of its holders. */
function propose(
  { world, host, onMoved }: Healing,
  node: Citizen,
  manifest: Manifest,
  { x, reason }: Move,
  deliver: Deliver,
): void {
  const { network } = world;
  const keyId = toHex(manifest.core.keyId);
  const leaving = holderAt(manifest, x);
  const waiting = manifest.core.standby.flatMap(nodeKey => world.nodeOf(nodeKey)?.candidate ?? []);
  const nominees = nomineesFor(world, node, placedKey(world, manifest, new Map()), x, waiting, leaving);
  const adopt = (next: Manifest): void => {
    host.step(node, keyId, { type: 'update', from: node.nodeKey, manifest: next });
    const told = seatsOf(next).filter(({ nodeKey }) => !equalBytes(nodeKey, node.nodeKey));
    const request = { name: 'update', body: next, deadlineMs: deadlines.noticeMs } as const;
    for (const { nodeKey } of told) network.ask(node, world.nodeOf(nodeKey), request, () => undefined);
    network.ask(node, world.nodeById(leaving), request, () => undefined);
    noteMoved(world, node, next);
    onMoved(next, node);
  };
  movePoint(world, node, { manifest, x, reason, nominees, signer: null }, adopt, deliver);
}

/** Healing in a world. */
export function createHealingDesk(
  world: World,
  host: HolderHost,
  desk: OwnerDesk,
  options: HealingOptions,
): HealingDesk {
  const healing: Healing = { world, host, desk, ...options };
  return {
    healOwned: (key, done) => healOwned(healing, key, done),
    healHeld: (node, keyId, done) => healHeld(healing, node, keyId, done),
    dealAnew: (key, deliver) => dealAnew(healing, key, deliver),
  };
}
