import { type Clock, type Random, SkerryError, wipe } from '@skerry/base';
import { type HpkeRecipient, hpkeRecipient, nodeCrypto } from '@skerry/crypto';
import {
  type AskedHolder,
  type OpenOrder,
  type RequesterEffect,
  type RequesterEvent,
  roundContextOf,
  startOpen,
  stepRequester,
} from '@skerry/custody';
import { challengeOf, unpackKey } from '@skerry/sharing';
import { answerInfo, type Manifest } from '@skerry/wire';
import { ask, codeOf } from './asking.ts';
import type { PeerStreams } from './streams.ts';

/** What an open needs of its node. */
type OpeningOptions = {
  readonly streams: Pick<PeerStreams, 'request' | 'isAlive' | 'roundTripMs'>;
  readonly nodeKey: Uint8Array;
  /** 32 bytes, the grant's confirmation key; stays the caller's. */
  readonly confirmationSeed: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
};

/** A key that was opened. */
export type OpenedKey = {
  /** Owned, and wiped, by the caller. */
  readonly key: Uint8Array;
  /** Sets of holders that were asked: 1 when all went well. */
  readonly sets: number;
};

/** The payload that a round gave, owned by whoever receives it. */
type RoundResult = { readonly payload: Uint8Array; readonly sets: number };

/** Those to ask first: with a live connection, then the nearest, then in the manifest's order. */
function inOrder(
  streams: OpeningOptions['streams'],
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
  streams: OpeningOptions['streams'],
  { attempt, holder, request, deadlineMs }: Extract<RequesterEffect, { type: 'ask' }>,
  order: OpenOrder,
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
  { streams, clock, random }: OpeningOptions,
  order: OpenOrder,
  recipient: HpkeRecipient,
): Promise<RoundResult> {
  const ending = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const { promise, resolve, reject } = Promise.withResolvers<RoundResult>();
  const env = () => ({ crypto: nodeCrypto, random, nowMs: clock.nowMs() });
  const first = startOpen(env(), order);
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
      else if (effect.type === 'done') resolve({ payload: effect.payload, sets: effect.sets });
      else reject(effect.error);
    }
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
  const { streams, nodeKey, confirmationSeed, random } = options;
  const { box, keyId } = order.manifest.core;
  const recipientSeed = random.bytes(32);
  const recipient = hpkeRecipient(recipientSeed);
  wipe(recipientSeed);
  const holders = inOrder(streams, order.holders);
  const asked = { ...order, holders, recipientKey: recipient.publicKey, nodeKey, confirmationSeed };
  const { payload, sets } = await runRound(options, asked, recipient);
  try {
    return { key: unpackKey({ crypto: nodeCrypto, payload, box, keyId }), sets };
  } finally {
    wipe(payload);
  }
}
