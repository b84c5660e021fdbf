import {
  assert,
  type Crypto,
  type ErrorCode,
  equalBytes,
  type Random,
  SkerryError,
  wipe,
} from '@skerry/base';
import type { PairSecrets, Share } from '@skerry/sharing';
import {
  type Activation,
  acceptPreimage,
  checkActivation,
  checkAuthority,
  checkCore,
  coreHashOf,
  type Deposit,
  depositInfo,
  type GrantClaims,
  keyIdOf,
  type Manifest,
  nodeIdOf,
  type Offer,
  offerPreimage,
  type Probe,
  pointsHashOf,
  type RequestAnswer,
  type RequestBody,
  type RequestName,
  type Revocation,
  type RoundRequest,
  receiptPreimage,
  type Tombstone,
} from '@skerry/wire';
import {
  clockSkewMs,
  offerLifeMs,
  offersPerDealerMax,
  offersPerKeyMax,
  sharesPerDealerMax,
} from '../parameters.ts';
import { emptyKey, type HeldEpoch, type HeldKey, latestEpochOf } from './held-key.ts';
import { openHeldShare } from './held-share.ts';
import { expire, hasLapsed } from './holder-expiry.ts';
import { buryKey, destroyKey, takeRevocation } from './holder-orders.ts';
import { authoriseRound, checkRound, refuseUnless } from './holder-round.ts';
import {
  eraseAll,
  forgetErased,
  keepRepaired,
  releaseShare,
  retire,
  takeNomination,
  takeUpdate,
} from './holder-succession.ts';
import { takeVote } from './holder-vote.ts';
import { prove } from './probe.ts';

/** What a holder's step may use of the world outside its state. */
export type HolderEnv = {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly nowMs: number;
  /** The holder's node key and its seed, 32 bytes each. */
  readonly nodeKey: Uint8Array;
  readonly nodeSeed: Uint8Array;
  readonly load: {
    /** Shares kept, active or pending, and live offers, of all dealers. */
    readonly shares: number;
    /** Live offers of the event's dealer. */
    readonly offersOfDealer: number;
    /** Shares kept, active or pending, of the event's dealer. */
    readonly sharesOfDealer: number;
    /** Destroyed keys of which the tombstone is kept. */
    readonly graves: number;
  };
  /** Shares that the operator is willing to hold in all. */
  readonly capacity: number;
  /** What is remembered of this key's agreements between mask keys, for the core of a hash; else they are made anew. */
  readonly pairSecrets?: (coreHash: Uint8Array) => PairSecrets;
};

/**
 * What happens to one key at one holder. `from` is the node key of the peer, proven by its connection. `dek-opened`,
 * `grant-verified` and `erased` answer the effect of the step just before: of one key, nothing else is stepped in between.
 */
export type HolderEvent =
  | { readonly type: 'offer'; readonly from: Uint8Array; readonly offer: Offer }
  | { readonly type: 'deposit'; readonly from: Uint8Array; readonly deposit: Deposit }
  /** The DEK is the machine's from here on: kept, or wiped where the deposit is refused. */
  | { readonly type: 'dek-opened'; readonly deposit: Deposit; readonly dek: Uint8Array | undefined }
  | { readonly type: 'activate'; readonly from: Uint8Array; readonly activation: Activation }
  | { readonly type: 'round'; readonly from: Uint8Array; readonly request: RoundRequest }
  | {
      readonly type: 'grant-verified';
      readonly request: RoundRequest;
      readonly claims: GrantClaims | ErrorCode;
    }
  | { readonly type: 'probe'; readonly probe: Probe }
  | { readonly type: 'nominate'; readonly from: Uint8Array; readonly nomination: RequestBody<'nominate'> }
  | {
      readonly type: 'vote';
      readonly ballot: RequestBody<'vote'>;
      /** Whether this node's own audits show that the point's holder failed, for as long as the grace is. */
      readonly isFailing: boolean;
    }
  | { readonly type: 'update'; readonly from: Uint8Array; readonly manifest: Manifest }
  /** A repair gave the share of the point that was moved here; it is the machine's from here on. */
  | { readonly type: 'repaired'; readonly share: Share }
  /** The node to which this one's point was moved has proved that it has the share. */
  | { readonly type: 'release' }
  | { readonly type: 'revoke'; readonly revocation: Revocation }
  | { readonly type: 'destroy'; readonly from: Uint8Array; readonly tombstone: Tombstone }
  /** The store's files have nothing any more of what was to be erased. */
  | { readonly type: 'erased'; readonly tombstone: Tombstone | null }
  | { readonly type: 'expire' };

/** What the world is to do, in this order; a store that fails stops what follows. */
export type HolderEffect =
  | { readonly type: 'store' }
  | {
      readonly type: 'audit';
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number>>;
    }
  | {
      readonly type: 'open-dek';
      readonly seed: Uint8Array;
      readonly info: Uint8Array;
      readonly deposit: Deposit;
    }
  | { readonly type: 'verify-grant'; readonly request: RoundRequest; readonly held: HeldEpoch }
  | {
      readonly type: 'answer';
      readonly answer: { [N in RequestName]: { name: N; body: RequestAnswer<N> } }[RequestName];
    }
  | {
      readonly type: 'answer-sealed';
      readonly recipientKey: Uint8Array;
      readonly info: Uint8Array;
      readonly plaintext: Uint8Array;
    }
  | { readonly type: 'publish'; readonly held: HeldEpoch }
  /** Has the share that is to come here made again by its other holders; answered by `repaired`, whenever that is. */
  | { readonly type: 'repair' }
  /** Removes what the store's files still have of states before; answered by `erased`. */
  | {
      readonly type: 'erase';
      /** Where the key was destroyed; null where only shares of it are let go. */
      readonly tombstone: Tombstone | null;
      /** Shares that were published. */
      readonly shares: readonly { readonly epoch: number; readonly x: number }[];
      /** Whether a grave is kept; of what is not, nothing is to be published either, or anybody could have it grow. */
      readonly isKept: boolean;
    }
  | { readonly type: 'refuse'; readonly code: ErrorCode };

/** A holder's machine for one key: the state to keep (null to forget the key) and what to do. */
export type HolderStep = { readonly held: HeldKey | null; readonly effects: readonly HolderEffect[] };

type WaitingOffer = HeldKey['offers'][number];

/** The yes to an offer; the same one however often the offer comes. */
function acceptOf(env: HolderEnv, { offer, ek, expiresAtMs }: WaitingOffer): HolderEffect {
  const signature = env.crypto.ed25519Sign(env.nodeSeed, acceptPreimage(offer, ek, expiresAtMs));
  return { type: 'answer', answer: { name: 'offer', body: { ek, expiresAtMs, signature } } };
}

function takeOffer(held: HeldKey | null, env: HolderEnv, from: Uint8Array, offer: Offer): HolderStep {
  const { crypto, nowMs, load } = env;
  const isMine = equalBytes(offer.holder, env.nodeKey) && !equalBytes(offer.dealer, env.nodeKey);
  refuseUnless(equalBytes(offer.dealer, from) && isMine, 'DEALER_REFUSED');
  const signed = crypto.ed25519Verify(offer.dealer, offerPreimage(offer), offer.signature);
  refuseUnless(signed, 'SIGNATURE_INVALID');
  refuseUnless(equalBytes(keyIdOf(crypto, offer.authority, offer.nonce), offer.keyId), 'CORE_INVALID');
  const fresh = Math.abs(nowMs - offer.issuedAtMs) <= clockSkewMs && offer.expiresAtMs > nowMs - clockSkewMs;
  refuseUnless(fresh, 'REQUEST_NOT_FRESH');
  const repeated = held?.offers.find(
    waiting => equalBytes(waiting.offer.signature, offer.signature) && waiting.expiresAtMs > nowMs,
  );
  if (repeated) return { held, effects: [acceptOf(env, repeated)] };
  const state = held ?? emptyKey(offer.keyId);
  refuseUnless(offer.epoch > latestEpochOf(state), 'EPOCH_MISMATCH');
  // Expired offers take no room; of one dealer the new one replaces the old.
  const others = state.offers.filter(
    waiting => waiting.expiresAtMs > nowMs && !equalBytes(waiting.offer.dealer, offer.dealer),
  );
  const hasRoom =
    load.shares < env.capacity &&
    load.sharesOfDealer < sharesPerDealerMax &&
    load.offersOfDealer < offersPerDealerMax &&
    others.length < offersPerKeyMax;
  refuseUnless(hasRoom, 'QUOTA_EXCEEDED');
  const ekSeed = env.random.bytes(32);
  const waiting = { offer, ek: crypto.x25519PublicKey(ekSeed), ekSeed, expiresAtMs: nowMs + offerLifeMs };
  return {
    held: { ...state, offers: [...others, waiting] },
    effects: [{ type: 'store' }, acceptOf(env, waiting)],
  };
}

/** The waiting offer that a deposit answers to, or OFFER_UNKNOWN. */
function offerBehind(held: HeldKey | null, env: HolderEnv, deposit: Deposit): WaitingOffer {
  const { core, x } = deposit;
  const mine = core.holders.find(holder => holder.x === x);
  const waiting = held?.offers.find(
    ({ offer, ek, expiresAtMs }) =>
      equalBytes(offer.dealer, core.dealer) &&
      offer.epoch === core.epoch &&
      offer.length === core.length &&
      mine !== undefined &&
      equalBytes(ek, mine.ek) &&
      expiresAtMs > env.nowMs,
  );
  if (!waiting) throw new SkerryError('OFFER_UNKNOWN');
  return waiting;
}

/** A deposit up to its DEK. The offer comes first: nobody who made none gets the core's signatures verified. */
function takeDeposit(held: HeldKey | null, env: HolderEnv, from: Uint8Array, deposit: Deposit): HolderStep {
  const { crypto } = env;
  const { core, x } = deposit;
  refuseUnless(equalBytes(core.dealer, from), 'DEALER_REFUSED');
  const [active, pending] = [held?.active ?? null, held?.pending ?? null];
  if (pending && pending.x === x && equalBytes(pending.coreHash, coreHashOf(crypto, core))) {
    return { held, effects: [receiptOf(pending, env)] };
  }
  const waiting = offerBehind(held, env, deposit);
  const coreHash = checkCore(crypto, core, deposit.signatures);
  const mine = core.holders.find(holder => holder.x === x);
  refuseUnless(mine !== undefined && equalBytes(mine.nodeKey, env.nodeKey), 'CORE_INVALID');
  const pointsHash = pointsHashOf(crypto, core.keyId, core.epoch, core.points);
  checkAuthority(crypto, core.authority, pointsHash, deposit.pointsSignatures);
  refuseUnless(held === null || core.epoch > latestEpochOf(held), 'EPOCH_MISMATCH');
  const follows = active === null || equalBytes(core.previousHash ?? new Uint8Array(), active.coreHash);
  refuseUnless(follows, 'CORE_MISMATCH');
  // Its receipt may be part of an activation under way: only its own dealer takes a pending share back.
  const isFree = pending === null || equalBytes(pending.core.dealer, core.dealer);
  refuseUnless(isFree || hasLapsed(pending, env.nowMs), 'DEALER_REFUSED');
  const info = depositInfo(coreHash, x, env.nodeKey, crypto.sha256(deposit.ciphertext));
  return { held, effects: [{ type: 'open-dek', seed: waiting.ekSeed, info, deposit }] };
}

/** Holds the share against the core, and signs the receipt: with the node key, and with the key that the share gives. */
function receiptOf(epoch: HeldEpoch, env: HolderEnv): HolderEffect {
  const { crypto } = env;
  const { x } = epoch;
  const { keys, close } = openHeldShare(crypto, epoch, 'SHARE_MISMATCH');
  try {
    const signed = receiptPreimage(epoch.coreHash, x, env.nodeKey);
    const nodeSignature = crypto.ed25519Sign(env.nodeSeed, signed);
    const shareSignature = crypto.ed25519Sign(keys.signSeed, signed);
    return { type: 'answer', answer: { name: 'deposit', body: { x, nodeSignature, shareSignature } } };
  } finally {
    close();
  }
}

function keepDeposit(
  held: HeldKey | null,
  env: HolderEnv,
  deposit: Deposit,
  dek: Uint8Array | undefined,
): HolderStep {
  const { core, signatures, pointsSignatures, x, ciphertext } = deposit;
  const waiting = offerBehind(held, env, deposit);
  assert(held !== null, 'an offer waits in a held key');
  if (dek?.length !== 32) throw new SkerryError('SHARE_MISMATCH', 'the sealed share key does not open');
  const pending: HeldEpoch = {
    core,
    coreHash: coreHashOf(env.crypto, core),
    signatures,
    pointsSignatures,
    x,
    ciphertext,
    dek,
    depositedAtMs: env.nowMs,
    activation: null,
    sequence: 0,
    amendments: [],
    successor: null,
  };
  const answer = receiptOf(pending, env);
  return {
    held: { ...held, offers: held.offers.filter(other => other !== waiting), pending },
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'deposit', fields: { epoch: core.epoch, x, dealer: nodeIdOf(core.dealer) } },
      answer,
    ],
  };
}

const activated: HolderEffect = { type: 'answer', answer: { name: 'activate', body: {} } };

/** An activation proves itself, so it is good whoever brings it: its dealer, or somebody who has the manifest. */
function activate(
  held: HeldKey | null,
  env: HolderEnv,
  from: Uint8Array,
  activation: Activation,
): HolderStep {
  if (held?.active && equalBytes(held.active.coreHash, activation.coreHash))
    return { held, effects: [activated] };
  const pending = held?.pending;
  if (!held || !pending) throw new SkerryError('KEY_UNKNOWN');
  checkActivation(env.crypto, pending.core, pending.coreHash, activation);
  const active: HeldEpoch = { ...pending, activation };
  const fields = { epoch: active.core.epoch, x: active.x, from: nodeIdOf(from) };
  const next = { ...held, ...retire(held, env.nowMs), pending: null, incoming: null, left: null, active };
  return {
    held: next,
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'activate', fields },
      ...eraseAll(next),
      activated,
      { type: 'publish', held: active },
    ],
  };
}

/** What still happens to a key that was destroyed. */
const postMortem: ReadonlySet<HolderEvent['type']> = new Set(['destroy', 'erased', 'expire']);

function dispatch(held: HeldKey | null, env: HolderEnv, event: HolderEvent): HolderStep {
  refuseUnless(held?.grave == null || postMortem.has(event.type), 'KEY_DESTROYED');
  switch (event.type) {
    case 'offer':
      return takeOffer(held, env, event.from, event.offer);
    case 'deposit':
      return takeDeposit(held, env, event.from, event.deposit);
    case 'dek-opened':
      return keepDeposit(held, env, event.deposit, event.dek);
    case 'activate':
      return activate(held, env, event.from, event.activation);
    case 'round':
      return checkRound(held, env, event.from, event.request);
    case 'grant-verified':
      return authoriseRound(held, env, event.request, event.claims);
    case 'probe':
      return prove(held, env, event.probe);
    case 'nominate':
      return takeNomination(held, env, event.from, event.nomination);
    case 'vote':
      return takeVote(held, env, event.ballot, event.isFailing);
    case 'update':
      return takeUpdate(held, env, event.from, event.manifest);
    case 'repaired':
      return keepRepaired(held, env, event.share);
    case 'release':
      return releaseShare(held, env);
    case 'revoke':
      return takeRevocation(held, env, event.revocation);
    case 'destroy':
      return destroyKey(held, env, event.from, event.tombstone);
    case 'erased':
      return event.tombstone ? buryKey(held, env, event.tombstone) : forgetErased(held);
    case 'expire':
      return expire(held, env.nowMs);
  }
}

/**
 * The audit line of a refused round, where the key is served here; for other keys anybody could fill the log. A drill
 * over its rate has none: the rate is there to save that write.
 */
function auditRefusal(held: HeldKey | null, event: HolderEvent, code: ErrorCode): HolderEffect[] {
  if (!held?.active || (event.type !== 'round' && event.type !== 'grant-verified')) return [];
  if (code === 'RATE_LIMITED') return [];
  const { op, recipientId } = event.request;
  const subject = nodeIdOf(event.type === 'round' ? event.from : recipientId);
  return [{ type: 'audit', event: 'round-refused', fields: { op, subject, x: held.active.x, code } }];
}

/**
 * One step of a holder's machine for one key (docs/PROTOCOL.md, "What a holder checks"). A check that fails becomes a
 * `refuse` effect with its own code, and the state stays as it was.
 *
 * @param held the state of this key as stored, null where nothing is kept; not changed
 * @param env time, randomness, keys and quotas
 * @param event what happened
 * @returns the next state, which shares buffers with `held`, and the effects, to be carried out in order
 */
export function stepHolder(held: HeldKey | null, env: HolderEnv, event: HolderEvent): HolderStep {
  try {
    return dispatch(held, env, event);
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
    if (event.type === 'dek-opened' && event.dek) wipe(event.dek);
    if (event.type === 'repaired') wipe(event.share.y);
    const refusal: HolderEffect = { type: 'refuse', code: error.code };
    return { held, effects: [...auditRefusal(held, event, error.code), refusal] };
  }
}
