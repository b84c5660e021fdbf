import { join } from 'node:path';
import { type Clock, type Log, type Profile, type Risk, SkerryError, toHex, wipe } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import type { AuthoritySigner } from '@skerry/custody';
import { type Candidate, type Counts, type Place, type Placement, planPlacement } from '@skerry/placement';
import { type Authority, type GrantClaims, keyIdOf, type Manifest, nodeIdOf, nodeKeyOf } from '@skerry/wire';
import type { Scale } from '../parameters.ts';
import { type Deal, dealKey } from './dealing.ts';
import type { FrameObserver } from './frame-stream.ts';
import { issueGrant } from './grants.ts';
import { type Identity, loadIdentity } from './identity.ts';
import { createKeyring, type Keyring, type OwnedKey } from './keyring.ts';
import { labelOf, type TrustStatements } from './neighbours.ts';
import { type Network, startNetwork } from './network.ts';
import { type OpenedKey, openKey } from './opening.ts';
import { openStore } from './store.ts';

/** What a node is started with. */
export type PeerOptions = {
  /** A directory with an identity (`createIdentity`). */
  readonly home: string;
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
  /** Whether places and operators are made up; certificates say so. */
  readonly simulated: boolean;
  /** Sees every custody frame. */
  readonly onFrame?: FrameObserver;
  readonly clock?: Clock;
  readonly log: Log;
};

/** A key id chosen before its key is dealt: sealed files name it in their header. */
export type KeySlot = { readonly keyId: Uint8Array; readonly nonce: Uint8Array };

/** How a key is to be protected. */
export type Protection = {
  readonly risk: Risk;
  readonly acceptReduced: boolean;
  readonly counts?: Counts;
  /** What the data's entropy was measured at, for the owner's notes. */
  readonly measuredRisk?: Risk;
};

/** One Skerry node: holds others' shares, and deals and opens its owner's keys. */
export type Peer = {
  readonly nodeId: string;
  readonly home: string;
  readonly place: Place;
  readonly operator: string;
  /** Multiaddrs with /p2p/. */
  readonly addresses: () => string[];
  /** Nodes that may hold a share, as the directory has them. */
  readonly candidates: () => Candidate[];
  /** Whether a node has a connection and answers. */
  readonly isAlive: (nodeId: string) => boolean;
  /** Shares kept here. */
  readonly shareCount: () => number;
  readonly plan: (protection: Protection) => Placement;
  readonly reserveKey: () => KeySlot;
  /** Deals a key; when this resolves it is safely deposited. Throws as `dealKey`. */
  readonly deal: (slot: KeySlot, key: Uint8Array, protection: Protection) => Promise<Deal>;
  readonly keys: Pick<Keyring, 'get' | 'list'>;
  /** A key's manifest, from the own keyring or the DHT. Throws KEY_UNKNOWN. */
  readonly manifest: (keyId: Uint8Array) => Promise<Manifest>;
  /** Grants another node, or this one, to open a key of this owner. */
  readonly grant: (keyId: Uint8Array, to: string, terms: GrantTerms) => Promise<Uint8Array>;
  /** Opens a key: with a grant, or as its owner. Throws as `openKey`. */
  readonly open: (keyId: Uint8Array, grant?: Uint8Array) => Promise<OpenedKey>;
  readonly network: Network;
  /** Refuses connections with these nodes, and only these, from here on; the ones that exist are closed. */
  readonly deny: (nodeIds: readonly string[]) => Promise<void>;
  /** Stops everything in order. */
  readonly close: () => Promise<void>;
  /** Stops as a crash would: connections are cut first, and nothing is drained or told to anybody. */
  readonly abandon: () => Promise<void>;
};

/** For how long and how often a grant is good. */
export type GrantTerms = { readonly lifeMs: number; readonly uses: number | null };

/** How long a grant that the owner gives itself for one open is good, in ms. */
const ownGrantLifeMs = 60_000;

function signerOf(identity: Identity): AuthoritySigner {
  const key = nodeCrypto.ed25519PublicKey(identity.ownerSeed);
  return {
    authority: { keys: [key], needed: 1 },
    sign: message => [{ index: 0, signature: nodeCrypto.ed25519Sign(identity.ownerSeed, message) }],
  };
}

/** The claims of a grant to a node, whose node key is its confirmation key. */
function claimsFor(manifest: Manifest, to: string, terms: GrantTerms, nowMs: number): GrantClaims {
  const { keyId, policy } = manifest.core;
  const nbf = Math.floor(nowMs / 1000);
  return {
    keyId: toHex(keyId),
    epoch: null,
    op: 'open',
    sub: to,
    cnf: toHex(nodeKeyOf(to)),
    jti: Buffer.from(nodeRandom.bytes(16)).toString('base64url'),
    nbf,
    exp: nbf + Math.ceil((terms.lifeMs + policy.delayMs) / 1000),
    uses: terms.uses,
    among: null,
  };
}

function sameAuthority(a: Authority, b: Authority): boolean {
  return a.needed === b.needed && a.keys.map(toHex).join() === b.keys.map(toHex).join();
}

/**
 * Starts a node in its home: identity, store, network, custody. Shares, keys and addresses that the home has are
 * there again.
 *
 * @throws HOME_INVALID, STORE_FAILED, STORE_CORRUPT, CONFIG_INVALID
 */
export async function createPeer(options: PeerOptions): Promise<Peer> {
  const { home, trust, profile, simulated, clock = nodeClock } = options;
  const identity = await loadIdentity(home);
  const { nodeId, nodeSeed } = identity;
  const nodeKey = nodeCrypto.ed25519PublicKey(nodeSeed);
  const signer = signerOf(identity);
  const store = await openStore(join(home, 'store'));
  const keyring = createKeyring(store);
  const network = await startNetwork({ ...options, clock, nodeKey, nodeSeed, store }).catch(
    async (error: unknown) => {
      await store.close();
      throw error;
    },
  );
  const { streams } = network;
  const at = { streams, nodeKey, nodeSeed, clock, random: nodeRandom };

  function candidates(): Candidate[] {
    return network.candidates(trust);
  }

  function place(protection: Protection, excluded: ReadonlySet<string>): Placement {
    const { risk, acceptReduced, counts } = protection;
    const usable = candidates().filter(candidate => !excluded.has(candidate.nodeId));
    return planPlacement({ candidates: usable, risk, profile, acceptReduced, counts, simulated });
  }

  async function deal({ keyId, nonce }: KeySlot, key: Uint8Array, protection: Protection): Promise<Deal> {
    const labels = Object.fromEntries(candidates().map(candidate => [candidate.nodeId, labelOf(candidate)]));
    const storeManifest = async (manifest: Manifest, { certificate }: Placement): Promise<void> => {
      const measuredRisk = protection.measuredRisk ?? null;
      await keyring.put({
        manifest,
        notes: { createdAtMs: clock.nowMs(), certificate, measuredRisk, labels },
      });
    };
    const order = { key, keyId, nonce, signer, delayMs: 0 };
    const dealt = await dealKey(
      { ...at, storeManifest },
      { ...order, place: excluded => place(protection, excluded) },
    );
    await network.publishManifest(dealt.manifest);
    return dealt;
  }

  async function findManifest(keyId: Uint8Array): Promise<Manifest> {
    const found = keyring.get(keyId)?.manifest ?? (await network.fetchManifest(keyId));
    if (!found) throw new SkerryError('KEY_UNKNOWN', 'neither this home nor the network knows the key');
    return found;
  }

  async function grant(keyId: Uint8Array, to: string, terms: GrantTerms): Promise<Uint8Array> {
    const manifest = await findManifest(keyId);
    if (!sameAuthority(manifest.core.authority, signer.authority)) {
      throw new SkerryError(
        'GRANT_INVALID',
        'the key belongs to another owner, so a grant of theirs is needed',
      );
    }
    const [key] = signer.authority.keys;
    const claims = claimsFor(manifest, to, terms, clock.nowMs());
    return issueGrant(claims, [{ key: key as Uint8Array, seed: identity.ownerSeed }]);
  }

  async function open(keyId: Uint8Array, presented?: Uint8Array): Promise<OpenedKey> {
    const manifest = await findManifest(keyId);
    const token = presented ?? (await grant(keyId, nodeId, { lifeMs: ownGrantLifeMs, uses: null }));
    const labels = labelsOf(keyring.get(keyId), candidates());
    const holders = manifest.core.holders.map(holder => {
      const holderId = nodeIdOf(holder.nodeKey);
      return { x: holder.x, nodeId: holderId, label: labels.get(holderId) ?? holderId };
    });
    return openKey({ ...at, confirmationSeed: nodeSeed }, { manifest, grant: token, holders });
  }

  async function close(): Promise<void> {
    await network.close();
    await store.close();
    wipe(identity.nodeSeed, identity.ownerSeed);
  }

  for (const { manifest } of await keyring.list()) network.keepManifest(manifest);
  return {
    nodeId,
    home,
    place: options.place,
    operator: options.operator,
    addresses: network.host.addresses,
    candidates,
    isAlive: streams.isAlive,
    shareCount: network.custody.shareCount,
    plan: protection => place(protection, new Set()),
    reserveKey: () => {
      const nonce = nodeRandom.bytes(16);
      return { keyId: keyIdOf(nodeCrypto, signer.authority, nonce), nonce };
    },
    deal,
    keys: keyring,
    manifest: findManifest,
    grant,
    open,
    network,
    deny: network.host.deny,
    close,
    abandon: async () => {
      network.host.cut();
      await close();
    },
  };
}

/** How holders are called: as they were when the key was dealt, or as the directory has them now. */
function labelsOf(owned: OwnedKey | undefined, known: readonly Candidate[]): Map<string, string> {
  return new Map([
    ...known.map(candidate => [candidate.nodeId, labelOf(candidate)] as const),
    ...Object.entries(owned?.notes.labels ?? {}),
  ]);
}
