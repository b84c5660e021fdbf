import { type Clock, type Random, wipe } from '@skerry/base';
import { hpkeOpen, nodeCrypto } from '@skerry/crypto';
import {
  type AskedHolder,
  type RequesterEffect,
  type RequesterEvent,
  roundContextOf,
  startOpen,
  stepRequester,
} from '@skerry/custody';
import { challengeOf, unpackKey } from '@skerry/sharing';
import { answerInfo, type Manifest } from '@skerry/wire';
import { ask, codeOf } from './dealing.ts';
import type { PeerStreams } from './streams.ts';

/** What an open needs of its node. */
export type OpeningOptions = {
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

/** Those to ask first: with a live connection, then the nearest, then in the manifest's order. */
function inOrder(
  streams: OpeningOptions['streams'],
  holders: readonly Omit<AskedHolder, 'roundTripMs'>[],
): AskedHolder[] {
  const known = holders.map(holder => ({ ...holder, roundTripMs: streams.roundTripMs(holder.nodeId) }));
  const rank = (holder: AskedHolder): number =>
    streams.isAlive(holder.nodeId) ? (holder.roundTripMs ?? 1e6) : 1e9;
  return known.sort((a, b) => rank(a) - rank(b));
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
  const { streams, nodeKey, confirmationSeed, clock, random } = options;
  const { manifest, grant } = order;
  const { scheme, box, keyId } = manifest.core;
  const recipientSeed = random.bytes(32);
  const recipientKey = nodeCrypto.x25519PublicKey(recipientSeed);
  const ending = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const { promise, resolve, reject } = Promise.withResolvers<{ payload: Uint8Array; sets: number }>();
  const env = () => ({ crypto: nodeCrypto, random, nowMs: clock.nowMs() });
  const holders = inOrder(streams, order.holders);
  let { state, effects } = startOpen(env(), {
    manifest,
    holders,
    grant,
    recipientKey,
    nodeKey,
    confirmationSeed,
  });

  const dispatch = (event: RequesterEvent): void => {
    const step = stepRequester(env(), state, event);
    state = step.state;
    carryOut(step.effects);
  };

  async function askHolder(effect: Extract<RequesterEffect, { type: 'ask' }>): Promise<void> {
    const { attempt, holder, request, deadlineMs } = effect;
    const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, request, scheme));
    try {
      const within = { deadlineMs, signal: ending.signal };
      const { sealed } = await ask(streams, holder.nodeId, 'round', request, within);
      const opened = await hpkeOpen(recipientSeed, answerInfo(challenge, holder.x), sealed);
      dispatch({ type: 'answered', attempt, x: holder.x, answer: opened ?? 'SIGNATURE_INVALID' });
    } catch (error) {
      if (!ending.signal.aborted) dispatch({ type: 'answered', attempt, x: holder.x, answer: codeOf(error) });
    }
  }

  function wake(event: RequesterEvent): void {
    try {
      dispatch(event);
    } catch (error) {
      reject(error);
    }
  }

  function carryOut(list: readonly RequesterEffect[]): void {
    for (const effect of list) {
      if (effect.type === 'ask') askHolder(effect).catch(reject);
      else if (effect.type === 'wake') timers.add(setTimeout(wake, effect.afterMs, effect.event));
      else if (effect.type === 'done') resolve(effect);
      else reject(effect.error);
    }
  }

  carryOut(effects);
  effects = [];
  try {
    const { payload, sets } = await promise;
    const key = unpackKey({ crypto: nodeCrypto, payload, box, keyId });
    wipe(payload);
    return { key, sets };
  } finally {
    ending.abort();
    for (const timer of timers) clearTimeout(timer);
    wipe(recipientSeed);
  }
}
