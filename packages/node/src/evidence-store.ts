import { type Clock, type Log, SkerryError } from '@skerry/base';
import {
  emptyReputation,
  type ObservationKind,
  observationTable,
  observe,
  parseReputation,
  type Reputation,
} from '@skerry/trust';
import { parameters } from '../parameters.ts';
import type { Store, StoreChange } from './store.ts';

/** What this node has itself seen of others, over restarts. */
export type EvidenceStore = {
  /** Enters an observation. It is on disk within seconds, and a proof of cheating at once. */
  readonly note: (nodeId: string, kind: ObservationKind) => void;
  /**
   * Enters that a node has lost its share of a key: once, however often it says so.
   *
   * @param keyId in hexadecimal
   */
  readonly noteLost: (nodeId: string, keyId: string) => void;
  readonly of: (nodeId: string) => Reputation | undefined;
  /** Nodes of which anything was seen, those seen last coming last. */
  readonly nodeIds: () => string[];
  /** Writes what is not written yet. What is noted afterwards, by what still ends, is not written any more. */
  readonly close: () => Promise<void>;
};

const prefix = 'evidence/';
const lostPrefix = 'lost/';

/** What is stored of a node, or undefined where it is damaged: evidence can be gathered again. */
function read(store: Store, key: string, log: Log): Reputation | undefined {
  try {
    const stored = store.get(key);
    const reputation = stored && parseReputation(JSON.parse(new TextDecoder().decode(stored)));
    if (reputation) return reputation;
  } catch (error) {
    const isDamage = error instanceof SyntaxError;
    if (!isDamage && !(error instanceof SkerryError && error.code === 'STORE_CORRUPT')) throw error;
  }
  log.error('the evidence on a node is damaged on disk, and begins anew', {
    nodeId: key.slice(prefix.length),
  });
  return undefined;
}

/** When a node was last seen to do anything, ms. */
function latestOf({ seen }: Reputation): number {
  return Math.max(...Object.values(seen).map(({ latestMs }) => latestMs));
}

/**
 * What is kept rather: proof of cheating, then whoever ever did what it should. Misbehaviour alone goes first, since
 * anybody can bring any number of new names that misbehave, and they are to displace nobody but themselves.
 */
function worthOf({ seen, cheatedAtMs }: Reputation): 0 | 1 | 2 {
  if (cheatedAtMs !== null) return 2;
  return Object.keys(seen).some(kind => observationTable[kind as ObservationKind].integrity > 0) ? 1 : 0;
}

/** Writes the keys of the store that have changed, soon or at once; what could not be written goes with the next. */
function createWriting(store: Store, changeOf: (key: string) => StoreChange, log: Log) {
  const unwritten = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  let isClosed = false;

  async function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const keys = [...unwritten];
    unwritten.clear();
    if (keys.length === 0) return;
    try {
      await store.batch(keys.map(changeOf));
    } catch (error) {
      if (!(error instanceof SkerryError)) throw error;
      for (const key of keys) unwritten.add(key);
      log.warn('evidence could not be written', { code: error.code });
    }
  }

  async function writeNow(): Promise<void> {
    writing = writing.then(write);
    return writing;
  }

  return {
    add: (key: string): void => {
      unwritten.add(key);
      if (!isClosed) timer ??= setTimeout(() => void writeNow(), parameters.evidenceWriteMs);
    },
    writeNow: async (): Promise<void> => (isClosed ? undefined : writeNow()),
    close: async (): Promise<void> => {
      isClosed = true;
      return writeNow();
    },
  };
}

/**
 * The evidence in a node's store.
 *
 * @throws STORE_FAILED, STORE_CORRUPT
 */
export async function openEvidenceStore(options: {
  readonly store: Store;
  /** Milliseconds of an audit period. */
  readonly periodMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Nodes of which evidence is kept; then that seen longest ago goes: first of those that only misbehaved, of cheats last. */
  readonly nodesMax?: number;
}): Promise<EvidenceStore> {
  const { store, periodMs, clock, log, nodesMax = parameters.evidenceNodesMax } = options;
  const found: [string, Reputation][] = [];
  for await (const key of store.keys(prefix)) {
    const reputation = read(store, key, log);
    if (reputation) found.push([key.slice(prefix.length), reputation]);
  }
  const kept = new Map(found.sort(([, a], [, b]) => latestOf(a) - latestOf(b)));
  const lost = new Set<string>();
  for await (const key of store.keys(lostPrefix)) lost.add(key);
  const { add, writeNow, close } = createWriting(store, changeOf, log);

  function changeOf(key: string): StoreChange {
    const known = lost.has(key) ? '' : kept.get(key.slice(prefix.length));
    if (known === undefined) return { type: 'del', key };
    return { type: 'put', key, value: new TextEncoder().encode(JSON.stringify(known)) };
  }

  function makeRoom(): void {
    if (kept.size <= nodesMax) return;
    let victim: [string, Reputation] | undefined;
    for (const candidate of kept) {
      if (victim === undefined || worthOf(candidate[1]) < worthOf(victim[1])) victim = candidate;
      if (worthOf(victim[1]) === 0) break;
    }
    const [nodeId] = victim!;
    kept.delete(nodeId);
    add(`${prefix}${nodeId}`);
  }

  function note(nodeId: string, kind: ObservationKind): void {
    const atMs = clock.nowMs();
    const before = kept.get(nodeId) ?? emptyReputation(atMs);
    const after = observe(before, { kind, atMs }, periodMs);
    kept.delete(nodeId);
    kept.set(nodeId, after);
    add(`${prefix}${nodeId}`);
    makeRoom();
    if (before.cheatedAtMs !== after.cheatedAtMs) void writeNow();
  }

  return {
    note,
    noteLost: (nodeId, keyId) => {
      const key = `${lostPrefix}${nodeId}/${keyId}`;
      if (lost.has(key)) return;
      note(nodeId, 'share-lost');
      if (lost.size >= parameters.lostSharesMax) return; // it will be counted again, at most once in a period
      lost.add(key);
      add(key);
    },
    of: nodeId => kept.get(nodeId),
    nodeIds: () => [...kept.keys()],
    close,
  };
}
