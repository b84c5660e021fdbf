import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { type GossipSub, type GossipsubOpts, gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import {
  type KadDHT,
  type KadDHTComponents,
  type KadDHTInit,
  kadDHT,
  passthroughMapper,
  removePrivateAddressesMapper,
} from '@libp2p/kad-dht';
import { memory } from '@libp2p/memory';
import { type Ping, ping } from '@libp2p/ping';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { isLoopback } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import { SkerryError, wipe } from '@skerry/base';
import { dhtProtocol, directoryTopic, revocationTopic } from '@skerry/wire';
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p';
import { parameters, rates, type Scale, scales } from '../parameters.ts';
import { metered } from './metering.ts';
import { pathOf, type RecordShelf, recordNamespace } from './record-shelf.ts';
import { parseSwarmKey } from './swarm-key.ts';

type Services = { identify: Identify; ping: Ping; dht: KadDHT; gossip: GossipSub };

/** A libp2p node with the services that Skerry runs. */
export type NodeLibp2p = Libp2p<Services>;

type Options = {
  readonly privateKey: NonNullable<Libp2pOptions['privateKey']>;
  readonly listen: readonly string[];
  readonly scale: Scale;
  readonly transport: 'tcp' | 'memory';
  readonly swarmKey?: Uint8Array;
  readonly shelf: RecordShelf;
  /** Whether a node gets no connection now. */
  readonly isRefused: (nodeId: string) => boolean;
  /** Told of each stream of a peer that uses a service more than it may. */
  readonly onFlood: (nodeId: string) => void;
};

/**
 * A started libp2p node. Its settings differ from libp2p's where the defaults break many peers on one machine, a
 * small network or a daemon that runs for weeks; each reason stands with its number in `parameters`.
 *
 * @throws CONFIG_INVALID where an address cannot be listened on; SWARM_KEY_INVALID
 */
export async function startLibp2p(options: Options): Promise<NodeLibp2p> {
  const { listen, scale, transport, swarmKey } = options;
  const limits = scales[scale];
  const psk = swarmKey && parseSwarmKey(swarmKey);
  try {
    return await createLibp2p<Services>({
      privateKey: options.privateKey,
      nodeInfo: { name: 'skerry', version: '1', userAgent: 'skerry' },
      addresses: { listen: [...listen], announceFilter: withoutLoopback },
      transports: [transport === 'tcp' ? tcp() : memory()],
      ...(psk && { connectionProtector: preSharedKey({ psk }) }),
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: parameters.streamWindowBytesMax } })],
      connectionManager: {
        maxConnections: limits.connectionsMax,
        inboundConnectionThreshold: limits.inboundPerSecondMax,
        maxIncomingPendingConnections: limits.inboundPendingMax,
        dialTimeout: limits.dialMs,
        addressDialTimeout: limits.addressDialMs,
      },
      connectionGater: {
        denyDialPeer: peerId => options.isRefused(peerId.toString()),
        denyInboundEncryptedConnection: peerId => options.isRefused(peerId.toString()),
      },
      connectionMonitor: { abortConnectionOnPingFailure: false, pingInterval: parameters.pingIntervalMs },
      peerStore: { maxAddressAge: parameters.addressAgeMsMax, maxPeerAge: parameters.addressAgeMsMax },
      services: {
        identify: components => identify()(metered(components, rates.identify, options.onFlood)),
        ping: components => ping(pingSettings)(metered(components, rates.ping, options.onFlood)),
        dht: components =>
          kadDHT(dhtSettings(options))(
            withDatastore(metered(components, rates.dht, options.onFlood), options.shelf),
          ),
        gossip: components =>
          gossipsub(gossipSettings(scale))(metered(components, rates.gossip, options.onFlood)),
      },
    });
  } catch (error) {
    const message = `cannot listen on ${listen.join(', ')}${whyNot(error)}`;
    throw new SkerryError('CONFIG_INVALID', message, { listen: listen.join(' ') }, error);
  } finally {
    if (psk) wipe(psk); // libp2p has read it
  }
}

const pingSettings = {
  maxInboundStreams: parameters.pingStreamsMax,
  maxOutboundStreams: parameters.pingStreamsMax,
};

/** What the system says against the first address that it refuses; libp2p has it in the message alone. */
function whyNot(error: unknown): string {
  const [, reason] = /Error: listen E[A-Z]+: (.+)/.exec(error instanceof Error ? error.message : '') ?? [];
  return reason === undefined ? '' : `: ${reason}`;
}

/**
 * The addresses that others are told. Loopback leads each of them to itself, such as in containers that all listen on
 * one port, so it is told only where there is nothing else.
 */
function withoutLoopback(addresses: Multiaddr[]): Multiaddr[] {
  const reachable = addresses.filter(address => !isLoopback(address));
  return reachable.length > 0 ? reachable : addresses;
}

/** The DHT keeps its records on the shelf, and nothing else of libp2p does. */
function withDatastore(components: KadDHTComponents, shelf: RecordShelf): KadDHTComponents {
  return new Proxy(components, {
    get: (target, name) => (name === 'datastore' ? shelf.datastore : Reflect.get(target, name)),
  });
}

function dhtSettings({ scale, shelf }: Options): KadDHTInit {
  return {
    protocol: dhtProtocol,
    clientMode: false,
    validators: { [recordNamespace]: (key, value) => shelf.validate(pathOf(key), value) },
    selectors: {
      [recordNamespace]: (key, records) =>
        records.reduce(
          (best, value, i) => (shelf.compare(pathOf(key), value, records[best]!) > 0 ? i : best),
          0,
        ),
    },
    peerInfoMapper: scale === 'loopback' ? passthroughMapper : removePrivateAddressesMapper,
    kBucketSize: parameters.recordReplicas,
    alpha: parameters.lookupConcurrency,
    disjointPaths: 1,
    initialQuerySelfInterval: parameters.firstSelfLookupMs,
    networkDialTimeout: {
      minTimeout: scales[scale].dhtAnswerMsMin,
      maxTimeout: scales[scale].dhtAnswerMsMax,
    },
  };
}

/**
 * Messages carry their author's signature inside (directory entries sign themselves), so gossipsub adds none: one
 * verification less for each, and duplicates are known by the hash of their bytes before anything is verified.
 */
function gossipSettings(scale: Scale): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: StrictNoSign,
    fallbackToFloodsub: false,
    floodPublish: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    allowedTopics: [directoryTopic, revocationTopic],
    maxInboundDataLength: parameters.gossipBytesMax,
    D: 4,
    Dlo: 3,
    Dhi: 6,
    Dscore: 2,
    Dout: 1,
    Dlazy: 4,
    scoreParams: {
      behaviourPenaltyThreshold: parameters.gossipSlipsMax,
      ...(scale === 'loopback' ? { IPColocationFactorWeight: 0 } : {}),
      topics: { [directoryTopic]: topicScore, [revocationTopic]: topicScore },
    },
  };
}

/**
 * What a peer's conduct on a topic is worth (gossipsub v1.1, peer scoring). Without it a refused
 * message costs its sender nothing. One costs 20 and stops gossip to the sender (-10), three pass the graylist's
 * -80. How many messages a peer delivers is not counted, as honest nodes send one in many seconds.
 */
const topicScore = {
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.1,
  firstMessageDeliveriesDecay: 0.97,
  firstMessageDeliveriesCap: 50,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 100,
  meshMessageDeliveriesThreshold: 20,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -20,
  invalidMessageDeliveriesDecay: 0.99,
};
