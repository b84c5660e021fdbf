import { assert, type Clock, type ErrorCode, type Random, SkerryError, wipe } from '@skerry/base';
import { hpkeSeal, nodeCrypto } from '@skerry/crypto';
import { type DealerEffect, type DealerEvent, type DealOrder, startDeal, stepDealer } from '@skerry/custody';
import type { Placement } from '@skerry/placement';
import { splitPayload } from '@skerry/sharing';
import {
  decodeAnswer,
  encodeRequest,
  type Manifest,
  type RequestAnswer,
  type RequestBody,
  type RequestName,
} from '@skerry/wire';
import type { PeerStreams } from './streams.ts';

/** What a deal needs of its node. */
export type DealingOptions = {
  readonly streams: Pick<PeerStreams, 'request'>;
  readonly nodeKey: Uint8Array;
  /** 32 bytes; stays the caller's. */
  readonly nodeSeed: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  /** Keeps the manifest where the owner finds it again, before any holder is told to serve the key. */
  readonly storeManifest: (manifest: Manifest, placement: Placement) => Promise<void>;
};

/** A key that its holders serve. */
export type Deal = { readonly manifest: Manifest; readonly placement: Placement };

/** The error code that a failed request stands for; a bug is thrown on. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof SkerryError) return error.code;
  throw error;
}

/**
 * Asks a node and decodes its answer.
 *
 * @throws what `PeerStreams.request` and `decodeAnswer` throw
 */
export async function ask<N extends RequestName>(
  streams: Pick<PeerStreams, 'request'>,
  nodeId: string,
  name: N,
  body: RequestBody<N>,
  options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
): Promise<RequestAnswer<N>> {
  return decodeAnswer(name, await streams.request(nodeId, encodeRequest(name, body), options));
}

/**
 * Deals a key: carries the dealer's machine until the key is safely deposited or the deal has failed.
 *
 * @param order what to deal; its key stays the caller's
 * @returns the activated manifest
 * @throws PLACEMENT_INFEASIBLE, DEPOSIT_FAILED, SECRET_EMPTY, STORE_FAILED; nothing is then activated
 */
export async function dealKey(options: DealingOptions, order: DealOrder): Promise<Deal> {
  const { streams, nodeKey, nodeSeed, clock, random } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Deal>();
  const env = () => ({ crypto: nodeCrypto, random, nowMs: clock.nowMs(), nodeKey, nodeSeed });
  let { state, effects } = startDeal(env(), order);

  const dispatch = (event: DealerEvent): void => {
    const step = stepDealer(env(), state, event);
    state = step.state;
    carryOut(step.effects);
  };

  async function sealAndDeposit({
    share,
    info,
    deadlineMs,
  }: Extract<DealerEffect, { type: 'deposit' }>): Promise<void> {
    const { nodeId, ek, dek, deposit } = share;
    const sealedDek = await hpkeSeal(ek, info, dek);
    wipe(dek);
    const answer = sealedDek
      ? await ask(streams, nodeId, 'deposit', { ...deposit, sealedDek }, { deadlineMs }).catch(codeOf)
      : 'SIGNATURE_INVALID';
    dispatch({ type: 'deposit-answered', nodeId, answer });
  }

  async function perform(effect: DealerEffect): Promise<void> {
    switch (effect.type) {
      case 'offer': {
        const { nodeId, offer, deadlineMs } = effect;
        const answer = await ask(streams, nodeId, 'offer', offer, { deadlineMs }).catch(codeOf);
        return dispatch({ type: 'offer-answered', nodeId, answer });
      }
      case 'split':
        return dispatch({ type: 'split', shares: await splitPayload(effect.payload, effect.k, effect.t) });
      case 'deposit':
        return sealAndDeposit(effect);
      case 'store-manifest':
        await options.storeManifest(effect.manifest, effect.placement);
        return dispatch({ type: 'manifest-stored' });
      case 'activate': {
        const { nodeId, keyId, activation, deadlineMs } = effect;
        const answer = await ask(streams, nodeId, 'activate', { keyId, activation }, { deadlineMs }).catch(
          codeOf,
        );
        return dispatch({ type: 'activate-answered', nodeId, answer });
      }
      case 'done':
        return resolve({ manifest: effect.manifest, placement: effect.placement });
      case 'fail':
        return reject(effect.error);
    }
  }

  function carryOut(list: readonly DealerEffect[]): void {
    for (const effect of list) perform(effect).catch(reject);
  }

  assert(effects.length > 0, 'a deal begins with something to do');
  carryOut(effects);
  effects = [];
  return promise;
}
