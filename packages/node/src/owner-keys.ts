import { type Clock, type Log, type Profile, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type AuthoritySigner, grantLifeMaxMs } from '@skerry/custody';
import { type Placement, planPlacement } from '@skerry/placement';
import {
  type Authority,
  compareManifests,
  type GrantClaims,
  type Manifest,
  nodeIdOf,
  nodeKeyOf,
  parseGrantClaims,
  seatsOf,
} from '@skerry/wire';
import { issueGrant } from './grants.ts';
import type { Keyring, OwnedKey } from './keyring.ts';
import { labelOf } from './neighbours.ts';
import type { Network } from './network.ts';
import type { Protection } from './ownership.ts';
import type { Store } from './store.ts';
import type { Turns } from './turns.ts';

/** Who owns, and with what. */
export type OwnershipOptions = {
  readonly network: Pick<
    Network,
    | 'streams'
    | 'directory'
    | 'assessor'
    | 'custody'
    | 'evidence'
    | 'keepManifest'
    | 'publishManifest'
    | 'publishTombstone'
    | 'published'
    | 'fetchKeyRecord'
    | 'notices'
    | 'gossipRevocation'
  >;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly nodeKey: Uint8Array;
  /** 32 bytes each; they stay the caller's. */
  readonly nodeSeed: Uint8Array;
  readonly ownerSeed: Uint8Array;
  readonly profile: Profile;
  readonly simulated: boolean;
  readonly clock: Clock;
  readonly log: Log;
};

/** For how long and how often a grant is good, of which epoch, whichever is active if left out, and for what. */
type GrantTerms = {
  readonly lifeMs: number;
  readonly uses: number | null;
  readonly epoch?: number;
  /** @default 'open' */
  readonly op?: GrantClaims['op'];
};

/** A grant as it is presented, its id, and when it ends, in seconds since 1970. */
export type IssuedGrant = { readonly token: Uint8Array; readonly jti: string; readonly exp: number };

/** What the parts of an owner's node do to its keys. */
export type OwnerKeys = {
  readonly signer: AuthoritySigner;
  /** What changes a key of the keyring does so in turn: it writes all of it. */
  readonly inTurn: Turns;
  /** One deal of a key at a time: says when it is over. @throws EPOCH_MISMATCH while there is another */
  readonly claim: (keyId: Uint8Array) => () => void;
  /** Whether a key is being dealt. */
  readonly isClaimed: (keyId: Uint8Array) => boolean;
  /** An entry of the keyring; one that is damaged counts as none, since the DHT has the manifest too. */
  readonly findOwned: (keyId: Uint8Array) => OwnedKey | undefined;
  /** The keyring's entry. @throws KEY_UNKNOWN, KEY_DESTROYED, STORE_CORRUPT */
  readonly ownedKey: (keyId: Uint8Array) => OwnedKey;
  /** A key's manifest, from the keyring or the network. @throws KEY_UNKNOWN, KEY_DESTROYED */
  readonly findManifest: (keyId: Uint8Array) => Promise<Manifest>;
  /** The same, of a key of this owner. @throws GRANT_INVALID besides */
  readonly findOwnManifest: (keyId: Uint8Array) => Promise<Manifest>;
  /**
   * Keeps what the network knows of a key where it is newer than what the keyring has.
   *
   * @returns the newest manifest that is known now; undefined where nothing is newer than the one given
   */
  readonly lookAgain: (known: Manifest) => Promise<Manifest | undefined>;
  /** A grant of a manifest's key. */
  readonly issueFor: (
    manifest: Manifest,
    to: string,
    terms: GrantTerms,
  ) => Promise<GrantClaims & IssuedGrant>;
  /** The placement that a key would get on the network as it is. @throws PLACEMENT_INFEASIBLE */
  readonly place: (protection: Protection, excluded: ReadonlySet<string>) => Placement;
  /** How holders are called in messages, by node id. */
  readonly labelsOf: (manifest: Manifest) => Record<string, string>;
  readonly nameOf: (nodeId: string) => string;
};

/** The node ids of those that hold a key now. */
export function holdersOf(manifest: Pick<Manifest, 'core' | 'amendments'>): string[] {
  return seatsOf(manifest).map(({ nodeKey }) => nodeIdOf(nodeKey));
}

/**
 * The claims of a grant to a node, whose node key is its confirmation key.
 *
 * @param fromSeconds it begins no sooner, since what began before is revoked
 */
function claimsFor(
  { core }: Manifest,
  to: string,
  { lifeMs, uses, epoch, op = 'open' }: GrantTerms,
  fromSeconds: number,
  nowMs: number,
): GrantClaims {
  if (lifeMs > grantLifeMaxMs) {
    throw new SkerryError('GRANT_INVALID', `a grant is good for ${grantLifeMaxMs / 60_000} minutes at most`);
  }
  const nbf = Math.max(Math.floor(nowMs / 1000), fromSeconds);
  return parseGrantClaims({
    keyId: toHex(core.keyId),
    epoch: epoch ?? null,
    op,
    sub: to,
    cnf: toHex(nodeKeyOf(to)),
    jti: Buffer.from(nodeRandom.bytes(16)).toString('base64url'),
    nbf,
    exp: nbf + Math.ceil((lifeMs + core.policy.delayMs) / 1000),
    uses,
    among: null,
  });
}

function sameAuthority(a: Authority, b: Authority): boolean {
  return a.needed === b.needed && a.keys.map(toHex).join() === b.keys.map(toHex).join();
}

/** How nodes are called in messages. */
function createNames({ directory }: Pick<Network, 'directory'>): Pick<OwnerKeys, 'nameOf' | 'labelsOf'> {
  const nameOf = (nodeId: string): string => {
    const entry = directory.entry(nodeId);
    return entry ? labelOf(entry) : nodeId;
  };
  return {
    nameOf,
    labelsOf: manifest => Object.fromEntries(holdersOf(manifest).map(id => [id, nameOf(id)])),
  };
}

/** What the keyring and the network know of keys. */
function createFinding(
  { network, store, keyring, log }: OwnershipOptions,
  inTurn: Turns,
  { labelsOf }: Pick<OwnerKeys, 'labelsOf'>,
): Pick<OwnerKeys, 'findOwned' | 'ownedKey' | 'findManifest' | 'lookAgain'> {
  function findOwned(keyId: Uint8Array): OwnedKey | undefined {
    try {
      return keyring.get(keyId);
    } catch (error) {
      if (!(error instanceof SkerryError) || error.code !== 'STORE_CORRUPT') throw error;
      log.error('an entry of the keyring is damaged on disk', { keyId: toHex(keyId) });
      return undefined;
    }
  }

  async function findManifest(keyId: Uint8Array): Promise<Manifest> {
    const owned = findOwned(keyId);
    const record = owned ? undefined : await network.fetchKeyRecord(keyId);
    if (owned?.tombstone || record?.type === 'tombstone') throw new SkerryError('KEY_DESTROYED');
    const found = owned?.manifest ?? record?.manifest;
    if (!found) throw new SkerryError('KEY_UNKNOWN', 'neither this home nor the network knows the key');
    return found;
  }

  /** Puts a manifest into the keyring where it is newer than the one there. */
  async function adopt(manifest: Manifest): Promise<void> {
    const { keyId } = manifest.core;
    await inTurn(toHex(keyId), async () => {
      const owned = keyring.get(keyId);
      if (!owned || owned.tombstone || compareManifests(nodeCrypto, manifest, owned.manifest) <= 0) return;
      const notes = { ...owned.notes, labels: { ...labelsOf(manifest), ...owned.notes.labels } };
      await store.batch([keyring.change({ ...owned, manifest, notes })]);
      network.keepManifest(manifest);
    });
  }

  return {
    findOwned,
    ownedKey: keyId => {
      const owned = keyring.get(keyId);
      if (!owned) throw new SkerryError('KEY_UNKNOWN', 'this home has no such key');
      if (owned.tombstone) throw new SkerryError('KEY_DESTROYED');
      return owned;
    },
    findManifest,
    lookAgain: async known => {
      const { keyId } = known.core;
      const record = await network.fetchKeyRecord(keyId, holdersOf(known));
      if (record?.type !== 'manifest') return undefined;
      await adopt(record.manifest);
      const newest = findOwned(keyId)?.manifest ?? record.manifest;
      return compareManifests(nodeCrypto, newest, known) > 0 ? newest : undefined;
    },
  };
}

/** The keyring with what it does not know of itself. */
export function createOwnerKeys(options: OwnershipOptions, inTurn: Turns): OwnerKeys {
  const { network, ownerSeed, profile, simulated, clock } = options;
  const authority = { keys: [nodeCrypto.ed25519PublicKey(ownerSeed)], needed: 1 };
  const signer: AuthoritySigner = {
    authority,
    sign: message => [{ index: 0, signature: nodeCrypto.ed25519Sign(ownerSeed, message) }],
  };
  const names = createNames(network);
  const finding = createFinding(options, inTurn, names);
  const { findManifest, findOwned } = finding;
  const underWay = new Set<string>();
  return {
    ...names,
    ...finding,
    signer,
    inTurn,
    claim: keyId => {
      const name = toHex(keyId);
      if (underWay.has(name)) throw new SkerryError('EPOCH_MISMATCH', 'the key is being dealt already');
      underWay.add(name);
      return () => void underWay.delete(name);
    },
    isClaimed: keyId => underWay.has(toHex(keyId)),
    findOwnManifest: async keyId => {
      const manifest = await findManifest(keyId);
      if (sameAuthority(manifest.core.authority, authority)) return manifest;
      throw new SkerryError(
        'GRANT_INVALID',
        'the key belongs to another owner: a grant of theirs opens it, and they alone give and revoke grants',
      );
    },
    issueFor: async (manifest, to, terms) => {
      const fromSeconds = findOwned(manifest.core.keyId)?.revokedBefore ?? 0;
      const claims = claimsFor(manifest, to, terms, fromSeconds, clock.nowMs());
      const signers = authority.keys.map(key => ({ key, seed: ownerSeed }));
      return { ...claims, token: await issueGrant(claims, signers) };
    },
    place: ({ risk, acceptReduced, counts }, excluded) => {
      const usable = network.assessor.candidates().filter(({ nodeId }) => !excluded.has(nodeId));
      return planPlacement({ candidates: usable, risk, profile, acceptReduced, counts, simulated });
    },
  };
}
