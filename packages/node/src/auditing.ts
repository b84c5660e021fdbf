import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type ErrorCode, type Log, type Random, SkerryError, toHex, wipe } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import {
  type Audit,
  type AuditableKey,
  auditPace,
  emptyAuditHistory,
  planAudits,
  type RoundObservation,
  type Sight,
} from '@skerry/custody';
import type { ObservationKind } from '@skerry/trust';
import { coreHashOf, type Manifest, nodeIdOf, parseManifest, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { codeOf } from './asking.ts';
import type { CustodyService } from './custody-service.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { Outdated } from './healing.ts';
import type { HealthStore } from './health-store.ts';
import type { Host } from './host.ts';
import type { Keyring } from './keyring.ts';
import { drillKey } from './opening.ts';
import type { Ownership } from './ownership.ts';
import { probeHolder } from './possession.ts';
import type { PeerStreams } from './streams.ts';

type AuditingOptions = {
  readonly host: Pick<Host, 'nodeId' | 'connectedNodes'> & {
    readonly shelf: Pick<Host['shelf'], 'paths' | 'read'>;
  };
  readonly streams: Pick<PeerStreams, 'request' | 'isAlive' | 'roundTripMs'>;
  readonly custody: Pick<CustodyService, 'servedKeyIds' | 'manifestOf' | 'holding'>;
  readonly keyring: Pick<Keyring, 'get' | 'list'>;
  readonly ownership: Pick<Ownership, 'inspect'>;
  readonly evidence: Pick<EvidenceStore, 'of' | 'note' | 'noteLost'>;
  readonly health: Pick<HealthStore, 'note' | 'doubts'>;
  /** Told where a holder says that the key, or its point, has gone on. */
  readonly onOutdated: (outdated: Outdated) => void;
  readonly nodeKey: Uint8Array;
  /** Milliseconds between two audits of one node. */
  readonly auditMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** A key that this node may audit, and its manifest. */
type Known = { readonly key: AuditableKey; readonly manifest: Manifest };

/** What is seen of a holder that answers with a code; nothing by those that say nothing of it. */
const seenByCode: Partial<Record<ErrorCode, ObservationKind>> = {
  PEER_UNREACHABLE: 'unreachable',
  STORE_FAILED: 'unreachable',
  DEADLINE_EXCEEDED: 'silent',
  // A probe a period is too much for nobody: who is always too busy for it hides something.
  TOO_BUSY: 'silent',
  RATE_LIMITED: 'silent',
  KEY_UNKNOWN: 'share-lost',
  KEY_NOT_ACTIVE: 'share-lost',
  SHARE_CORRUPT: 'share-lost',
  STORE_CORRUPT: 'share-lost',
  MESSAGE_MALFORMED: 'contribution-wrong',
  MESSAGE_TOO_LARGE: 'contribution-wrong',
};

/** What a round shows of a holder, as evidence; nothing where it shows nothing that counts. */
export function seenInRound({ kind }: RoundObservation): ObservationKind | undefined {
  if (kind === 'answered' || kind === 'refused') return undefined;
  return kind === 'sum-wrong' ? 'drill-wrong' : kind;
}

/**
 * The keys that this node owns, holds, and stores the manifests of; of too many, some by chance. Between any two it lets
 * others have a turn: strangers' manifests of 255 holders take milliseconds each.
 */
async function findKeys(
  { keyring, custody, host }: AuditingOptions,
  signal: AbortSignal,
): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const enter = (manifest: Manifest, why: AuditableKey['why']): void => {
    const { core } = manifest;
    const keyId = toHex(core.keyId);
    const holders = seatsOf(manifest).map(({ x, nodeKey }) => ({ x, nodeId: nodeIdOf(nodeKey) }));
    if (!known.has(keyId)) known.set(keyId, { key: { keyId, t: core.t, why, holders }, manifest });
  };
  for (const { manifest, tombstone } of await keyring.list()) if (!tombstone) enter(manifest, 'owner');
  for (const keyId of someOf(custody.servedKeyIds())) {
    const manifest = custody.manifestOf(keyId);
    if (manifest) enter(manifest, 'holder');
    await nextTurn();
    if (signal.aborted) return known;
  }
  for (const path of someOf(host.shelf.paths('key'))) {
    const value = host.shelf.read(path);
    const manifest = value && manifestIn(value);
    if (manifest) enter(manifest, 'server');
    await nextTurn();
    if (signal.aborted) return known;
  }
  return known;
}

/** The manifest in a record that was checked when it was stored; undefined where it is a tombstone. */
function manifestIn(value: Uint8Array): Manifest | undefined {
  try {
    return parseManifest(value);
  } catch (error) {
    if (error instanceof SkerryError) return undefined;
    throw error;
  }
}

/** All of a list, or of a long one a stretch that begins anywhere. */
function someOf<T>(list: readonly T[]): readonly T[] {
  const max = parameters.auditKeysMax;
  if (list.length <= max) return list;
  const start = Math.floor(Math.random() * list.length);
  return [...list.slice(start), ...list.slice(0, start)].slice(0, max);
}

/** What one look saw, by node. */
type Seen = {
  readonly nodeId: string;
  readonly keyId: string;
  readonly x: number;
  /** Of the core that it was asked about, in hexadecimal. */
  readonly coreHash: string;
  /** What that is as evidence; null where it is none. */
  readonly kind: ObservationKind | null;
  /** Whether it says that what this node knows of the key is old. */
  readonly isOutdated?: boolean;
  /** Whether the share is still to come to it. */
  readonly isPending?: boolean;
  /** Whether it refused the proof, for a reason that no holder has. */
  readonly isRefused?: boolean;
  /** Whether it was seen in an inspection, and not asked for a proof. */
  readonly isInspected?: boolean;
};

/** What a holder says where the key, or its point, has gone on. */
const outdatedCodes: ReadonlySet<ErrorCode> = new Set(['EPOCH_MISMATCH', 'POINT_MOVED']);

/** Whether this node owns a key and has not destroyed it. */
function isAlive({ keyring }: AuditingOptions, keyId: Uint8Array): boolean {
  return keyring.get(keyId)?.tombstone === null;
}

/** Asks one holder for a proof of its share. */
async function prove(
  options: AuditingOptions,
  audit: Audit,
  { manifest, key }: Known,
  signal: AbortSignal,
): Promise<Seen[]> {
  const { core } = manifest;
  const isOwn = key.why === 'owner'; // who dealt one core only; a stranger may have dealt its holders two
  const { keyId, nodeId, x } = audit;
  const coreHash = toHex(coreHashOf(nodeCrypto, core));
  const seen = (kind: ObservationKind | null, more: Partial<Seen> = {}): Seen[] => [
    { nodeId, keyId, x, coreHash, kind, ...more },
  ];
  const shown = await probeHolder(options, manifest, x, signal);
  if (signal.aborted) return [];
  if (shown === 'unsigned') return seen('contribution-wrong');
  if (shown === 'proof' || shown === 'proof-wrong') return seen(shown);
  const isDenied = shown === 'CORE_MISMATCH' || (shown === 'KEY_DESTROYED' && isAlive(options, core.keyId));
  if (isOwn && isDenied) return seen('share-lost');
  const [isOutdated, isPending] = [outdatedCodes.has(shown), shown === 'REPAIR_PENDING'];
  // a stranger may have dealt two cores, and a key may be destroyed: of keys of others that is no holder's fault
  const isExcused = isOutdated || isPending || shown === 'CORE_MISMATCH' || shown === 'KEY_DESTROYED';
  const isRefused = !isExcused && seenByCode[shown] === undefined;
  return seen(seenByCode[shown] ?? null, { isOutdated, isPending, isRefused });
}

/** What a round showed, but for absence: a probe waits long enough to say who is silent, a round a second or two. */
function seenOf({ core }: Manifest, observations: readonly RoundObservation[]): Seen[] {
  const keyId = toHex(core.keyId);
  const coreHash = toHex(coreHashOf(nodeCrypto, core));
  return observations.flatMap(observation => {
    const kind = seenInRound(observation);
    const { nodeId, x } = observation;
    return kind === undefined || isAbsence(kind) ? [] : [{ nodeId, keyId, x, coreHash, kind }];
  });
}

/** Has the share of some point of an own key made by its holders, the subject first, and finds out who is wrong. */
async function inspect({ ownership }: AuditingOptions, { manifest }: Known, audit: Audit): Promise<Seen[]> {
  const { liars, observations } = await ownership.inspect(manifest, audit.x);
  const others = seenOf(manifest, observations).filter(({ x }) => !liars.has(x));
  const caught = seatsOf(manifest).filter(({ x }) => liars.has(x));
  const coreHash = toHex(coreHashOf(nodeCrypto, manifest.core));
  const { keyId } = audit;
  const wrong = caught.map(({ x, nodeKey }) => {
    return { nodeId: nodeIdOf(nodeKey), keyId, x, coreHash, kind: 'proof-wrong' } as const;
  });
  return [...others, ...wrong].map(one => ({ ...one, isInspected: true }));
}

/**
 * Has this node's own share of a key made again by others, the subject first. Whoever was caught cheating is left out:
 * with it in the set the sum would be wrong, and honest members would share the suspicion.
 */
async function drill(options: AuditingOptions, audit: Audit): Promise<Seen[]> {
  const { custody, evidence } = options;
  const holding = await custody.holding(audit.keyId);
  if (!holding) return [];
  const { manifest, x, shareSeed } = holding;
  const holders = seatsOf(manifest)
    .map(holder => ({ x: holder.x, nodeId: nodeIdOf(holder.nodeKey) }))
    .filter(holder => holder.x !== x && (evidence.of(holder.nodeId)?.cheatedAtMs ?? null) === null)
    .map(holder => ({ ...holder, label: holder.nodeId, rank: holder.x === audit.x ? -1 : Math.random() }))
    .sort((a, b) => a.rank - b.rank);
  if (holders.length < manifest.core.t) {
    wipe(shareSeed);
    return [];
  }
  let seen: Seen[] = [];
  const onObserved = (observations: readonly RoundObservation[]): void => {
    seen = seenOf(manifest, observations);
  };
  try {
    const { right } = await drillKey({ ...options, onObserved }, { manifest, x, shareSeed, holders });
    // where no set is right, the dealer may have dealt shares that never fitted: that says nothing of who holds them
    if (right === null) seen = seen.filter(({ kind }) => kind !== 'drill-wrong');
  } catch (error) {
    codeOf(error);
  } finally {
    wipe(shareSeed);
  }
  return seen;
}

async function auditWith(
  options: AuditingOptions,
  audit: Audit,
  known: Known,
  signal: AbortSignal,
): Promise<Seen[]> {
  if (audit.kind === 'proof') return prove(options, audit, known, signal);
  return known.key.why === 'owner' ? inspect(options, known, audit) : drill(options, audit);
}

/**
 * Whether a node did not answer, or could not be reached. That counts where audits see it, at times of chance: an open
 * would have an outage count as often as somebody opens.
 */
function isAbsence(kind: ObservationKind | null): boolean {
  return kind === 'silent' || kind === 'unreachable';
}

/**
 * Whether what an open shows of a holder counts. Absence does where probes see it alone. Of another owner's key neither
 * a lost share nor a wrong sum says anything: who dealt it may have activated or fitted no such share.
 */
export function countsInOpen(kind: ObservationKind, isOwn: boolean): boolean {
  return !isAbsence(kind) && (isOwn || (kind !== 'share-lost' && kind !== 'drill-wrong'));
}

/**
 * Notes what audits show. A share that is not there counts once, and only where it was: its holder has proved it to this
 * node, of that very core, or this node dealt it. Else whoever publishes a manifest after its deposits have lapsed, of a
 * new key or of a later epoch, could have honest holders seem to lose theirs.
 */
function createNotes(
  evidence: AuditingOptions['evidence'],
  isOwn: (keyId: string) => boolean,
): (seen: Seen) => void {
  const proved = new Set<string>();
  return ({ nodeId, keyId, coreHash, kind }) => {
    if (kind === null) return;
    const share = `${nodeId}/${coreHash}`;
    if (kind !== 'share-lost') evidence.note(nodeId, kind);
    else if (proved.has(share) || isOwn(keyId)) evidence.noteLost(nodeId, keyId);
    if (kind !== 'proof') return;
    proved.delete(share);
    proved.add(share);
    for (const oldest of proved) {
      if (proved.size <= parameters.provedSharesMax) break;
      proved.delete(oldest);
    }
  };
}

/** Looks which audits are due, and carries them out. Nothing is held against others for absence while nobody answers. */
function createLook(options: AuditingOptions, signal: AbortSignal): () => Promise<void> {
  const { host, evidence, health, onOutdated, auditMs, clock, random, log } = options;
  const pace = { ...auditPace, ...paceOf(auditMs) };
  const note = createNotes(evidence, keyId => keys.get(keyId)?.key.why === 'owner');
  const { promise: ended, resolve: end } = Promise.withResolvers<Seen[]>();
  signal.addEventListener('abort', () => end([]));
  let history = emptyAuditHistory(clock.nowMs());
  let keys = new Map<string, Known>();
  let foundAtMs = Number.NEGATIVE_INFINITY;
  let heardAtMs = Number.NEGATIVE_INFINITY;

  /** What an audit shows; nothing once this ends, since a drill can't be called off. */
  async function carryOut(audit: Audit): Promise<Seen[]> {
    const known = keys.get(audit.keyId);
    if (!known) return [];
    return Promise.race([
      auditWith(options, audit, known, signal).catch((error: unknown) => failedAudit(log, error)),
      ended,
    ]);
  }

  return async () => {
    if (host.connectedNodes().length === 0) return;
    if (performance.now() - foundAtMs >= auditMs / 8) {
      keys = await findKeys(options, signal);
      foundAtMs = performance.now();
    }
    const known = [...keys.values()].map(({ key }) => key);
    const [self, nowMs, doubts] = [host.nodeId, clock.nowMs(), health.doubts()];
    const due = planAudits({ self, keys: known, history, nowMs, random, doubts, pace });
    history = due.history;
    const seen: Seen[] = [];
    const waiting = [...due.audits];
    const work = async (): Promise<void> => {
      for (let audit = waiting.pop(); audit && !signal.aborted; audit = waiting.pop()) {
        seen.push(...(await carryOut(audit)));
      }
    };
    await Promise.all(Array.from({ length: parameters.auditsAtOnce }, work));
    if (seen.some(({ kind }) => !isAbsence(kind))) heardAtMs = performance.now();
    const isAlone = performance.now() - heardAtMs > parameters.isolationMs;
    for (const one of seen) {
      if (isAlone && isAbsence(one.kind)) continue;
      note(one);
      const sight = sightOf(one);
      const isStored = keys.get(one.keyId)?.key.why === 'server';
      if (isStored && sight === 'lost') continue; // who may have dealt its holders no share is not this node's business
      if (!isStored && one.isOutdated) onOutdated(one);
      if (sight) health.note({ ...one, kind: sight });
    }
  };
}

/**
 * What was seen, as health has it: who answers with no proof for a whole grace is as good as away. So its part in an
 * inspection says nothing: it is by proofs that others know of its share.
 */
function sightOf({ kind, isPending, isRefused, isInspected }: Seen): Sight['kind'] | null {
  if (isInspected && kind !== 'share-lost') return null;
  if (kind === 'proof') return 'well';
  if (isAbsence(kind) || kind === 'contribution-wrong' || isRefused) return 'absent';
  return kind === 'share-lost' || isPending ? 'lost' : 'there';
}

/** Logs why an audit failed on this side, which says nothing of anybody. */
function failedAudit(log: Log, error: unknown): [] {
  log.warn('an audit failed', { code: codeOf(error) });
  return [];
}

/**
 * Audits the holders of this node's own keys, those that hold keys with it, and those of keys whose manifests it stores
 * for the DHT, and notes what that shows of them (docs/PROTOCOL.md, audits).
 *
 * @returns how to stop; it resolves when nothing of it runs
 */
export function startAuditing(options: AuditingOptions): () => Promise<void> {
  const { auditMs, log } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const look = createLook(options, signal);
  const lookMs = Math.min(parameters.auditLookMsMax, auditMs / 8);

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      await sleep(lookMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await look().catch((error: unknown) => failedAudit(log, error));
    }
  }

  const looping = loop();
  return async () => {
    ending.abort(new SkerryError('SHUTTING_DOWN'));
    await looping;
  };
}

/** The pace that goes with a time between two audits of one node: who audits more often has the budget for it. */
function paceOf(auditMs: number): { periodMs: number; budgetPerHour: number; forgetMs: number } {
  const factor = auditPace.periodMs / auditMs;
  return {
    periodMs: auditMs,
    budgetPerHour: auditPace.budgetPerHour * Math.max(1, factor),
    forgetMs: auditPace.forgetMs,
  };
}
