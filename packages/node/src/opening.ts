import { assert, type Clock, type Random, SkerryError, wipe } from '@skerry/base';
import { type HpkeRecipient, hpkeRecipient, nodeCrypto } from '@skerry/crypto';
import {
  type AskedHolder,
  type RequesterEffect,
  type RequesterEvent,
  type RoundEnd,
  type RoundObservation,
  type RoundOrder,
  roundContextOf,
  startRound,
  stepRequester,
  type WrongSet,
  wipeWrongSet,
} from '@skerry/custody';
import { challengeOf, type Share, unpackKey } from '@skerry/sharing';
import {
  amendmentOf,
  answerInfo,
  coreHashOf,
  type Manifest,
  nodeIdOf,
  proposalHashOf,
  seatsOf,
} from '@skerry/wire';
import { ask, codeOf } from './asking.ts';
import type { PeerStreams } from './streams.ts';

/** What a round needs of its node. */
type RoundOptions = {
  readonly streams: Pick<PeerStreams, 'request' | 'isAlive' | 'roundTripMs'>;
  readonly nodeKey: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  /** Told at the end, right or wrong, what the round showed of each holder asked; called once. @default nobody */
  readonly onObserved?: (observations: readonly RoundObservation[]) => void;
};

/** What an open needs of its node. */
type OpeningOptions = RoundOptions & {
  /** 32 bytes, the grant's confirmation key; stays the caller's. */
  readonly confirmationSeed: Uint8Array;
  /** Given, and to wipe, the first set of an open that gave another payload. @default wiped here */
  readonly onWrong?: (wrong: WrongSet) => void;
};

/** A key that was opened. */
export type OpenedKey = {
  /** Owned, and wiped, by the caller. */
  readonly key: Uint8Array;
  /** Sets of holders that were asked: 1 when all went well. */
  readonly sets: number;
};

/** The sets that a drill asked and that answered; points, ascending. */
type Drilled = {
  /** The one that gave this node's own share, if one did: each of them has its own. */
  readonly right: readonly number[] | null;
  /** Those that gave another: in each of them somebody was wrong, and nobody knows who. */
  readonly wrong: readonly (readonly number[])[];
};

/** What a round gave; a payload or share in it is owned by whoever receives it. */
type RoundResult = Exclude<RoundEnd, { type: 'fail' }>;

/** Holders in the order given, with what is known of their round trips. */
function timed(
  streams: RoundOptions['streams'],
  holders: readonly Omit<AskedHolder, 'roundTripMs'>[],
): AskedHolder[] {
  return holders.map(holder => ({ ...holder, roundTripMs: streams.roundTripMs(holder.nodeId) }));
}

/** Those to ask first: with a live connection, then the nearest, then in the manifest's order. */
function inOrder(
  streams: RoundOptions['streams'],
  holders: readonly Omit<AskedHolder, 'roundTripMs'>[],
): AskedHolder[] {
  const known = holders.map(holder => {
    const roundTripMs = streams.roundTripMs(holder.nodeId);
    return {
      rank: streams.isAlive(holder.nodeId) ? (roundTripMs ?? 1e6) : 1e9,
      asked: { ...holder, roundTripMs },
    };
  });
  return known.sort((a, b) => a.rank - b.rank).map(({ asked }) => asked);
}

/** Asks one holder for its part, and opens what it answers; a failure is an event too. */
async function askHolder(
  streams: RoundOptions['streams'],
  { attempt, holder, request, deadlineMs }: Extract<RequesterEffect, { type: 'ask' }>,
  order: RoundOrder,
  recipient: HpkeRecipient,
  signal: AbortSignal,
): Promise<RequesterEvent> {
  const { nodeId, x } = holder;
  try {
    const { sealed } = await ask(streams, nodeId, 'round', request, { deadlineMs, signal });
    const context = roundContextOf(nodeCrypto, request, order.manifest.core.scheme);
    const info = answerInfo(challengeOf(nodeCrypto, context), x);
    const opened = await recipient.open(info, sealed);
    return { type: 'answered', attempt, x, answer: opened ?? 'SIGNATURE_INVALID' };
  } catch (error) {
    return { type: 'answered', attempt, x, answer: codeOf(error) };
  }
}

/**
 * Carries the requester's machine to its end, or to a bug. Then no timer runs, requests under way are called off, and
 * an answer that is still being opened is wiped.
 */
async function runRound(
  { streams, clock, random, onObserved }: RoundOptions,
  order: RoundOrder,
  recipient: HpkeRecipient,
): Promise<RoundResult> {
  const ending = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const { promise, resolve, reject } = Promise.withResolvers<RoundResult>();
  const env = () => ({ crypto: nodeCrypto, random, nowMs: clock.nowMs() });
  const first = startRound(env(), order);
  let { state } = first;

  function take(event: RequesterEvent): void {
    if (ending.signal.aborted) {
      if (event.type === 'answered' && typeof event.answer !== 'string') wipe(event.answer);
      return;
    }
    try {
      const step = stepRequester(env(), state, event);
      state = step.state;
      carryOut(step.effects);
    } catch (error) {
      reject(error);
    }
  }

  function carryOut(effects: readonly RequesterEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'ask') {
        askHolder(streams, effect, order, recipient, ending.signal).then(take, reject);
      } else if (effect.type === 'wake') timers.add(setTimeout(take, effect.afterMs, effect.event));
      else finish(effect);
    }
  }

  function finish(effect: RoundEnd): void {
    onObserved?.(effect.observations);
    if (effect.type === 'fail') reject(effect.error);
    else resolve(effect);
  }

  carryOut(first.effects);
  try {
    return await promise;
  } finally {
    ending.abort(new SkerryError('DEADLINE_EXCEEDED'));
    for (const timer of timers) clearTimeout(timer);
  }
}

/**
 * Runs a round.
 *
 * @param seed of the key that its answers are sealed to, which stays the caller's; a fresh one when left out
 */
async function run(
  options: RoundOptions,
  order: Omit<RoundOrder, 'recipientKey' | 'nodeKey'>,
  seed?: Uint8Array,
): Promise<RoundResult> {
  const recipientSeed = seed ?? options.random.bytes(32);
  const recipient = hpkeRecipient(recipientSeed);
  if (!seed) wipe(recipientSeed);
  const { publicKey: recipientKey } = recipient;
  return runRound(options, { ...order, recipientKey, nodeKey: options.nodeKey }, recipient);
}

/**
 * Opens a key: carries the requester's machine until the committed key is there or the open has failed.
 *
 * @param order the key's manifest, the grant, and who holds what
 * @throws KEY_UNAVAILABLE, KEY_CORRUPT, and the refusal that holders agree on (GRANT_EXPIRED and others)
 */
export async function openKey(
  options: OpeningOptions,
  order: {
    readonly manifest: Manifest;
    readonly grant: Uint8Array;
    readonly holders: readonly Omit<AskedHolder, 'roundTripMs'>[];
  },
): Promise<OpenedKey> {
  const { manifest, grant } = order;
  const { box, keyId } = manifest.core;
  const holders = inOrder(options.streams, order.holders);
  const aim = { op: 'open', grant, confirmationSeed: options.confirmationSeed } as const;
  const result = await run(options, { manifest, holders, aim });
  assert(result.type === 'done', 'an open gives a payload');
  const { payload, wrong, sets } = result;
  if (wrong && options.onWrong) options.onWrong(wrong);
  else wipeWrongSet(wrong);
  try {
    return { key: unpackKey({ crypto: nodeCrypto, payload, box, keyId }), sets };
  } finally {
    wipe(payload);
  }
}

/**
 * Has the share of a point made by the holders of others, for its owner, who is to know whether they answer rightly
 * (docs/PROTOCOL.md, inspections).
 *
 * @param order.manifest of the key
 * @param order.x the point, whose holder is not asked
 * @param order.grant of the owner, to inspect
 * @param order.holders those to ask first come first
 * @returns the share and the first set that gave another; both owned, and wiped, by the caller
 * @throws KEY_UNAVAILABLE, KEY_CORRUPT, or the refusal that holders agree on
 */
export async function inspectPoint(
  options: OpeningOptions,
  order: {
    readonly manifest: Manifest;
    readonly x: number;
    readonly grant: Uint8Array;
    readonly holders: readonly Omit<AskedHolder, 'roundTripMs'>[];
  },
): Promise<Extract<RoundEnd, { type: 'inspected' }>> {
  const { manifest, x, grant } = order;
  const { confirmationSeed } = options;
  const holders = timed(options.streams, order.holders);
  const result = await run(options, {
    manifest,
    holders,
    aim: { op: 'inspect', x, grant, confirmationSeed },
  });
  assert(result.type === 'inspected', 'an inspection gives a share');
  return result;
}

/**
 * Has this node's own share of a key made again by others that hold one, and looks whether it is the same: then they
 * have theirs. The share itself is wiped at once (docs/PROTOCOL.md, drills).
 *
 * @param order.manifest of the key
 * @param order.x this node's own point
 * @param order.shareSeed the seed of its share's verification key (`CustodyService.holding`); stays the caller's
 * @param order.holders the others, those to ask first come first
 * @throws KEY_UNAVAILABLE where too few answer, or the refusal that holders agree on (RATE_LIMITED is none)
 */
export async function drillKey(
  options: RoundOptions,
  order: {
    readonly manifest: Manifest;
    readonly x: number;
    readonly shareSeed: Uint8Array;
    readonly holders: readonly Omit<AskedHolder, 'roundTripMs'>[];
  },
): Promise<Drilled> {
  const { manifest, x, shareSeed } = order;
  const holders = timed(options.streams, order.holders);
  const result = await run(options, { manifest, holders, aim: { op: 'drill', x, shareSeed } });
  assert(result.type === 'drilled', 'a drill gives no payload');
  return { right: result.right, wrong: result.wrong };
}

/**
 * Has a share made that was moved to this node, by others that hold one. Nobody but this node learns anything of it, and
 * nobody assembles the key (docs/PROTOCOL.md, healing).
 *
 * @param order.manifest of the key, whose last amendment of `x` names this node
 * @param order.x the point
 * @param order.ekSeed the private half of the key that this node gave for it; stays the caller's
 * @param order.nodeSeed 32 bytes; stays the caller's
 * @returns the share, which yields the keys of its point; owned, and wiped, by the caller
 * @throws KEY_UNAVAILABLE where too few answer, KEY_CORRUPT, or the refusal that holders agree on
 */
export async function repairShare(
  options: RoundOptions,
  order: {
    readonly manifest: Manifest;
    readonly x: number;
    readonly ekSeed: Uint8Array;
    readonly nodeSeed: Uint8Array;
  },
): Promise<Share> {
  const { manifest, x, ekSeed, nodeSeed } = order;
  const amendment = amendmentOf(manifest.amendments, x);
  assert(amendment !== undefined, 'a repair follows an amendment');
  const coreHash = coreHashOf(nodeCrypto, manifest.core);
  const proposalHash = proposalHashOf(nodeCrypto, coreHash, amendment.proposal);
  const others = seatsOf(manifest)
    .filter(seat => seat.x !== x)
    .map(seat => ({ x: seat.x, nodeId: nodeIdOf(seat.nodeKey), label: nodeIdOf(seat.nodeKey) }));
  const holders = inOrder(options.streams, others);
  const aim = { op: 'repair', x, proposalHash, nodeSeed } as const;
  const result = await run(options, { manifest, holders, aim }, ekSeed);
  assert(result.type === 'repaired', 'a repair gives a share');
  return result.share;
}
