import { type Clock, equalBytes, type Log, type Profile, type Risk, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type AuthoritySigner, grantLifeMaxMs, pendingLifeMs, type RoundObservation } from '@skerry/custody';
import { type Counts, type Placement, planPlacement } from '@skerry/placement';
import {
  type Authority,
  type GrantClaims,
  grantBytesMax,
  keyIdOf,
  type Manifest,
  nodeIdOf,
  nodeKeyOf,
  parseGrantClaims,
} from '@skerry/wire';
import { codeOf } from './asking.ts';
import { countsInOpen, seenInRound } from './auditing.ts';
import { type Deal, dealKey } from './dealing.ts';
import { destroyOwned, type Ending, revokeGrants } from './ending.ts';
import { createGivenGrants, type GivenGrant, type GivenGrants } from './given-grants.ts';
import { issueGrant } from './grants.ts';
import type { KeyNotes, Keyring, OwnedKey } from './keyring.ts';
import { labelOf } from './neighbours.ts';
import type { Network } from './network.ts';
import type { Notice } from './notices.ts';
import { type OpenedKey, openKey } from './opening.ts';
import { createOwnGrants, ownGrantLifeMs } from './own-grants.ts';
import type { Store } from './store.ts';
import { createTurns, type Turns } from './turns.ts';

/** A key id chosen before its key is dealt: sealed files name it in their header. */
export type KeySlot = { readonly keyId: Uint8Array; readonly nonce: Uint8Array };

/** How a key is to be protected. */
export type Protection = {
  readonly risk: Risk;
  readonly acceptReduced: boolean;
  readonly counts?: Counts;
  /** What the data's entropy was measured at, for the owner's notes. */
  readonly measuredRisk?: Risk;
  /** What the key is for, for the owner's notes: a sealed file, unless said otherwise. */
  readonly kind?: KeyNotes['kind'];
  /** A name for it, for the owner's notes. */
  readonly alias?: string;
};

/** For how long and how often a grant is good. */
type GrantTerms = { readonly lifeMs: number; readonly uses: number | null };

/** A grant as it is presented, its id, and when it ends, in seconds since 1970. */
type IssuedGrant = { readonly token: Uint8Array; readonly jti: string; readonly exp: number };

/** What a node does for its owner: it deals, grants and opens keys. */
export type Ownership = {
  /** The placement that a key would get now. @throws PLACEMENT_INFEASIBLE, CERTIFICATE_INVALID */
  readonly plan: (protection: Protection) => Placement;
  readonly reserveKey: () => KeySlot;
  /**
   * Deals a key; when this resolves it is safely deposited. A slot is dealt once.
   *
   * @throws EPOCH_MISMATCH for a slot that was dealt already, CORE_INVALID for one of another owner, and as `dealKey`
   */
  readonly deal: (slot: KeySlot, key: Uint8Array, protection: Protection) => Promise<Deal>;
  /** A key's manifest, from the own keyring or the DHT. @throws KEY_UNKNOWN */
  readonly manifest: (keyId: Uint8Array) => Promise<Manifest>;
  /**
   * Grants another node, or this one, to open a key of this owner. Another finds the key by its manifest in the DHT, so
   * the grant of a key that was dealt just now waits until that is there.
   *
   * @throws KEY_UNKNOWN, GRANT_INVALID for another owner's key or terms that no holder takes
   */
  readonly grant: (keyId: Uint8Array, to: string, terms: GrantTerms) => Promise<IssuedGrant>;
  /** The grants of a key that this home gave and that have not expired. @throws STORE_FAILED */
  readonly grants: (keyId: Uint8Array) => Promise<GivenGrant[]>;
  /** The grant of that id, if this home gave it and it has not expired. @throws STORE_FAILED */
  readonly findGrant: (jti: string) => Promise<GivenGrant | undefined>;
  /**
   * Revokes a grant, or all grants of a key that were given so far. Holders that are away are told when they are back.
   *
   * @param grant its id, and when it would expire by itself, seconds since 1970; null for all
   * @throws KEY_UNKNOWN, KEY_DESTROYED, GRANT_INVALID for another owner's key, STORE_FAILED
   */
  readonly revoke: (keyId: Uint8Array, grant: Pick<GivenGrant, 'jti' | 'exp'> | null) => Promise<Ending>;
  /**
   * Destroys a key of this home. Holders that are away are told when they are back, whatever becomes of this process.
   *
   * @throws KEY_UNKNOWN, STORE_CORRUPT, STORE_FAILED
   */
  readonly destroy: (keyId: Uint8Array) => Promise<Ending>;
  /** Opens a key: with a grant, or as its owner. Throws as `openKey`, and KEY_UNKNOWN, KEY_DESTROYED. */
  readonly open: (keyId: Uint8Array, grant?: Uint8Array) => Promise<OpenedKey>;
};

/** Who owns, and with what. */
type OwnershipOptions = {
  readonly network: Pick<
    Network,
    | 'streams'
    | 'directory'
    | 'assessor'
    | 'evidence'
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

/**
 * The claims of a grant to a node, whose node key is its confirmation key.
 *
 * @param fromSeconds it begins no sooner, since what began before is revoked
 */
function claimsFor(
  manifest: Manifest,
  to: string,
  terms: GrantTerms,
  fromSeconds: number,
  nowMs: number,
): GrantClaims {
  const { keyId, policy } = manifest.core;
  if (terms.lifeMs > grantLifeMaxMs) {
    throw new SkerryError('GRANT_INVALID', `a grant is good for ${grantLifeMaxMs / 60_000} minutes at most`);
  }
  const nbf = Math.max(Math.floor(nowMs / 1000), fromSeconds);
  return parseGrantClaims({
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
  });
}

function sameAuthority(a: Authority, b: Authority): boolean {
  return a.needed === b.needed && a.keys.map(toHex).join() === b.keys.map(toHex).join();
}

/** How the directory has a node called; its id where it is in no directory. */
function nameOf({ network }: OwnershipOptions, nodeId: string): string {
  const entry = network.directory.entry(nodeId);
  return entry ? labelOf(entry) : nodeId;
}

/** An entry of the keyring; one that is damaged counts as none, since the DHT has the manifest too. */
function findOwned({ keyring, log }: OwnershipOptions, keyId: Uint8Array): OwnedKey | undefined {
  try {
    return keyring.get(keyId);
  } catch (error) {
    if (!(error instanceof SkerryError) || error.code !== 'STORE_CORRUPT') throw error;
    log.error('an entry of the keyring is damaged on disk', { keyId: toHex(keyId) });
    return undefined;
  }
}

async function findManifest(options: OwnershipOptions, keyId: Uint8Array): Promise<Manifest> {
  const owned = findOwned(options, keyId);
  const record = owned ? undefined : await options.network.fetchKeyRecord(keyId);
  if (owned?.tombstone || record?.type === 'tombstone') throw new SkerryError('KEY_DESTROYED');
  const found = owned?.manifest ?? record?.manifest;
  if (!found) throw new SkerryError('KEY_UNKNOWN', 'neither this home nor the network knows the key');
  return found;
}

/** The manifest of a key of this authority, or GRANT_INVALID. */
async function findOwnManifest(
  options: OwnershipOptions,
  authority: Authority,
  keyId: Uint8Array,
): Promise<Manifest> {
  const manifest = await findManifest(options, keyId);
  if (sameAuthority(manifest.core.authority, authority)) return manifest;
  throw new SkerryError(
    'GRANT_INVALID',
    'the key belongs to another owner: a grant of theirs opens it, and they alone give and revoke grants',
  );
}

function createGrant(options: OwnershipOptions, authority: Authority) {
  return async (keyId: Uint8Array, to: string, terms: GrantTerms): Promise<GrantClaims & IssuedGrant> => {
    const manifest = await findOwnManifest(options, authority, keyId);
    const fromSeconds = findOwned(options, keyId)?.revokedBefore ?? 0;
    const claims = claimsFor(manifest, to, terms, fromSeconds, options.clock.nowMs());
    const signers = authority.keys.map(key => ({ key, seed: options.ownerSeed }));
    return { ...claims, token: await issueGrant(claims, signers) };
  };
}

function activationNotice({ core, activation }: Manifest): Notice {
  return { name: 'activate', body: { keyId: core.keyId, activation } };
}

function holdersOf({ core }: Manifest): string[] {
  return core.holders.map(({ nodeKey }) => nodeIdOf(nodeKey));
}

function createDeal(
  options: OwnershipOptions,
  signer: AuthoritySigner,
  place: (protection: Protection, excluded: ReadonlySet<string>) => Placement,
  destroy: (keyId: Uint8Array) => Promise<Ending>,
): Ownership['deal'] {
  const { network, store, keyring, nodeKey, nodeSeed, clock, log } = options;
  const { streams, notices } = network;
  const underWay = new Set<string>();

  /** A keyId means one key for ever: dealt anew, it would hide the first one from its owner. */
  function claim({ keyId, nonce }: KeySlot): () => void {
    if (!equalBytes(keyIdOf(nodeCrypto, signer.authority, nonce), keyId)) {
      throw new SkerryError('CORE_INVALID', 'the key id is not one of this owner and nonce');
    }
    const name = toHex(keyId);
    const owned = keyring.get(keyId);
    if (owned?.tombstone) throw new SkerryError('KEY_DESTROYED');
    if (underWay.has(name) || owned !== undefined) {
      throw new SkerryError('EPOCH_MISMATCH', 'the key id was dealt already: reserve another');
    }
    underWay.add(name);
    return () => underWay.delete(name);
  }

  /** Destroys what a failed deal may have left: some holder may serve the key, and nobody would ever ask for it. */
  async function takeBack(keyId: Uint8Array): Promise<void> {
    try {
      if (keyring.get(keyId)) await destroy(keyId);
    } catch (error) {
      log.error('what a failed deal left could not be destroyed', {
        keyId: toHex(keyId),
        code: codeOf(error),
      });
    }
  }

  return async (slot, key, protection) => {
    const release = claim(slot);
    try {
      const storeManifest = async (manifest: Manifest, { certificate }: Placement): Promise<void> => {
        const labels = Object.fromEntries(holdersOf(manifest).map(id => [id, nameOf(options, id)]));
        const { measuredRisk = null, kind = 'sealed', alias = null } = protection;
        const notes = { createdAtMs: clock.nowMs(), certificate, measuredRisk, kind, alias, labels };
        await store.batch([
          keyring.change({ manifest, notes, revokedBefore: 0, tombstone: null }),
          notices.note(activationNotice(manifest), holdersOf(manifest), clock.nowMs() + pendingLifeMs),
        ]);
      };
      const dealt = await dealKey(
        { streams, nodeKey, nodeSeed, clock, random: nodeRandom, storeManifest },
        { ...slot, key, signer, delayMs: 0, place: excluded => place(protection, excluded) },
      );
      await notices.settle(activationNotice(dealt.manifest), dealt.silent);
      await network.publishManifest(dealt.manifest);
      return dealt;
    } catch (error) {
      await takeBack(slot.keyId);
      throw error;
    } finally {
      release();
    }
  };
}

/** What ends grants and keys of this owner. */
function createEnding(
  options: OwnershipOptions,
  signer: AuthoritySigner,
  given: GivenGrants,
  inTurn: Turns,
): Pick<Ownership, 'revoke' | 'destroy'> {
  const findIt = (keyId: Uint8Array): OwnedKey | undefined => findOwned(options, keyId);
  const ending = { ...options, signer, given, inTurn, findOwned: findIt };
  return {
    revoke: async (keyId, grant) => {
      const manifest = await findOwnManifest(options, signer.authority, keyId);
      return revokeGrants(ending, manifest, grant);
    },
    destroy: async keyId => destroyOwned(ending, keyId),
  };
}

/** Holders would take a request with a grant that is longer than any for malformed, and seem to be at fault. */
function checkLength(grant: Uint8Array): void {
  if (grant.length > grantBytesMax) throw new SkerryError('GRANT_INVALID', 'the grant is longer than any');
}

/** The owner's side of a node. Its authority is the home's one owner key. */
export function createOwnership(options: OwnershipOptions): Ownership {
  const { network, store, nodeKey, nodeSeed, ownerSeed, profile, simulated, clock, log } = options;
  const authority = { keys: [nodeCrypto.ed25519PublicKey(ownerSeed)], needed: 1 };
  const signer: AuthoritySigner = {
    authority,
    sign: message => [{ index: 0, signature: nodeCrypto.ed25519Sign(ownerSeed, message) }],
  };
  const issue = createGrant(options, authority);
  const ownTerms = { lifeMs: ownGrantLifeMs, uses: null };
  const ownGrant = createOwnGrants(async keyId => issue(keyId, nodeIdOf(nodeKey), ownTerms), clock);
  const given = createGivenGrants(store, clock, log);
  const inTurn = createTurns();
  const { revoke, destroy } = createEnding(options, signer, given, inTurn);

  function place(protection: Protection, excluded: ReadonlySet<string>): Placement {
    const { risk, acceptReduced, counts } = protection;
    const usable = network.assessor.candidates().filter(({ nodeId }) => !excluded.has(nodeId));
    return planPlacement({ candidates: usable, risk, profile, acceptReduced, counts, simulated });
  }

  async function open(keyId: Uint8Array, presented?: Uint8Array): Promise<OpenedKey> {
    const manifest = await findManifest(options, keyId);
    const owned = findOwned(options, keyId);
    if (presented) checkLength(presented);
    const token = presented ?? (await ownGrant(keyId, owned?.revokedBefore ?? 0));
    const holders = manifest.core.holders.map(holder => {
      const nodeId = nodeIdOf(holder.nodeKey);
      return { x: holder.x, nodeId, label: owned?.notes.labels[nodeId] ?? nameOf(options, nodeId) };
    });
    const { streams, evidence } = network;
    const onObserved = (observations: readonly RoundObservation[]): void => {
      for (const observation of observations) {
        const kind = seenInRound(observation);
        if (kind === undefined || !countsInOpen(kind, owned !== undefined)) continue;
        if (kind === 'share-lost') evidence.noteLost(observation.nodeId, toHex(keyId));
        else evidence.note(observation.nodeId, kind);
      }
    };
    return openKey(
      { streams, nodeKey, confirmationSeed: nodeSeed, clock, random: nodeRandom, onObserved },
      { manifest, grant: token, holders },
    );
  }

  return {
    plan: protection => place(protection, new Set()),
    reserveKey: () => {
      const nonce = nodeRandom.bytes(16);
      return { keyId: keyIdOf(nodeCrypto, authority, nonce), nonce };
    },
    deal: createDeal(options, signer, place, destroy),
    manifest: async keyId => findManifest(options, keyId),
    grant: async (keyId, to, terms) => {
      const granted = await inTurn(toHex(keyId), async () => {
        const { token, ...claims } = await issue(keyId, to, terms);
        await store.batch([given.change({ ...claims, isRevoked: false })]);
        return { token, jti: claims.jti, exp: claims.exp };
      });
      await network.published(keyId);
      return granted;
    },
    grants: given.list,
    findGrant: given.find,
    revoke,
    destroy,
    open,
  };
}
