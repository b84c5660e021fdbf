import { type Clock, type Log, SkerryError } from '@skerry/base';
import { directoryTopic } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { type Allowance, createAllowance } from './allowance.ts';
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
   * @returns how many were entered
   */
  readonly merge: (records: readonly Uint8Array[]) => number;
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
  /** Nodes kept; over that, those go that are not connected and expire first. */
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

/** What is kept of a node: its entry, until when, and how often it may still say something new. */
type Kept<Entry> = { readonly entry: Entry; readonly untilMs: number; readonly allowance: Allowance };

/** Joins the directory's topic. */
export function createDirectory<Entry extends DirectoryEntry>(options: Options<Entry>): Directory<Entry> {
  const { host, decode, clock, log, entriesMax = parameters.directoryEntriesMax } = options;
  const { gossip } = host.libp2p.services;
  const nodes = new Map<string, Kept<Entry>>();
  const listeners = new Set<(entry: Entry) => void>();

  /** Enters a newer record, or throws why not. */
  function enter(entry: Entry): void {
    const nowMs = clock.nowMs();
    const { nodeId, sequence, expiresAtMs, issuedAtMs, addresses } = entry;
    const known = nodes.get(nodeId);
    if (known !== undefined && known.entry.sequence >= sequence) throw new SkerryError('RECORD_STALE');
    if (expiresAtMs <= nowMs) throw new SkerryError('RECORD_STALE', 'a directory entry has expired');
    if (issuedAtMs > nowMs + parameters.clockSkewMs) {
      throw new SkerryError('RECORD_STALE', 'a directory entry is from the future');
    }
    const allowance = known?.allowance ?? createAllowance(parameters.entriesPerNode, nowMs);
    if (!allowance.take(nowMs)) throw new SkerryError('RATE_LIMITED', '', { nodeId });
    const untilMs = Math.min(expiresAtMs, nowMs + parameters.entryAgeMsMax);
    nodes.set(nodeId, { entry, untilMs, allowance });
    if (nodes.size > entriesMax) makeRoom(nodes, host, nowMs);
    if (!nodes.has(nodeId))
      throw new SkerryError('QUOTA_EXCEEDED', 'the directory is full of longer-lived nodes');
    host
      .learnAddresses(nodeId, addresses)
      .catch(() => log.debug('a directory entry could not be dialled', { nodeId }));
    for (const listener of listeners) listener(entry);
  }

  const live = (): Entry[] => {
    const nowMs = clock.nowMs();
    return [...nodes.values()].filter(({ untilMs }) => untilMs > nowMs).map(({ entry }) => entry);
  };
  const judge = createJudge({
    decode,
    take: entry => attempt(() => enter(entry)),
    perSource: parameters.entriesPerSource,
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
      enter(entry);
      await gossip.publish(directoryTopic, bytes);
    },
    entry: nodeId => {
      const known = nodes.get(nodeId);
      return known !== undefined && known.untilMs > clock.nowMs() ? known.entry : undefined;
    },
    entries: live,
    snapshot: () => live().map(({ bytes }) => bytes),
    merge: records => records.filter(bytes => attempt(() => enter(decode(bytes)))).length,
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

/** Whether it went through; a SkerryError is a no, anything else a bug. */
function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof SkerryError) return false;
    throw error;
  }
}

/** Drops what expired; failing that, the entry that expires first among nodes that are not connected. */
function makeRoom<Entry>(nodes: Map<string, Kept<Entry>>, host: Host, nowMs: number): void {
  const connected = new Set([host.nodeId, ...host.connectedNodes()]);
  let first: { nodeId: string; untilMs: number } | undefined;
  let dropped = false;
  for (const [nodeId, { untilMs }] of nodes) {
    if (untilMs <= nowMs) dropped = nodes.delete(nodeId);
    else if (!connected.has(nodeId) && (first === undefined || untilMs < first.untilMs))
      first = { nodeId, untilMs };
  }
  if (!dropped && first !== undefined) nodes.delete(first.nodeId);
}
