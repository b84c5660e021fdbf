import { assert, type Crypto, type ErrorCode, equalBytes, type Random, SkerryError } from '@skerry/base';
import { provePossession } from '@skerry/sharing';
import {
  type Activation,
  acceptPreimage,
  checkActivation,
  checkAuthority,
  checkCore,
  type Deposit,
  depositInfo,
  type GrantClaims,
  keyIdOf,
  type Offer,
  offerPreimage,
  type Probe,
  pointsHashOf,
  type RequestAnswer,
  type RequestName,
  type RoundRequest,
  receiptPreimage,
} from '@skerry/wire';
import {
  clockSkewMs,
  offerLifeMs,
  offersPerDealerMax,
  offersPerKeyMax,
  pendingLifeMs,
  sharesPerDealerMax,
} from '../parameters.ts';
import type { HeldEpoch, HeldKey } from './held-key.ts';
import { openHeldShare } from './held-share.ts';
import { authoriseRound, checkRound } from './holder-round.ts';

/** What a holder's step may use of the world outside its state. */
export type HolderEnv = {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly nowMs: number;
  /** The holder's node key and its seed, 32 bytes each. */
  readonly nodeKey: Uint8Array;
  readonly nodeSeed: Uint8Array;
  /** How much the holder already keeps for the dealer of the event, and in all. */
  readonly load: {
    readonly shares: number;
    readonly offersOfDealer: number;
    readonly sharesOfDealer: number;
  };
  /** Shares that the operator is willing to hold in all. */
  readonly capacity: number;
};

/** What happens to one key at one holder. `from` is the node key of the peer, proven by its connection. */
export type HolderEvent =
  | { readonly type: 'offer'; readonly from: Uint8Array; readonly offer: Offer }
  | { readonly type: 'deposit'; readonly from: Uint8Array; readonly deposit: Deposit }
  | { readonly type: 'dek-opened'; readonly deposit: Deposit; readonly dek: Uint8Array | undefined }
  | { readonly type: 'activate'; readonly from: Uint8Array; readonly activation: Activation }
  | { readonly type: 'round'; readonly from: Uint8Array; readonly request: RoundRequest }
  | {
      readonly type: 'grant-verified';
      readonly request: RoundRequest;
      readonly claims: GrantClaims | ErrorCode;
    }
  | { readonly type: 'probe'; readonly probe: Probe }
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
  | { readonly type: 'refuse'; readonly code: ErrorCode };

/** A holder's machine for one key: the state to keep (null to forget the key) and what to do. */
export type HolderStep = { readonly held: HeldKey | null; readonly effects: readonly HolderEffect[] };

/** A key of which nothing is kept yet. */
function emptyKey(keyId: Uint8Array): HeldKey {
  return { keyId, offers: [], pending: null, active: null, uses: [], announcements: [] };
}

function refuseUnless(condition: boolean, code: ErrorCode, message = ''): void {
  if (!condition) throw new SkerryError(code, message);
}

function takeOffer(held: HeldKey | null, env: HolderEnv, from: Uint8Array, offer: Offer): HolderStep {
  const { crypto, nowMs } = env;
  refuseUnless(equalBytes(offer.dealer, from) && equalBytes(offer.holder, env.nodeKey), 'DEALER_REFUSED');
  refuseUnless(
    crypto.ed25519Verify(offer.dealer, offerPreimage(offer), offer.signature),
    'SIGNATURE_INVALID',
  );
  refuseUnless(equalBytes(keyIdOf(crypto, offer.authority, offer.nonce), offer.keyId), 'CORE_INVALID');
  refuseUnless(
    Math.abs(nowMs - offer.issuedAtMs) <= clockSkewMs && offer.expiresAtMs > nowMs - clockSkewMs,
    'REQUEST_NOT_FRESH',
  );
  refuseUnless(!equalBytes(offer.dealer, env.nodeKey), 'DEALER_REFUSED');
  const state = held ?? emptyKey(offer.keyId);
  refuseUnless(state.active === null || offer.epoch > state.active.core.epoch, 'EPOCH_MISMATCH');
  const { load } = env;
  const room = load.shares < env.capacity && load.sharesOfDealer < sharesPerDealerMax;
  const others = state.offers.filter(waiting => !equalBytes(waiting.offer.dealer, offer.dealer));
  refuseUnless(
    room && load.offersOfDealer < offersPerDealerMax && others.length < offersPerKeyMax,
    'QUOTA_EXCEEDED',
  );
  const ekSeed = env.random.bytes(32);
  const ek = crypto.x25519PublicKey(ekSeed);
  const expiresAtMs = nowMs + offerLifeMs;
  const signature = crypto.ed25519Sign(env.nodeSeed, acceptPreimage(offer, ek, expiresAtMs));
  return {
    held: { ...state, offers: [...others, { offer, ek, ekSeed, expiresAtMs }] },
    effects: [
      { type: 'store' },
      { type: 'answer', answer: { name: 'offer', body: { ek, expiresAtMs, signature } } },
    ],
  };
}

/** The waiting offer that a deposit answers to, or OFFER_UNKNOWN. */
function offerBehind(held: HeldKey | null, env: HolderEnv, deposit: Deposit): HeldKey['offers'][number] {
  const mine = deposit.core.holders.find(({ x }) => x === deposit.x);
  const waiting = held?.offers.find(
    ({ offer, ek, expiresAtMs }) =>
      equalBytes(offer.dealer, deposit.core.dealer) &&
      offer.epoch === deposit.core.epoch &&
      mine !== undefined &&
      equalBytes(ek, mine.ek) &&
      expiresAtMs > env.nowMs,
  );
  if (!waiting) throw new SkerryError('OFFER_UNKNOWN');
  return waiting;
}

function takeDeposit(held: HeldKey | null, env: HolderEnv, from: Uint8Array, deposit: Deposit): HolderStep {
  const { crypto } = env;
  const { core, x } = deposit;
  refuseUnless(equalBytes(core.dealer, from), 'DEALER_REFUSED');
  const coreHash = checkCore(crypto, core, deposit.signatures);
  const mine = core.holders.find(holder => holder.x === x);
  refuseUnless(
    mine !== undefined && equalBytes(mine.nodeKey, env.nodeKey),
    'CORE_INVALID',
    'not this holder',
  );
  checkAuthority(
    crypto,
    core.authority,
    pointsHashOf(crypto, core.keyId, core.epoch, core.points),
    deposit.pointsSignatures,
  );
  const active = held?.active ?? null;
  refuseUnless(active === null || core.epoch > active.core.epoch, 'EPOCH_MISMATCH');
  refuseUnless(
    active === null || (core.previousHash !== null && equalBytes(core.previousHash, active.coreHash)),
    'CORE_MISMATCH',
  );
  const waiting = offerBehind(held, env, deposit);
  const info = depositInfo(coreHash, x, env.nodeKey, crypto.sha256(deposit.ciphertext));
  return { held, effects: [{ type: 'open-dek', seed: waiting.ekSeed, info, deposit }] };
}

function keepDeposit(
  held: HeldKey | null,
  env: HolderEnv,
  deposit: Deposit,
  dek: Uint8Array | undefined,
): HolderStep {
  const { crypto } = env;
  const { core, x, ciphertext } = deposit;
  const waiting = offerBehind(held, env, deposit);
  assert(held !== null, 'an offer waits in a held key');
  refuseUnless(
    dek !== undefined && dek.length === 32,
    'SHARE_MISMATCH',
    'the sealed share key does not open',
  );
  const coreHash = checkCore(crypto, core, deposit.signatures);
  const epoch: HeldEpoch = {
    core,
    coreHash,
    signatures: deposit.signatures,
    pointsSignatures: deposit.pointsSignatures,
    x,
    ciphertext,
    dek: dek as Uint8Array,
    ekSeed: waiting.ekSeed,
    depositedAtMs: env.nowMs,
    activation: null,
  };
  const { keys, close } = openHeldShare(crypto, epoch, 'SHARE_MISMATCH');
  const signed = receiptPreimage(coreHash, x, env.nodeKey);
  const receipt = {
    x,
    nodeSignature: crypto.ed25519Sign(env.nodeSeed, signed),
    shareSignature: crypto.ed25519Sign(keys.signSeed, signed),
  };
  close();
  return {
    held: { ...held, offers: held.offers.filter(other => other !== waiting), pending: epoch },
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'deposit', fields: { epoch: core.epoch, x } },
      { type: 'answer', answer: { name: 'deposit', body: receipt } },
    ],
  };
}

const done: HolderEffect = { type: 'answer', answer: { name: 'activate', body: {} } };

function activate(
  held: HeldKey | null,
  env: HolderEnv,
  from: Uint8Array,
  activation: Activation,
): HolderStep {
  if (held?.active && equalBytes(held.active.coreHash, activation.coreHash)) return { held, effects: [done] };
  const pending = held?.pending;
  if (!held || !pending) throw new SkerryError('KEY_UNKNOWN');
  refuseUnless(equalBytes(pending.core.dealer, from), 'DEALER_REFUSED');
  checkActivation(env.crypto, pending.core, pending.coreHash, activation);
  const active: HeldEpoch = { ...pending, activation };
  return {
    held: { ...held, pending: null, active },
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'activate', fields: { epoch: active.core.epoch, x: active.x } },
      done,
      { type: 'publish', held: active },
    ],
  };
}

function prove(held: HeldKey | null, env: HolderEnv, probe: Probe): HolderStep {
  const epoch = [held?.active, held?.pending].find(candidate => candidate?.core.epoch === probe.epoch);
  if (!epoch || epoch.x !== probe.x) throw new SkerryError('KEY_UNKNOWN');
  const { keys, close } = openHeldShare(env.crypto, epoch, 'SHARE_CORRUPT');
  const signature = provePossession(env.crypto, keys.signSeed, { ...probe, keyId: epoch.core.keyId });
  close();
  return { held, effects: [{ type: 'answer', answer: { name: 'probe', body: { signature } } }] };
}

/** Drops offers and pending epochs whose time is over, and what is remembered of grants that have expired. */
function expire(held: HeldKey | null, nowMs: number): HolderStep {
  if (held === null) return { held, effects: [] };
  const offers = held.offers.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const late = held.pending !== null && held.pending.depositedAtMs + pendingLifeMs <= nowMs;
  const pending = late ? null : held.pending;
  const uses = held.uses.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const announcements = held.announcements.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  const unchanged =
    offers.length === held.offers.length &&
    pending === held.pending &&
    uses.length === held.uses.length &&
    announcements.length === held.announcements.length;
  if (unchanged) return { held, effects: [] };
  const empty = offers.length === 0 && pending === null && held.active === null;
  return {
    held: empty ? null : { ...held, offers, pending, uses, announcements },
    effects: [{ type: 'store' }],
  };
}

function dispatch(held: HeldKey | null, env: HolderEnv, event: HolderEvent): HolderStep {
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
      return checkRound(held, event.from, event.request);
    case 'grant-verified':
      return authoriseRound(held, env, event.request, event.claims);
    case 'probe':
      return prove(held, env, event.probe);
    case 'expire':
      return expire(held, env.nowMs);
  }
}

/**
 * One step of a holder's machine for one key (docs/PROTOCOL.md, deposit and round). A check that fails becomes a
 * `refuse` effect with its own code, and the state stays as it was.
 *
 * @param held the state of this key as stored, null where nothing is kept; not changed
 * @param env time, randomness, keys and quotas
 * @param event what happened
 * @returns the next state and the effects, to be carried out in order
 */
export function stepHolder(held: HeldKey | null, env: HolderEnv, event: HolderEvent): HolderStep {
  try {
    return dispatch(held, env, event);
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
    const audited = event.type === 'round' || event.type === 'grant-verified';
    const refusal: HolderEffect = { type: 'refuse', code: error.code };
    return {
      held,
      effects: audited
        ? [{ type: 'audit', event: 'round-refused', fields: { code: error.code } }, refusal]
        : [refusal],
    };
  }
}
