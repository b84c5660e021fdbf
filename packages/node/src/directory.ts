import { type Clock, type ErrorCode, equalBytes, type Log, SkerryError } from '@skerry/base';
import { directoryTopic } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { type Allowance, createAllowance } from './allowance.ts';
import { codeOf } from './asking.ts';
import { createClockSkew } from './clock-skew.ts';
import { createDirectoryRoom } from './directory-room.ts';
import { createJudge } from './gossip-judge.ts';
import type { Host } from './host.ts';

/** What the directory has to know of a node's signed record; the rest of it is for others. */
export type DirectoryEntry = {
  readonly nodeId: string;
  /** Higher replaces lower. */
  readonly sequence: number;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly addresses: readonly string[];
  /** The signed record itself. */
  readonly bytes: Uint8Array;
};

/** What each node says of itself, as far as this node has heard. */
export type Directory<Entry extends DirectoryEntry = DirectoryEntry> = {
  /**
   * Publishes this node's own record and enters it here.
   *
   * @throws what `decode` throws, RECORD_INVALID where it is another node's, RECORD_STALE where it is no newer
   */
  readonly announce: (bytes: Uint8Array) => Promise<void>;
  /** A node's entry, unless it expired. */
  readonly entry: (nodeId: string) => Entry | undefined;
  /** Every entry that has not expired, this node's own among them. */
  readonly entries: () => Entry[];
  /** Their signed records, for a neighbour that asks. */
  readonly snapshot: () => Uint8Array[];
  /**
   * Enters what a neighbour's snapshot has that is valid and newer. One bad record does not spoil the rest.
   *
   * @param source the neighbour; this node by default, for what it has kept itself
   * @returns how many were entered
   */
  readonly merge: (records: readonly Uint8Array[], source?: string) => number;
  /**
   * Milliseconds by which others' clocks are ahead of this node's, behind where negative: the median over the
   * neighbours whose own announcements came straight from them. Null before the first.
   */
  readonly clockSkewMs: () => number | null;
  /** Calls back with each entry that is new or newer; the returned function ends that. */
  readonly onEntry: (listener: (entry: Entry) => void) => () => void;
  /** Leaves the topic. */
  readonly close: () => Promise<void>;
};

type Options<Entry extends DirectoryEntry> = {
  readonly host: Host;
  /** The entry that a peer sent, or a SkerryError where it is malformed, wrongly signed or too large. */
  readonly decode: (bytes: Uint8Array) => Entry;
  readonly clock: Clock;
  /** Nodes kept; over that, those go that the same neighbour brought as most others, the latest first. */
  readonly entriesMax?: number;
  readonly log: Log;
};

/**
 * Milliseconds from one announcement of a node to its next. Everybody hears everybody, so that the cost to one node
 * grows with their number: at 100 nodes each heartbeat in 10 s kept a core busy. Hence half a second for each node.
 *
 * @param nodeCount nodes in the directory
 */
export function announceIntervalMs(nodeCount: number): number {
  return Math.max(parameters.announceMsMin, nodeCount * parameters.announceMsPerNode);
}

/** What is kept of a node: its entry, until when, who brought it, and how often it may still say something new. */
type Kept<Entry> = {
  readonly entry: Entry;
  readonly untilMs: number;
  readonly source: string;
  readonly allowance: Allowance;
};

/** The nodes of a directory, by what is taken in and what has to go for it. */
function createNodes<Entry extends DirectoryEntry>(options: Options<Entry>) {
  const { host, clock, log, entriesMax = parameters.directoryEntriesMax } = options;
  const nodes = new Map<string, Kept<Entry>>();
  const listeners = new Set<(entry: Entry) => void>();
  const room = createDirectoryRoom();
  let sweptMs = Number.NEGATIVE_INFINITY;

  function drop(nodeId: string): void {
    nodes.delete(nodeId);
    room.forget(nodeId);
  }

  /** Makes room for one more where there is none, or throws QUOTA_EXCEEDED. */
  function makeRoom(newcomer: { readonly nodeId: string; readonly source: string }, nowMs: number): void {
    if (nodes.size >= entriesMax && Math.abs(nowMs - sweptMs) >= parameters.directorySweepMs) {
      sweptMs = nowMs;
      for (const [nodeId, { untilMs }] of nodes) if (untilMs <= nowMs) drop(nodeId);
    }
    if (nodes.size < entriesMax) return;
    const victim = room.victim(newcomer, new Set([host.nodeId, ...host.connectedNodes()]));
    if (victim === undefined)
      throw new SkerryError('QUOTA_EXCEEDED', 'the directory is full, and who brought this has brought most');
    drop(victim);
  }

  /** Enters a newer record, or throws why not. */
  function enter(entry: Entry, source: string): void {
    const nowMs = clock.nowMs();
    const { nodeId, expiresAtMs, addresses } = entry;
    const known = nodes.get(nodeId);
    if (known !== undefined) checkSequence(known.entry, entry);
    checkTimes(entry, nowMs);
    const allowance = known?.allowance ?? createAllowance(parameters.entriesPerNode, nowMs);
    if (!allowance.take(nowMs)) throw new SkerryError('RATE_LIMITED', '', { nodeId });
    const untilMs = Math.min(expiresAtMs, nowMs + parameters.entryAgeMsMax);
    const isBroughtStill = known !== undefined && host.isConnected(known.source);
    const broughtBy = isBroughtStill ? known.source : source;
    if (known === undefined) makeRoom({ nodeId, source }, nowMs);
    nodes.set(nodeId, { entry, untilMs, source: broughtBy, allowance });
    room.note(nodeId, broughtBy);
    host
      .learnAddresses(nodeId, addresses)
      .catch(() => log.debug('a directory entry could not be dialled', { nodeId }));
    for (const listener of listeners) listener(entry);
  }

  return { nodes, listeners, enter };
}

/** Joins the directory's topic. */
export function createDirectory<Entry extends DirectoryEntry>(options: Options<Entry>): Directory<Entry> {
  const { host, decode, clock, log } = options;
  const { gossip } = host.libp2p.services;
  const { nodes, listeners, enter } = createNodes(options);
  const skew = createClockSkew(log);

  const live = (): Entry[] => {
    const nowMs = clock.nowMs();
    return [...nodes.values()].filter(({ untilMs }) => untilMs > nowMs).map(({ entry }) => entry);
  };
  const take = (entry: Entry, source: string): boolean => {
    const code = attempt(() => enter(entry, source));
    if (code === 'RECORD_EQUIVOCATED') host.onMisbehaviour(entry.nodeId, 'equivocation');
    if (code !== undefined)
      log.debug('a directory entry was not taken', { nodeId: entry.nodeId, source, code });
    return code === undefined;
  };
  const judge = createJudge({
    decode,
    take: (entry, source) => {
      const isNew = (nodes.get(entry.nodeId)?.entry.sequence ?? -1) < entry.sequence;
      if (entry.nodeId === source && isNew) skew.hear(source, entry.issuedAtMs, clock.nowMs());
      return take(entry, source);
    },
    perSource: parameters.entriesPerSource,
    onMisbehaviour: host.onMisbehaviour,
    clock,
    log,
  });
  gossip.topicValidators.set(directoryTopic, (peer, { data }) => judge(peer.toString(), data));
  gossip.subscribe(directoryTopic);
  return {
    announce: async bytes => {
      const entry = decode(bytes);
      if (entry.nodeId !== host.nodeId)
        throw new SkerryError('RECORD_INVALID', 'not the own record of this node');
      enter(entry, host.nodeId);
      await gossip.publish(directoryTopic, bytes);
    },
    entry: nodeId => {
      const known = nodes.get(nodeId);
      return known !== undefined && known.untilMs > clock.nowMs() ? known.entry : undefined;
    },
    entries: live,
    snapshot: () => live().map(({ bytes }) => bytes),
    merge: (records, source = host.nodeId) => {
      let entered = 0;
      for (const bytes of records) {
        const code = attempt(() => {
          if (take(decode(bytes), source)) entered++;
        });
        if (code !== undefined && source !== host.nodeId) host.onMisbehaviour(source, 'garbage');
      }
      return entered;
    },
    clockSkewMs: skew.estimateMs,
    onEntry: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      gossip.unsubscribe(directoryTopic);
      gossip.topicValidators.delete(directoryTopic);
      listeners.clear();
    },
  };
}

/** Undefined where it went through, else the code why not; anything but a SkerryError is a bug. */
function attempt(work: () => void): ErrorCode | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** @throws RECORD_STALE for an older record or the same, RECORD_EQUIVOCATED for another one of the same sequence */
function checkSequence(known: DirectoryEntry, next: DirectoryEntry): void {
  if (known.sequence > next.sequence) throw new SkerryError('RECORD_STALE');
  if (known.sequence < next.sequence) return;
  const { nodeId, sequence } = next;
  if (equalBytes(known.bytes, next.bytes)) throw new SkerryError('RECORD_STALE', 'the record is known');
  throw new SkerryError('RECORD_EQUIVOCATED', '', { nodeId, sequence });
}

/** @throws RECORD_STALE for what has expired, CLOCK_SKEWED for what is from the future */
function checkTimes({ nodeId, expiresAtMs, issuedAtMs }: DirectoryEntry, nowMs: number): void {
  if (expiresAtMs <= nowMs) throw new SkerryError('RECORD_STALE', 'a directory entry has expired');
  const aheadMs = issuedAtMs - nowMs;
  if (aheadMs > parameters.clockSkewMs) throw new SkerryError('CLOCK_SKEWED', '', { nodeId, aheadMs });
}
