import { type Risk, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import type { Counts, Placement } from '@skerry/placement';
import { keyIdOf, type Manifest, type Proposal } from '@skerry/wire';
import type { Deal } from './dealing.ts';
import { createDeletions, type Deletion } from './deletions.ts';
import { destroyOwned, type Ending, revokeGrants } from './ending.ts';
import { createGivenGrants, type GivenGrant } from './given-grants.ts';
import { createInspecting, type Inspected } from './inspecting.ts';
import type { KeyNotes } from './keyring.ts';
import type { Moved } from './moving.ts';
import type { Outstanding } from './notices.ts';
import type { OpenedKey } from './opening.ts';
import { createDeals } from './owner-deals.ts';
import { createOwnerKeys, type IssuedGrant, type OwnershipOptions } from './owner-keys.ts';
import { createMoves } from './owner-moves.ts';
import { createOpening } from './owner-opening.ts';
import { createRefreshing, type NewProtection } from './owner-refresh.ts';
import { createTurns } from './turns.ts';

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

/** What a node does for its owner: it deals, grants, opens, mends and ends keys. */
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
  /**
   * Deals an own key anew, as its next epoch: the same key, by shares that go with none of those before.
   *
   * @throws KEY_UNKNOWN, KEY_DESTROYED; what `open` and `dealKey` throw
   */
  readonly refresh: (keyId: Uint8Array, protection: NewProtection) => Promise<Deal>;
  /** Goes on with an epoch that was stored and not confirmed, if there is one; true where none is left. */
  readonly settle: (keyId: Uint8Array) => Promise<boolean>;
  /**
   * Moves a point to another node, which has the share made by itself.
   *
   * @throws KEY_UNKNOWN, KEY_DESTROYED; PLACEMENT_INFEASIBLE where nobody fits and takes it; EPOCH_MISMATCH where the key
   *   was dealt anew or the point moved otherwise meanwhile; STORE_FAILED
   */
  readonly move: (keyId: Uint8Array, x: number, reason: Proposal['reason']) => Promise<Moved>;
  /**
   * Says that another key took this one's place.
   *
   * @returns holders that have not taken that in, who are told again
   * @throws KEY_UNKNOWN, KEY_DESTROYED, STORE_FAILED
   */
  readonly nameSuccessor: (keyId: Uint8Array, successor: Uint8Array) => Promise<Outstanding>;
  /**
   * Notes that something under a key asks for a level, which only rises.
   *
   * @returns whether that is more than the key was dealt for, and so wants a refresh
   * @throws KEY_UNKNOWN, KEY_DESTROYED, STORE_FAILED
   */
  readonly raise: (keyId: Uint8Array, risk: Risk) => Promise<boolean>;
  /** Finds out who of an own key's holders answers rounds wrongly, the holder of a point first (`createInspecting`). */
  readonly inspect: (manifest: Manifest, subject: number) => Promise<Inspected>;
  /** An own key's manifest as the keyring has it. @throws KEY_UNKNOWN, KEY_DESTROYED, STORE_CORRUPT */
  readonly ownedManifest: (keyId: Uint8Array) => Manifest;
  /** Looks what the network knows of an own key, and keeps what is newer than what the keyring has. */
  readonly lookAgain: (known: Manifest) => Promise<Manifest | undefined>;
  /** A key's manifest, from the own keyring or the DHT. @throws KEY_UNKNOWN */
  readonly manifest: (keyId: Uint8Array) => Promise<Manifest>;
  /**
   * Grants another node, or this one, to open a key of this owner. Another finds the key by its manifest in the DHT, so
   * the grant of a key that was dealt just now waits until that is there.
   *
   * @throws KEY_UNKNOWN, GRANT_INVALID for another owner's key or terms that no holder takes
   */
  readonly grant: (
    keyId: Uint8Array,
    to: string,
    terms: { readonly lifeMs: number; readonly uses: number | null },
  ) => Promise<IssuedGrant>;
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
  /** The deletions of a destroyed key that its holders have signed. @throws STORE_FAILED */
  readonly deletions: (keyId: Uint8Array) => Promise<Deletion[]>;
  /** Opens a key: with a grant, or as its owner. Throws as `openKey`, and KEY_UNKNOWN, KEY_DESTROYED. */
  readonly open: (keyId: Uint8Array, grant?: Uint8Array) => Promise<OpenedKey>;
};

/** The owner's side of a node. Its authority is the home's one owner key. */
export function createOwnership(options: OwnershipOptions): Ownership {
  const { network, store, clock, log } = options;
  const inTurn = createTurns();
  const keys = createOwnerKeys(options, inTurn);
  const { signer, findOwned } = keys;
  const given = createGivenGrants(store, clock, log);
  const ending = { ...options, signer, given, inTurn, findOwned };
  const destroy = async (keyId: Uint8Array): Promise<Ending> => destroyOwned(ending, keyId);
  const { inspect, judge } = createInspecting(options, keys);
  const { open, openPending } = createOpening(options, keys, judge);
  return {
    plan: protection => keys.place(protection, new Set()),
    reserveKey: () => {
      const nonce = nodeRandom.bytes(16);
      return { keyId: keyIdOf(nodeCrypto, signer.authority, nonce), nonce };
    },
    deal: createDeals(options, keys, { openPending, destroy }),
    ...createRefreshing(options, keys, { open, openPending }),
    ...createMoves(options, keys),
    inspect,
    ownedManifest: keyId => keys.ownedKey(keyId).manifest,
    lookAgain: keys.lookAgain,
    manifest: keys.findManifest,
    grant: async (keyId, to, terms) => {
      const granted = await inTurn(toHex(keyId), async () => {
        const { token, ...claims } = await keys.issueFor(await keys.findOwnManifest(keyId), to, terms);
        await store.batch([given.change({ ...claims, isRevoked: false })]);
        return { token, jti: claims.jti, exp: claims.exp };
      });
      await network.published(keyId);
      return granted;
    },
    grants: given.list,
    findGrant: given.find,
    revoke: async (keyId, grant) => revokeGrants(ending, await keys.findOwnManifest(keyId), grant),
    destroy,
    deletions: async keyId => createDeletions(store, log).list(toHex(keyId)),
    open,
  };
}
