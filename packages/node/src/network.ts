import { type Clock, type Log, SkerryError } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import type { TrustStatements } from '@skerry/trust';
import {
  checkKeyRecord,
  checkShareRecord,
  compareKeyRecords,
  compareShareRecords,
  custodyProtocol,
  decodeShareRecord,
  directoryPageMax,
  encodeAnswer,
  isNodeId,
  type KeyRecord,
  manifestBytesMax,
  manifestPath,
  type NodeRecord,
  type RequestBody,
  shareRecordBytesMax,
} from '@skerry/wire';
import { parameters, type Scale } from '../parameters.ts';
import { checkPresence, lastSequence, type Presence, startAnnouncing } from './announcing.ts';
import { ask, codeOf } from './asking.ts';
import { type Assessor, createAssessor } from './assessing.ts';
import { type Closers, createClosers } from './closing.ts';
import { type CustodyOptions, type CustodyService, createCustodyService } from './custody-service.ts';
import { createRecords, type Records } from './dht.ts';
import { createDirectory, type Directory } from './directory.ts';
import { type EvidenceStore, openEvidenceStore } from './evidence-store.ts';
import type { FrameObserver } from './frame-stream.ts';
import { graceMsOf } from './health-store.ts';
import { createHost, type Host, type HostOptions } from './host.ts';
import { rememberPeers } from './known-peers.ts';
import { startMeasuring } from './measuring.ts';
import { decodeNeighbour, type NeighbourEntry } from './neighbours.ts';
import { type Notices, openNotices } from './notices.ts';
import { createPublisher, type Publisher } from './publishing.ts';
import type { RecordKinds } from './record-shelf.ts';
import { joinRevocations, type RevocationGossip } from './revocation-gossip.ts';
import type { Store } from './store.ts';
import { createPeerStreams, type PeerStreams } from './streams.ts';
import { startUpkeep } from './upkeep.ts';

/** What a node does otherwise than it should, or later: for tests and simulations of such nodes. */
export type Conduct = {
  /**
   * Answers a request in the holder's place.
   *
   * @param honest the holder's own answer, if it is called
   */
  readonly answer?: (
    from: { readonly nodeId: string },
    body: Uint8Array,
    honest: () => Promise<Uint8Array>,
  ) => Promise<Uint8Array>;
  /** What it says of others, in place of what it has seen. */
  readonly observations?: (honest: NodeRecord['observations']) => NodeRecord['observations'];
};

/** What a node's network is started with. */
type NetworkOptions = Presence & {
  readonly listen: readonly string[];
  readonly bootstrap: readonly string[];
  readonly scale: Scale;
  readonly transport?: 'tcp' | 'memory';
  readonly swarmKey?: Uint8Array;
  readonly store: Store;
  readonly onFrame?: FrameObserver;
  readonly conduct?: Conduct;
  readonly trust: TrustStatements;
  readonly auditMs: number;
  readonly isPlaceVerified: boolean;
  /** What this node knows of its owner's keys, as a record of the DHT. */
  readonly recordOf: (keyId: Uint8Array) => Uint8Array | undefined;
  readonly health: CustodyOptions['health'];
  readonly clock: Clock;
  readonly log: Log;
};

/** A node's side of the network: host, records, directory, streams, and the custody service that answers on them. */
export type Network = Pick<
  Publisher,
  'keepManifest' | 'publishManifest' | 'publishTombstone' | 'published'
> & {
  readonly host: Host;
  readonly records: Records;
  readonly directory: Directory<NeighbourEntry>;
  readonly streams: PeerStreams;
  readonly custody: CustodyService;
  readonly notices: Notices;
  readonly gossipRevocation: RevocationGossip['publish'];
  readonly evidence: EvidenceStore;
  readonly assessor: Assessor;
  /** Audit period in ms: the unit in which evidence is capped and forgotten. */
  readonly auditPeriodMs: number;
  /**
   * What the DHT says of a key, and those that hold it where any are named, checked: the newest of it, or undefined.
   *
   * @param holders node ids, of which a few are asked
   */
  readonly fetchKeyRecord: (keyId: Uint8Array, holders?: readonly string[]) => Promise<KeyRecord | undefined>;
  /** Stops everything, last opened first. */
  readonly close: () => Promise<void>;
};

/** The kinds of record in Skerry's DHT, with the rules that every node holds them to. */
const recordKinds: RecordKinds = {
  key: {
    recordBytesMax: manifestBytesMax,
    countMax: parameters.manifestsKeptMax,
    bytesMax: parameters.recordBytesKeptMax,
    validate: (path, value) => void checkKeyRecord(nodeCrypto, path, value),
    compare: (a, b) => compareKeyRecords(nodeCrypto, a, b),
  },
  share: {
    recordBytesMax: shareRecordBytesMax,
    countMax: parameters.shareRecordsKeptMax,
    bytesMax: parameters.recordBytesKeptMax,
    validate: (path, value) => void checkShareRecord(nodeCrypto, path, value),
    compare: (a, b) => compareShareRecords(decodeShareRecord(a), decodeShareRecord(b)),
  },
};

function pageOf(directory: Directory, { offset }: RequestBody<'directory'>): Uint8Array {
  const all = directory.snapshot();
  const records = all.slice(offset, offset + directoryPageMax);
  return encodeAnswer('directory', { records, total: all.length });
}

/** The holder's answers, or what stands in their place. */
function conducted(custody: CustodyService, conduct: Conduct | undefined): CustodyService['handle'] {
  const answer = conduct?.answer;
  if (!answer) return custody.handle;
  return async (from, body) => answer(from, body, async () => custody.handle(from, body));
}

/**
 * What of misbehaviour is evidence. One message over a limit is none: an honest node forwards what others make too much
 * of, and asks much when liars spoil what it opens. Who is refused for it is another matter.
 */
export function noteMisbehaviour(
  evidence: Pick<EvidenceStore, 'note'>,
): NonNullable<HostOptions['onMisbehaviour']> {
  return (nodeId, kind, isOver) => {
    if (!isNodeId(nodeId) || (kind === 'flood' && !isOver)) return;
    evidence.note(nodeId, kind === 'equivocation' ? kind : 'flood');
  };
}

/** Streams for who is made before they are, and asks nobody until then. */
function createLateStreams() {
  let made: PeerStreams | undefined;
  const ready = (): PeerStreams => {
    if (!made) throw new SkerryError('PEER_UNREACHABLE', 'this node has not started yet');
    return made;
  };
  const streams: Omit<PeerStreams, 'close'> = {
    request: async (...asked) => ready().request(...asked),
    isAlive: nodeId => made?.isAlive(nodeId) ?? false,
    roundTripMs: nodeId => made?.roundTripMs(nodeId),
    leastRoundTripMs: nodeId => made?.leastRoundTripMs(nodeId),
    roundTripSamples: nodeId => made?.roundTripSamples(nodeId) ?? 0,
  };
  return {
    streams,
    begin: (real: PeerStreams): void => {
      made = real;
    },
  };
}

/** Whether this node was away for so long that keys may have gone on without it. */
function isBehind({ store, clock, log }: NetworkOptions): boolean {
  const lastMs = lastSequence(store, log); // about the time of its last announcement
  return lastMs > 0 && clock.nowMs() - lastMs > parameters.behindAfterMs;
}

/** What the DHT and a few holders say of a key: the newest of it that holds on its own. */
function createLookUp(
  records: Records,
  streams: Pick<PeerStreams, 'request' | 'isAlive'>,
): Network['fetchKeyRecord'] {
  async function askHolder(nodeId: string, keyId: Uint8Array): Promise<Uint8Array | undefined> {
    const deadline = { deadlineMs: parameters.holderRecordDeadlineMs };
    const answer = await ask(streams, nodeId, 'manifest', { keyId }, deadline).catch(codeOf);
    return typeof answer === 'string' ? undefined : answer.record;
  }

  return async (keyId, holders = []) => {
    const path = manifestPath(keyId);
    const asked = holders.filter(streams.isAlive).slice(0, parameters.holdersAskedMax);
    const values = await Promise.all([
      records.get(path, { deadlineMs: parameters.manifestDeadlineMs }),
      ...asked.map(async nodeId => askHolder(nodeId, keyId)),
    ]);
    const found = values.flatMap(value => {
      const record = value && checkedRecord(path, value);
      return record ? [{ value, record }] : [];
    });
    found.sort((a, b) => compareKeyRecords(nodeCrypto, b.value, a.value));
    return found[0]?.record;
  };
}

function checkedRecord(path: string, value: Uint8Array): KeyRecord | undefined {
  try {
    return checkKeyRecord(nodeCrypto, path, value);
  } catch (error) {
    codeOf(error); // a bug is thrown on
    return undefined;
  }
}

async function open(options: NetworkOptions, closers: Closers): Promise<Omit<Network, 'close'>> {
  const { transport = 'tcp', conduct, clock, log } = options;
  const periodMs = graceMsOf(options.auditMs);
  const evidence = await openEvidenceStore({ ...options, periodMs });
  closers.add(evidence.close);
  const onMisbehaviour = noteMisbehaviour(evidence);
  const host = await createHost({ ...options, transport, recordKinds, onMisbehaviour });
  closers.add(host.close);
  const records = createRecords({ host, log });
  closers.add(records.close);
  const directory = createDirectory({ host, decode: decodeNeighbour, clock, log });
  closers.add(directory.close);
  const publisher = createPublisher({ records, log });
  closers.add(publisher.close);
  const late = createLateStreams();
  const fetchKeyRecord = createLookUp(records, late.streams);
  const custody = await createCustodyService({
    ...options,
    streams: late.streams,
    isBehind: isBehind(options),
    lookUp: fetchKeyRecord,
    recordOf: keyId => options.recordOf(keyId) ?? host.shelf.read(manifestPath(keyId)),
    random: nodeRandom,
    publish: publisher.publishHeld,
    bury: publisher.publishTombstone,
    disown: publisher.unpublishShares,
    answerOther: ({ body }) => pageOf(directory, body),
    onMisbehaviour: host.onMisbehaviour,
  });
  const handle = conducted(custody, conduct);
  const streams = await createPeerStreams({ ...options, host, protocol: custodyProtocol, handle });
  closers.add(streams.close);
  late.begin(streams);
  const assessor = createAssessor({
    ...options,
    nodeId: host.nodeId,
    directory,
    evidence,
    streams,
    statements: options.trust,
    periodMs,
  });
  directory.onEntry(assessor.hear);
  const observations = (): NodeRecord['observations'] =>
    conduct?.observations?.(assessor.observations()) ?? assessor.observations();
  closers.add(startAnnouncing({ ...options, host, directory, streams, observations }));
  closers.add(startMeasuring({ host, streams, log }));
  closers.add(startUpkeep(custody, log));
  closers.add(await rememberPeers({ ...options, host, directory }));
  const gossip = joinRevocations({ host, onRevocation: custody.revoke, clock, log });
  closers.add(gossip.close);
  const notices = await openNotices({ ...options, streams });
  closers.add(notices.close);
  return {
    ...publisher,
    host,
    records,
    directory,
    streams,
    custody,
    evidence,
    assessor,
    notices,
    fetchKeyRecord,
    auditPeriodMs: periodMs,
    gossipRevocation: gossip.publish,
  };
}

/**
 * Starts a node's network. Where that fails midway, nothing of it is left open.
 *
 * @throws CONFIG_INVALID, SWARM_KEY_INVALID, STORE_FAILED, STORE_CORRUPT
 */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  checkPresence(options, options.clock.nowMs());
  const closers = createClosers();
  try {
    return { ...(await open(options, closers)), close: closers.close };
  } catch (error) {
    await closers.close().catch(() => undefined); // what failed first is what the caller has to hear
    throw error;
  }
}
