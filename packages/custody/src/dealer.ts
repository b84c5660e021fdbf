import { assert, type ErrorCode, SkerryError, wipe } from '@skerry/base';
import { packKey, type Share } from '@skerry/sharing';
import {
  type Accept,
  acceptPreimage,
  activationPreimage,
  depositInfo,
  type Manifest,
  nodeKeyOf,
  type Receipt,
  receiptsNeeded,
  verifyReceipt,
} from '@skerry/wire';
import { activationTriesMax, dealAttemptsMax, dealStepMs } from '../parameters.ts';
import { type Dealt, dealShares, makeOffer } from './deal.ts';
import type {
  DealerEffect,
  DealerEnv,
  DealerEvent,
  DealerState,
  DealerStep,
  DealOrder,
} from './dealer-state.ts';

/** Sends offers to the placement's holders that have not accepted yet; to none, and it goes on to split. */
function offerAll(env: DealerEnv, state: DealerState): DealerStep {
  const missing = state.placement.holders.filter(({ nodeId }) => !state.accepted.has(nodeId));
  if (missing.length === 0) {
    const { k, t } = state.placement;
    return {
      state: { ...state, phase: { name: 'splitting' }, waiting: new Set() },
      effects: [{ type: 'split', payload: state.payload, k, t }],
    };
  }
  const offers = new Map(
    missing.map(({ nodeId }) => {
      return [nodeId, makeOffer(env, state.order, nodeId, state.payload.length)] as const;
    }),
  );
  return {
    state: { ...state, phase: { name: 'offering', offers }, waiting: new Set(offers.keys()) },
    effects: [...offers].map(([nodeId, offer]) => ({ type: 'offer', nodeId, offer, deadlineMs: dealStepMs })),
  };
}

/**
 * Starts a deal: places the key and makes its offers (docs/PROTOCOL.md, deal).
 *
 * @param env time, randomness, and the dealer's keys
 * @param order what to deal; its key is copied, and the copy wiped when the deal ends
 * @throws PLACEMENT_INFEASIBLE, SECRET_EMPTY
 */
export function startDeal(env: DealerEnv, order: DealOrder): DealerStep {
  const placement = order.place(new Set());
  const { crypto, random } = env;
  const { payload, box } = packKey({ crypto, random, key: order.key, keyId: order.keyId });
  return offerAll(env, {
    order,
    placement,
    payload,
    box,
    attempt: 1,
    phase: { name: 'splitting' },
    waiting: new Set(),
    accepted: new Map(),
    failed: new Map(),
  });
}

/** The share keys are the dealer's to forget, whether their deposits were carried out or not. */
function wipeShareKeys(dealt: Dealt): void {
  for (const { dek } of dealt.deposits) wipe(dek);
}

function end(state: DealerState, effect: DealerEffect): DealerStep {
  wipe(state.payload);
  if (state.phase.name === 'depositing') wipeShareKeys(state.phase.dealt);
  return { state: { ...state, phase: { name: 'ended' }, waiting: new Set() }, effects: [effect] };
}

function fail(state: DealerState, error: SkerryError): DealerStep {
  return end(state, { type: 'fail', error });
}

/** Places the key again without the nodes that failed, or ends the deal. Nothing was activated. */
function placeAgain(env: DealerEnv, state: DealerState): DealerStep {
  const { failed, attempt, order } = state;
  const why = [...failed].map(([nodeId, code]) => `${nodeId}: ${code}`).join(', ');
  if (attempt >= dealAttemptsMax) {
    return fail(state, new SkerryError('DEPOSIT_FAILED', `too many nodes did not take their share (${why})`));
  }
  try {
    const placement = order.place(new Set(failed.keys()));
    return offerAll(env, { ...state, placement, attempt: attempt + 1 });
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
    const message = `${error.message} (left out: ${why})`;
    return fail(state, new SkerryError(error.code, message, error.metadata, error));
  }
}

function without<T>(set: ReadonlySet<T>, item: T): Set<T> {
  const rest = new Set(set);
  rest.delete(item);
  return rest;
}

function takeAccept(
  env: DealerEnv,
  state: DealerState,
  nodeId: string,
  answer: Accept | ErrorCode,
): DealerStep {
  assert(state.phase.name === 'offering', 'an accept answers an offer');
  const offer = state.phase.offers.get(nodeId);
  assert(offer !== undefined, 'an accept answers its own offer');
  const waiting = without(state.waiting, nodeId);
  const accepted = new Map(state.accepted);
  const failed = new Map(state.failed);
  if (typeof answer === 'string') {
    failed.set(nodeId, answer);
  } else {
    const signed = acceptPreimage(offer, answer.ek, answer.expiresAtMs);
    if (env.crypto.ed25519Verify(nodeKeyOf(nodeId), signed, answer.signature))
      accepted.set(nodeId, answer.ek);
    else failed.set(nodeId, 'SIGNATURE_INVALID');
  }
  const next = { ...state, waiting, accepted, failed };
  if (waiting.size > 0) return { state: next, effects: [] };
  const complete = next.placement.holders.every(holder => accepted.has(holder.nodeId));
  return complete ? offerAll(env, next) : placeAgain(env, next);
}

function deposit(env: DealerEnv, state: DealerState, shares: readonly Share[]): DealerStep {
  const { order, placement, payload, box, accepted } = state;
  const { keyId, nonce, signer, previous, delayMs } = order;
  const { crypto, random, nowMs } = env;
  const of = { keyId, nonce, signer, previous, delayMs };
  const input = { ...of, dealer: env.nodeKey, placement, payload, box, nowMs };
  const dealt = dealShares(crypto, random, { ...input, holderKeys: accepted }, shares);
  return {
    state: {
      ...state,
      phase: { name: 'depositing', dealt, receipts: [] },
      waiting: new Set(dealt.deposits.map(share => share.nodeId)),
    },
    effects: dealt.deposits.map(share => {
      const { x, ciphertext } = share.deposit;
      const info = depositInfo(dealt.coreHash, x, nodeKeyOf(share.nodeId), crypto.sha256(ciphertext));
      return { type: 'deposit', share, info, deadlineMs: dealStepMs };
    }),
  };
}

/** Signs the activation once every holder gave its receipt. A later epoch has to open first. */
function sealDeal(
  env: DealerEnv,
  state: DealerState,
  dealt: Dealt,
  receipts: readonly Receipt[],
): DealerStep {
  const { core, coreHash, signatures, pointsSignatures } = dealt;
  assert(receipts.length >= receiptsNeeded(core), 'enough receipts to activate');
  const sorted = [...receipts].sort((a, b) => a.x - b.x);
  const signature = env.crypto.ed25519Sign(env.nodeSeed, activationPreimage(coreHash, sorted));
  const activation = { coreHash, receipts: sorted, signature };
  const manifest = { core, signatures, pointsSignatures, activation, amendments: [], successor: null };
  if (state.order.previous === null) return storeManifest(state, manifest);
  return {
    state: { ...state, phase: { name: 'verifying', manifest } },
    effects: [{ type: 'verify', manifest, payload: state.payload }],
  };
}

function storeManifest(state: DealerState, manifest: Manifest): DealerStep {
  return {
    state: { ...state, phase: { name: 'storing', manifest } },
    effects: [{ type: 'store-manifest', manifest, placement: state.placement }],
  };
}

/** Goes on with a later epoch that gives the key, and gives up one that does not, with nothing activated. */
function takeVerdict(state: DealerState, isRight: boolean): DealerStep {
  assert(state.phase.name === 'verifying', 'a verdict follows its verification');
  if (isRight) return storeManifest(state, state.phase.manifest);
  return fail(state, new SkerryError('REFRESH_MISMATCH'));
}

function takeReceipt(
  env: DealerEnv,
  state: DealerState,
  nodeId: string,
  answer: Receipt | ErrorCode,
): DealerStep {
  assert(state.phase.name === 'depositing', 'a receipt answers a deposit');
  const { dealt, receipts } = state.phase;
  const waiting = without(state.waiting, nodeId);
  const failed = new Map(state.failed);
  const accepted = new Map(state.accepted);
  const x = dealt.deposits.find(share => share.nodeId === nodeId)?.deposit.x;
  const valid =
    typeof answer !== 'string' &&
    answer.x === x &&
    verifyReceipt(env.crypto, dealt.core, dealt.coreHash, answer);
  if (!valid) failed.set(nodeId, typeof answer === 'string' ? answer : 'SIGNATURE_INVALID');
  const kept = valid ? [...receipts, answer] : receipts;
  const next = { ...state, waiting, failed, phase: { name: 'depositing', dealt, receipts: kept } as const };
  if (waiting.size > 0) return { state: next, effects: [] };
  wipeShareKeys(dealt);
  if (kept.length === dealt.deposits.length) return sealDeal(env, next, dealt, kept);
  accepted.clear(); // an offer is used up by its deposit: every holder gives a new key
  return placeAgain(env, { ...next, accepted });
}

function activateAt(state: DealerState, manifest: Manifest, nodeIds: readonly string[]): DealerEffect[] {
  const { keyId } = state.order;
  return nodeIds.map(nodeId => {
    return { type: 'activate', nodeId, keyId, activation: manifest.activation, deadlineMs: dealStepMs };
  });
}

function activateAll(state: DealerState): DealerStep {
  assert(state.phase.name === 'storing', 'an activation follows its storing');
  const { manifest } = state.phase;
  const nodeIds = state.placement.holders.map(({ nodeId }) => nodeId);
  const phase = { name: 'activating', manifest, tries: 1, acknowledged: new Set<string>() } as const;
  return {
    state: { ...state, phase, waiting: new Set(nodeIds) },
    effects: activateAt(state, manifest, nodeIds),
  };
}

/**
 * Notes who serves the key. Once all have answered or were late: enough, and the deal is done; too few, and those
 * that did not acknowledge are told again, some times. The key may then be served whatever the dealer heard of it.
 */
function takeAcknowledgement(state: DealerState, nodeId: string, succeeded: boolean): DealerStep {
  assert(state.phase.name === 'activating', 'an acknowledgement answers an activation');
  const { manifest, tries } = state.phase;
  const acknowledged = new Set(state.phase.acknowledged);
  if (succeeded) acknowledged.add(nodeId);
  const waiting = without(state.waiting, nodeId);
  const next = { ...state, waiting, phase: { ...state.phase, acknowledged } };
  if (waiting.size > 0) return { state: next, effects: [] };
  const silent = state.placement.holders.map(holder => holder.nodeId).filter(id => !acknowledged.has(id));
  if (acknowledged.size >= receiptsNeeded(manifest.core)) {
    return end(next, { type: 'done', manifest, placement: state.placement, silent });
  }
  if (tries < activationTriesMax) {
    return {
      state: { ...next, phase: { ...next.phase, tries: tries + 1 }, waiting: new Set(silent) },
      effects: activateAt(state, manifest, silent),
    };
  }
  const metadata = { acknowledged: acknowledged.size, k: manifest.core.k };
  const message = `only ${acknowledged.size} of ${manifest.core.k} holders confirmed that they serve the key`;
  return fail(next, new SkerryError('DEPOSIT_FAILED', message, metadata));
}

/**
 * One step of a deal: OFFER to every holder, split, deposit, ACTIVATE (docs/PROTOCOL.md, deal). A node that refuses
 * or is late is left out and the key is placed anew; no activation is signed before every holder of the placement
 * gave its receipt.
 *
 * @param env time, randomness, and the dealer's keys
 * @param state as the last step returned it
 * @param event what happened
 * @returns the next state and the effects; after `done` or `fail` there are none
 */
export function stepDealer(env: DealerEnv, state: DealerState, event: DealerEvent): DealerStep {
  const ignored: DealerStep = { state, effects: [] };
  const { phase } = state;
  switch (event.type) {
    case 'offer-answered':
      if (phase.name !== 'offering' || !state.waiting.has(event.nodeId)) return ignored;
      return takeAccept(env, state, event.nodeId, event.answer);
    case 'split':
      if (phase.name === 'splitting') return deposit(env, state, event.shares);
      for (const { y } of event.shares) wipe(y);
      return ignored;
    case 'deposit-answered':
      if (phase.name !== 'depositing' || !state.waiting.has(event.nodeId)) return ignored;
      return takeReceipt(env, state, event.nodeId, event.answer);
    case 'verified':
      return phase.name === 'verifying' ? takeVerdict(state, event.isRight) : ignored;
    case 'manifest-stored':
      return phase.name === 'storing' ? activateAll(state) : ignored;
    case 'activate-answered':
      if (phase.name !== 'activating' || !state.waiting.has(event.nodeId)) return ignored;
      return takeAcknowledgement(state, event.nodeId, typeof event.answer !== 'string');
    case 'failed':
      return phase.name === 'ended' ? ignored : fail(state, event.error);
  }
}
