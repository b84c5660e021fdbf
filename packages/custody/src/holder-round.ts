import {
  assert,
  type Crypto,
  type ErrorCode,
  equalBytes,
  fromHex,
  SkerryError,
  toHex,
  wipe,
} from '@skerry/base';
import { challengeOf, contribute, type RoundContext } from '@skerry/sharing';
import {
  amendmentOf,
  answerInfo,
  contributionPreimage,
  contributionShape,
  encode,
  type GrantClaims,
  nodeIdOf,
  proposalHashOf,
  type RoundRequest,
  requestPreimage,
  seatsOf,
} from '@skerry/wire';
import { clockSkewMs, drillsPerHourMax, grantLifeMaxMs, usesPerKeyMax } from '../parameters.ts';
import type { HeldEpoch, HeldKey } from './held-key.ts';
import { openHeldShare } from './held-share.ts';
import type { HolderEffect, HolderEnv, HolderStep } from './holder.ts';

const hourMs = 3_600_000;

/** Throws the code of a check that does not hold. */
export function refuseUnless(condition: boolean, code: ErrorCode): asserts condition {
  if (!condition) throw new SkerryError(code);
}

/**
 * The round's context, which every contribution, mask and signature of the round is bound to. What authorises it is
 * its grant, for a drill the core itself, for a repair the proposal of the point's last amendment.
 *
 * @param request as received or as about to be sent
 * @param scheme of the key
 */
export function roundContextOf(
  crypto: Crypto,
  request: RoundRequest,
  scheme: RoundContext['scheme'],
): RoundContext {
  const { op, keyId, epoch, coreHash, t, length, set, x, recipientId, recipientKey, roundId } = request;
  const authHash = op === 'drill' ? coreHash : op === 'repair' ? request.grant : crypto.sha256(request.grant);
  return {
    scheme,
    op,
    keyId,
    epoch,
    coreHash,
    t,
    length,
    set,
    x,
    recipientId,
    recipientKey,
    authHash,
    roundId,
  };
}

/**
 * The active epoch of a key, or the code that says why there is none.
 *
 * @param held the key as stored
 * @throws KEY_UNKNOWN, KEY_NOT_ACTIVE; REPAIR_PENDING where the share is still to be made again here, POINT_MOVED where
 *   it has gone to another node
 */
export function activeOf(held: HeldKey | null): HeldEpoch {
  if (held?.active) return held.active;
  if (held?.incoming) throw new SkerryError('REPAIR_PENDING');
  if (held?.left) throw new SkerryError('POINT_MOVED');
  throw new SkerryError(held?.pending ? 'KEY_NOT_ACTIVE' : 'KEY_UNKNOWN');
}

/**
 * The epoch that a request is about, where it describes a round over it, or the code of what is wrong. An epoch that is
 * not active yet is opened by a grant that names it alone: so its dealer sees that it gives the key, before it is.
 */
function aimOf(held: HeldKey | null, request: RoundRequest): HeldEpoch {
  const pending = held?.pending;
  const isOfPending = pending && (!held.active || request.epoch === pending.core.epoch);
  const active = isOfPending ? pending : activeOf(held);
  const { core } = active;
  const { op, set, x } = request;
  refuseUnless(request.epoch === core.epoch, 'EPOCH_MISMATCH');
  refuseUnless(equalBytes(request.coreHash, active.coreHash), 'CORE_MISMATCH');
  refuseUnless(request.t === core.t && request.length === core.length, 'THRESHOLD_MISMATCH');
  const isPoint = (x: number): boolean => core.points.some(point => point.x === x);
  const ascending = set.every((point, i) => i === 0 || point > set[i - 1]!);
  refuseUnless(set.length === core.t && ascending && set.every(isPoint), 'SET_INVALID');
  refuseUnless(set.includes(active.x), 'NOT_IN_SET');
  const aims = op === 'open' ? x === 0 : isPoint(x) && !set.includes(x);
  refuseUnless(aims, 'OPERATION_REFUSED');
  refuseUnless(op === 'open' || active.activation !== null, 'KEY_NOT_ACTIVE');
  return active;
}

/**
 * The holder's checks of a round request up to its authority, in the order of docs/PROTOCOL.md; size, form and rate
 * were checked before. What comes next needs the grant's signatures verified; a drill has none, and is answered.
 *
 * @param held the key as stored
 * @param env time, keys and crypto
 * @param from the node key of the peer, proven by its connection
 * @param request as received
 * @throws the code of the first check that does not hold
 */
export function checkRound(
  held: HeldKey | null,
  env: HolderEnv,
  from: Uint8Array,
  request: RoundRequest,
): HolderStep {
  const active = aimOf(held, request);
  assert(held !== null, 'an active key is held');
  if (request.op === 'drill') return answerDrill(held, active, env, from, request);
  if (request.op === 'repair') return answerRepair(held, active, env, from, request);
  refuseUnless(equalBytes(request.recipientId, from), 'GRANT_INVALID');
  return { held, effects: [{ type: 'verify-grant', request, held: active }] };
}

/** Whether a request was made lately and is signed by a key. */
function checkRequest(
  { crypto, nowMs }: HolderEnv,
  request: RoundRequest,
  { scheme }: HeldEpoch['core'],
  signer: Uint8Array | undefined,
): void {
  const challenge = challengeOf(crypto, roundContextOf(crypto, request, scheme));
  const signed = requestPreimage(challenge, request.issuedAtMs);
  const isSigned = signer !== undefined && crypto.ed25519Verify(signer, signed, request.signature);
  refuseUnless(isSigned, 'REQUEST_SIGNATURE_INVALID');
  refuseUnless(Math.abs(nowMs - request.issuedAtMs) <= clockSkewMs, 'REQUEST_NOT_FRESH');
}

/** Counts a drill or a repair of a point, or throws RATE_LIMITED. One round is one, however often it is asked. */
function countDrill(held: HeldKey, x: number, roundId: Uint8Array, nowMs: number): HeldKey {
  const drills = held.drills.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const ofPoint = drills.filter(drill => drill.x === x);
  if (ofPoint.some(drill => equalBytes(drill.roundId, roundId))) return held;
  refuseUnless(ofPoint.length < drillsPerHourMax, 'RATE_LIMITED');
  return { ...held, drills: [...drills, { x, roundId, expiresAtMs: nowMs + hourMs }] };
}

/** Counts a round without a grant, and answers it. */
function answerCounted(
  held: HeldKey,
  active: HeldEpoch,
  env: HolderEnv,
  from: Uint8Array,
  request: RoundRequest,
): HolderStep {
  const { op, x, roundId } = request;
  const counted = countDrill(held, x, roundId, env.nowMs);
  const answer = answerRound(active, env, request);
  if (counted === held) return { held, effects: [answer] };
  const fields = { subject: nodeIdOf(from), point: x, x: active.x };
  const event = op === 'drill' ? 'drill' : 'round-repair';
  return { held: counted, effects: [{ type: 'store' }, { type: 'audit', event, fields }, answer] };
}

/**
 * The checks of a drill after its aim, and the answer. The connection proves the node of the holder that drills, and
 * the signature that it still has its share: without that, who stole a node's key could have the share made for it.
 */
function answerDrill(
  held: HeldKey,
  active: HeldEpoch,
  env: HolderEnv,
  from: Uint8Array,
  request: RoundRequest,
): HolderStep {
  const { core } = active;
  const { x, recipientId } = request;
  const holder = seatsOf(active).find(seat => seat.x === x);
  const isItsOwn = holder !== undefined && equalBytes(holder.nodeKey, from) && equalBytes(recipientId, from);
  refuseUnless(isItsOwn, 'OPERATION_REFUSED');
  checkRequest(env, request, core, core.points.find(point => point.x === x)?.vk);
  return answerCounted(held, active, env, from, request);
}

/**
 * The checks of a repair after its aim, and the answer: it is for the node to which the last amendment of the point
 * gives it, and sealed to the key that this node gave for it. So nobody makes a share by another's name alone.
 */
function answerRepair(
  held: HeldKey,
  active: HeldEpoch,
  env: HolderEnv,
  from: Uint8Array,
  request: RoundRequest,
): HolderStep {
  const { coreHash, amendments } = active;
  const { x, recipientId, recipientKey, grant } = request;
  const proposal = amendmentOf(amendments, x)?.proposal;
  const isKnown = proposal !== undefined && equalBytes(proposalHashOf(env.crypto, coreHash, proposal), grant);
  refuseUnless(isKnown, 'AMENDMENT_UNKNOWN');
  const isForIt =
    equalBytes(recipientId, from) &&
    equalBytes(proposal.nodeKey, from) &&
    equalBytes(proposal.ek, recipientKey);
  refuseUnless(isForIt, 'OPERATION_REFUSED');
  checkRequest(env, request, active.core, from);
  return answerCounted(held, active, env, from, request);
}

/** The grant's claims against the request: key, epoch, operation, subject, points, life, time. */
function checkClaims(claims: GrantClaims, request: RoundRequest, active: HeldEpoch, nowMs: number): void {
  const { core } = active;
  refuseUnless(active.activation !== null || claims.epoch === core.epoch, 'KEY_NOT_ACTIVE');
  refuseUnless(
    claims.keyId === toHex(core.keyId) &&
      (claims.epoch === null || claims.epoch === core.epoch) &&
      claims.op === request.op &&
      claims.sub === nodeIdOf(request.recipientId) &&
      (claims.among === null || claims.among.includes(active.x)),
    'GRANT_INVALID',
  );
  const lifeMs = (claims.exp - claims.nbf) * 1000;
  refuseUnless(lifeMs <= grantLifeMaxMs + core.policy.delayMs, 'GRANT_INVALID');
  const started = claims.nbf * 1000 - clockSkewMs <= nowMs;
  refuseUnless(started && nowMs < claims.exp * 1000 + clockSkewMs, 'GRANT_EXPIRED');
}

/** Whether the key's authority took the grant back. */
function isRevoked({ revocations, revokedBefore }: HeldKey, { jti, nbf }: GrantClaims): boolean {
  const byName = revocations.some(revocation => revocation.jti === jti);
  return byName || (revokedBefore !== null && nbf < revokedBefore);
}

/** Remembers when a grant was first presented, and says whether the key's delay has passed since. */
function announce(held: HeldKey, claims: GrantClaims, delayMs: number, nowMs: number): [HeldKey, boolean] {
  if (delayMs === 0) return [held, true];
  const known = held.announcements.find(({ jti }) => jti === claims.jti);
  if (known) return [held, nowMs >= known.announcedAtMs + delayMs];
  refuseUnless(held.announcements.length < usesPerKeyMax, 'QUOTA_EXCEEDED');
  const expiresAtMs = claims.exp * 1000 + clockSkewMs;
  const announcement = { jti: claims.jti, announcedAtMs: nowMs, expiresAtMs };
  return [{ ...held, announcements: [...held.announcements, announcement] }, false];
}

/** Counts a use of a grant, or throws GRANT_USED_UP. One round is one use, however often it is asked. */
function useGrant(held: HeldKey, claims: GrantClaims, roundId: Uint8Array): HeldKey {
  if (claims.uses === null) return held;
  const mine = held.uses.filter(({ jti }) => jti === claims.jti);
  if (mine.some(use => equalBytes(use.roundId, roundId))) return held;
  refuseUnless(mine.length < claims.uses, 'GRANT_USED_UP');
  refuseUnless(held.uses.length < usesPerKeyMax, 'QUOTA_EXCEEDED');
  const expiresAtMs = claims.exp * 1000 + clockSkewMs;
  return { ...held, uses: [...held.uses, { jti: claims.jti, roundId, expiresAtMs }] };
}

/** Computes and signs this holder's contribution; the share and its keys are wiped again. */
function answerRound(active: HeldEpoch, env: HolderEnv, request: RoundRequest): HolderEffect {
  const { crypto } = env;
  const { core, x } = active;
  const { recipientKey, set } = request;
  const context = roundContextOf(crypto, request, core.scheme);
  const challenge = challengeOf(crypto, context);
  const points = core.points.filter(point => set.includes(point.x));
  const { share, keys, close } = openHeldShare(crypto, active, 'SHARE_CORRUPT');
  try {
    const remembered = env.pairSecrets && { pairSecrets: env.pairSecrets(active.coreHash) };
    const contribution = contribute(crypto, { ctx: context, points, share, keys, ...remembered });
    const signature = crypto.ed25519Sign(env.nodeSeed, contributionPreimage(challenge, x, contribution));
    const plaintext = encode(contributionShape, { contribution, signature });
    wipe(contribution);
    return { type: 'answer-sealed', recipientKey, info: answerInfo(challenge, x), plaintext };
  } finally {
    close();
  }
}

/**
 * The rest of the holder's checks once the grant's signatures were verified, and the answer: use and audit line are
 * stored before it is sent.
 *
 * @param held the key as stored
 * @param env time, keys and crypto
 * @param request as `checkRound` let it pass
 * @param claims of the grant, or the code of what was wrong with its signatures
 * @throws the code of the first check that does not hold
 */
export function authoriseRound(
  held: HeldKey | null,
  env: HolderEnv,
  request: RoundRequest,
  claims: GrantClaims | ErrorCode,
): HolderStep {
  const active = aimOf(held, request);
  assert(held !== null, 'an active key is held');
  if (typeof claims === 'string') throw new SkerryError(claims);
  const { nowMs } = env;
  checkClaims(claims, request, active, nowMs);
  refuseUnless(!isRevoked(held, claims), 'GRANT_REVOKED');
  checkRequest(env, request, active.core, fromHex(claims.cnf));
  const [announced, ready] = announce(held, claims, active.core.policy.delayMs, nowMs);
  const fields = { op: request.op, subject: claims.sub, grant: claims.jti, x: active.x };
  if (!ready) {
    return {
      held: announced,
      effects: [
        ...(announced === held ? [] : [{ type: 'store' } as const]),
        { type: 'audit', event: 'round-announced', fields },
        { type: 'refuse', code: 'DELAY_PENDING' },
      ],
    };
  }
  const used = useGrant(announced, claims, request.roundId);
  const answer = answerRound(active, env, request);
  const event = request.op === 'inspect' ? 'inspection' : 'round';
  return {
    held: used,
    effects: [
      ...(used === held ? [] : [{ type: 'store' } as const]),
      { type: 'audit', event, fields },
      answer,
    ],
  };
}
