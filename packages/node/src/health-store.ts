import { type Clock, type Log, SkerryError } from '@skerry/base';
import {
  type Doubt,
  doubtsOf,
  emptyHealth,
  type Failure,
  failureOf,
  type Health,
  noteSight,
  type Sight,
} from '@skerry/custody';
import { auditPeriodMs } from '@skerry/trust';
import { bytes, decode, encode, integer, list, nodeIdOf, nodeKeyOf, text, timeMs, tuple } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { Store } from './store.ts';

/** Who of those that hold keys with this node, or for it, has failed; over restarts. */
export type HealthStore = {
  /** Enters what was seen of a holder. It is on disk within seconds. */
  readonly note: (sight: Omit<Sight, 'atMs'>) => void;
  /** Whether the holder of a point has failed, for as long as the grace is. */
  readonly failureOf: (share: Pick<Sight, 'keyId' | 'x' | 'nodeId'>) => Failure | null;
  /** Whether nothing is amiss with anybody. */
  readonly isAllWell: () => boolean;
  /** Nodes whose absence or loss is to be looked at soon, and which of both. */
  readonly doubts: () => ReadonlyMap<string, Doubt>;
  /** How long an absence is borne, ms. */
  readonly graceMs: number;
  /** Writes what is not written yet. */
  readonly close: () => Promise<void>;
};

const key = 'meta/health';
const shape = tuple({
  absences: list(
    tuple({
      node: bytes(32),
      sinceMs: timeMs,
      latestMs: timeMs,
      misses: integer(1, Number.MAX_SAFE_INTEGER),
    }),
    0,
    parameters.healthEntriesMax,
  ),
  losses: list(tuple({ share: text(68), node: bytes(32), sinceMs: timeMs }), 0, parameters.healthEntriesMax),
});

function encodeHealth({ absences, losses }: Health): Uint8Array {
  const newest = <T>(all: Iterable<T>): T[] => [...all].slice(-parameters.healthEntriesMax);
  return encode(shape, {
    absences: newest(absences).map(([nodeId, absence]) => ({ node: nodeKeyOf(nodeId), ...absence })),
    losses: newest(losses).map(([share, { nodeId, sinceMs }]) => {
      return { share, node: nodeKeyOf(nodeId), sinceMs };
    }),
  });
}

/** What the store has; nothing where that is damaged, since it can be seen again. */
function readHealth(store: Store, log: Log): Health {
  try {
    const stored = store.get(key);
    if (!stored) return emptyHealth;
    const { absences, losses } = decode(shape, stored, shape.bytesMax, 'health');
    return {
      absences: new Map(absences.map(({ node, ...absence }) => [nodeIdOf(node), absence])),
      losses: new Map(losses.map(({ share, node, sinceMs }) => [share, { nodeId: nodeIdOf(node), sinceMs }])),
    };
  } catch (error) {
    if (!(error instanceof SkerryError) || error.code === 'STORE_FAILED') throw error;
    log.error('what was seen of the holders of keys is damaged on disk, and begins anew');
    return emptyHealth;
  }
}

/**
 * How long an absence is borne before a point is moved, ms: as long as an audit period.
 *
 * @param auditMs milliseconds between two audits of one node; 0 for none
 */
export function graceMsOf(auditMs: number): number {
  return auditMs === 0 ? auditPeriodMs : auditMs * parameters.auditsPerPeriod;
}

/**
 * The health in a node's store.
 *
 * @param options.graceMs how long an absence is borne
 * @throws STORE_FAILED
 */
export function openHealthStore(options: {
  readonly store: Store;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Log;
}): HealthStore {
  const { store, graceMs, clock, log } = options;
  let health = readHealth(store, log);
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  async function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    await store.put(key, encodeHealth(health)).catch((error: unknown) => {
      if (!(error instanceof SkerryError)) throw error;
      log.warn('what was seen of the holders of keys could not be written', { code: error.code });
    });
  }

  return {
    graceMs,
    note: sight => {
      const next = noteSight(health, { ...sight, atMs: clock.nowMs() }, graceMs);
      if (next === health) return;
      health = next;
      timer ??= setTimeout(() => {
        writing = writing.then(write);
      }, parameters.evidenceWriteMs);
    },
    isAllWell: () => health.absences.size === 0 && health.losses.size === 0,
    doubts: () => doubtsOf(health),
    failureOf: share => failureOf(health, share, clock.nowMs(), graceMs),
    close: async () => {
      await writing;
      if (timer !== undefined) await write();
    },
  };
}
