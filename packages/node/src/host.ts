import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { type Log, SkerryError } from '@skerry/base';
import { parameters, type Scale } from '../parameters.ts';
import { createAddressBook } from './address-book.ts';
import { type ConnectionKeeper, createConnectionKeeper, parseAddresses } from './connection-keeper.ts';
import { type NodeLibp2p, startLibp2p } from './node-libp2p.ts';
import { startSweeping } from './peer-store-sweep.ts';
import { createRecordShelf, type RecordKinds, type RecordShelf } from './record-shelf.ts';
import { createStrikes, type Misbehaviour } from './strikes.ts';

/** What `createHost` needs. */
export type HostOptions = {
  /** 32 bytes, the node key; stays the caller's. */
  readonly nodeSeed: Uint8Array;
  /** Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/4001` or `/memory/name`. */
  readonly listen: readonly string[];
  /** Multiaddrs of peers to stay connected to, with or without `/p2p/`. */
  readonly bootstrap: readonly string[];
  /** Whether the peers share one machine or rack, or are across the internet. */
  readonly scale: Scale;
  /** TCP, or memory for peers of one process. */
  readonly transport: 'tcp' | 'memory';
  /** A swarm.key file, for a network of those that have the same one; stays the caller's. */
  readonly swarmKey?: Uint8Array;
  /** The kinds of record that the DHT carries. */
  readonly recordKinds: RecordKinds;
  /** Connections to keep by dialling known peers; a swarm in one process wants fewer. */
  readonly meshPeersMax?: number;
  /** Told of each misbehaviour of another node, and whether it is refused for a while from this one on. */
  readonly onMisbehaviour?: (nodeId: string, kind: Misbehaviour, isOver: boolean) => void;
  readonly log: Log;
};

/** One libp2p peer, listening, with its connections kept up until `close`. */
export type Host = {
  readonly nodeId: string;
  readonly scale: Scale;
  /** For this package only. */
  readonly libp2p: NodeLibp2p;
  /** The DHT records kept here. */
  readonly shelf: RecordShelf;
  /** Where this node can be dialled: multiaddrs with `/p2p/`. */
  readonly addresses: () => string[];
  /** Node ids with an open connection. */
  readonly connectedNodes: () => string[];
  /** Connections that others have opened to this node since it started. */
  readonly inboundCount: () => number;
  /** Whether there is an open connection. */
  readonly isConnected: (nodeId: string) => boolean;
  /**
   * Remembers where a node can be dialled, and dials it while there are fewer than `meshPeersMax` connections.
   * What is no multiaddr or names another node is passed over: it comes from peers.
   */
  readonly learnAddresses: (nodeId: string, addresses: readonly string[]) => Promise<void>;
  /** Refuses connections with these nodes, and only these, from here on; the ones that exist are closed. */
  readonly deny: (nodeIds: readonly string[]) => Promise<void>;
  /**
   * Counts a misbehaviour against another node: over `parameters.strikePointsMax` of late, its connections are closed
   * and refused for `parameters.barredMs`.
   */
  readonly onMisbehaviour: (nodeId: string, kind: Misbehaviour) => void;
  /** Cuts every connection at once, without telling the other end. */
  readonly cut: () => void;
  /** Stops everything within `parameters.stopMs`; a second call waits for the first. */
  readonly close: () => Promise<void>;
};

/**
 * Starts a libp2p peer: TCP or memory, noise, yamux, identify, ping, a DHT and gossip of Skerry's own, and keeps it
 * connected to its bootstrap peers, for ever if they come up late.
 *
 * @throws CONFIG_INVALID where an address to listen on or to bootstrap from is no multiaddr, or cannot be listened on
 * @throws SWARM_KEY_INVALID
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const { scale, log } = options;
  const bootstrap = parseAddresses(options.bootstrap);
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.nodeSeed);
  const peerId = peerIdFromPrivateKey(privateKey);
  const nodeId = peerId.toString();
  const shelf = createRecordShelf(options.recordKinds, peerId.toMultihash().bytes);
  const denied = new Set<string>();
  const strikes = createStrikes();
  function onMisbehaviour(id: string, kind: Misbehaviour): void {
    if (id === nodeId) return;
    const isOver = strikes.add(id, kind, performance.now());
    options.onMisbehaviour?.(id, kind, isOver);
    if (!isOver) return;
    log.warn('a peer is refused for a while', {
      code: 'PEER_BARRED',
      nodeId: id,
      kind,
      forMs: parameters.barredMs,
    });
    disconnect(libp2p, new Set([id]), new SkerryError('PEER_BARRED', '', { nodeId: id }));
  }
  const libp2p = await startLibp2p({
    ...options,
    isRefused: id => denied.has(id) || strikes.isBarred(id, performance.now()),
    onFlood: id => onMisbehaviour(id, 'flood'),
    listen: parseAddresses(options.listen).map(String),
    privateKey,
    shelf,
  });
  let inbound = 0;
  libp2p.addEventListener('connection:open', ({ detail }) => {
    if (detail.direction === 'inbound') inbound++;
  });
  const book = createAddressBook(libp2p);
  const meshPeersMax = options.meshPeersMax ?? parameters.meshPeersMax;
  const keeper = createConnectionKeeper({ libp2p, bootstrap, meshPeersMax, scale, log });
  const stopSweeping = startSweeping(libp2p, log);
  let closing: Promise<void> | undefined;
  return {
    nodeId,
    scale,
    libp2p,
    shelf,
    addresses: () => libp2p.getMultiaddrs().map(String),
    connectedNodes: () => libp2p.getPeers().map(String),
    inboundCount: () => inbound,
    isConnected: id => book.isConnected(id),
    learnAddresses: async (id, addresses) => {
      if (id === nodeId || !(await book.learn(id, addresses))) return;
      keeper.want(id);
    },
    deny: async nodeIds => {
      denied.clear();
      for (const id of nodeIds) denied.add(id);
      disconnect(libp2p, denied, new SkerryError('PEER_UNREACHABLE', 'the node is denied'));
    },
    onMisbehaviour,
    cut: () => {
      const reason = new SkerryError('SHUTTING_DOWN');
      for (const connection of libp2p.getConnections()) connection.abort(reason);
    },
    close: () => (closing ??= stopSweeping().then(async () => closeHost(libp2p, keeper, log))),
  };
}

/** Cuts the connections with some nodes. */
function disconnect(libp2p: NodeLibp2p, nodeIds: ReadonlySet<string>, reason: SkerryError): void {
  for (const connection of libp2p.getConnections()) {
    if (nodeIds.has(connection.remotePeer.toString())) connection.abort(reason);
  }
}

async function closeHost(libp2p: NodeLibp2p, keeper: ConnectionKeeper, log: Log): Promise<void> {
  await keeper.close();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>(resolve => {
    timer = setTimeout(resolve, parameters.stopMs, 'late');
  });
  const outcome = await Promise.race([libp2p.stop(), late]);
  clearTimeout(timer);
  if (outcome === 'late') log.warn('libp2p did not stop in time', { stopMs: parameters.stopMs });
}
