import { SkerryError } from '@skerry/base';
import {
  checkRevocation,
  checkTombstone,
  deletionPreimage,
  nodeIdOf,
  type Revocation,
  type Tombstone,
  tombstoneHashOf,
} from '@skerry/wire';
import { clockSkewMs, usesPerKeyMax } from '../parameters.ts';
import { emptyKey, type HeldKey } from './held-key.ts';
import type { HolderEffect, HolderEnv, HolderStep } from './holder.ts';
import { refuseUnless } from './holder-round.ts';

/** The key that an owner's order is about, where something of it is kept here. */
function keyOf(held: HeldKey | null): HeldKey {
  if (held === null) throw new SkerryError('KEY_UNKNOWN');
  return held;
}

/**
 * Notes a revocation, whoever brought it: it proves itself. One of a grant is kept until the grant has expired, by the
 * latest that was said of that; of those of all grants before a time the latest is kept for good.
 *
 * @param held the key as stored
 * @param env crypto
 * @param revocation as received
 * @throws KEY_UNKNOWN, RECORD_INVALID, SIGNATURE_INVALID; QUOTA_EXCEEDED where so many single grants are revoked that
 *   their owner has to revoke all before a time
 */
export function takeRevocation(held: HeldKey | null, env: HolderEnv, revocation: Revocation): HolderStep {
  const key = keyOf(held);
  checkRevocation(env.crypto, revocation);
  const { grant, issuedBefore } = revocation;
  const expiresAtMs = grant ? grant.exp * 1000 + clockSkewMs : 0;
  const done: HolderEffect = { type: 'answer', answer: { name: 'revoke', body: {} } };
  const isKnown = grant
    ? key.revocations.some(known => known.jti === grant.jti && known.expiresAtMs >= expiresAtMs)
    : (key.revokedBefore ?? -1) >= (issuedBefore ?? 0);
  if (isKnown) return { held, effects: [done] };
  const others = key.revocations.filter(({ jti }) => jti !== grant?.jti);
  refuseUnless(grant === null || others.length < usesPerKeyMax, 'QUOTA_EXCEEDED');
  const next = grant
    ? { ...key, revocations: [...others, { jti: grant.jti, expiresAtMs }] }
    : { ...key, revokedBefore: issuedBefore };
  const fields = grant ? { grant: grant.jti } : { before: issuedBefore ?? 0 };
  return { held: next, effects: [{ type: 'store' }, { type: 'audit', event: 'revoke', fields }, done] };
}

/**
 * Erases all that is kept of a key but its tombstone, whoever brought that: it proves itself. The share's ciphertext
 * elsewhere is worth nothing without the DEK, which was here alone. The deletion is signed when the store's files no
 * longer have it either (`buryKey`).
 *
 * @param held the key as stored; its secrets are wiped with it
 * @param env crypto, time and quotas
 * @param from the node key of who brought it
 * @param tombstone as received
 * @throws KEY_UNKNOWN, RECORD_INVALID, SIGNATURE_INVALID
 */
export function destroyKey(
  held: HeldKey | null,
  env: HolderEnv,
  from: Uint8Array,
  tombstone: Tombstone,
): HolderStep {
  const key = keyOf(held);
  checkTombstone(env.crypto, tombstone);
  if (key.grave)
    return key.grave.isErased ? signDeletion(held, env, tombstone) : erase(key, tombstone, [], true);
  const epochs = [key.active, key.pending, key.retired?.epoch ?? null].filter(epoch => epoch !== null);
  // An offer holds no secret of the key, and anybody can have one made: it costs no rewriting of files.
  if (epochs.length === 0 && key.erasures.length === 0) {
    return { held: null, effects: [{ type: 'store' }, ...signDeletion(null, env, tombstone).effects] };
  }
  const points = epochs.map(({ x }) => x).join();
  const audit = { type: 'audit', event: 'destroy', fields: { points, from: nodeIdOf(from) } } as const;
  const isKept = env.load.graves < env.capacity;
  const grave: HeldKey = {
    ...emptyKey(key.keyId),
    grave: { tombstone, deletedAtMs: env.nowMs, isErased: false },
  };
  const shares = [...epochs.map(({ core, x }) => ({ epoch: core.epoch, x })), ...key.erasures];
  const { effects } = erase(grave, tombstone, shares, isKept);
  return { held: isKept ? grave : null, effects: [{ type: 'store' }, audit, ...effects] };
}

function erase(
  held: HeldKey,
  tombstone: Tombstone,
  shares: Extract<HolderEffect, { type: 'erase' }>['shares'],
  isKept: boolean,
): HolderStep {
  return { held, effects: [{ type: 'erase', tombstone, shares, isKept }] };
}

/**
 * Signs the deletion, once the store's files have nothing of the key any more.
 *
 * @param held the key as stored: its grave, or null where no grave is kept
 * @param env crypto and the holder's keys
 * @param tombstone what it died of
 */
export function buryKey(held: HeldKey | null, env: HolderEnv, tombstone: Tombstone): HolderStep {
  if (!held?.grave) return signDeletion(held, env, tombstone);
  const step = signDeletion({ ...held, grave: { ...held.grave, isErased: true } }, env, tombstone);
  return { ...step, effects: [{ type: 'store' }, ...step.effects] };
}

function signDeletion(held: HeldKey | null, env: HolderEnv, tombstone: Tombstone): HolderStep {
  const signed = deletionPreimage(tombstoneHashOf(env.crypto, tombstone), env.nodeKey);
  const signature = env.crypto.ed25519Sign(env.nodeSeed, signed);
  return { held, effects: [{ type: 'answer', answer: { name: 'destroy', body: { signature } } }] };
}
