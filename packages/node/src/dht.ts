import { setTimeout as sleep } from 'node:timers/promises';
import { equalBytes, type Log, SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import type { Host } from './host.ts';

/** The signed records of the DHT: `/skerry/<kind>/...`. */
export type Records = {
  /**
   * Publishes a record: checks it here, keeps it here, and gives it to the nodes nearest to its path.
   *
   * @returns how many other nodes took it: 0 where nobody was reached in time, or all hold a newer one
   * @throws RECORD_STALE where this node holds a newer one; MESSAGE_TOO_LARGE, RECORD_INVALID and what the kind's
   *   `validate` throws for one that is no valid record of that path
   */
  readonly put: (
    path: string,
    value: Uint8Array,
    options: { readonly deadlineMs: number },
  ) => Promise<{ stored: number }>;
  /**
   * The newest valid record that this node or those nearest to the path hold, or undefined. Peers that are frozen,
   * behind or lying cost time up to the deadline, and never the record.
   *
   * @param options.answersEnough stop at so many valid records from other nodes: 1 suits records that never change;
   *   by default all nodes nearest to the path are asked
   * @throws RECORD_INVALID for a path that no kind of record has
   */
  readonly get: (
    path: string,
    options: { readonly deadlineMs: number; readonly answersEnough?: number },
  ) => Promise<Uint8Array | undefined>;
  /**
   * Publishes a record again and again until told otherwise, as nodes drop records after 48 hours; of several at one
   * path the newest.
   *
   * @param withinMs milliseconds within which that happens first, at a moment of chance
   */
  readonly interest: (path: string, value: Uint8Array, withinMs?: number) => void;
  /** Ends that. */
  readonly disinterest: (path: string) => void;
  /** Ends republishing and everything under way. */
  readonly close: () => Promise<void>;
};

type Interest = { value: Uint8Array; dueMs: number; readonly release: () => void };

type Options = {
  readonly host: Host;
  readonly log: Log;
  /** Milliseconds between two publications of a record. */
  readonly republishMs?: number;
};

/** Reads and writes records, and keeps alive those of interest. */
export function createRecords({ host, log, republishMs = parameters.republishMs }: Options): Records {
  const ending = new AbortController();
  const interests = new Map<string, Interest>();

  function interest(path: string, value: Uint8Array, withinMs = firstMs(republishMs)): void {
    host.shelf.validate(path, value);
    const known = interests.get(path);
    if (known && host.shelf.compare(path, known.value, value) > 0) return;
    const release = known?.release ?? host.shelf.own(path);
    interests.set(path, { value, dueMs: Date.now() + Math.random() * withinMs, release });
  }

  function disinterest(path: string): void {
    interests.get(path)?.release();
    interests.delete(path);
  }

  const republishing = republish({ host, log, interests, republishMs, signal: ending.signal });
  return {
    put: async (path, value, { deadlineMs }) => put(host, path, value, within(deadlineMs, ending.signal)),
    get: async (path, { deadlineMs, answersEnough = Number.POSITIVE_INFINITY }) =>
      get(host, path, answersEnough, within(deadlineMs, ending.signal)),
    interest,
    disinterest,
    close: async () => {
      ending.abort(new SkerryError('SHUTTING_DOWN'));
      await republishing;
    },
  };
}

function within(deadlineMs: number, ending: AbortSignal): AbortSignal {
  return AbortSignal.any([ending, AbortSignal.timeout(deadlineMs)]);
}

async function put(
  host: Host,
  path: string,
  value: Uint8Array,
  signal: AbortSignal,
): Promise<{ stored: number }> {
  host.shelf.validate(path, value);
  const held = host.shelf.read(path);
  if (held !== undefined && host.shelf.compare(path, held, value) > 0) throw new SkerryError('RECORD_STALE');
  const takers = new Set<string>();
  const release = host.shelf.own(path);
  try {
    for await (const event of host.libp2p.services.dht.put(keyOf(path), value, { signal })) {
      if (event.name !== 'PEER_RESPONSE' || event.messageName !== 'PUT_VALUE') continue;
      if (event.record !== undefined && equalBytes(event.record.value, value))
        takers.add(event.from.toString());
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    release();
  }
  return { stored: takers.size };
}

/**
 * kad-dht's own `get` throws when one peer refuses to be corrected, so its answers are read as they come, and the
 * query is left where it would begin to correct others (its path is then -1): who publishes a record does that.
 */
async function get(
  host: Host,
  path: string,
  answersEnough: number,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { shelf, libp2p } = host;
  let newest = shelf.read(path);
  if (newest !== undefined && host.connectedNodes().length === 0) return newest;
  let answers = 0;
  try {
    for await (const event of libp2p.services.dht.get(keyOf(path), { signal })) {
      if (event.path.index < 0) break;
      if (event.name !== 'PEER_RESPONSE' || event.messageName !== 'GET_VALUE') continue;
      const value = event.record?.value;
      if (value === undefined || !isValid(host, path, value)) continue;
      if (newest === undefined || shelf.compare(path, value, newest) > 0) newest = value;
      if (++answers >= answersEnough) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return newest;
}

function isValid(host: Host, path: string, value: Uint8Array): boolean {
  try {
    host.shelf.validate(path, value);
    return true;
  } catch (error) {
    if (error instanceof SkerryError) return false;
    throw error;
  }
}

function keyOf(path: string): Uint8Array {
  return new TextEncoder().encode(path);
}

/** The first republication comes early: after a restart of many nodes at once nobody holds anything. */
function firstMs(republishMs: number): number {
  return Math.min(parameters.firstRepublishMs, republishMs);
}

type Republishing = {
  readonly host: Host;
  readonly log: Log;
  readonly interests: ReadonlyMap<string, Interest>;
  readonly republishMs: number;
  readonly signal: AbortSignal;
};

async function republish({ host, log, interests, republishMs, signal }: Republishing): Promise<void> {
  const lookMs = Math.min(parameters.republishLookMs, republishMs / 4);
  while (!signal.aborted) {
    await sleep(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    for (const [path, interest] of interests) {
      if (signal.aborted) return;
      if (interest.dueMs > Date.now()) continue;
      interest.dueMs = Date.now() + republishMs * (0.75 + Math.random() / 2);
      try {
        const { stored } = await put(
          host,
          path,
          interest.value,
          within(parameters.republishDeadlineMs, signal),
        );
        log.debug('published a record again', { path, stored });
      } catch (error) {
        log.warn('could not publish a record again', {
          path,
          reason: error instanceof Error ? error.message : '',
        });
      }
    }
  }
}
