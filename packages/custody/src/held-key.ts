import { equalBytes, wipe } from '@skerry/base';
import {
  activationShape,
  amendmentShape,
  amendmentsMax,
  authoritySignaturesShape,
  bytes,
  type Core,
  coreShape,
  decode,
  encode,
  flag,
  integer,
  list,
  type Manifest,
  manifestShape,
  nullable,
  offerShape,
  proposalShape,
  seatsOf,
  secondsMax,
  successorShape,
  type TypeOf,
  text,
  timeMs,
  tombstoneShape,
  tuple,
} from '@skerry/wire';
import {
  drillsPerHourMax,
  erasuresMax,
  graveLifeMs,
  heldKeyBytesMax,
  laterPendingLifeMs,
  nominationsPerKeyMax,
  offersPerKeyMax,
  pendingLifeMs,
  retiredLifeMs,
  usesPerKeyMax,
  votesPerKeyMax,
} from '../parameters.ts';

const epochNumber = integer(1, 0xffff_ffff);
const point = integer(1, 255);

const heldEpochShape = tuple({
  core: coreShape,
  coreHash: bytes(32),
  signatures: authoritySignaturesShape,
  pointsSignatures: authoritySignaturesShape,
  x: point,
  ciphertext: bytes(1, 128),
  dek: bytes(32),
  depositedAtMs: timeMs,
  activation: nullable(activationShape),
  /** Of the amendment that brought the share here; 0 from the dealer. */
  sequence: integer(0, amendmentsMax),
  amendments: list(amendmentShape, 0, amendmentsMax),
  successor: nullable(successorShape),
});
/**
 * One epoch of a key as its holder keeps it: the share's ciphertext, and the DEK that opens it. The key that the DEK
 * came sealed to is gone by then, so that whoever erases the DEK has erased the share.
 */
export type HeldEpoch = TypeOf<typeof heldEpochShape>;

const waitingOfferShape = tuple({ offer: offerShape, ek: bytes(32), ekSeed: bytes(32), expiresAtMs: timeMs });

/** A point that this node said it would hold, for who asked, and the key to which it wants its share sealed. */
const nominationShape = tuple({
  epoch: epochNumber,
  coreHash: bytes(32),
  x: point,
  ek: bytes(32),
  ekSeed: bytes(32),
  asker: bytes(32),
  expiresAtMs: timeMs,
});

/** A point that was moved here, whose share is still to be made again. */
const incomingShape = tuple({ manifest: manifestShape, coreHash: bytes(32), x: point, ekSeed: bytes(32) });

/** A proposal that this holder voted for. */
const givenVoteShape = tuple({ coreHash: bytes(32), proposal: proposalShape });

/** An epoch that a later one took the place of, until the grace is over. */
const retiredShape = tuple({ epoch: heldEpochShape, retiredAtMs: timeMs });

/** A share whose last traces in the store's files are to be removed. */
const erasureShape = tuple({ epoch: epochNumber, x: point });

/** What is known of a key of which this node holds nothing any more, so that it can say where its point went. */
const leftShape = tuple({ manifest: manifestShape, coreHash: bytes(32), leftAtMs: timeMs });

/** A use of a grant: its id and the round it went to. */
const useShape = tuple({ jti: text(64), roundId: bytes(16), expiresAtMs: timeMs });

/** When a grant was first presented, where the key has a delay. */
const announcementShape = tuple({ jti: text(64), announcedAtMs: timeMs, expiresAtMs: timeMs });

/** A grant that was taken back. */
const revocationShape = tuple({ jti: text(64), expiresAtMs: timeMs });

/** A round without a grant, a drill or a repair of a point, and until when it counts. */
const drillShape = tuple({ x: point, roundId: bytes(16), expiresAtMs: timeMs });

/** What is left of a destroyed key, and whether the store's files are known to have nothing else of it. */
const graveShape = tuple({ tombstone: tombstoneShape, deletedAtMs: timeMs, isErased: flag });

const heldKeyShape = tuple({
  keyId: bytes(32),
  offers: list(waitingOfferShape, 0, offersPerKeyMax),
  pending: nullable(heldEpochShape),
  active: nullable(heldEpochShape),
  retired: nullable(retiredShape),
  nominations: list(nominationShape, 0, nominationsPerKeyMax),
  incoming: nullable(incomingShape),
  votes: list(givenVoteShape, 0, votesPerKeyMax),
  left: nullable(leftShape),
  erasures: list(erasureShape, 0, erasuresMax),
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
    retired: null,
    nominations: [],
    incoming: null,
    votes: [],
    left: null,
    erasures: [],
    uses: [],
    announcements: [],
    revocations: [],
    revokedBefore: null,
    drills: [],
    grave: null,
  };
}

/**
 * The manifest of an epoch that was activated; undefined of one that was not.
 *
 * @param epoch as stored
 */
export function manifestOf(epoch: HeldEpoch): Manifest | undefined {
  const { core, signatures, pointsSignatures, activation, amendments, successor } = epoch;
  return activation ? { core, signatures, pointsSignatures, activation, amendments, successor } : undefined;
}

/**
 * Whether the point of a held share is still its node's. It is not where an amendment moved it: then the share is kept
 * until the node that the point went to has it.
 *
 * @param epoch as stored
 * @param nodeKey of this node
 */
export function isSeated(epoch: HeldEpoch, nodeKey: Uint8Array): boolean {
  return seatsOf(epoch).some(seat => seat.x === epoch.x && equalBytes(seat.nodeKey, nodeKey));
}

/** The latest epoch that is known of a key; 0 where none is. What was offered and never activated does not count. */
export function latestEpochOf({ active, retired, incoming, left }: HeldKey): number {
  const cores: (Core | undefined)[] = [active?.core, retired?.epoch.core, incoming?.manifest.core];
  return Math.max(0, ...[...cores, left?.manifest.core].map(core => core?.epoch ?? 0));
}

/**
 * Until when a deposited share waits for its activation, Unix ms.
 *
 * @param pending as stored
 */
export function pendingUntilMs({ core, depositedAtMs }: HeldEpoch): number {
  return depositedAtMs + (core.epoch === 1 ? pendingLifeMs : laterPendingLifeMs);
}

/**
 * When the first thing that is kept of a key is over its time, Unix ms; infinite where all of it stays. Drills do not
 * count: they go with what comes next, and are not worth a write of their own.
 *
 * @param held as stored
 */
export function lapseMs(held: HeldKey): number {
  const { offers, pending, retired, nominations, left, erasures } = held;
  const { uses, announcements, revocations, grave } = held;
  if (erasures.length > 0) return 0;
  const timed = [...offers, ...nominations, ...uses, ...announcements, ...revocations];
  return Math.min(
    timed.reduce((first, { expiresAtMs }) => Math.min(first, expiresAtMs), Number.POSITIVE_INFINITY),
    pending ? pendingUntilMs(pending) : Number.POSITIVE_INFINITY,
    retired ? retired.retiredAtMs + retiredLifeMs : Number.POSITIVE_INFINITY,
    left ? left.leftAtMs + graveLifeMs : Number.POSITIVE_INFINITY,
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
  return decode(heldKeyShape, stored, heldKeyBytesMax, 'held key');
}

/**
 * Wipes the secrets of a held key. States before and after a step share their buffers, so this is for when all that
 * the step asked for has been carried out and the new state is stored.
 *
 * @param held decoded by the caller, or a state that came of it
 */
export function wipeHeldKey(held: HeldKey): void {
  const { offers, nominations, incoming, pending, active, retired } = held;
  for (const { ekSeed } of [...offers, ...nominations]) wipe(ekSeed);
  if (incoming) wipe(incoming.ekSeed);
  for (const epoch of [pending, active, retired?.epoch]) if (epoch) wipe(epoch.dek);
}
