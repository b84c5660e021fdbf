/** A world in virtual time: nodes that run the machines of custody, and what is between them. */
import { assert, at, type Crypto, toHex } from '@skerry/base';
import { emptyHealth, type Health, type HeldKey } from '@skerry/custody';
import { type Candidate, regionOf } from '@skerry/placement';
import { compareManifests, type GrantClaims, type Manifest, nodeIdOf } from '@skerry/wire';
import { beginningMs, citizens } from '../parameters.ts';
import { type Chance, createChance } from './chance.ts';
import { createEventQueue, type EventQueue } from './event-queue.ts';
import { createNetwork, type Handle, type Network, type Party } from './network.ts';
import { cities } from './paths.ts';

/**
 * How a node behaves: well; with wrong parts in rounds; with wrong proofs; or taking points and never having their
 * shares made.
 */
export type Conduct = 'honest' | 'wrong-parts' | 'wrong-proofs' | 'idle-successor';

/** A node of a world. */
export type Citizen = Party & {
  /** Its place in the world, which another takes when it departs. */
  readonly slot: number;
  readonly nodeKey: Uint8Array;
  readonly nodeSeed: Uint8Array;
  readonly candidate: Candidate;
  readonly conduct: Conduct;
  /** What is on its disk, by key in hexadecimal. */
  readonly held: Map<string, HeldKey>;
  health: Health;
  /** Until when it gives no share to whom, by node ids, ms: who cheated it, or lost a share of its keys. */
  readonly shunned: Map<string, number>;
  /** Whether it is gone for good. */
  isDeparted: boolean;
  /** Until when it is down, ms; of one that is up, in the past. */
  downUntilMs: number;
  /** Keys whose share is being made again here, or let go. */
  readonly jobs: Set<string>;
  /** When it looks next at what a key needs, by key, ms. */
  readonly looks: Map<string, number>;
  /** When the next lapse of a key is looked at, ms. */
  readonly lapses: Map<string, number>;
};

/** Bugs that are planted, so that it is seen that the checkers catch what comes of them. */
export const bugs = [
  /** Whoever answers first takes a point, whatever it holds nearby. */
  'ignore-caps',
  /** A new epoch is dealt of another key, and not opened before it is activated. */
  'another-key',
  /** A share that was made again is kept wrong. */
  'tamper-share',
  /** Nobody heals. */
  'never-heal',
  /** An open that fails does not end. */
  'open-for-ever',
  /** What a node has stored is not there when it starts again. */
  'volatile-disk',
] as const;

/** A planted bug. */
export type Bug = (typeof bugs)[number];

/** What happens to states and to operations, for those that check. */
export type Witness = {
  /** A node's state of a key has changed. */
  readonly onState: (node: Citizen, keyId: string, before: HeldKey | null, after: HeldKey | null) => void;
  /** An amendment was adopted, by its owner or by votes: the last of this manifest. */
  readonly onAmended: (manifest: Manifest) => void;
  /** Whether a key is lost for good: what nodes still try for it is in vain, and is not carried out. */
  readonly isLost: (keyId: string) => boolean;
};

/** Records of keys in the DHT. During a partition each side has its own. */
type Records = {
  readonly get: (node: Citizen, keyId: string) => Manifest | undefined;
  readonly put: (node: Citizen, manifest: Manifest) => void;
  /** The partition is over. */
  readonly merge: () => void;
};

/** A world. */
export type World = {
  readonly queue: EventQueue;
  readonly chance: Chance;
  readonly crypto: Crypto;
  /** The nodes that are there now, by their slots. */
  readonly nodes: Citizen[];
  /** The node of a key; undefined once it has departed. */
  readonly nodeOf: (nodeKey: Uint8Array) => Citizen | undefined;
  readonly nodeById: (nodeId: string) => Citizen | undefined;
  /** A node that is or was there. */
  readonly everNodeById: (nodeId: string) => Citizen | undefined;
  readonly network: Network;
  readonly records: Records;
  /** What grants claim, by the bytes that are presented, in hexadecimal. */
  readonly grants: Map<string, GrantClaims>;
  readonly witness: Witness;
  readonly planted: ReadonlySet<Bug>;
  /** Has a new node take a slot. */
  readonly settle: (slot: number) => Citizen;
};

/** What a world is made of. */
type WorldOptions = {
  /** Of the nodes; and of all else. */
  readonly seed: string;
  readonly keysSeed: string;
  readonly crypto: Crypto;
  readonly nodeCount: number;
  readonly operatorCount: number;
  /** How the node in a slot behaves. */
  readonly conductOf: (slot: number) => Conduct;
  readonly witness: Witness;
  readonly planted: ReadonlySet<Bug>;
  readonly handle: (world: World) => Handle;
};

const ids = new WeakMap<Uint8Array, string>();

/** The node id of a node key: each of a core's is worked out once, though hundreds ask. */
export function idOf(nodeKey: Uint8Array): string {
  const nodeId = ids.get(nodeKey) ?? nodeIdOf(nodeKey);
  ids.set(nodeKey, nodeId);
  return nodeId;
}

function createRecords(network: Network, crypto: Crypto): Records {
  const base = new Map<string, Manifest>();
  const apart = new Map<string, Manifest>();
  let isCut = false;
  const nameOf = (node: Citizen, keyId: string): string => `${network.sideOf(node)}/${keyId}`;
  const isNewer = (manifest: Manifest, known: Manifest | undefined): boolean =>
    known === undefined || (known !== manifest && compareManifests(crypto, manifest, known) > 0);
  return {
    get: (node, keyId) => (isCut ? apart.get(nameOf(node, keyId)) : undefined) ?? base.get(keyId),
    put: (node, manifest) => {
      const keyId = toHex(manifest.core.keyId);
      isCut ||= network.isCut();
      const [map, name] = isCut ? [apart, nameOf(node, keyId)] : [base, keyId];
      if (isNewer(manifest, map.get(name) ?? base.get(keyId))) map.set(name, manifest);
    },
    merge: () => {
      isCut = false;
      for (const manifest of apart.values()) {
        const keyId = toHex(manifest.core.keyId);
        if (isNewer(manifest, base.get(keyId))) base.set(keyId, manifest);
      }
      apart.clear();
    },
  };
}

/** Makes the nodes of a world: in cities and under operators in turn. */
function createSettling(
  options: WorldOptions,
  nodes: Citizen[],
  byId: Map<string, Citizen>,
  ever: Map<string, Citizen>,
) {
  const { seed, crypto, operatorCount, conductOf } = options;
  const chance = createChance(`${seed}/nodes`);
  return (slot: number): Citizen => {
    const cityIndex = slot % cities.length;
    const { name, lat, lon, country } = at(cities, cityIndex);
    const nodeSeed = chance.bytes(32);
    const nodeKey = crypto.ed25519PublicKey(nodeSeed);
    const nodeId = nodeIdOf(nodeKey);
    const place = { name, lat, lon, country, region: regionOf(country) };
    // each operator has nodes in several cities, and each city nodes of several operators
    const operator = `operator-${(slot + Math.floor(slot / cities.length)) % operatorCount}`;
    const { availability } = citizens;
    // no two alike, so that nothing is decided by how ids are ordered
    const trust = citizens.trust + citizens.trustSpread * chance.unit();
    const node: Citizen = {
      nodeId,
      cityIndex,
      isUp: true,
      life: 0,
      slot,
      nodeKey,
      nodeSeed,
      candidate: { nodeId, place, operator, trust, availability },
      conduct: conductOf(slot),
      held: new Map(),
      health: emptyHealth,
      shunned: new Map(),
      isDeparted: false,
      downUntilMs: 0,
      jobs: new Set(),
      looks: new Map(),
      lapses: new Map(),
    };
    const before = nodes[slot];
    if (before) byId.delete(before.nodeId);
    nodes[slot] = node;
    byId.set(nodeId, node);
    ever.set(nodeId, node);
    return node;
  };
}

/** A world whose nodes are all up, and hold nothing yet. */
export function createWorld(options: WorldOptions): World {
  const { keysSeed, crypto, nodeCount, witness, planted } = options;
  const events = createEventQueue(beginningMs);
  // what is signed is dated in whole milliseconds
  const queue: EventQueue = { ...events, after: (delayMs, work) => events.after(Math.ceil(delayMs), work) };
  const byId = new Map<string, Citizen>();
  const ever = new Map<string, Citizen>();
  const nodes: Citizen[] = [];
  const network = createNetwork(queue, createChance(`${keysSeed}/network`), (...asked) => handle(...asked));
  const world: World = {
    queue,
    chance: createChance(keysSeed),
    crypto,
    nodes,
    nodeOf: nodeKey => byId.get(idOf(nodeKey)),
    nodeById: nodeId => byId.get(nodeId),
    everNodeById: nodeId => ever.get(nodeId),
    network,
    records: createRecords(network, crypto),
    grants: new Map(),
    witness,
    planted,
    settle: createSettling(options, nodes, byId, ever),
  };
  const handle = options.handle(world);
  for (let slot = 0; slot < nodeCount; slot++) world.settle(slot);
  assert(nodes.length === nodeCount, 'a node in every slot');
  return world;
}
