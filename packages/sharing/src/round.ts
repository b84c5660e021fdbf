import { type Crypto, equalBytes, preimage, SkerryError, wipe } from '@skerry/base';
import { addInto, addScaledInto, lagrangeCoefficient } from './field.ts';
import { commitPayload } from './payload.ts';
import { matchShare, type Point, type ShareKeys } from './share-keys.ts';
import { checkHolderPoint, checkPayloadLength, type Share } from './shares.ts';

/** What a round is for: it decides the point and the recipient. */
export type Operation = 'open' | 'inspect' | 'repair' | 'drill';

/** Everything that a round is bound to: a difference in any field between two holders spoils their masks. */
export type RoundContext = {
  /** The one scheme whose shares are over GF(2^8). */
  readonly scheme: 'gf256';
  readonly op: Operation;
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  readonly epoch: number;
  /** 32 bytes: the hash of the key's description. */
  readonly coreHash: Uint8Array;
  /** Threshold, 2 to 255. */
  readonly t: number;
  /** Bytes of a share, 33 to 96. */
  readonly length: number;
  /** S: the points of the holders asked, exactly t, strictly ascending, 1 to 255. */
  readonly set: readonly number[];
  /** Where to interpolate: 0 for `open`, else a point of the key that is not in S. */
  readonly x: number;
  /** The node that gets the result. */
  readonly recipientId: Uint8Array;
  /** The HPKE key that answers are sealed to. */
  readonly recipientKey: Uint8Array;
  /** The hash of what authorises the round: a grant, an amendment or the core. */
  readonly authHash: Uint8Array;
  /** 16 bytes; one request may try several S under one. */
  readonly roundId: Uint8Array;
};

/** One holder's part of a round's result. */
export type Answer = {
  /** The holder's point. */
  readonly x: number;
  /** c_i, as long as a share: uniformly random to whoever lacks another of the t. */
  readonly contribution: Uint8Array;
};

/**
 * Diffie-Hellman results of one holder's mask key with the other holders', by their point, for one key and epoch. A
 * cache: its owner keeps it with the share and wipes it with the share.
 */
export type PairSecrets = Map<number, Uint8Array>;

/**
 * Throws unless S is exactly t distinct points, strictly ascending, none equal to x.
 *
 * @param set S, from a peer: any numbers
 * @param x 0 to 255
 * @param t threshold of the key, from its description
 * @throws SHARE_COUNTS_INVALID for a threshold outside 2 to 255: at t = 1 there are no masks
 * @throws FIELD_POINT_INVALID for x outside 0 to 255, or in S: the result would be one holder's own share
 * @throws SET_INVALID otherwise
 */
export function validateSet(set: readonly number[], x: number, t: number): void {
  if (!Number.isInteger(t) || t < 2 || t > 255) throw new SkerryError('SHARE_COUNTS_INVALID', '', { t });
  if (x !== 0) checkHolderPoint(x);
  const ascending = set.every(
    (point, i) => Number.isInteger(point) && point > (i === 0 ? 0 : set[i - 1]!) && point <= 255,
  );
  if (set.length !== t || !ascending) throw new SkerryError('SET_INVALID', '', { t, points: set.length });
  if (set.includes(x)) {
    throw new SkerryError('FIELD_POINT_INVALID', 'the point to interpolate at is in the set', { x });
  }
}

/**
 * Throws unless a round may be computed at all: its scheme, its lengths, S, and the operation against the point.
 * Whether it is authorised is the holder's to decide, not this package's.
 *
 * @throws OPERATION_REFUSED for another scheme, or where `open` and x = 0 do not go together
 * @throws SHARE_LENGTH_INVALID, SHARE_COUNTS_INVALID, FIELD_POINT_INVALID, SET_INVALID as `validateSet`
 */
function validateContext({ scheme, op, length, set, x, t }: RoundContext): void {
  if (scheme !== 'gf256' || (op === 'open') !== (x === 0)) {
    throw new SkerryError('OPERATION_REFUSED', '', { scheme, op, x });
  }
  checkPayloadLength(length);
  validateSet(set, x, t);
}

/**
 * The challenge of a round, ch = H(["round", ctx]): what masks are salted with and requests are signed over
 * (docs/PROTOCOL.md, the masked round). Two contexts that differ in any field have different challenges.
 *
 * @returns 32 bytes
 */
export function challengeOf(crypto: Crypto, ctx: RoundContext): Uint8Array<ArrayBuffer> {
  return crypto.sha256(
    preimage('round', [
      ctx.scheme,
      ctx.op,
      ctx.keyId,
      ctx.epoch,
      ctx.coreHash,
      ctx.t,
      ctx.length,
      ctx.set,
      ctx.x,
      ctx.recipientId,
      ctx.recipientKey,
      ctx.authHash,
      ctx.roundId,
    ]),
  );
}

/** What a holder brings to a round. */
export type ContributionInputs = {
  readonly ctx: RoundContext;
  /** The points of the key, from its description; at least those of S. */
  readonly points: readonly Point[];
  /** The holder's share, matched against its point just before (`matchShare`); stays the caller's. */
  readonly share: Share;
  /** Its mask key, from the same `matchShare`; the seed stays the caller's. */
  readonly keys: Pick<ShareKeys, 'maskSeed' | 'mk'>;
  /** Read and filled where given; without it every result is computed and wiped. */
  readonly pairSecrets?: PairSecrets;
};

/**
 * One holder's contribution to a round (docs/PROTOCOL.md, the masked round):
 * c_i = lambda_i(S, x) * y_i, XOR over j in S, j != i, of k_ij, with k_ij = HKDF(X25519(mk_i, mk_j), salt = ch). The
 * masks of a pair cancel, so all t contributions give f(x), and fewer are uniformly random. It is a function of the
 * share and the context alone: a repeated request gets identical bytes.
 *
 * @returns c_i, `ctx.length` bytes, owned by the caller
 * @throws OPERATION_REFUSED, SHARE_COUNTS_INVALID, FIELD_POINT_INVALID, SET_INVALID for a context that breaks a rule
 * @throws NOT_IN_SET where S lacks the share's point
 * @throws SHARE_LENGTH_INVALID where the share is not `ctx.length` bytes
 * @throws SHARE_CORRUPT where the mask key is not the point's: the masks would not cancel
 * @throws SET_INVALID where `points` lacks one of S
 * @throws CORE_INVALID for a mask key of low order: its mask would be known to everybody
 */
export function contribute(crypto: Crypto, inputs: ContributionInputs): Uint8Array<ArrayBuffer> {
  const { ctx, share } = inputs;
  validateContext(ctx);
  const index = ctx.set.indexOf(share.x);
  if (index < 0) throw new SkerryError('NOT_IN_SET', '', { x: share.x });
  if (share.y.length !== ctx.length) throw new SkerryError('SHARE_LENGTH_INVALID');
  const maskKeys = maskKeysOf(ctx.set, inputs.points);
  if (!equalBytes(inputs.keys.mk, maskKeys[index]!)) {
    throw new SkerryError('SHARE_CORRUPT', '', { x: share.x });
  }
  const challenge = challengeOf(crypto, ctx);
  const contribution = new Uint8Array(ctx.length);
  try {
    for (const [j, other] of ctx.set.entries()) {
      if (j !== index) addMask(crypto, inputs, challenge, other, maskKeys[j]!, contribution);
    }
  } catch (error) {
    wipe(contribution);
    throw error;
  }
  addScaledInto(contribution, share.y, lagrangeCoefficient(ctx.set, index, ctx.x));
  return contribution;
}

/** The mask keys of S, in its order. */
function maskKeysOf(set: readonly number[], points: readonly Point[]): Uint8Array[] {
  const maskKeys = new Map(points.map(({ x, mk }) => [x, mk]));
  return set.map(x => {
    const mk = maskKeys.get(x);
    if (mk === undefined) throw new SkerryError('SET_INVALID', 'a point of the set is not of the key', { x });
    return mk;
  });
}

/** Adds k_ij to a contribution, where i is the holder and j is `other`. */
function addMask(
  crypto: Crypto,
  { share, keys, pairSecrets }: ContributionInputs,
  challenge: Uint8Array,
  other: number,
  otherKey: Uint8Array,
  contribution: Uint8Array,
): void {
  const pairSecret = pairSecrets?.get(other) ?? crypto.x25519(keys.maskSeed, otherKey);
  if (pairSecret === undefined) {
    throw new SkerryError('CORE_INVALID', 'a mask key has low order', { x: other });
  }
  const info = preimage('mask', Math.min(share.x, other), Math.max(share.x, other));
  const mask = crypto.hkdf(pairSecret, challenge, info, contribution.length);
  addInto(contribution, mask);
  wipe(mask);
  if (pairSecrets) pairSecrets.set(other, pairSecret);
  else wipe(pairSecret);
}

/**
 * The XOR of the contributions of all of S: f(x), if all are honest. Nothing here can tell whether they are: use
 * `recoverPayload` or `recoverShare`, which check the result.
 *
 * @param ctx the round's context
 * @param answers one of each point of S, in any order; stay the caller's
 * @returns `ctx.length` bytes, owned by the caller
 * @throws OPERATION_REFUSED, SHARE_COUNTS_INVALID, FIELD_POINT_INVALID, SET_INVALID for a context that breaks a rule
 * @throws KEY_UNAVAILABLE for fewer answers than S has points
 * @throws SET_INVALID for a repeated answer, or one from outside S
 * @throws SHARE_LENGTH_INVALID for a contribution of another length
 */
export function combineContributions(ctx: RoundContext, answers: readonly Answer[]): Uint8Array<ArrayBuffer> {
  validateContext(ctx);
  const { set, length } = ctx;
  const answered = new Set(answers.map(answer => answer.x));
  if (answered.size !== answers.length || answers.some(answer => !set.includes(answer.x))) {
    throw new SkerryError('SET_INVALID', 'an answer is repeated or from outside the set');
  }
  if (answers.length < set.length) {
    throw new SkerryError('KEY_UNAVAILABLE', '', { answers: answers.length, needed: set.length });
  }
  if (answers.some(answer => answer.contribution.length !== length)) {
    throw new SkerryError('SHARE_LENGTH_INVALID');
  }
  const value = new Uint8Array(length);
  for (const { contribution } of answers) addInto(value, contribution);
  return value;
}

/**
 * The payload that a round at x = 0 gives, compared with the key's commitment.
 *
 * @param answers one of each point of S, in any order; stay the caller's
 * @param commitment 32 bytes, from the key's description
 * @param originEpoch the epoch that the commitment was made in, from the same place
 * @returns the payload, owned by the caller
 * @throws KEY_CORRUPT where the result is not the committed payload: at least one contribution is wrong
 * @throws OPERATION_REFUSED for another op than `open`; else as `combineContributions`
 */
export function recoverPayload(
  crypto: Crypto,
  ctx: RoundContext,
  answers: readonly Answer[],
  { commitment, originEpoch }: { readonly commitment: Uint8Array; readonly originEpoch: number },
): Uint8Array<ArrayBuffer> {
  if (ctx.op !== 'open') throw new SkerryError('OPERATION_REFUSED', '', { op: ctx.op });
  const payload = combineContributions(ctx, answers);
  if (!equalBytes(commitPayload(crypto, { keyId: ctx.keyId, originEpoch, payload }), commitment)) {
    wipe(payload);
    throw new SkerryError('KEY_CORRUPT', '', { set: ctx.set.join() });
  }
  return payload;
}

/**
 * The share that a round at a holder's point gives (`inspect`, `repair`, `drill`), byte-identical to the one dealt,
 * compared with the point's vk and mk.
 *
 * @param answers one of each point of S, in any order; stay the caller's
 * @param point that of `ctx.x`, from the key's description
 * @returns the share, owned by the caller
 * @throws SHARE_MISMATCH where the result is not that share: at least one contribution is wrong
 * @throws OPERATION_REFUSED for `open`; else as `combineContributions`
 */
export function recoverShare(
  crypto: Crypto,
  ctx: RoundContext,
  answers: readonly Answer[],
  point: Point,
): Share {
  if (ctx.op === 'open') throw new SkerryError('OPERATION_REFUSED', '', { op: ctx.op });
  const share = { x: ctx.x, y: combineContributions(ctx, answers) };
  try {
    const { signSeed, maskSeed } = matchShare(crypto, { ...ctx, share }, point);
    wipe(signSeed, maskSeed);
  } catch (error) {
    wipe(share.y);
    throw error;
  }
  return share;
}
