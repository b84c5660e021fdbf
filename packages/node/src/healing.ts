import { setTimeout as sleep } from 'node:timers/promises';
import { assert, type Clock, type Log, type Random, type Risk, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import {
  type Failure,
  isExposed,
  judgeProbe,
  type Margin,
  marginOf,
  proposalOf,
  type Remedy,
  remediesFor,
} from '@skerry/custody';
import { type Counts, rankSuccessors, targetsOf, theftWithStrays } from '@skerry/placement';
import type { TrustStatement } from '@skerry/trust';
import { coreHashOf, type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { ask, codeOf } from './asking.ts';
import type { HealthStore } from './health-store.ts';
import type { Keyring, OwnedKey } from './keyring.ts';
import { movePoint } from './moving.ts';
import type { Network } from './network.ts';
import type { Notice } from './notices.ts';
import { holdersOf } from './owner-keys.ts';
import type { Ownership } from './ownership.ts';
import type { Store } from './store.ts';

/** What healing needs of its node. */
type HealingOptions = {
  readonly network: Pick<Network, 'assessor' | 'custody' | 'evidence' | 'streams' | 'notices'>;
  readonly store: Store;
  readonly keyring: Pick<Keyring, 'get' | 'list'>;
  readonly ownership: Pick<Ownership, 'plan' | 'refresh' | 'move' | 'settle' | 'lookAgain'>;
  readonly health: HealthStore;
  readonly nodeKey: Uint8Array;
  /** How old an epoch may get, ms; 0 for any age. */
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** How a key of this node's owner stands, as this node sees it. */
type Standing = {
  readonly margin: Margin;
  /** Why holders have failed, by their points. */
  readonly failures: ReadonlyMap<number, Failure>;
  /** Whether t shares may have leaked: what is under the key has to be sealed again under another. */
  readonly isExposed: boolean;
  /** What is to be done for it, most first. */
  readonly remedies: readonly Remedy[];
};

/** A holder that an audit asked in vain, since it says that the key, or its point, has gone on. */
export type Outdated = { readonly keyId: string; readonly x: number; readonly nodeId: string };

/** Heals the keys that a node owns, and those that it holds where their owners do nothing. */
export type Healing = {
  readonly standingOf: (owned: OwnedKey) => Standing;
  /** A holder says that this node's manifest of a key is old: it is looked for a newer one soon. */
  readonly noteOutdated: (outdated: Outdated) => void;
  /** Begins, and says how to stop. */
  readonly start: () => () => Promise<void>;
};

/** Why holders of a key have failed, by what this node's audits saw. */
function failuresOf(health: HealthStore, manifest: Manifest): Map<number, Failure> {
  const keyId = toHex(manifest.core.keyId);
  const failures = new Map<number, Failure>();
  if (health.isAllWell()) return failures;
  for (const { x, nodeKey } of seatsOf(manifest)) {
    const failure = health.failureOf({ keyId, x, nodeId: nodeIdOf(nodeKey) });
    if (failure) failures.set(x, failure);
  }
  return failures;
}

/** Copies that former holders may still have, by the node that holds the point now. */
function straysOf({ core, amendments }: Manifest): Map<string, number> {
  const copies = new Map<number, number>();
  const holders = new Map(core.holders.map(({ x, nodeKey }) => [x, nodeIdOf(nodeKey)]));
  for (const { proposal } of amendments) {
    const successor = nodeIdOf(proposal.nodeKey);
    if (holders.get(proposal.x) !== successor) copies.set(proposal.x, (copies.get(proposal.x) ?? 0) + 1);
    holders.set(proposal.x, successor);
  }
  return new Map([...copies].map(([x, count]) => [holders.get(x) ?? '', count]));
}

/** Whether a key that met its level's targets misses the one for theft with the copies of former holders. */
function isTheftOver({ manifest, notes }: OwnedKey): boolean {
  const { policy, profile } = manifest.core;
  const strays = straysOf(manifest);
  if (strays.size === 0 || policy.reduced || policy.manual || notes.certificate.reduced) return false;
  return theftWithStrays(notes.certificate, strays) > targetsOf(profile, policy.risk).theftMax;
}

function isDenied(statement: TrustStatement | null): boolean {
  return statement === 'deny' || statement === 0;
}

/** How owned keys stand. */
function createStandings({ network, ownership, health, refreshMs, clock }: HealingOptions) {
  const { evidence, assessor } = network;
  const plans = new Map<string, { readonly isFeasible: boolean; readonly untilMs: number }>();

  /** Holders that may have given their share away. */
  function suspectsOf(manifest: Manifest): Map<number, 'cheated' | 'denied'> {
    const suspects = new Map<number, 'cheated' | 'denied'>();
    for (const { x, nodeKey } of seatsOf(manifest)) {
      const nodeId = nodeIdOf(nodeKey);
      const cheatedAtMs = evidence.of(nodeId)?.cheatedAtMs ?? null;
      if (cheatedAtMs !== null) suspects.set(x, 'cheated');
      else if (isDenied(assessor.statementOn(nodeId))) suspects.set(x, 'denied');
    }
    return suspects;
  }

  /** Whether a reduced key could have its level's targets now. Planning takes long where there are many nodes. */
  function canLift({ manifest }: OwnedKey): boolean {
    const { keyId, t, n, k, policy } = manifest.core;
    if (!policy.reduced) return false;
    const name = `${policy.risk}${policy.manual ? `/${toHex(keyId)}` : ''}`;
    const known = plans.get(name);
    if (known && known.untilMs > performance.now()) return known.isFeasible;
    const isFeasible = isFeasibleNow(policy.risk, policy.manual ? { t, n, k } : undefined);
    plans.set(name, { isFeasible, untilMs: performance.now() + health.graceMs / 4 });
    return isFeasible;
  }

  function isFeasibleNow(risk: Risk, counts: Counts | undefined): boolean {
    try {
      return !ownership.plan({ risk, acceptReduced: false, ...(counts && { counts }) }).reduced;
    } catch (error) {
      codeOf(error); // a bug is thrown on
      return false;
    }
  }

  return (owned: OwnedKey): Standing => {
    const { manifest, notes } = owned;
    const failures = failuresOf(health, manifest);
    const suspects = suspectsOf(manifest);
    const { raisedTo } = notes;
    const over = { isTheftOver: isTheftOver(owned), canLift: canLift(owned) };
    const remedies = remediesFor(
      { manifest, failures, suspects, raisedTo, ...over },
      clock.nowMs(),
      refreshMs,
    );
    const margin = marginOf(manifest.core, manifest.core.k - failures.size);
    return { margin, failures, isExposed: isExposed({ manifest, suspects }), remedies };
  };
}

/** Lets one remedy be tried again ever more seldom while it fails. */
function createPatience(waitMsMax: number) {
  const turns = new Map<string, { readonly dueMs: number; readonly waitMs: number }>();
  return {
    isDue: (name: string): boolean => (turns.get(name)?.dueMs ?? 0) <= performance.now(),
    wait: (name: string): void => {
      const waitMs = turns.get(name)?.waitMs ?? parameters.healWaitMsMin;
      const dueMs = performance.now() + waitMs * (0.75 + Math.random() / 2);
      turns.set(name, { dueMs, waitMs: Math.min(2 * waitMs, Math.max(waitMsMax, waitMs)) });
    },
    forget: (name: string): void => void turns.delete(name),
  };
}

/** The node id of who holds a point. */
function holderAt(manifest: Manifest, x: number): string {
  const seat = seatsOf(manifest).find(one => one.x === x);
  assert(seat !== undefined, 'what is healed is a point of the key');
  return nodeIdOf(seat.nodeKey);
}

/** Asks a holder that counts as failed once more; true where it proves its share. */
async function isBack(
  { network, health, random }: HealingOptions,
  manifest: Manifest,
  x: number,
): Promise<boolean> {
  const { core } = manifest;
  const coreHash = coreHashOf(nodeCrypto, core);
  const probe = { keyId: core.keyId, epoch: core.epoch, coreHash, x, nonce: random.bytes(32) };
  const nodeId = holderAt(manifest, x);
  const deadline = { deadlineMs: parameters.auditDeadlineMs };
  const answer = await ask(network.streams, nodeId, 'probe', probe, deadline).catch(codeOf);
  if (typeof answer === 'string' || judgeProbe(nodeCrypto, manifest, probe, answer) !== 'proof') return false;
  health.note({ keyId: toHex(core.keyId), x, nodeId, kind: 'well' });
  return true;
}

/** What is done for one key: true where it changed something. */
type Healer = (keyId: string) => Promise<boolean>;

/** Heals a key of this node's owner: looks first whether somebody else did, and asks the holder once more. */
function createOwnerHealer(
  options: HealingOptions,
  standingOf: (owned: OwnedKey) => Standing,
): (owned: OwnedKey) => Promise<boolean> {
  const { ownership, health, log } = options;
  const patience = createPatience(health.graceMs / 4);

  async function carryOut({ manifest }: OwnedKey, remedy: Remedy): Promise<boolean> {
    const { keyId } = manifest.core;
    if (remedy.type === 'refresh') {
      const wanted = remedy.why === 'reduced' ? { acceptReduced: false } : {};
      const { manifest: next } = await ownership.refresh(keyId, wanted);
      log.info('a key was dealt anew', { keyId: toHex(keyId), why: remedy.why, epoch: next.core.epoch });
      return true;
    }
    const { x, reason } = remedy;
    const mayBeBack = reason === 'absent' || reason === 'lost';
    if (mayBeBack && (await isBack(options, manifest, x))) return false;
    const { proposal } = await ownership.move(keyId, x, reason);
    log.info('a point of a key was moved', {
      keyId: toHex(keyId),
      x,
      reason,
      to: nodeIdOf(proposal.nodeKey),
    });
    return true;
  }

  async function attempt(owned: OwnedKey, remedy: Remedy): Promise<boolean> {
    const name = `${toHex(owned.manifest.core.keyId)}/${remedy.type}`;
    if (!patience.isDue(name)) return false;
    patience.wait(name);
    try {
      const isDone = await carryOut(owned, remedy);
      if (isDone) patience.forget(name);
      return isDone;
    } catch (error) {
      const fields = { keyId: toHex(owned.manifest.core.keyId), remedy: remedy.type, code: codeOf(error) };
      log.warn('a key could not be healed yet', fields);
      return false;
    }
  }

  return async owned => {
    if (owned.previous && !(await ownership.settle(owned.manifest.core.keyId))) return false;
    const { remedies } = standingOf(owned);
    if (remedies.length === 0) return false;
    if (await ownership.lookAgain(owned.manifest)) return true;
    for (const remedy of remedies) if (await attempt(owned, remedy)) return true;
    return false;
  };
}

/** Has the holders of a key vote for moving a failed point, where its owner does nothing. */
function createHolderHealer(options: HealingOptions): Healer {
  const { network, store, health, nodeKey, clock, log } = options;
  const { custody, streams, notices, assessor } = network;
  const patience = createPatience(health.graceMs / 4);

  /** Standbys of the core that answer and fit, the best first; and the same node once more. */
  function nomineesFor(manifest: Manifest, leaving: string): string[] {
    const { standby, t, k, policy, profile } = manifest.core;
    const candidates = assessor.candidates();
    const [holding, waiting] = [new Set(holdersOf(manifest)), new Set(standby.map(nodeIdOf))];
    const holders = candidates.filter(({ nodeId }) => holding.has(nodeId));
    const key = { holders, t, k, risk: policy.risk, profile };
    const fitting = candidates.filter(({ nodeId }) => waiting.has(nodeId));
    const ranked = rankSuccessors(key, leaving, fitting).map(({ nodeId }) => nodeId);
    return [...ranked, leaving].filter(streams.isAlive);
  }

  async function propose(manifest: Manifest, { x, reason }: Extract<Remedy, { type: 'move' }>) {
    const leaving = holderAt(manifest, x);
    let notice: Notice | undefined;
    const adopt = async (next: Manifest): Promise<void> => {
      await custody.update(next);
      const told = [...holdersOf(next), leaving];
      const others = [...new Set(told)].filter(nodeId => nodeId !== nodeIdOf(nodeKey));
      notice = { name: 'update', body: next };
      await store.batch([notices.note(notice, others, clock.nowMs() + parameters.formerHoldersToldMs)]);
    };
    const order = { manifest, x, reason, nominees: nomineesFor(manifest, leaving), signer: null };
    const moved = await movePoint({ streams, clock, adopt }, order);
    if (notice) await notices.tell(notice);
    const { keyId } = manifest.core;
    const to = nodeIdOf(moved.proposal.nodeKey);
    log.info('holders moved a point of a key', { keyId: toHex(keyId), x: moved.proposal.x, reason, to });
  }

  return async keyId => {
    const proposalFor = (manifest: Manifest) =>
      proposalOf(
        { manifest, nodeKey, failures: failuresOf(health, manifest) },
        clock.nowMs(),
        health.graceMs,
      );
    const known = custody.manifestOf(keyId);
    if (!known || proposalFor(known) === null || !patience.isDue(keyId)) return false;
    patience.wait(keyId);
    await custody.catchUp(keyId);
    const manifest = custody.manifestOf(keyId);
    const proposal = manifest && proposalFor(manifest);
    if (!manifest || !proposal || (await isBack(options, manifest, proposal.x))) return false;
    try {
      await propose(manifest, proposal);
      patience.forget(keyId);
      return true;
    } catch (error) {
      log.info('holders did not move a point yet', { keyId, x: proposal.x, code: codeOf(error) });
      return false;
    }
  };
}

/** Finds out of what holders say that it has gone on; who says so of what has not, has lost its share. */
function createLookUps({ network, keyring, ownership, health }: HealingOptions) {
  const waiting = new Map<string, Outdated>();

  async function isNewer(keyId: string): Promise<boolean> {
    const owned = keyring.get(new Uint8Array(Buffer.from(keyId, 'hex')));
    if (owned?.tombstone) return true;
    if (owned) return (await ownership.lookAgain(owned.manifest)) !== undefined;
    const before = network.custody.manifestOf(keyId);
    await network.custody.catchUp(keyId);
    const after = network.custody.manifestOf(keyId);
    return before?.core.epoch !== after?.core.epoch || before?.amendments.length !== after?.amendments.length;
  }

  return {
    note: (outdated: Outdated): void => {
      if (waiting.size < parameters.outdatedKeysMax) waiting.set(outdated.keyId, outdated);
    },
    work: async (signal: AbortSignal): Promise<void> => {
      for (const [keyId, outdated] of waiting) {
        if (signal.aborted) return;
        waiting.delete(keyId);
        if (!(await isNewer(keyId))) health.note({ ...outdated, kind: 'lost' });
      }
    },
  };
}

/** The healing of a node's keys (docs/PROTOCOL.md, healing). */
export function createHealing(options: HealingOptions): Healing {
  const { network, keyring, health, log } = options;
  const standingOf = createStandings(options);
  const healOwned = createOwnerHealer(options, standingOf);
  const healHeld = createHolderHealer(options);
  const lookUps = createLookUps(options);
  const warned = new Set<string>();

  /** Says once that a key is in danger, and once that it no longer is. */
  function warn({ manifest }: OwnedKey, { margin, isExposed: exposed }: Standing): void {
    const keyId = toHex(manifest.core.keyId);
    const isBad = exposed || margin.level === 'critical' || margin.level === 'lost';
    if (isBad === warned.has(keyId)) return;
    if (isBad) {
      warned.add(keyId);
      log.warn('a key is in danger', { keyId, margin: margin.margin, level: margin.level, exposed });
    } else {
      warned.delete(keyId);
      log.info('a key is out of danger', { keyId, margin: margin.margin });
    }
  }

  async function look(signal: AbortSignal): Promise<void> {
    await lookUps.work(signal);
    const owned = (await keyring.list()).filter(({ tombstone }) => tombstone === null);
    for (const key of owned) warn(key, standingOf(key));
    const held = health.isAllWell() ? [] : network.custody.servedKeyIds();
    const jobs = [
      ...owned.map(key => async () => healOwned(key)),
      ...held.map(keyId => async () => healHeld(keyId)),
    ];
    const work = async (): Promise<void> => {
      for (let job = jobs.shift(); job && !signal.aborted; job = jobs.shift()) await job();
    };
    await Promise.all(Array.from({ length: parameters.healsAtOnce }, work));
  }

  return {
    standingOf,
    noteOutdated: lookUps.note,
    start: () => {
      const ending = new AbortController();
      const { signal } = ending;
      const lookMs = Math.max(parameters.healLookMsMin, health.graceMs / 32);
      const loop = async (): Promise<void> => {
        while (!signal.aborted) {
          await sleep(lookMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
          if (signal.aborted) return;
          await look(signal).catch((error: unknown) => log.error('healing failed', { code: codeOf(error) }));
        }
      };
      const looping = loop();
      return async () => {
        ending.abort(new SkerryError('SHUTTING_DOWN'));
        // what is under way is persisted, and goes on with the next start
        await Promise.race([looping, sleep(parameters.drainMs, undefined, { ref: false })]);
      };
    },
  };
}
