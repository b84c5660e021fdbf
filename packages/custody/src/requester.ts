import { assert, type ErrorCode, SkerryError, wipe } from '@skerry/base';
import { recoverPayload, recoverShare, type Share } from '@skerry/sharing';
import { coreHashOf } from '@skerry/wire';
import {
  asksMax,
  drillSetsMax,
  hedgeFactor,
  hedgeMaxMs,
  hedgeMinMs,
  hedgePerSetMs,
  openDeadlineMs,
  setsInFlightMax,
  setsPerWrongSum,
} from '../parameters.ts';
import { contributionIn, isSigned } from './holder-reply.ts';
import { roundContextOf } from './holder-round.ts';
import type { WrongSet } from './inspection.ts';
import { explainFailure } from './open-failure.ts';
import type {
  Attempt,
  RequesterEffect,
  RequesterEvent,
  RequesterState,
  RequesterStep,
} from './requester-state.ts';
import { missingIn, observationsIn } from './round-evidence.ts';
import {
  type AskedHolder,
  checkOrder,
  type RequesterEnv,
  type RoundOrder,
  requestFor,
} from './round-order.ts';
import { chooseSet, nameSet } from './set-choice.ts';

/** What a holder says when it has too much to do: its set is lost, the holder is not. */
const busyCodes: ReadonlySet<ErrorCode> = new Set(['TOO_BUSY', 'RATE_LIMITED']);

function nextSet(env: RequesterEnv, state: RequesterState): number[] | null {
  const { order, attempts, failed, slow, suspicion } = state;
  const { t } = order.manifest.core;
  if ((attempts.length + 1) * t > asksMax) return null;
  const isAudit = order.aim.op === 'drill' || order.aim.op === 'inspect';
  if (isAudit && attempts.length >= drillSetsMax) return null;
  const usable = order.holders.map(({ x }) => x).filter(x => !failed.has(x));
  const tried = new Set(attempts.filter(({ status }) => status !== 'void').map(({ name }) => name));
  return chooseSet(env.random, { t, usable, isSlow: x => slow.has(x), suspicion, tried });
}

/** How long a set may take: a few of its slowest member's usual round trips, and more beside others in flight. */
function hedgeAfterMs(holders: readonly AskedHolder[], inFlight: number): number {
  const slowest = Math.max(...holders.map(({ roundTripMs }) => roundTripMs ?? 0));
  return Math.min(hedgeMaxMs, Math.max(hedgeMinMs, hedgeFactor * slowest)) + hedgePerSetMs * inFlight;
}

function countOpen({ attempts }: RequesterState): number {
  return attempts.filter(({ status }) => status === 'open').length;
}

function isUnderWay({ attempts }: RequesterState): boolean {
  return attempts.some(({ status }) => status === 'open' || status === 'busy');
}

function askSet(env: RequesterEnv, state: RequesterState, set: number[]): RequesterStep {
  const id = state.attempts.length;
  const request = requestFor(env, state.order, state, set);
  const attempt: Attempt = { id, name: nameSet(set), request, contributions: new Map(), status: 'open' };
  const holders = state.order.holders.filter(({ x }) => set.includes(x));
  const afterMs = hedgeAfterMs(holders, countOpen(state));
  return {
    state: { ...state, attempts: [...state.attempts, attempt] },
    effects: [
      ...holders.map(holder => {
        return { type: 'ask', attempt: id, holder, request, deadlineMs: openDeadlineMs } as const;
      }),
      { type: 'wake', event: { type: 'hedge', attempt: id }, afterMs },
    ],
  };
}

/**
 * Asks further sets until as many are in flight as there should be: one, and more after each wrong sum. One with a
 * slow holder goes when no other is under way. Gives up where nothing is left to wait for.
 */
function goOn(env: RequesterEnv, state: RequesterState): RequesterStep {
  const wanted = Math.min(setsInFlightMax, 1 + setsPerWrongSum * state.wrongSets);
  const effects: RequesterEffect[] = [];
  for (let inFlight = countOpen(state); inFlight < wanted; inFlight++) {
    const set = nextSet(env, state);
    if (set === null || (set.some(x => state.slow.has(x)) && isUnderWay(state))) break;
    const step = askSet(env, state, set);
    state = step.state;
    effects.push(...step.effects);
  }
  const waiting = isUnderWay(state) || state.attempts.some(({ status }) => status === 'late');
  return waiting ? { state, effects } : giveUp(env, state);
}

/**
 * Starts an open, an inspection, a drill or a repair: asks a first set of t holders (docs/PROTOCOL.md, "How a requester
 * opens a key").
 *
 * @param env time and randomness
 * @param order what to do; nothing of it is secret but the seed that signs its requests, which stays the caller's
 */
export function startRound(env: RequesterEnv, order: RoundOrder): RequesterStep {
  checkOrder(order);
  const { state, effects } = goOn(env, {
    order,
    coreHash: coreHashOf(env.crypto, order.manifest.core),
    roundId: env.random.bytes(16),
    attempts: [],
    failed: new Map(),
    slow: new Map(),
    suspicion: new Map(),
    wrongSets: 0,
    answeredInMs: new Map(),
    ended: false,
  });
  if (state.ended) return { state, effects };
  const deadline = { type: 'wake', event: { type: 'deadline' }, afterMs: openDeadlineMs } as const;
  return { state, effects: [...effects, deadline] };
}

function end(state: RequesterState, effect: RequesterEffect): RequesterStep {
  for (const { contributions } of state.attempts) {
    for (const { contribution } of contributions.values()) wipe(contribution);
  }
  return { state: { ...state, ended: true }, effects: [effect] };
}

function giveUp(env: RequesterEnv, state: RequesterState): RequesterStep {
  const { holders, manifest, aim } = state.order;
  const observations = observationsIn(state, env.nowMs);
  const wrong = state.attempts.filter(({ status }) => status === 'wrong').map(({ request }) => request.set);
  if (aim.op === 'drill' && wrong.length > 0) {
    return end(state, { type: 'drilled', right: null, wrong, observations });
  }
  const { t } = manifest.core;
  const k = manifest.core.k - (aim.op === 'open' ? 0 : 1);
  const reasons = missingIn(state);
  const absent = holders.flatMap(({ x, label }) => {
    const code = reasons.get(x);
    return code === undefined ? [] : [{ label, code }];
  });
  const error = explainFailure({ t, k, absent, wrongSets: state.wrongSets });
  return end(state, { type: 'fail', error, observations });
}

function replaceAttempt(state: RequesterState, changed: Attempt): RequesterState {
  return { ...state, attempts: state.attempts.map(old => (old.id === changed.id ? changed : old)) };
}

/** Whether a set still wants the contribution of a holder. */
function wants({ status, request, contributions }: Attempt, x: number): boolean {
  return (status === 'open' || status === 'late') && request.set.includes(x) && !contributions.has(x);
}

/** A holder failed: every set that wants its contribution is void. */
function dropHolder(env: RequesterEnv, state: RequesterState, x: number, code: ErrorCode): RequesterStep {
  const attempts = state.attempts.map(attempt =>
    wants(attempt, x) ? ({ ...attempt, status: 'void' } as const) : attempt,
  );
  return goOn(env, { ...state, attempts, failed: new Map(state.failed).set(x, code) });
}

/** A holder is busy: a set without slow ones is asked at once, and others, this one too, when its time is over. */
function passOver(
  env: RequesterEnv,
  state: RequesterState,
  attempt: Attempt,
  x: number,
  code: ErrorCode,
): RequesterStep {
  const slow = new Map(state.slow).set(x, code);
  return goOn(env, { ...replaceAttempt(state, { ...attempt, status: 'busy' }), slow });
}

/**
 * A set whose sum is wrong, and parts of it that their holders' nodes did not sign: those holders have failed, and the
 * set says nothing about its other members.
 */
function dropForgers(env: RequesterEnv, state: RequesterState, id: number, forgers: number[]): RequesterStep {
  const attempts = state.attempts.map(attempt => {
    const isVoid = attempt.id === id || forgers.some(x => wants(attempt, x));
    return isVoid ? ({ ...attempt, status: 'void' } as const) : attempt;
  });
  const failed = new Map(state.failed);
  for (const x of forgers) failed.set(x, 'SIGNATURE_INVALID');
  return goOn(env, { ...state, attempts, failed });
}

/** What a complete set sums up to: an open's payload, or the share of a point; throws where that is not the core's. */
function recover(env: RequesterEnv, { order }: RequesterState, attempt: Attempt): Uint8Array | Share {
  const { core } = order.manifest;
  const { aim } = order;
  const answers = [...attempt.contributions].map(([x, { contribution }]) => ({ x, contribution }));
  const context = roundContextOf(env.crypto, attempt.request, core.scheme);
  if (aim.op === 'open') return recoverPayload(env.crypto, context, answers, core);
  const point = core.points.find(({ x }) => x === aim.x);
  assert(point !== undefined, 'a holder has a point');
  return recoverShare(env.crypto, context, answers, point);
}

/** The first set whose sum was wrong, with copies of what its members signed. */
function firstWrongIn({ attempts }: RequesterState): WrongSet | null {
  const attempt = attempts.find(({ status }) => status === 'wrong');
  if (!attempt) return null;
  const parts = [...attempt.contributions].map(([x, part]) => [x, part.contribution.slice()] as const);
  return { request: attempt.request, contributions: new Map(parts) };
}

/** A set's sum is right: the round is done. */
function succeed(
  env: RequesterEnv,
  state: RequesterState,
  { request }: Attempt,
  result: Uint8Array | Share,
): RequesterStep {
  const { attempts, order } = state;
  const observations = observationsIn(state, env.nowMs);
  const isToBeJudged = order.aim.op === 'open' || order.aim.op === 'inspect';
  const wrong = isToBeJudged ? firstWrongIn(state) : null;
  if (result instanceof Uint8Array) {
    return end(state, { type: 'done', payload: result, wrong, sets: attempts.length, observations });
  }
  if (order.aim.op === 'repair') return end(state, { type: 'repaired', share: result, observations });
  if (order.aim.op === 'inspect') {
    return end(state, { type: 'inspected', share: result, wrong, observations });
  }
  wipe(result.y);
  const wrongSets = attempts.filter(({ status }) => status === 'wrong').map(attempt => attempt.request.set);
  return end(state, { type: 'drilled', right: request.set, wrong: wrongSets, observations });
}

/**
 * Sums a complete set: what was asked for, or one more reason to try others. It says nothing about any one member who
 * signed its part. The core alone says whether a sum is right, so that signatures are only looked at where it is not.
 */
function sum(env: RequesterEnv, state: RequesterState, attempt: Attempt): RequesterStep {
  try {
    const result = recover(env, state, attempt);
    return succeed(env, replaceAttempt(state, { ...attempt, status: 'right' }), attempt, result);
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
    const { manifest } = state.order;
    const forgers = [...attempt.contributions]
      .filter(([x, part]) => !isSigned(env.crypto, manifest, attempt.request, x, part))
      .map(([x]) => x);
    if (forgers.length > 0) return dropForgers(env, state, attempt.id, forgers);
    const suspicion = new Map(state.suspicion);
    for (const x of attempt.request.set) suspicion.set(x, (suspicion.get(x) ?? 0) + 1);
    const next = { ...replaceAttempt(state, { ...attempt, status: 'wrong' }), suspicion };
    return goOn(env, { ...next, wrongSets: state.wrongSets + 1 });
  }
}

/** Notes how long a holder took. A code may come from this side, and in no time, so that it says nothing. */
function timeAnswer(
  env: RequesterEnv,
  state: RequesterState,
  { request }: Attempt,
  { x, answer }: Extract<RequesterEvent, { type: 'answered' }>,
): RequesterState {
  if (typeof answer === 'string') return state;
  const tookMs = Math.max(0, env.nowMs - request.issuedAtMs);
  const answeredInMs = new Map(state.answeredInMs);
  answeredInMs.set(x, Math.min(tookMs, answeredInMs.get(x) ?? tookMs));
  return { ...state, answeredInMs };
}

function takeAnswer(
  env: RequesterEnv,
  state: RequesterState,
  event: Extract<RequesterEvent, { type: 'answered' }>,
): RequesterStep {
  const { x, answer } = event;
  const attempt = state.attempts[event.attempt];
  assert(attempt?.request.set.includes(x) === true, 'an answer belongs to a set that was asked');
  state = timeAnswer(env, state, attempt, event);
  if (!wants(attempt, x)) {
    if (typeof answer !== 'string') wipe(answer);
    return { state, effects: [] };
  }
  const { request } = attempt;
  const part = typeof answer === 'string' ? answer : contributionIn(request, answer);
  if (typeof part === 'string') {
    return busyCodes.has(part) ? passOver(env, state, attempt, x, part) : dropHolder(env, state, x, part);
  }
  const slow = new Map(state.slow);
  slow.delete(x);
  const next = { ...attempt, contributions: new Map(attempt.contributions).set(x, part) };
  const updated = { ...replaceAttempt(state, next), slow };
  return next.contributions.size === request.set.length
    ? sum(env, updated, next)
    : { state: updated, effects: [] };
}

/** The time of a set is over. Its silent members count as slow, and another is asked, without them if there is one. */
function hedge(env: RequesterEnv, state: RequesterState, id: number): RequesterStep {
  const attempt = state.attempts[id];
  if (attempt?.status !== 'open' && attempt?.status !== 'busy') return { state, effects: [] };
  const slow = new Map(state.slow);
  for (const x of attempt.request.set) if (wants(attempt, x)) slow.set(x, 'DEADLINE_EXCEEDED');
  const status = attempt.status === 'open' ? 'late' : 'void';
  return goOn(env, { ...replaceAttempt(state, { ...attempt, status }), slow });
}

/**
 * One step of a round. One silent member spoils its set, so another set is asked as soon as a member fails or is
 * late; a wrong sum blames nobody, and several other sets are asked at once. An open ends with the committed payload or
 * a coded error, never with a wrong key, and always within `openDeadlineMs`; a drill or repair with the own share made
 * again, an inspection with that of its point, a drill with the sets that made another, or with a coded error.
 *
 * @param env time and randomness
 * @param state as the last step returned it
 * @param event what happened
 * @returns the next state and the effects; after the last there are none
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
      return giveUp(env, state);
  }
}
