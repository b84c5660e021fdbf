import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, at, type Log, type Profile, SkerryError, toHex, wipe } from '@skerry/base';
import { decodeHeldKey, encodeHeldKey } from '@skerry/custody';
import {
  type Conduct,
  createIdentity,
  createPeer,
  type FrameObserver,
  loadGazetteer,
  loadIdentity,
  openStore,
  type Peer,
  type PeerOptions,
} from '@skerry/node';
import type { Place } from '@skerry/placement';
import { auditMsDefault, capacity, meshMax, nodesMax, nodesMin, readyMsPerNode } from '../parameters.ts';
import { cities, operators } from './world.ts';

/** What a swarm is made with. */
export type SwarmOptions = {
  /** Nodes, 4 to 200. */
  readonly nodeCount: number;
  /** A directory for the nodes' homes, `node-00` and so on; homes that are there are used again. */
  readonly home: string;
  /** @default 'local' */
  readonly profile?: Profile;
  /** @default 'tcp' */
  readonly transport?: 'tcp' | 'memory';
  /** Operators among the nodes, 1 to 12. @default 12 */
  readonly operatorCount?: number;
  /** Milliseconds between two audits of one node by another, 0 for none. @default as a daemon's */
  readonly auditMs?: number;
  /** How old an epoch of a key may get before its owner deals it anew, ms. @default 0, for any age */
  readonly refreshMs?: number;
  /** Whether claims of place are held against round trips. @default false, as all nodes are on one machine */
  readonly isPlaceVerified?: boolean;
  /** What a node's operator states of others, looked at whenever it counts. @default nothing */
  readonly trust?: (index: number) => PeerOptions['trust'];
  /** What a node does otherwise than it should, if anything. */
  readonly conduct?: (node: Pick<SwarmNode, 'index' | 'nodeId' | 'home' | 'place'>) => Conduct | undefined;
  /** Sees a node's custody frames. */
  readonly observe?: (index: number) => FrameObserver | undefined;
  readonly log: Log;
};

/** A node of the swarm: up or down, always in the same home, place and operator. */
export type SwarmNode = {
  readonly index: number;
  readonly home: string;
  readonly place: Place;
  readonly operator: string;
  readonly nodeId: string;
  /** Whether it runs. */
  readonly isUp: () => boolean;
  /** The running node. A stopped one has none: that is a bug of the caller. */
  readonly peer: () => Peer;
};

/** Real nodes in one process, connected over real sockets. */
export type Swarm = {
  readonly nodes: readonly SwarmNode[];
  /** Stops a node in order. */
  readonly stop: (index: number) => Promise<void>;
  /** Cuts a node off at once: nothing is drained, no peer is told. Its disk stays as it was. */
  readonly crash: (index: number) => Promise<void>;
  /** Starts a node that is down, in its home. */
  readonly start: (index: number) => Promise<void>;
  /**
   * Alters the share that a node holds of a key, on its disk, as a bad disk or hand would with the store's checksum
   * mended; the node is stopped for it and started again.
   *
   * @throws KEY_UNKNOWN where it holds none
   */
  readonly corrupt: (index: number, keyId: Uint8Array) => Promise<void>;
  /** Cuts the network in groups; nodes of different groups cannot reach each other. One group of all heals it. */
  readonly partition: (groups: readonly (readonly number[])[]) => Promise<void>;
  /** Resolves when all running nodes know and reach each other. @throws DEADLINE_EXCEEDED */
  readonly ready: () => Promise<void>;
  /** Stops all nodes. */
  readonly close: () => Promise<void>;
};

type Member = { peer: Peer | undefined; readonly options: PeerOptions; readonly node: SwarmNode };

/** The home of node i, made with a new identity where it has none, and the node's id. */
async function prepareHome(root: string, index: number): Promise<{ home: string; nodeId: string }> {
  const home = join(root, `node-${String(index).padStart(2, '0')}`);
  const known = await stat(join(home, 'node.key')).catch(() => undefined);
  const { nodeId, nodeSeed, ownerSeed } = await (known ? loadIdentity(home) : createIdentity(home));
  wipe(nodeSeed, ownerSeed);
  return { home, nodeId };
}

async function memberAt(options: SwarmOptions, places: readonly Place[], index: number): Promise<Member> {
  const { log, transport = 'tcp', profile = 'local', operatorCount = operators.length } = options;
  const { home, nodeId } = await prepareHome(options.home, index);
  const place = at(places, index % places.length);
  const operator = at(operators, index % operatorCount);
  const onFrame = options.observe?.(index);
  const conduct = options.conduct?.({ index, nodeId, home, place });
  const peerOptions: PeerOptions = {
    home,
    listen: [transport === 'tcp' ? '/ip4/127.0.0.1/tcp/0' : `/memory/${nodeId}`],
    bootstrap: [],
    scale: 'loopback',
    transport,
    place,
    operator,
    capacity,
    profile,
    trust: options.trust?.(index) ?? {},
    auditMs: options.auditMs ?? auditMsDefault,
    refreshMs: options.refreshMs ?? 0,
    isPlaceVerified: options.isPlaceVerified ?? false,
    simulated: true,
    ...(onFrame && { onFrame }),
    ...(conduct && { conduct }),
    log,
  };
  const isUp = (): boolean => member.peer !== undefined;
  const peer = (): Peer => {
    assert(member.peer !== undefined, `node ${index} runs`);
    return member.peer;
  };
  const node = { index, home, place, operator, nodeId, isUp, peer };
  const member: Member = { peer: undefined, options: peerOptions, node };
  return member;
}

/** Flips a bit of the ciphertext that a stopped node keeps of a key. */
async function corruptShare(home: string, keyId: Uint8Array): Promise<void> {
  const store = await openStore(join(home, 'store'));
  try {
    const name = `held/${toHex(keyId)}`;
    const stored = store.get(name);
    const held = stored && decodeHeldKey(stored);
    if (!held?.active) throw new SkerryError('KEY_UNKNOWN');
    const ciphertext = held.active.ciphertext.slice();
    ciphertext[0] = at(ciphertext, 0) ^ 1;
    await store.put(name, encodeHeldKey({ ...held, active: { ...held.active, ciphertext } }));
  } finally {
    await store.close();
  }
}

/** Whether all running nodes have all others in their directory and, in a swarm that is one mesh, a connection. */
function knowEachOther(members: readonly Member[]): boolean {
  const running = members.filter(member => member.peer !== undefined);
  return running.every(({ peer, node }) => {
    const known = new Set(peer?.candidates().map(candidate => candidate.nodeId));
    return running
      .filter(other => other.node !== node)
      .every(
        ({ node: { nodeId } }) =>
          known.has(nodeId) && (running.length > meshMax || peer?.isAlive(nodeId) === true),
      );
  });
}

/**
 * Starts real nodes in this process, each with its own home, identity, sockets and store, in real cities under
 * simulated operators.
 *
 * @param options see `SwarmOptions`
 * @throws CONFIG_INVALID for a number of nodes or operators out of range; DEADLINE_EXCEEDED where they do not find
 *   each other
 *
 * @example
 * const swarm = await createSwarm({ nodeCount: 12, home, log });
 * const peer = swarm.nodes[0].peer();
 * await swarm.close();
 */
export async function createSwarm(options: SwarmOptions): Promise<Swarm> {
  const { nodeCount, home, operatorCount = 1 } = options;
  const counted = Number.isInteger(nodeCount) && nodeCount >= nodesMin && nodeCount <= nodesMax;
  if (!counted || operatorCount < 1 || operatorCount > operators.length) {
    throw new SkerryError('CONFIG_INVALID', `a swarm has ${nodesMin} to ${nodesMax} nodes`, { nodeCount });
  }
  await mkdir(home, { recursive: true, mode: 0o700 });
  const gazetteer = await loadGazetteer();
  const places = cities.map(name => gazetteer.resolve(name).place);
  const members: Member[] = [];
  for (let index = 0; index < nodeCount; index++) members.push(await memberAt(options, places, index));

  async function start(index: number): Promise<void> {
    const member = at(members, index);
    assert(member.peer === undefined, `node ${index} is down`);
    const bootstrap = members.flatMap(other => other.peer?.addresses().slice(0, 1) ?? []).slice(0, 3);
    member.peer = await createPeer({ ...member.options, bootstrap });
  }

  async function take(index: number): Promise<Peer> {
    const member = at(members, index);
    const { peer } = member;
    assert(peer !== undefined, `node ${index} runs`);
    member.peer = undefined;
    return peer;
  }

  async function ready(): Promise<void> {
    const deadline = performance.now() + readyMsPerNode * nodeCount;
    while (!knowEachOther(members)) {
      if (performance.now() > deadline) {
        throw new SkerryError('DEADLINE_EXCEEDED', 'the nodes did not find each other', { nodeCount });
      }
      await sleep(50);
    }
  }

  async function close(): Promise<void> {
    const running = members.filter(member => member.peer !== undefined).map(({ node }) => node.index);
    await Promise.all(running.map(async index => (await take(index)).close()));
  }

  try {
    for (let index = 0; index < nodeCount; index++) await start(index);
    await ready();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    nodes: members.map(({ node }) => node),
    start,
    stop: async index => (await take(index)).close(),
    crash: async index => (await take(index)).abandon(),
    corrupt: async (index, keyId) => {
      await (await take(index)).close();
      await corruptShare(at(members, index).node.home, keyId);
      await start(index);
    },
    partition: async groups => {
      for (const { peer, node } of members) {
        const own = groups.find(group => group.includes(node.index)) ?? [node.index];
        const others = members.filter(other => !own.includes(other.node.index));
        await peer?.deny(others.map(other => other.node.nodeId));
      }
    },
    ready,
    close,
  };
}
