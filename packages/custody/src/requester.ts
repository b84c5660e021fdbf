import {
  assert,
  type Crypto,
  type ErrorCode,
  errorTable,
  type Random,
  SkerryError,
  wipe,
} from '@skerry/base';
import { challengeOf, recoverPayload } from '@skerry/sharing';
import {
  type Contribution,
  contributionPreimage,
  contributionShape,
  coreHashOf,
  decode,
  type Manifest,
  nodeKeyOf,
  type RoundRequest,
  requestPreimage,
} from '@skerry/wire';
import { hedgeFactor, hedgeMaxMs, hedgeMinMs, openDeadlineMs, setsAtOnce, setsMax } from '../parameters.ts';
import { roundContextOf } from './holder-round.ts';

/** A holder as the requester sees it. */
export type AskedHolder = {
  readonly x: number;
  readonly nodeId: string;
  /** How the holder is called in messages: its place and operator, say. */
  readonly label: string;
  /** The usual round trip to it, ms; undefined where none was measured. */
  readonly roundTripMs: number | undefined;
};

/** What is to be opened, and by what right. */
export type OpenOrder = {
  readonly manifest: Manifest;
  /** Those to ask first come first. */
  readonly holders: readonly AskedHolder[];
  /** The grant, as it is presented. */
  readonly grant: Uint8Array;
  /** A fresh HPKE public key, 32 bytes, whose private half the caller keeps. */
  readonly recipientKey: Uint8Array;
  /** The requester's node key and the seed of the grant's confirmation key. */
  readonly nodeKey: Uint8Array;
  readonly confirmationSeed: Uint8Array;
};

/** What a requester's step may use of the world outside its state. */
export type RequesterEnv = { readonly crypto: Crypto; readonly random: Random; readonly nowMs: number };

/** One set S that is asked, and what came back. */
type Attempt = {
  readonly id: number;
  readonly request: RoundRequest;
  readonly contributions: ReadonlyMap<number, Uint8Array>;
  /** `void` once a member failed; `wrong` once its sum was not the committed payload. */
  readonly status: 'open' | 'void' | 'wrong';
};

/** The requester's machine. */
export type RequesterState = {
  readonly order: OpenOrder;
  readonly coreHash: Uint8Array;
  readonly roundId: Uint8Array;
  readonly attempts: readonly Attempt[];
  /** Why holders can't be asked any more, by x. */
  readonly failed: ReadonlyMap<number, ErrorCode>;
  /** Holders that let a hedge pass. */
  readonly slow: ReadonlySet<number>;
  readonly ended: boolean;
};

/** What happens to an open. */
export type RequesterEvent =
  | {
      readonly type: 'answered';
      readonly attempt: number;
      readonly x: number;
      /** The opened answer, or why there is none. */
      readonly answer: Uint8Array | ErrorCode;
    }
  | { readonly type: 'hedge'; readonly attempt: number }
  | { readonly type: 'deadline' };

/** What the world is to do for an open. */
export type RequesterEffect =
  | {
      readonly type: 'ask';
      readonly attempt: number;
      readonly holder: AskedHolder;
      readonly request: RoundRequest;
      readonly deadlineMs: number;
    }
  | { readonly type: 'wake'; readonly event: RequesterEvent; readonly afterMs: number }
  /** The payload P, owned by whoever carries this out. */
  | { readonly type: 'done'; readonly payload: Uint8Array; readonly sets: number }
  | { readonly type: 'fail'; readonly error: SkerryError };

/** The next state and what to do. */
export type RequesterStep = { readonly state: RequesterState; readonly effects: readonly RequesterEffect[] };

/** How often a holder was in a set that gave a wrong sum. It steers the choice of sets and proves nothing. */
function suspicion(state: RequesterState, x: number): number {
  return state.attempts.filter(({ status, request }) => status === 'wrong' && request.set.includes(x)).length;
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const keyed = list.map(item => ({ item, key: random.bytes(4).join() }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}

/**
 * A set not tried yet: the least suspect, then those that are not slow, then in the order given. Once every such
 * choice was tried, random ones, so that one that leaves out all liars comes up.
 */
function chooseSet(env: RequesterEnv, state: RequesterState): number[] | null {
  const { t } = state.order.manifest.core;
  const usable = state.order.holders.filter(({ x }) => !state.failed.has(x));
  if (usable.length < t) return null;
  const tried = new Set(state.attempts.map(({ request }) => request.set.join()));
  const rank = ({ x }: AskedHolder): number => suspicion(state, x) * 2 + (state.slow.has(x) ? 1 : 0);
  for (let draw = 0; draw < setsMax; draw++) {
    const list = draw === 0 ? usable : shuffled(env.random, usable);
    const ranked = draw < setsMax / 2 ? [...list].sort((a, b) => rank(a) - rank(b)) : list;
    const set = ranked
      .slice(0, t)
      .map(({ x }) => x)
      .sort((a, b) => a - b);
    if (!tried.has(set.join())) return set;
  }
  return null;
}

function requestFor(env: RequesterEnv, state: RequesterState, set: number[]): RoundRequest {
  const { core } = state.order.manifest;
  const { crypto, nowMs } = env;
  const unsigned: RoundRequest = {
    op: 'open',
    keyId: core.keyId,
    epoch: core.epoch,
    coreHash: state.coreHash,
    t: core.t,
    length: core.length,
    set,
    x: 0,
    recipientId: state.order.nodeKey,
    recipientKey: state.order.recipientKey,
    grant: state.order.grant,
    roundId: state.roundId,
    issuedAtMs: nowMs,
    signature: new Uint8Array(64),
  };
  const challenge = challengeOf(crypto, roundContextOf(crypto, unsigned, core.scheme));
  const signature = crypto.ed25519Sign(state.order.confirmationSeed, requestPreimage(challenge, nowMs));
  return { ...unsigned, signature };
}

/** How long a set may take before it is hedged: a few of its slowest member's usual round trips. */
function hedgeAfterMs(holders: readonly AskedHolder[]): number {
  const slowest = Math.max(...holders.map(({ roundTripMs }) => roundTripMs ?? 0));
  return Math.min(hedgeMaxMs, Math.max(hedgeMinMs, hedgeFactor * slowest));
}

/** Asks one more set, if there is one to ask and the bound on sets allows. */
function askSet(env: RequesterEnv, state: RequesterState): RequesterStep {
  const set = state.attempts.length < setsMax ? chooseSet(env, state) : null;
  if (set === null) return { state, effects: [] };
  const id = state.attempts.length;
  const request = requestFor(env, state, set);
  const attempt: Attempt = { id, request, contributions: new Map(), status: 'open' };
  const holders = state.order.holders.filter(({ x }) => set.includes(x));
  return {
    state: { ...state, attempts: [...state.attempts, attempt] },
    effects: [
      ...holders.map(holder => {
        return { type: 'ask', attempt: id, holder, request, deadlineMs: openDeadlineMs } as const;
      }),
      { type: 'wake', event: { type: 'hedge', attempt: id }, afterMs: hedgeAfterMs(holders) },
    ],
  };
}

/**
 * Starts an open: asks a first set of t holders (docs/PROTOCOL.md, the masked round).
 *
 * @param order what to open; nothing of it is secret but the confirmation seed, which stays the caller's
 */
export function startOpen(env: RequesterEnv, order: OpenOrder): RequesterStep {
  const first = askSet(env, {
    order,
    coreHash: coreHashOf(env.crypto, order.manifest.core),
    roundId: env.random.bytes(16),
    attempts: [],
    failed: new Map(),
    slow: new Set(),
    ended: false,
  });
  const deadline = { type: 'wake', event: { type: 'deadline' }, afterMs: openDeadlineMs } as const;
  const { state, effects } = first;
  return effects.length > 0 ? { state, effects: [...effects, deadline] } : giveUp(state);
}

function end(state: RequesterState, effect: RequesterEffect): RequesterStep {
  for (const { contributions } of state.attempts) wipe(...contributions.values());
  return { state: { ...state, ended: true }, effects: [effect] };
}

/** Why an open failed: what most holders refused it for, wrong sums, or too few answers; it names who and why. */
function failure(state: RequesterState): SkerryError {
  const { t, k } = state.order.manifest.core;
  const reasons = new Map(state.failed);
  for (const { request, contributions, status } of state.attempts) {
    if (status !== 'open') continue;
    for (const x of request.set) if (!contributions.has(x)) reasons.set(x, 'DEADLINE_EXCEEDED');
  }
  const named = state.order.holders.filter(({ x }) => reasons.has(x));
  const missing = named.map(({ x, label }) => `${label}: ${reasons.get(x)}`).join('; ');
  const metadata = { threshold: t, holders: k, missing: named.length, who: missing };
  const refusals = [...reasons.values()].filter(code => errorTable[code].kind === 'refused');
  const [refusal] = refusals;
  if (refusal !== undefined && refusals.length > k - t) {
    return new SkerryError(refusal, `${errorTable[refusal].meaning} (${missing})`, metadata);
  }
  if (k - named.length >= t && state.attempts.some(({ status }) => status === 'wrong')) {
    const sets = state.attempts.length;
    return new SkerryError(
      'KEY_CORRUPT',
      `${sets} sets of holders gave no key that matches its commitment`,
      metadata,
    );
  }
  const message = `${named.length} of ${k} holders did not answer and ${t} are needed: ${missing}`;
  return new SkerryError('KEY_UNAVAILABLE', message, metadata);
}

function giveUp(state: RequesterState): RequesterStep {
  return end(state, { type: 'fail', error: failure(state) });
}

/** Asks up to `count` more sets, or gives up when nothing is left to wait for. */
function goOn(env: RequesterEnv, state: RequesterState, count: number): RequesterStep {
  let next = state;
  const effects: RequesterEffect[] = [];
  for (let i = 0; i < count; i++) {
    const step = askSet(env, next);
    next = step.state;
    effects.push(...step.effects);
  }
  return next.attempts.some(({ status }) => status === 'open') ? { state: next, effects } : giveUp(next);
}

function replaceAttempt(state: RequesterState, changed: Attempt): RequesterState {
  return { ...state, attempts: state.attempts.map(old => (old.id === changed.id ? changed : old)) };
}

/** A holder failed: every set that it is in and still owes to is void. */
function dropHolder(env: RequesterEnv, state: RequesterState, x: number, code: ErrorCode): RequesterStep {
  const attempts = state.attempts.map(attempt => {
    const owes =
      attempt.status === 'open' && attempt.request.set.includes(x) && !attempt.contributions.has(x);
    return owes ? ({ ...attempt, status: 'void' } as const) : attempt;
  });
  const next = { ...state, attempts, failed: new Map(state.failed).set(x, code) };
  const waiting = attempts.some(({ status }) => status === 'open');
  return goOn(env, next, waiting ? 0 : 1);
}

/** The contribution in an opened answer, if its node signed it for this round. */
function contributionIn(
  env: RequesterEnv,
  state: RequesterState,
  request: RoundRequest,
  x: number,
  answer: Uint8Array,
): Uint8Array | ErrorCode {
  const { crypto } = env;
  const holder = state.order.holders.find(candidate => candidate.x === x);
  assert(holder !== undefined, 'an answer comes from a holder that was asked');
  try {
    const { contribution, signature }: Contribution = decode(contributionShape, answer, 512, 'contribution');
    const context = roundContextOf(crypto, request, state.order.manifest.core.scheme);
    const signed = contributionPreimage(challengeOf(crypto, context), x, contribution);
    if (contribution.length !== request.length) return 'SHARE_LENGTH_INVALID';
    return crypto.ed25519Verify(nodeKeyOf(holder.nodeId), signed, signature)
      ? contribution
      : 'SIGNATURE_INVALID';
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  } finally {
    wipe(answer);
  }
}

/** Sums a complete set: the key, or one more reason to try others. */
function sum(env: RequesterEnv, state: RequesterState, attempt: Attempt): RequesterStep {
  const { core } = state.order.manifest;
  const answers = [...attempt.contributions].map(([x, contribution]) => ({ x, contribution }));
  try {
    const context = roundContextOf(env.crypto, attempt.request, core.scheme);
    const payload = recoverPayload(env.crypto, context, answers, core);
    return end(state, { type: 'done', payload, sets: state.attempts.length });
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
    return goOn(env, replaceAttempt(state, { ...attempt, status: 'wrong' }), setsAtOnce);
  }
}

function takeAnswer(
  env: RequesterEnv,
  state: RequesterState,
  event: Extract<RequesterEvent, { type: 'answered' }>,
): RequesterStep {
  const attempt = state.attempts[event.attempt];
  assert(attempt?.request.set.includes(event.x) === true, 'an answer belongs to a set that was asked');
  if (attempt.status !== 'open' || attempt.contributions.has(event.x)) return { state, effects: [] };
  if (typeof event.answer === 'string') return dropHolder(env, state, event.x, event.answer);
  const contribution = contributionIn(env, state, attempt.request, event.x, event.answer);
  if (typeof contribution === 'string') return dropHolder(env, state, event.x, contribution);
  const contributions = new Map(attempt.contributions).set(event.x, contribution);
  const next = { ...attempt, contributions };
  const updated = replaceAttempt(state, next);
  return contributions.size === attempt.request.set.length
    ? sum(env, updated, next)
    : { state: updated, effects: [] };
}

/** A set is late: its silent members count as slow, and another set is asked without them where there is one. */
function hedge(env: RequesterEnv, state: RequesterState, id: number): RequesterStep {
  const attempt = state.attempts[id];
  if (attempt?.status !== 'open') return { state, effects: [] };
  const silent = attempt.request.set.filter(x => !attempt.contributions.has(x));
  return askSet(env, { ...state, slow: new Set([...state.slow, ...silent]) });
}

/**
 * One step of an open. One silent member voids its set, so another set is asked as soon as a member fails or is
 * late; a wrong sum blames nobody, and several other sets are asked at once. It ends with the committed payload or
 * a coded error, never with a wrong key, and always within `openDeadlineMs`.
 *
 * @param state as the last step returned it
 * @param event what happened
 * @returns the next state and the effects; after `done` or `fail` there are none
 */
export function stepRequester(
  env: RequesterEnv,
  state: RequesterState,
  event: RequesterEvent,
): RequesterStep {
  if (state.ended) {
    if (event.type === 'answered' && typeof event.answer !== 'string') wipe(event.answer);
    return { state, effects: [] };
  }
  switch (event.type) {
    case 'answered':
      return takeAnswer(env, state, event);
    case 'hedge':
      return hedge(env, state, event.attempt);
    case 'deadline':
      return giveUp(state);
  }
}
