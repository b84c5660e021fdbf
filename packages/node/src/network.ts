import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type Log, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type HeldEpoch, openHeldShare } from '@skerry/custody';
import type { Candidate, Place } from '@skerry/placement';
import {
  checkManifestRecord,
  checkShareRecord,
  compareManifests,
  compareShareRecords,
  custodyProtocol,
  decodeManifest,
  decodeShareRecord,
  directoryPageMax,
  encodeAnswer,
  encodeManifest,
  encodeShareRecord,
  type Manifest,
  manifestBytesMax,
  manifestPath,
  shareRecordBytesMax,
  shareRecordPath,
  shareRecordPreimage,
  signNodeRecord,
} from '@skerry/wire';
import { parameters, type Scale, softwareVersion } from '../parameters.ts';
import { type CustodyService, createCustodyService } from './custody-service.ts';
import { ask } from './dealing.ts';
import { createRecords, type Records } from './dht.ts';
import { announceIntervalMs, createDirectory, type Directory } from './directory.ts';
import type { FrameObserver } from './frame-stream.ts';
import { createHost, type Host } from './host.ts';
import { candidates, decodeNeighbour, type NeighbourEntry, type TrustStatements } from './neighbours.ts';
import type { RecordKinds } from './record-shelf.ts';
import type { Store } from './store.ts';
import { createPeerStreams, type PeerStreams } from './streams.ts';

/** What a node's network is started with. */
export type NetworkOptions = {
  readonly listen: readonly string[];
  readonly bootstrap: readonly string[];
  readonly scale: Scale;
  readonly transport?: 'tcp' | 'memory';
  readonly place: Place;
  readonly operator: string;
  readonly capacity: number;
  readonly nodeKey: Uint8Array;
  readonly nodeSeed: Uint8Array;
  readonly store: Store;
  readonly onFrame?: FrameObserver;
  readonly clock: Clock;
  readonly log: Log;
};

/** A node's side of the network: host, records, directory, streams, and the custody service that answers on them. */
export type Network = {
  readonly host: Host;
  readonly records: Records;
  readonly directory: Directory<NeighbourEntry>;
  readonly streams: PeerStreams;
  readonly custody: CustodyService;
  readonly candidates: (trust: TrustStatements) => Candidate[];
  /** Puts a manifest into the DHT now and keeps it there. */
  readonly publishManifest: (manifest: Manifest) => Promise<void>;
  /** Keeps a manifest in the DHT from here on. */
  readonly keepManifest: (manifest: Manifest) => void;
  /** A manifest from the DHT, checked, or undefined. */
  readonly fetchManifest: (keyId: Uint8Array) => Promise<Manifest | undefined>;
  readonly close: () => Promise<void>;
};

/** The kinds of record in Skerry's DHT, with the rules that every node holds them to. */
export const recordKinds: RecordKinds = {
  key: {
    recordBytesMax: manifestBytesMax,
    countMax: parameters.manifestsKeptMax,
    bytesMax: parameters.recordBytesKeptMax,
    validate: (path, value) => void checkManifestRecord(nodeCrypto, path, value),
    compare: (a, b) =>
      compareManifests(nodeCrypto, decodeManifest(nodeCrypto, a), decodeManifest(nodeCrypto, b)),
  },
  share: {
    recordBytesMax: shareRecordBytesMax,
    countMax: parameters.shareRecordsKeptMax,
    bytesMax: parameters.recordBytesKeptMax,
    validate: (path, value) => void checkShareRecord(nodeCrypto, path, value),
    compare: (a, b) => compareShareRecords(decodeShareRecord(a), decodeShareRecord(b)),
  },
};

/** The share record of an active epoch, signed with the share's own key. */
function shareRecordFor(held: HeldEpoch): Uint8Array {
  const { core, x, ciphertext, pointsSignatures } = held;
  const { keys, close } = openHeldShare(nodeCrypto, held, 'SHARE_CORRUPT');
  const { keyId, epoch, authority, nonce } = core;
  const points = core.points.map(point => ({ x: point.x, vk: point.vk }));
  const unsigned = { keyId, epoch, x, sequence: 0, ciphertext, points };
  const signature = nodeCrypto.ed25519Sign(keys.signSeed, shareRecordPreimage(nodeCrypto, unsigned));
  close();
  return encodeShareRecord({ ...unsigned, authority, nonce, signatures: pointsSignatures, signature });
}

/** Keeps this node's entry in the directory fresh, and asks neighbours for theirs while it knows few. */
function startAnnouncing(
  options: NetworkOptions,
  { host, directory, streams }: Pick<Network, 'host' | 'directory' | 'streams'>,
): () => Promise<void> {
  const { clock, log, store } = options;
  const ending = new AbortController();
  const asked = new Set<string>();

  function ownRecord(): Uint8Array {
    const nowMs = clock.nowMs();
    const { name, lat, lon, country } = options.place;
    const stored = store.get('meta/sequence');
    const last = stored ? Number(new TextDecoder().decode(stored)) : 0;
    const sequence = Math.max(nowMs, last + 1);
    return signNodeRecord(nodeCrypto, options.nodeSeed, {
      version: 1,
      nodeKey: options.nodeKey,
      sequence,
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + parameters.entryLifeMs,
      addresses: host.addresses().slice(0, parameters.addressesPerPeerMax),
      place: { name, latitudeE6: Math.round(lat * 1e6), longitudeE6: Math.round(lon * 1e6), country },
      operator: options.operator,
      capacity: options.capacity,
      software: `skerry/${softwareVersion}`,
    });
  }

  async function announce(): Promise<void> {
    const record = ownRecord();
    const { sequence } = decodeNeighbour(record);
    await store.put('meta/sequence', new TextEncoder().encode(String(sequence)));
    await directory.announce(record);
  }

  /** A late joiner asks each new neighbour once for all that it knows. */
  async function catchUp(nodeId: string): Promise<void> {
    asked.add(nodeId);
    let offset = 0;
    for (;;) {
      const page = await ask(
        streams,
        nodeId,
        'directory',
        { offset },
        {
          deadlineMs: parameters.directoryDeadlineMs,
          signal: ending.signal,
        },
      );
      directory.merge(page.records);
      offset += page.records.length;
      if (page.records.length === 0 || offset >= Math.min(page.total, parameters.directoryEntriesMax)) return;
    }
  }

  async function loop(): Promise<void> {
    let dueMs = 0;
    while (!ending.signal.aborted) {
      const nowMs = performance.now();
      const neighbours = host.connectedNodes();
      for (const nodeId of asked) if (!neighbours.includes(nodeId)) asked.delete(nodeId);
      const newcomers = neighbours.filter(nodeId => !asked.has(nodeId)).slice(0, parameters.catchUpsAtOnce);
      await Promise.all(newcomers.map(async nodeId => catchUp(nodeId).catch(failed => note(failed, nodeId))));
      if (nowMs >= dueMs || (newcomers.length > 0 && asked.size <= parameters.catchUpsAtOnce)) {
        await announce().catch(failed => note(failed, host.nodeId));
        dueMs = nowMs + announceIntervalMs(directory.entries().length);
      }
      await sleep(parameters.neighbourLookMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  }

  function note(error: unknown, nodeId: string): void {
    if (ending.signal.aborted) return;
    const code = error instanceof SkerryError ? error.code : String(error);
    log.debug('the directory could not be exchanged', { nodeId, code });
  }

  const looping = loop();
  return async () => {
    ending.abort(new SkerryError('SHUTTING_DOWN'));
    await looping;
  };
}

/** Publishes and finds manifests, and publishes the share records of what is held here. */
function createPublisher(
  records: Records,
  log: Log,
): {
  publishHeld: (held: HeldEpoch) => Promise<void>;
  publishManifest: (manifest: Manifest) => Promise<void>;
  keepManifest: (manifest: Manifest) => void;
} {
  const deadlineMs = parameters.publishDeadlineMs;

  async function put(path: string, value: Uint8Array): Promise<void> {
    records.interest(path, value);
    const { stored } = await records.put(path, value, { deadlineMs });
    if (stored === 0) log.warn('no node took a record; it is published again later', { path });
  }

  const keepManifest = (manifest: Manifest): void =>
    records.interest(manifestPath(manifest.core.keyId), encodeManifest(manifest));
  return {
    keepManifest,
    publishManifest: async manifest => put(manifestPath(manifest.core.keyId), encodeManifest(manifest)),
    publishHeld: async held => {
      const { core, signatures, activation, x } = held;
      if (activation === null) return;
      keepManifest({ core, signatures, activation });
      await put(shareRecordPath(core.keyId, core.epoch, x), shareRecordFor(held));
    },
  };
}

/** Starts a node's network. @throws CONFIG_INVALID, STORE_FAILED, STORE_CORRUPT */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const { store, nodeKey, nodeSeed, capacity, clock, log } = options;
  const host = await createHost({ ...options, transport: options.transport ?? 'tcp', recordKinds });
  const records = createRecords({ host, log });
  const directory = createDirectory({ host, decode: decodeNeighbour, clock, log });
  const publisher = createPublisher(records, log);
  const custody = await createCustodyService({
    store,
    nodeKey,
    nodeSeed,
    capacity,
    clock,
    random: nodeRandom,
    publish: held => {
      publisher.publishHeld(held).catch((error: unknown) => {
        const code = error instanceof SkerryError ? error.code : String(error);
        log.error('a share could not be published', { keyId: toHex(held.core.keyId), x: held.x, code });
      });
    },
    answerOther: ({ body }) => {
      const all = directory.snapshot();
      const page = all.slice(body.offset, body.offset + directoryPageMax);
      return encodeAnswer('directory', { records: page, total: all.length });
    },
    log,
  });
  const streams = await createPeerStreams({
    ...options,
    host,
    protocol: custodyProtocol,
    handle: custody.handle,
    frameBytesMax: parameters.frameBytesMax,
  });
  const stopAnnouncing = startAnnouncing(options, { host, directory, streams });
  const expiring = setInterval(() => {
    custody.expire().catch((error: unknown) => log.error('expiry failed', { reason: String(error) }));
  }, parameters.expireLookMs);
  return {
    host,
    records,
    directory,
    streams,
    custody,
    candidates: trust => candidates(directory, host.nodeId, trust),
    publishManifest: publisher.publishManifest,
    keepManifest: publisher.keepManifest,
    fetchManifest: async keyId => {
      const path = manifestPath(keyId);
      const value = await records.get(path, { deadlineMs: parameters.manifestDeadlineMs });
      return value && checkManifestRecord(nodeCrypto, path, value);
    },
    close: async () => {
      clearInterval(expiring);
      await stopAnnouncing();
      await directory.close();
      await streams.close();
      await records.close();
      await host.close();
    },
  };
}
