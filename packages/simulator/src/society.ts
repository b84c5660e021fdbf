/** Nodes that audit each other, talk, fail and lie, in virtual time. */
import { type Audit, type AuditableKey, planAudits } from '@skerry/custody';
import { auditPeriodMs, findSlander, type ObservationKind } from '@skerry/trust';
import { beginningMs, conduct } from '../parameters.ts';
import type { Chance } from './chance.ts';
import { createEntry, type Entry } from './entry.ts';
import { createEventQueue, type EventQueue } from './event-queue.ts';
import { createMind, type Mind, note, remember } from './mind.ts';
import { exchange, leastRoundTripMs } from './paths.ts';
import { auditableBy, type HeldKey, type Inhabitant, isBad } from './population.ts';
import type { Rules } from './rules.ts';

/** A network and what happens to it. */
export type SocietyOptions = {
  readonly chance: Chance;
  readonly people: readonly Inhabitant[];
  readonly keys: readonly HeldKey[];
  readonly rules: Rules;
  /** What some already know: the minds of an earlier run, which stay as they are, and when that ended. @default nobody anything */
  readonly before?: { readonly minds: readonly Mind[]; readonly atMs: number };
  /** When to look at it: audit periods from the beginning, ascending, fractions allowed. */
  readonly looksAtPeriods: readonly number[];
  readonly onLook: (society: Society, atPeriods: number) => void;
};

/** A network at one time. */
export type Society = {
  /** Those who have joined by now. */
  readonly minds: readonly Mind[];
  /** The newest entry of each. */
  readonly board: ReadonlyMap<string, Entry>;
  readonly nowMs: number;
};

type World = SocietyOptions & {
  readonly queue: EventQueue;
  readonly minds: Map<string, Mind>;
  readonly isUp: Map<string, boolean>;
  readonly board: Map<string, Entry>;
};

/** What an auditor saw of one holder. */
type Seen = { readonly nodeId: string; readonly kind: ObservationKind };

/** Asks a node that may be away; enters the round trip. */
function ask(world: World, auditor: Mind, nodeId: string): 'unreachable' | 'silent' | 'answered' {
  const { chance, isUp, minds } = world;
  const subject = minds.get(nodeId);
  if (subject === undefined || isUp.get(nodeId) !== true) return 'unreachable';
  const answer = exchange(leastRoundTripMs(auditor.self.home, subject.self.home), chance);
  if (answer === null) return 'silent';
  const known = auditor.leastMs.get(nodeId) ?? Number.POSITIVE_INFINITY;
  if (!answer.isResent) auditor.leastMs.set(nodeId, Math.min(known, answer.tookMs));
  return 'answered';
}

function behaviourNow(world: World, nodeId: string): Inhabitant['behaviour'] {
  const one = world.minds.get(nodeId)?.self;
  return one !== undefined && isBad(one, world.queue.nowMs()) ? one.behaviour : 'good';
}

function prove(world: World, auditor: Mind, { nodeId }: Audit): Seen[] {
  const came = ask(world, auditor, nodeId);
  if (came !== 'answered') return [{ nodeId, kind: came }];
  const behaviour = behaviourNow(world, nodeId);
  const isTold = behaviour === 'disk-lost';
  return [{ nodeId, kind: isTold ? 'share-lost' : behaviour === 'proof-wrong' ? behaviour : 'proof' }];
}

/**
 * Asks the subject and others of a key for a masked round, set after set until one is right: as a requester does, those
 * first that were in the fewest wrong sets, and without those of whom it is proven that they cheat.
 */
function drill(world: World, auditor: Mind, audit: Audit, key: AuditableKey): Seen[] {
  const { chance } = world;
  const others = key.holders
    .map(({ nodeId }) => nodeId)
    .filter(nodeId => nodeId !== auditor.self.nodeId && nodeId !== audit.nodeId);
  const waiting = [audit.nodeId, ...chance.pick(others, others.length)].filter(
    nodeId => (auditor.seen.get(nodeId)?.cheatedAtMs ?? null) === null,
  );
  const suspicion = new Map<string, number>();
  const seen: Seen[] = [];
  const askUntil = (count: number): void => {
    while (suspicion.size < count && waiting.length > 0) {
      const nodeId = waiting.shift()!;
      const came = ask(world, auditor, nodeId);
      if (came !== 'answered') seen.push({ nodeId, kind: came });
      else if (behaviourNow(world, nodeId) === 'disk-lost') seen.push({ nodeId, kind: 'share-lost' });
      else suspicion.set(nodeId, 0);
    }
  };
  askUntil(key.t);
  for (let sets = 0; sets < conduct.drillSets && suspicion.size >= key.t; sets++) {
    const ranked = chance.pick([...suspicion], suspicion.size).sort(([, a], [, b]) => a - b);
    const chosen = ranked.slice(0, key.t).map(([nodeId]) => nodeId);
    if (!chosen.some(nodeId => behaviourNow(world, nodeId) === 'proof-wrong')) {
      seen.push(...chosen.map(nodeId => ({ nodeId, kind: 'drill-right' as const })));
      break;
    }
    for (const nodeId of chosen) suspicion.set(nodeId, (suspicion.get(nodeId) ?? 0) + 1);
    askUntil(key.holders.length);
  }
  const suspects = [...suspicion].filter(([, count]) => count > 0);
  return [...seen, ...suspects.map(([nodeId]) => ({ nodeId, kind: 'drill-wrong' as const }))];
}

/** One look at which audits are due, and they are done one after another. */
function audit(world: World, auditor: Mind, keys: readonly AuditableKey[]): void {
  const { chance, queue, rules } = world;
  const nowMs = queue.nowMs();
  const { nodeId: self } = auditor.self;
  const { audits, history } = planAudits({ self, keys, history: auditor.history, nowMs, random: chance });
  auditor.history = history;
  for (const one of audits) {
    const key = keys.find(({ keyId }) => keyId === one.keyId);
    const seen =
      one.kind === 'drill' && key !== undefined
        ? drill(world, auditor, one, key)
        : prove(world, auditor, one);
    for (const { nodeId, kind } of seen) note(auditor, nodeId, kind, nowMs, rules);
  }
}

/** An announcement: it is on the board, and whoever is up looks for slander in it. */
function announce(world: World, mind: Mind): void {
  const { board, minds, people, queue, rules, isUp } = world;
  const nowMs = queue.nowMs();
  const entry = createEntry(mind, people, nowMs);
  const { nodeId } = mind.self;
  board.set(nodeId, entry);
  const reports = entry.said.map(({ report }) => report).filter(({ integrity }) => integrity.bad > 0);
  if (reports.length === 0) return;
  for (const listener of minds.values()) {
    if (listener === mind || isUp.get(listener.self.nodeId) !== true) continue;
    const ownOf = (subject: string) => {
      const own = listener.seen.get(subject);
      const about = minds.get(subject);
      return own === undefined || about === undefined ? null : { operator: about.self.operator, own };
    };
    const slandered = findSlander(reports, ownOf, nowMs, auditPeriodMs);
    if (slandered.length > 0) note(listener, nodeId, 'slander', nowMs, rules);
  }
}

/** Sends more than its limits allow to some. */
function flood(world: World, { self }: Mind): void {
  const { chance, minds, queue, rules } = world;
  const others = [...minds.values()].filter(mind => mind.self !== self);
  for (const victim of chance.pick(others, Math.min(conduct.flood.victims, others.length))) {
    note(victim, self.nodeId, 'flood', queue.nowMs(), rules);
  }
}

/** Lets a node come and go. */
function swing(world: World, one: Inhabitant): void {
  const { chance, isUp, queue } = world;
  const toggle = (up: boolean): void => {
    isUp.set(one.nodeId, up);
    const isFlaky = one.behaviour === 'offline' && isBad(one, queue.nowMs());
    const { upMs, downMs } = isFlaky ? conduct.flaky : conduct.honest;
    // A change of habits must not wait for the end of a long while up.
    const restMs = one.turnsAtMs - queue.nowMs();
    const lastsMs = (0.5 + chance.unit()) * (up ? upMs : downMs);
    if (one.behaviour === 'offline' && restMs > 0 && lastsMs > restMs) queue.after(restMs, () => toggle(up));
    else queue.after(lastsMs, () => toggle(!up));
  };
  toggle(true);
}

/** Does something over and over while a node is up. */
function repeat(
  world: World,
  { self }: Mind,
  everyMs: number,
  work: () => void,
  firstMs = world.chance.unit() * everyMs,
): void {
  const { chance, isUp, queue } = world;
  const turn = (): void => {
    if (isUp.get(self.nodeId) === true) work();
    queue.after(everyMs * (0.75 + chance.unit() / 2), turn);
  };
  queue.after(firstMs, turn);
}

function join(world: World, one: Inhabitant): void {
  const { keys, minds, queue } = world;
  const known = world.before?.minds.find(({ self }) => self.nodeId === one.nodeId);
  const mind = known === undefined ? createMind(one, queue.nowMs()) : remember(known, one);
  minds.set(one.nodeId, mind);
  swing(world, one);
  for (const other of minds.values()) {
    if (other === mind) continue;
    ask(world, mind, other.self.nodeId);
    ask(world, other, one.nodeId);
  }
  repeat(world, mind, conduct.announceMs, () => announce(world, mind), 0);
  if (one.behaviour === 'flooder') {
    repeat(world, mind, conduct.flood.everyMs, () => {
      if (isBad(one, queue.nowMs())) flood(world, mind);
    });
  }
  // Sybils say what suits them and need no audits for it.
  if (one.behaviour === 'sybil') return;
  let held: { readonly dealt: number; readonly keys: readonly AuditableKey[] } = { dealt: -1, keys: [] };
  repeat(world, mind, conduct.lookMs, () => {
    const nowMs = queue.nowMs();
    const dealt = keys.filter(({ dealtAtMs }) => dealtAtMs <= nowMs).length;
    if (dealt !== held.dealt) held = { dealt, keys: auditableBy(one.nodeId, keys, nowMs) };
    audit(world, mind, held.keys);
  });
}

/**
 * Runs a network until the last look at it.
 *
 * @returns events that happened
 */
export function runSociety(options: SocietyOptions): number {
  const { people, before, looksAtPeriods, onLook } = options;
  const startMs = before?.atMs ?? beginningMs;
  const queue = createEventQueue(startMs);
  const world: World = { ...options, queue, minds: new Map(), isUp: new Map(), board: new Map() };
  for (const one of people) queue.after(one.joinsAtMs - startMs, () => join(world, one));
  let events = 0;
  for (const atPeriods of looksAtPeriods) {
    events += queue.run(beginningMs + atPeriods * auditPeriodMs);
    onLook({ minds: [...world.minds.values()], board: world.board, nowMs: queue.nowMs() }, atPeriods);
  }
  return events;
}
