import type { Clock, ErrorCode, Log } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { type AuthoritySigner, grantLifeMaxMs } from '@skerry/custody';
import {
  type Core,
  type Manifest,
  nodeIdOf,
  type Revocation,
  revocationHashOf,
  type Tombstone,
  tombstoneHashOf,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { GivenGrants } from './given-grants.ts';
import type { Keyring, OwnedKey } from './keyring.ts';
import type { Network } from './network.ts';
import type { Notice, Outstanding } from './notices.ts';
import type { Store, StoreChange } from './store.ts';

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
  readonly given: GivenGrants;
  readonly signer: AuthoritySigner;
  readonly clock: Clock;
  readonly log: Log;
};

/** When a notice of a destruction no longer matters: never. */
const neverMs = 253_402_300_800_000;

const holdersOf = ({ holders }: Core): string[] => holders.map(({ nodeKey }) => nodeIdOf(nodeKey));

function endingOf({ k, t }: Core, outstanding: Outstanding): Ending {
  const acknowledged = k - outstanding.size;
  return { acknowledged, needed: k - t + 1, k, outstanding: Object.fromEntries(outstanding) };
}

/**
 * Ends grants: one, or all that were given so far. Once k - t + 1 holders know, no t are left that do not.
 *
 * @param manifest of the key
 * @param owned the key in the keyring, if it is there
 * @param grant the one; null for all
 * @throws STORE_FAILED
 */
export async function revokeGrants(
  options: EndingOptions,
  { core }: Manifest,
  owned: OwnedKey | undefined,
  grant: { readonly jti: string; readonly exp: number } | null,
): Promise<Ending> {
  const { network, store, keyring, given, signer, clock, log } = options;
  const issuedBefore = grant ? null : Math.floor(clock.nowMs() / 1000) + 1;
  const unsigned = { keyId: core.keyId, grant, issuedBefore };
  const body: Revocation = {
    ...unsigned,
    authority: core.authority,
    nonce: core.nonce,
    signatures: [...signer.sign(revocationHashOf(nodeCrypto, unsigned))],
  };
  const notice: Notice = { name: 'revoke', body };
  const lastMs = grant ? grant.exp * 1000 : clock.nowMs() + grantLifeMaxMs + core.policy.delayMs;
  const changes: StoreChange[] = [
    network.notices.note(notice, holdersOf(core), Math.min(lastMs + parameters.clockSkewMs, neverMs)),
  ];
  if (owned && issuedBefore !== null) changes.push(keyring.change({ ...owned, revokedBefore: issuedBefore }));
  for (const gave of await given.list(core.keyId)) {
    if (!grant || gave.jti === grant.jti) changes.push(given.change({ ...gave, isRevoked: true }));
  }
  await store.batch(changes);
  network.gossipRevocation(body).catch((error: unknown) => {
    log.warn('a revocation was not gossiped', { reason: error instanceof Error ? error.message : '' });
  });
  return endingOf(core, await network.notices.tell(notice));
}

/**
 * Destroys a key: from here on it is told to every holder until each has signed its deletion, over restarts too.
 *
 * @param owned the key in the keyring
 * @returns how far that has come; complete where `acknowledged` reaches `needed`
 * @throws STORE_FAILED
 */
export async function destroyOwned(options: EndingOptions, owned: OwnedKey): Promise<Ending> {
  const { network, store, keyring, signer, clock } = options;
  const { core } = owned.manifest;
  const { keyId, authority, nonce } = core;
  const destroyedAtMs = clock.nowMs();
  const tombstone: Tombstone = owned.tombstone ?? {
    keyId,
    authority,
    nonce,
    destroyedAtMs,
    signatures: [...signer.sign(tombstoneHashOf(nodeCrypto, { keyId, destroyedAtMs }))],
  };
  const notice: Notice = { name: 'destroy', body: tombstone };
  if (owned.tombstone === null) {
    await store.batch([
      keyring.change({ ...owned, tombstone }),
      network.notices.note(notice, holdersOf(core), neverMs),
    ]);
  }
  network.publishTombstone(tombstone, []);
  return endingOf(core, await network.notices.tell(notice));
}
