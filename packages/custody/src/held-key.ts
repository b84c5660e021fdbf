import { wipe } from '@skerry/base';
import {
  activationShape,
  authoritySignaturesShape,
  bytes,
  coreShape,
  decode,
  encode,
  flag,
  integer,
  list,
  nullable,
  offerShape,
  secondsMax,
  type TypeOf,
  text,
  timeMs,
  tombstoneShape,
  tuple,
} from '@skerry/wire';
import {
  drillsPerHourMax,
  graveLifeMs,
  offersPerKeyMax,
  pendingLifeMs,
  usesPerKeyMax,
} from '../parameters.ts';

const heldEpochShape = tuple({
  core: coreShape,
  coreHash: bytes(32),
  signatures: authoritySignaturesShape,
  pointsSignatures: authoritySignaturesShape,
  x: integer(1, 255),
  ciphertext: bytes(1, 128),
  dek: bytes(32),
  depositedAtMs: timeMs,
  activation: nullable(activationShape),
});
/**
 * One epoch of a key as its holder keeps it: the share's ciphertext, and the DEK that opens it. The key that the DEK
 * came sealed to is gone by then, so that whoever erases the DEK has erased the share.
 */
export type HeldEpoch = TypeOf<typeof heldEpochShape>;

const waitingOfferShape = tuple({ offer: offerShape, ek: bytes(32), ekSeed: bytes(32), expiresAtMs: timeMs });

/** A use of a grant: its id and the round it went to. */
const useShape = tuple({ jti: text(64), roundId: bytes(16), expiresAtMs: timeMs });

/** When a grant was first presented, where the key has a delay. */
const announcementShape = tuple({ jti: text(64), announcedAtMs: timeMs, expiresAtMs: timeMs });

/** A grant that was taken back. */
const revocationShape = tuple({ jti: text(64), expiresAtMs: timeMs });

/** A drill of the holder of a point, and until when it counts. */
const drillShape = tuple({ x: integer(1, 255), roundId: bytes(16), expiresAtMs: timeMs });

/** What is left of a destroyed key, and whether the store's files are known to have nothing else of it. */
const graveShape = tuple({ tombstone: tombstoneShape, deletedAtMs: timeMs, isErased: flag });

const heldKeyShape = tuple({
  keyId: bytes(32),
  offers: list(waitingOfferShape, 0, offersPerKeyMax),
  pending: nullable(heldEpochShape),
  active: nullable(heldEpochShape),
  uses: list(useShape, 0, usesPerKeyMax),
  announcements: list(announcementShape, 0, usesPerKeyMax),
  revocations: list(revocationShape, 0, usesPerKeyMax),
  /** Grants that began before it are worth nothing, seconds since 1970. */
  revokedBefore: nullable(integer(0, secondsMax)),
  drills: list(drillShape, 0, 255 * drillsPerHourMax),
  grave: nullable(graveShape),
});
/**
 * All that a holder keeps of one key, and the whole state of the holder's machine for it. It is stored as one
 * record, so that a crash leaves the state before a step or after it, never between.
 */
export type HeldKey = TypeOf<typeof heldKeyShape>;

/**
 * A key of which nothing is kept yet.
 *
 * @param keyId 32 bytes
 */
export function emptyKey(keyId: Uint8Array): HeldKey {
  return {
    keyId,
    offers: [],
    pending: null,
    active: null,
    uses: [],
    announcements: [],
    revocations: [],
    revokedBefore: null,
    drills: [],
    grave: null,
  };
}

/**
 * When the first thing that is kept of a key is over its time, Unix ms; infinite where all of it stays. Drills do not
 * count: they go with what comes next, and are not worth a write of their own.
 *
 * @param held as stored
 */
export function lapseMs(held: HeldKey): number {
  const { offers, pending, uses, announcements, revocations, grave } = held;
  const timed = [...offers, ...uses, ...announcements, ...revocations];
  return Math.min(
    timed.reduce((first, { expiresAtMs }) => Math.min(first, expiresAtMs), Number.POSITIVE_INFINITY),
    pending ? pending.depositedAtMs + pendingLifeMs : Number.POSITIVE_INFINITY,
    grave ? grave.deletedAtMs + graveLifeMs : Number.POSITIVE_INFINITY,
  );
}

/** The stored form of a held key. It holds DEKs and the seeds of offered keys: secret, and wiped by its owner. */
export function encodeHeldKey(held: HeldKey): Uint8Array<ArrayBuffer> {
  return encode(heldKeyShape, held);
}

/**
 * A held key from its stored form.
 *
 * @param stored from the disk: anything
 * @returns a held key whose secrets the caller wipes (`wipeHeldKey`)
 * @throws MESSAGE_MALFORMED, MESSAGE_TOO_LARGE where the disk gave something else
 */
export function decodeHeldKey(stored: Uint8Array): HeldKey {
  return decode(heldKeyShape, stored, heldKeyShape.bytesMax, 'held key');
}

/**
 * Wipes the secrets of a held key. States before and after a step share their buffers, so this is for when all that
 * the step asked for has been carried out and the new state is stored.
 *
 * @param held decoded by the caller, or a state that came of it
 */
export function wipeHeldKey(held: HeldKey): void {
  for (const { ekSeed } of held.offers) wipe(ekSeed);
  for (const epoch of [held.pending, held.active]) if (epoch) wipe(epoch.dek);
}
