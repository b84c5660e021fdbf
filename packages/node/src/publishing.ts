import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { type HeldEpoch, manifestOf, openHeldShare } from '@skerry/custody';
import {
  encodeManifest,
  encodeShareRecord,
  encodeTombstone,
  type Manifest,
  manifestPath,
  shareRecordPath,
  shareRecordPreimage,
  type Tombstone,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { Records } from './dht.ts';

/** Puts the records of keys into the DHT, and keeps them there. What goes wrong is logged and tried again later. */
export type Publisher = {
  /**
   * Keeps a held epoch's share record and manifest in the DHT from here on; its secrets are not kept.
   *
   * @param isNew activated just now, as on all its other holders: then the share's record is first put within
   *   `parameters.newShareMs`, at a moment of chance, and not by all of them at once; the dealer puts the manifest
   */
  readonly publishHeld: (held: HeldEpoch, isNew: boolean) => void;
  /**
   * Keeps a tombstone in the DHT from here on, in place of the manifest.
   *
   * @param shares those of which this node kept the records there; it no longer does
   * @param isKept false where this node does not remember the key's end, and keeps nothing of it in the DHT either
   */
  readonly publishTombstone: (
    tombstone: Tombstone,
    shares: readonly { readonly epoch: number; readonly x: number }[],
    isKept: boolean,
  ) => void;
  /** Ends that for shares that are held here no more. */
  readonly unpublishShares: (
    keyId: Uint8Array,
    shares: readonly { readonly epoch: number; readonly x: number }[],
  ) => void;
  /** Keeps a manifest in the DHT from here on. */
  readonly keepManifest: (manifest: Manifest) => void;
  /**
   * The same for a key that was dealt just now: before others that wait, and resolved once the put is under way. So a
   * deal waits for the DHT only where `parameters.dealsPublishedAtOnce` before it are not there yet.
   */
  readonly publishManifest: (manifest: Manifest) => Promise<void>;
  /** Resolves once no `publishManifest` of a key is under way: it was put there, or the time for that is over. */
  readonly published: (keyId: Uint8Array) => Promise<void>;
  /** Starts no further put, and gives those of deals `parameters.drainMs` to finish. */
  readonly close: () => Promise<void>;
};

/** What a publisher needs. */
type PublisherOptions = {
  readonly records: Pick<Records, 'put' | 'interest' | 'disinterest'>;
  /** Milliseconds for one put, whatever the DHT does. */
  readonly deadlineMs?: number;
  readonly log: Log;
};

/** The share record of an active epoch, signed with the share's own key. @throws SHARE_CORRUPT */
function shareRecordFor(held: HeldEpoch): Uint8Array {
  const { core, x, sequence, ciphertext, pointsSignatures } = held;
  const { keyId, epoch, authority, nonce } = core;
  const points = core.points.map(point => ({ x: point.x, vk: point.vk }));
  const unsigned = { keyId, epoch, x, sequence, ciphertext, points };
  const { keys, close } = openHeldShare(nodeCrypto, held, 'SHARE_CORRUPT');
  try {
    const signature = nodeCrypto.ed25519Sign(keys.signSeed, shareRecordPreimage(nodeCrypto, unsigned));
    return encodeShareRecord({ ...unsigned, authority, nonce, signatures: pointsSignatures, signature });
  } finally {
    close();
  }
}

/** Puts that run a few at once while the others wait; over the bound, what is added is passed over. */
function createQueue(put: (path: string, value: Uint8Array) => Promise<void>) {
  const waiting: [path: string, value: Uint8Array][] = [];
  let atWork = 0;

  function work(): void {
    while (atWork < parameters.publicationsAtOnce) {
      const next = waiting.shift();
      if (next === undefined) return;
      atWork += 1;
      void put(...next).then(() => {
        atWork -= 1;
        work();
      });
    }
  }

  return {
    add: (path: string, value: Uint8Array): void => {
      if (waiting.length >= parameters.publicationsWaitingMax) return;
      waiting.push([path, value]);
      work();
    },
    clear: (): void => void waiting.splice(0),
  };
}

/** One put that never rejects, and ends at the deadline even where the DHT does not. */
function createPut(
  { records, log, deadlineMs = parameters.publishDeadlineMs }: PublisherOptions,
  isClosed: () => boolean,
  noteFailure: (path: string, error: unknown) => void,
): (path: string, value: Uint8Array) => Promise<void> {
  return async (path, value) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, deadlineMs);
    const putting = records.put(path, value, { deadlineMs }).then(
      ({ stored }) => {
        if (stored === 0 && !isClosed())
          log.warn('no node took a record; it is published again later', { path });
      },
      (error: unknown) => noteFailure(path, error),
    );
    await Promise.race([putting, promise]);
    clearTimeout(timer);
  };
}

/** Puts that their callers want started at once, a few of them; the next caller waits until one has ended. */
function createPutsUnderWay(put: (path: string, value: Uint8Array) => Promise<void>) {
  const underWay = new Map<string, Promise<void>>();
  let isClosed = false;
  return {
    start: async (path: string, value: Uint8Array): Promise<void> => {
      while (underWay.size >= parameters.dealsPublishedAtOnce) await Promise.race(underWay.values());
      if (isClosed) return;
      const putting = put(path, value).finally(() => underWay.delete(path));
      underWay.set(path, putting);
    },
    ended: async (path: string): Promise<void> => underWay.get(path),
    close: async (): Promise<void> => {
      isClosed = true;
      const late = sleep(parameters.drainMs, undefined, { ref: false });
      await Promise.race([Promise.all(underWay.values()), late]);
    },
  };
}

/** Starts with nothing to publish. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { records, log } = options;
  let isClosed = false;

  function noteFailure(path: string, error: unknown): void {
    const reason = error instanceof SkerryError ? error.code : String(error);
    if (!isClosed) log.error('a record could not be published', { path, reason });
  }

  const put = createPut(options, () => isClosed, noteFailure);

  /** Has a record published again and again; false where it is no valid one. */
  function keep(path: string, value: Uint8Array, withinMs?: number): boolean {
    try {
      records.interest(path, value, withinMs);
      return true;
    } catch (error) {
      noteFailure(path, error);
      return false;
    }
  }

  const queue = createQueue(put);
  const deals = createPutsUnderWay(put);
  const publishSoon = (path: string, value: Uint8Array): void => {
    if (!isClosed && keep(path, value)) queue.add(path, value);
  };
  const keepManifest = (manifest: Manifest): void =>
    publishSoon(manifestPath(manifest.core.keyId), encodeManifest(manifest));
  const unpublishShares: Publisher['unpublishShares'] = (keyId, shares) => {
    for (const { epoch, x } of shares) records.disinterest(shareRecordPath(keyId, epoch, x));
  };
  return {
    keepManifest,
    publishManifest: async manifest => {
      const [path, value] = [manifestPath(manifest.core.keyId), encodeManifest(manifest)];
      if (keep(path, value)) await deals.start(path, value);
    },
    published: async keyId => deals.ended(manifestPath(keyId)),
    publishHeld: (held, isNew) => {
      const { core, x } = held;
      const manifest = manifestOf(held);
      if (!manifest) return;
      if (isNew) keep(manifestPath(core.keyId), encodeManifest(manifest));
      else keepManifest(manifest);
      try {
        const path = shareRecordPath(core.keyId, core.epoch, x);
        if (isNew) keep(path, shareRecordFor(held), parameters.newShareMs);
        else publishSoon(path, shareRecordFor(held));
      } catch (error) {
        if (!(error instanceof SkerryError)) throw error;
        const keyId = toHex(core.keyId);
        log.error('a held share is damaged and was not published', { keyId, code: error.code });
      }
    },
    unpublishShares,
    publishTombstone: (tombstone, shares, isKept) => {
      const { keyId } = tombstone;
      unpublishShares(keyId, shares);
      if (isKept) publishSoon(manifestPath(keyId), encodeTombstone(tombstone));
      else records.disinterest(manifestPath(keyId));
    },
    close: async () => {
      isClosed = true;
      queue.clear();
      await deals.close();
    },
  };
}
