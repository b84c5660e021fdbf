import { type Clock, type ErrorCode, type Log, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { type AuthoritySigner, grantLifeMaxMs } from '@skerry/custody';
import {
  type Core,
  type Manifest,
  nodeIdOf,
  type Revocation,
  revocationHashOf,
  secondsMax,
  type Tombstone,
  tenuresOf,
  tombstoneHashOf,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { GivenGrant, GivenGrants } from './given-grants.ts';
import type { Keyring, OwnedKey } from './keyring.ts';
import type { Network } from './network.ts';
import type { Outstanding } from './notices.ts';
import { holdersOf } from './owner-keys.ts';
import type { Store, StoreChange } from './store.ts';
import type { Turns } from './turns.ts';

/** How far holders have taken in what ends a grant or a key. */
export type Ending = {
  /** Holders that have. */
  readonly acknowledged: number;
  /** Holders that have to, so that the others are fewer than the threshold: k - t + 1. */
  readonly needed: number;
  /** Holders in all. */
  readonly k: number;
  /** The others by node id, and what came of asking them; they are asked again. */
  readonly outstanding: Readonly<Record<string, ErrorCode>>;
};

/** What ending needs of its node. */
type EndingOptions = {
  readonly network: Pick<Network, 'notices' | 'gossipRevocation' | 'publishTombstone'>;
  readonly store: Store;
  readonly keyring: Keyring;
  /** The key in the keyring, if it is there and can be read. */
  readonly findOwned: (keyId: Uint8Array) => OwnedKey | undefined;
  /** What changes a key of the keyring does so in turn: it writes all of it, the end of it too. */
  readonly inTurn: Turns;
  readonly given: GivenGrants;
  readonly signer: AuthoritySigner;
  readonly clock: Clock;
  readonly log: Log;
};

/** When a notice of a destruction no longer matters: never. */
const neverMs = 253_402_300_800_000;

/** Those that hold a key, and those that did before: one that was moved away may still have its share. */
function everHolders({ manifest, previous }: Pick<OwnedKey, 'manifest' | 'previous'>): string[] {
  const known = [manifest, previous].flatMap(one => (one ? [one] : []));
  const nodeKeys = known.flatMap(one => [...tenuresOf(one).values()].flat());
  return [...new Set(nodeKeys.map(nodeIdOf))];
}

function endingOf(manifest: Manifest, outstanding: Outstanding): Ending {
  const { k, t } = manifest.core;
  const acknowledged = holdersOf(manifest).filter(nodeId => !outstanding.has(nodeId)).length;
  return { acknowledged, needed: k - t + 1, k, outstanding: Object.fromEntries(outstanding) };
}

/** A grant to revoke: its id, and when it expires by itself, seconds since 1970. */
type RevokedGrant = { readonly jti: string; readonly exp: number };

/**
 * When a revoked grant has expired whatever anybody says of it: as this home gave it; else no sooner than any grant that
 * may be good now, since a token that was brought here may lie, and a holder forgets the revocation then.
 */
function expiryOf({ jti, exp }: RevokedGrant, { policy }: Core, gave: GivenGrant[], nowMs: number): number {
  const known = gave.find(grant => grant.jti === jti);
  const latestMs = nowMs + grantLifeMaxMs + policy.delayMs + parameters.clockSkewMs;
  return known?.exp ?? Math.min(Math.max(exp, Math.ceil(latestMs / 1000)), secondsMax);
}

/**
 * Before when all grants end that were given so far. They began at the last such time or later, whatever the clock says
 * now; and it never goes back, since holders keep the latest.
 */
function endOfAll(owned: OwnedKey | undefined, gave: GivenGrant[], nowMs: number): number {
  const last = owned?.revokedBefore ?? 0;
  const isAnyLeft = gave.some(({ isRevoked }) => !isRevoked);
  return Math.max(Math.floor(nowMs / 1000) + 1, isAnyLeft ? last + 1 : last);
}

/** Notes a revocation in the keyring, among the given grants and as a notice, and returns it. */
async function noteRevocation(
  options: EndingOptions,
  manifest: Manifest,
  revoked: RevokedGrant | null,
): Promise<Revocation> {
  const { core } = manifest;
  const { network, store, keyring, findOwned, given, signer, clock } = options;
  const nowMs = clock.nowMs();
  const gave = await given.list(core.keyId);
  const owned = findOwned(core.keyId);
  if (owned?.tombstone) throw new SkerryError('KEY_DESTROYED');
  const grant = revoked && { jti: revoked.jti, exp: expiryOf(revoked, core, gave, nowMs) };
  const issuedBefore = grant ? null : endOfAll(owned, gave, nowMs);
  const unsigned = { keyId: core.keyId, grant, issuedBefore };
  const body: Revocation = {
    ...unsigned,
    authority: core.authority,
    nonce: core.nonce,
    signatures: [...signer.sign(revocationHashOf(nodeCrypto, unsigned))],
  };
  const begunMs = Math.max(nowMs, (issuedBefore ?? 0) * 1000);
  const lastMs = grant ? grant.exp * 1000 : begunMs + grantLifeMaxMs + core.policy.delayMs;
  const untilMs = Math.min(lastMs + parameters.clockSkewMs, neverMs);
  const changes: StoreChange[] = [
    network.notices.note({ name: 'revoke', body }, holdersOf(manifest), untilMs),
    ...gave
      .filter(({ jti }) => !grant || jti === grant.jti)
      .map(ended => given.change({ ...ended, isRevoked: true })),
  ];
  if (owned && issuedBefore !== null) changes.push(keyring.change({ ...owned, revokedBefore: issuedBefore }));
  await store.batch(changes);
  return body;
}

/**
 * Ends grants: one, or all that were given so far. Once k - t + 1 holders know, no t are left that do not.
 *
 * @param manifest of the key
 * @param grant the one; null for all
 * @throws KEY_DESTROYED, STORE_FAILED
 */
export async function revokeGrants(
  options: EndingOptions,
  manifest: Manifest,
  grant: RevokedGrant | null,
): Promise<Ending> {
  const { network, inTurn, log } = options;
  const keyId = toHex(manifest.core.keyId);
  const body = await inTurn(keyId, async () => noteRevocation(options, manifest, grant));
  network.gossipRevocation(body).catch((error: unknown) => {
    log.warn('a revocation was not gossiped', { reason: error instanceof Error ? error.message : '' });
  });
  return endingOf(manifest, await network.notices.tell({ name: 'revoke', body }));
}

/** The tombstone of a key, noted in the keyring and as a notice, if it was not before. */
async function noteDestruction(
  { network, store, keyring, signer, clock }: EndingOptions,
  keyId: Uint8Array,
): Promise<{ manifest: Manifest; tombstone: Tombstone }> {
  const owned = keyring.get(keyId);
  if (!owned) throw new SkerryError('KEY_UNKNOWN', 'this home has no such key');
  const { manifest } = owned;
  const { core } = manifest;
  if (owned.tombstone) return { manifest, tombstone: owned.tombstone };
  const destroyedAtMs = clock.nowMs();
  const tombstone: Tombstone = {
    keyId,
    authority: core.authority,
    nonce: core.nonce,
    destroyedAtMs,
    signatures: [...signer.sign(tombstoneHashOf(nodeCrypto, { keyId, destroyedAtMs }))],
  };
  await store.batch([
    keyring.change({ ...owned, tombstone }),
    network.notices.note({ name: 'destroy', body: tombstone }, everHolders(owned), neverMs),
  ]);
  return { manifest, tombstone };
}

/**
 * Destroys a key: from here on it is told to every holder until each has signed its deletion, over restarts too.
 *
 * @param keyId of a key in the keyring
 * @returns how far that has come; complete where `acknowledged` reaches `needed`
 * @throws KEY_UNKNOWN, STORE_CORRUPT, STORE_FAILED
 */
export async function destroyOwned(options: EndingOptions, keyId: Uint8Array): Promise<Ending> {
  const { network, inTurn } = options;
  const { manifest, tombstone } = await inTurn(toHex(keyId), async () => noteDestruction(options, keyId));
  network.publishTombstone(tombstone, [], true);
  return endingOf(manifest, await network.notices.tell({ name: 'destroy', body: tombstone }));
}
