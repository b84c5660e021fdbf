import { type Clock, equalBytes, type Random, wipe } from '@skerry/base';
import { hpkeSeal, nodeCrypto } from '@skerry/crypto';
import { type DealerEffect, type DealerEvent, type DealOrder, startDeal, stepDealer } from '@skerry/custody';
import type { Placement } from '@skerry/placement';
import { splitPayload, unpackKey } from '@skerry/sharing';
import type { Manifest } from '@skerry/wire';
import { ask, codeOf } from './asking.ts';
import type { PeerStreams } from './streams.ts';

/** What a deal needs of its node. */
type DealingOptions = {
  readonly streams: Pick<PeerStreams, 'request'>;
  readonly nodeKey: Uint8Array;
  /** 32 bytes; stays the caller's. */
  readonly nodeSeed: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  /** Opens an epoch that is not active yet, for who deals a later one; the key is the caller's to wipe. */
  readonly openPending: (manifest: Manifest) => Promise<Uint8Array>;
  /** Keeps the manifest where the owner finds it again, before any holder is told to serve the key. */
  readonly storeManifest: (manifest: Manifest, placement: Placement) => Promise<void>;
};

/** A key that its holders serve. */
export type Deal = {
  readonly manifest: Manifest;
  readonly placement: Placement;
  /** Node ids of holders that have their share, and have not said yet that they serve the key. */
  readonly silent: readonly string[];
};

/** What an effect leads to: the machine's next event, or the end of the deal. */
type Outcome = { readonly event: DealerEvent } | { readonly deal: Deal };

/** Seals a DEK to its holder and sends the deposit; the DEK is wiped whatever happens. */
async function sealAndDeposit(
  { streams }: DealingOptions,
  { share, info, deadlineMs }: Extract<DealerEffect, { type: 'deposit' }>,
): Promise<Outcome> {
  const { nodeId, ek, dek, deposit } = share;
  const sealedDek = await hpkeSeal(ek, info, dek).finally(() => wipe(dek));
  const answer = sealedDek
    ? await ask(streams, nodeId, 'deposit', { ...deposit, sealedDek }, { deadlineMs }).catch(codeOf)
    : 'SIGNATURE_INVALID';
  return { event: { type: 'deposit-answered', nodeId, answer } };
}

/** Whether the shares of an epoch that is not active yet give the key. */
async function givesKey(
  { openPending }: DealingOptions,
  { manifest, payload }: Extract<DealerEffect, { type: 'verify' }>,
): Promise<boolean> {
  const { box, keyId } = manifest.core;
  const key = unpackKey({ crypto: nodeCrypto, payload, box, keyId });
  const opened = await openPending(manifest).catch(codeOf);
  try {
    return typeof opened !== 'string' && equalBytes(opened, key);
  } finally {
    wipe(key);
    if (typeof opened !== 'string') wipe(opened);
  }
}

async function carryOut(options: DealingOptions, effect: DealerEffect): Promise<Outcome> {
  const { streams } = options;
  switch (effect.type) {
    case 'offer': {
      const { nodeId, offer, deadlineMs } = effect;
      const answer = await ask(streams, nodeId, 'offer', offer, { deadlineMs }).catch(codeOf);
      return { event: { type: 'offer-answered', nodeId, answer } };
    }
    case 'split': {
      const { payload, k, t } = effect;
      return { event: { type: 'split', shares: await splitPayload(payload, k, t) } };
    }
    case 'deposit':
      return sealAndDeposit(options, effect);
    case 'verify':
      return { event: { type: 'verified', isRight: await givesKey(options, effect) } };
    case 'store-manifest':
      await options.storeManifest(effect.manifest, effect.placement);
      return { event: { type: 'manifest-stored' } };
    case 'activate': {
      const { nodeId, keyId, activation, deadlineMs } = effect;
      const body = { keyId, activation };
      const answer = await ask(streams, nodeId, 'activate', body, { deadlineMs }).catch(codeOf);
      return { event: { type: 'activate-answered', nodeId, answer } };
    }
    case 'done':
      return { deal: { manifest: effect.manifest, placement: effect.placement, silent: effect.silent } };
    case 'fail':
      throw effect.error;
  }
}

/**
 * Deals a key: carries the dealer's machine until the key is safely deposited or the deal has failed.
 *
 * @param order what to deal; its key stays the caller's
 * @returns the activated manifest
 * @throws PLACEMENT_INFEASIBLE, SECRET_EMPTY, STORE_FAILED, REFRESH_MISMATCH, and DEPOSIT_FAILED: nothing is then activated, or, where
 *   its holders did not confirm that, nothing that the caller may count on
 */
export async function dealKey(options: DealingOptions, order: DealOrder): Promise<Deal> {
  const { nodeKey, nodeSeed, clock, random } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Deal>();
  const env = () => ({ crypto: nodeCrypto, random, nowMs: clock.nowMs(), nodeKey, nodeSeed });
  const first = startDeal(env(), order);
  let { state } = first;

  async function follow(effect: DealerEffect): Promise<void> {
    const outcome = await carryOut(options, effect);
    if ('deal' in outcome) return resolve(outcome.deal);
    const step = stepDealer(env(), state, outcome.event);
    state = step.state;
    followAll(step.effects);
  }

  /** An effect that fails ends the deal: the machine goes no further without its event. */
  function followAll(effects: readonly DealerEffect[]): void {
    for (const effect of effects) follow(effect).catch(reject);
  }

  followAll(first.effects);
  try {
    return await promise;
  } finally {
    wipe(state.payload);
  }
}
