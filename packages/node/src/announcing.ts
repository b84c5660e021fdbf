import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type Log, SkerryError } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import type { Place } from '@skerry/placement';
import { type NodeRecord, signNodeRecord } from '@skerry/wire';
import { parameters, softwareVersion } from '../parameters.ts';
import { createCatchUp } from './catching-up.ts';
import { announceIntervalMs, type Directory } from './directory.ts';
import type { Host } from './host.ts';
import { decodeNeighbour, type NeighbourEntry } from './neighbours.ts';
import type { Store } from './store.ts';
import type { PeerStreams } from './streams.ts';

/** What a node says of itself. */
export type Presence = {
  readonly place: Place;
  readonly operator: string;
  readonly capacity: number;
  readonly nodeKey: Uint8Array;
  /** 32 bytes; stays the caller's. */
  readonly nodeSeed: Uint8Array;
  /** What it has seen of others, ascending by subject, at most 32, asked for at each announcement. @default nothing */
  readonly observations?: () => NodeRecord['observations'];
};

/** What announcing needs. */
type AnnouncingOptions = Presence & {
  readonly host: Pick<Host, 'nodeId' | 'addresses' | 'connectedNodes'>;
  readonly directory: Directory<NeighbourEntry>;
  readonly streams: Pick<PeerStreams, 'request'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
};

const sequenceKey = 'meta/sequence';

/** A node's entry in the directory. */
function signPresence(
  presence: Presence,
  addresses: readonly string[],
  sequence: number,
  nowMs: number,
): Uint8Array {
  const { name, lat, lon, country } = presence.place;
  return signNodeRecord(nodeCrypto, presence.nodeSeed, {
    version: 1,
    nodeKey: presence.nodeKey,
    sequence,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + parameters.entryLifeMs,
    addresses: addresses.slice(0, parameters.addressesPerPeerMax),
    place: { name, latitudeE6: Math.round(lat * 1e6), longitudeE6: Math.round(lon * 1e6), country },
    operator: presence.operator,
    capacity: presence.capacity,
    software: `skerry/${softwareVersion}`,
    observations: presence.observations?.() ?? [],
  });
}

/**
 * Holds that others will take a node's entry.
 *
 * @throws CONFIG_INVALID naming what no entry can say
 */
export function checkPresence(presence: Presence, nowMs: number): void {
  try {
    decodeNeighbour(signPresence(presence, [], 0, nowMs));
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
    throw new SkerryError('CONFIG_INVALID', `a node cannot say this of itself: ${error.message}`, {}, error);
  }
}

/**
 * The sequence that a node's entry last had, which is the time of its last announcement or a little more: 0 where none is
 * kept, or a damaged one, since the clock is ahead of it anyway.
 */
export function lastSequence(store: Store, log: Log): number {
  try {
    const stored = store.get(sequenceKey);
    const sequence = Number(new TextDecoder().decode(stored));
    return Number.isSafeInteger(sequence) ? sequence : 0;
  } catch (error) {
    if (!(error instanceof SkerryError) || error.code !== 'STORE_CORRUPT') throw error;
    log.error("the sequence of this node's directory entry is damaged on disk; it begins anew at the time");
    return 0;
  }
}

/**
 * Keeps this node's entry in the directory fresh, and catches up with the directories of new neighbours.
 *
 * @returns how to stop; it resolves when nothing of it runs
 */
export function startAnnouncing(options: AnnouncingOptions): () => Promise<void> {
  const { host, directory, store, clock, log } = options;
  const ending = new AbortController();
  const catchUp = createCatchUp(options);
  let greeted = 0;

  /** A sequence is on disk before it is used: after a restart others must take the next entry for newer. */
  async function announce(): Promise<void> {
    const nowMs = clock.nowMs();
    const sequence = Math.max(nowMs, lastSequence(store, log) + 1);
    await store.put(sequenceKey, new TextEncoder().encode(String(sequence)));
    await directory.announce(signPresence(options, host.addresses(), sequence, nowMs));
  }

  async function loop(): Promise<void> {
    let dueMs = 0;
    while (!ending.signal.aborted) {
      // Until it has a few neighbours, a node's entry may have reached nobody.
      const isFirst = greeted < parameters.catchUpsAtOnce;
      const newcomers = catchUp.look();
      greeted += newcomers;
      if (performance.now() >= dueMs || (newcomers > 0 && isFirst)) {
        await announce().catch(noteFailure);
        dueMs = performance.now() + announceIntervalMs(directory.entries().length);
      }
      await sleep(parameters.neighbourLookMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }

  function noteFailure(error: unknown): void {
    const reason = error instanceof SkerryError ? error.code : String(error);
    if (!ending.signal.aborted) log.warn('this node could not be announced', { nodeId: host.nodeId, reason });
  }

  const looping = loop();
  return async () => {
    ending.abort(new SkerryError('SHUTTING_DOWN'));
    await catchUp.close();
    await looping;
  };
}
