import { join } from 'node:path';
import { type Clock, type Log, type Profile, wipe } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import type { Candidate, Place } from '@skerry/placement';
import type { TrustStatements } from '@skerry/trust';
import { encodeManifest, encodeTombstone } from '@skerry/wire';
import type { Scale } from '../parameters.ts';
import { codeOf } from './asking.ts';
import { startAuditing } from './auditing.ts';
import { type Closers, createClosers } from './closing.ts';
import type { FrameObserver } from './frame-stream.ts';
import { createHealing, type Healing } from './healing.ts';
import { graceMsOf, openHealthStore } from './health-store.ts';
import { loadIdentity } from './identity.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { type Conduct, type Network, startNetwork } from './network.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import { openStore } from './store.ts';

/** What a node is started with. */
export type PeerOptions = {
  /** A directory with an identity (`createIdentity`). */
  readonly home: string;
  /** For an identity that is under one; needed until the node has started; stays the caller's. */
  readonly passphrase?: Uint8Array;
  /** A swarm.key file, for a network of those that have the same one; needed as long; stays the caller's. */
  readonly swarmKey?: Uint8Array;
  readonly listen: readonly string[];
  readonly bootstrap: readonly string[];
  readonly scale: Scale;
  /** @default 'tcp' */
  readonly transport?: 'tcp' | 'memory';
  /** Where this node says it is. */
  readonly place: Place;
  /** Who runs it; empty where nobody is named. */
  readonly operator: string;
  /** Shares it is willing to hold. */
  readonly capacity: number;
  readonly profile: Profile;
  /** What its operator states about others. */
  readonly trust: TrustStatements;
  /** Milliseconds between two audits of one node by this one, 0 for none. */
  readonly auditMs: number;
  /** How old an epoch of an own key may get before it is dealt anew, in ms; 0 for any age. */
  readonly refreshMs: number;
  /** Whether claims of place are held against round trips: the same in a whole network. */
  readonly isPlaceVerified: boolean;
  /** Whether places and operators are made up; certificates say so. */
  readonly simulated: boolean;
  /** Sees every custody frame. */
  readonly onFrame?: FrameObserver;
  /** What it does otherwise than it should. */
  readonly conduct?: Conduct;
  readonly clock?: Clock;
  readonly log: Log;
};

/** One Skerry node: holds others' shares, and deals and opens its owner's keys. */
export type Peer = Ownership &
  Pick<Healing, 'standingOf' | 'repair'> &
  Pick<
    PeerOptions,
    'home' | 'place' | 'operator' | 'capacity' | 'profile' | 'auditMs' | 'isPlaceVerified'
  > & {
    readonly nodeId: string;
    /** Multiaddrs with /p2p/. */
    readonly addresses: () => string[];
    /** Nodes that may hold a share, as the directory has them. */
    readonly candidates: () => Candidate[];
    /** Whether a node has a connection and answers. */
    readonly isAlive: (nodeId: string) => boolean;
    /** Shares kept here. */
    readonly shareCount: () => number;
    readonly keys: Pick<Keyring, 'get' | 'list'>;
    readonly network: Network;
    /** Refuses connections with these nodes, and only these, from here on; the ones that exist are closed. */
    readonly deny: (nodeIds: readonly string[]) => Promise<void>;
    /** Stops everything in order, and lets go of the home. A second call waits for the first. */
    readonly close: () => Promise<void>;
    /** Stops as a crash would: connections are cut first, and nothing is drained or told to anybody. */
    readonly abandon: () => Promise<void>;
  };

/** What a keyring has of a key, as a record of the DHT; nothing where its entry is damaged. */
function createRecordOf(keyring: Keyring): (keyId: Uint8Array) => Uint8Array | undefined {
  return keyId => {
    try {
      const owned = keyring.get(keyId);
      if (!owned) return undefined;
      return owned.tombstone ? encodeTombstone(owned.tombstone) : encodeManifest(owned.manifest);
    } catch (error) {
      codeOf(error); // a bug is thrown on
      return undefined;
    }
  };
}

/** Has the records of a keyring's keys kept in the DHT. @throws STORE_FAILED */
async function keepPublished(
  network: Pick<Network, 'keepManifest' | 'publishTombstone'>,
  keyring: Keyring,
): Promise<void> {
  for (const { manifest, tombstone } of await keyring.list()) {
    if (tombstone) network.publishTombstone(tombstone, [], true);
    else network.keepManifest(manifest);
  }
}

async function startPeer(options: PeerOptions, closers: Closers): Promise<Peer> {
  const { home, place, operator, capacity, profile, auditMs, isPlaceVerified } = options;
  const { clock = nodeClock, log } = options;
  const random = nodeRandom;
  const { nodeId, nodeSeed, ownerSeed } = await loadIdentity(home, options.passphrase);
  closers.add(async () => wipe(nodeSeed, ownerSeed));
  const nodeKey = nodeCrypto.ed25519PublicKey(nodeSeed);
  const store = await openStore(join(home, 'store'));
  closers.add(store.close);
  const keyring = createKeyring(store, log);
  const recordOf = createRecordOf(keyring);
  const health = openHealthStore({ store, graceMs: graceMsOf(auditMs), clock, log });
  closers.add(health.close);
  const network = await startNetwork({ ...options, clock, nodeKey, nodeSeed, store, recordOf, health });
  closers.add(network.close);
  await keepPublished(network, keyring);
  const own = { store, keyring, nodeKey, clock };
  const ownership = createOwnership({ ...options, ...own, network, nodeSeed, ownerSeed });
  const healing = createHealing({ ...options, ...own, network, ownership, health, random });
  if (auditMs > 0) {
    const onOutdated = healing.noteOutdated;
    const auditing = { ...network, ...own, ownership, health, onOutdated, auditMs, random, log };
    closers.add(startAuditing(auditing));
    closers.add(healing.start());
  }
  return {
    ...ownership,
    standingOf: healing.standingOf,
    refresh: healing.refresh,
    repair: healing.repair,
    nodeId,
    home,
    place,
    operator,
    capacity,
    profile,
    auditMs,
    isPlaceVerified,
    addresses: network.host.addresses,
    candidates: network.assessor.candidates,
    isAlive: network.streams.isAlive,
    shareCount: network.custody.shareCount,
    keys: keyring,
    network,
    deny: network.host.deny,
    close: closers.close,
    abandon: async () => {
      network.host.cut();
      await closers.close();
    },
  };
}

/**
 * Starts a node in its home: identity, store, network, custody. Shares, keys and addresses that the home has are
 * there again. Where that fails midway, nothing of it is left open.
 *
 * @throws HOME_INVALID, PASSPHRASE_NEEDED, PASSPHRASE_WRONG, STORE_FAILED, STORE_CORRUPT, CONFIG_INVALID,
 *   SWARM_KEY_INVALID
 */
export async function createPeer(options: PeerOptions): Promise<Peer> {
  const closers = createClosers();
  try {
    return await startPeer(options, closers);
  } catch (error) {
    await closers.close().catch(() => undefined); // what failed first is what the caller has to hear
    throw error;
  }
}
