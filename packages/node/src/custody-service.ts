import {
  type Clock,
  type ErrorCode,
  isErrorCode,
  type Log,
  type Random,
  SkerryError,
  toHex,
} from '@skerry/base';
import { hpkeOpen, hpkeSeal, nodeCrypto } from '@skerry/crypto';
import {
  createLimiter,
  decodeHeldKey,
  encodeHeldKey,
  type HeldEpoch,
  type HeldKey,
  type HolderEffect,
  type HolderEvent,
  stepHolder,
} from '@skerry/custody';
import {
  decodeRequest,
  encodeAnswer,
  encodeRefusal,
  type GrantClaims,
  nodeKeyOf,
  type Request,
  type RoundRequest,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { verifyGrant } from './grants.ts';
import { createHoldings } from './holdings.ts';
import type { Store, StoreChange } from './store.ts';

/** What a custody service needs. */
export type CustodyOptions = {
  readonly store: Store;
  readonly nodeKey: Uint8Array;
  /** 32 bytes; stays the caller's. */
  readonly nodeSeed: Uint8Array;
  /** Shares the operator is willing to hold. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Called after a share was activated, and at the start for every active one, to publish its records. */
  readonly publish: (held: HeldEpoch) => void;
  /** Answers requests that are not about one key. */
  readonly answerOther: (request: Extract<Request, { name: 'directory' }>) => Uint8Array;
  readonly log: Log;
};

/** The holder: answers what other nodes ask of the shares kept here. */
export type CustodyService = {
  /** Answers one request; whatever happens is in the answer. */
  readonly handle: (from: { nodeId: string }, body: Uint8Array) => Promise<Uint8Array>;
  /** Drops what is over its time. */
  readonly expire: () => Promise<void>;
  /** Active and pending shares kept here. */
  readonly shareCount: () => number;
};

const storeKey = (keyId: string): string => `held/${keyId}`;

/** Turns a request about a key into its holder event; `from` is proven by the connection. */
function eventOf(request: Request, from: Uint8Array): [Uint8Array, HolderEvent] {
  switch (request.name) {
    case 'offer':
      return [request.body.keyId, { type: 'offer', from, offer: request.body }];
    case 'deposit':
      return [request.body.core.keyId, { type: 'deposit', from, deposit: request.body }];
    case 'activate':
      return [request.body.keyId, { type: 'activate', from, activation: request.body.activation }];
    case 'round':
      return [request.body.keyId, { type: 'round', from, request: request.body }];
    case 'probe':
      return [request.body.keyId, { type: 'probe', probe: request.body }];
    case 'directory':
      throw new SkerryError('PROTOCOL_UNSUPPORTED');
  }
}

async function claimsOf(request: RoundRequest, held: HeldEpoch): Promise<GrantClaims | ErrorCode> {
  try {
    return await verifyGrant(request.grant, held.core.authority);
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  }
}

/**
 * Carries the holder's machine: one key at a time is stepped by one request at a time, and its state is on the disk
 * before any answer leaves.
 */
export async function createCustodyService(options: CustodyOptions): Promise<CustodyService> {
  const { store, nodeKey, nodeSeed, capacity, clock, random, log } = options;
  const limiter = createLimiter();
  const holdings = createHoldings();
  const busy = new Map<string, Promise<unknown>>();
  let auditSequence = 0;
  for await (const { value } of store.list('held/')) {
    const held = decodeHeldKey(value);
    holdings.set(toHex(held.keyId), held);
    if (held.active) options.publish(held.active);
  }
  for await (const { key } of store.list('audit/')) auditSequence = Number(key.slice('audit/'.length)) + 1;

  function auditLine(keyId: string, effect: Extract<HolderEffect, { type: 'audit' }>): StoreChange[] {
    const name = (sequence: number): string => `audit/${String(sequence).padStart(16, '0')}`;
    const entry = { atMs: clock.nowMs(), event: effect.event, keyId, ...effect.fields };
    const sequence = auditSequence++;
    return [
      { type: 'put', key: name(sequence), value: new TextEncoder().encode(JSON.stringify(entry)) },
      ...(sequence >= parameters.auditEntriesMax
        ? [{ type: 'del', key: name(sequence - parameters.auditEntriesMax) } as const]
        : []),
    ];
  }

  /** Writes what the effects before the first outward one ask to be stored, as one batch. */
  async function persist(
    keyId: string,
    held: HeldKey | null,
    effects: readonly HolderEffect[],
  ): Promise<void> {
    const stored = effects.some(({ type }) => type === 'store');
    const lines = effects
      .filter(effect => effect.type === 'audit')
      .flatMap(effect => auditLine(keyId, effect));
    const key = storeKey(keyId);
    const record: StoreChange =
      held === null ? { type: 'del', key } : { type: 'put', key, value: encodeHeldKey(held) };
    const writes = stored ? [record, ...lines] : lines;
    if (writes.length > 0) await store.batch(writes);
    if (stored) holdings.set(keyId, held);
  }

  /** Steps a key's machine with an event and every event that follows from it, up to an answer. */
  async function run(keyIdBytes: Uint8Array, first: HolderEvent): Promise<Uint8Array> {
    const keyId = toHex(keyIdBytes);
    const stored = store.get(storeKey(keyId));
    let held = stored ? decodeHeldKey(stored) : null;
    const dealer = first.type === 'offer' ? first.offer.dealer : null;
    const env = { crypto: nodeCrypto, random, nodeKey, nodeSeed, capacity };
    let event: HolderEvent | undefined = first;
    let answer: Uint8Array | undefined;
    while (event !== undefined) {
      const load = holdings.load(dealer, clock.nowMs());
      const step = stepHolder(held, { ...env, nowMs: clock.nowMs(), load }, event);
      event = undefined;
      held = step.held;
      await persist(keyId, held, step.effects);
      for (const effect of step.effects) {
        if (effect.type === 'open-dek') {
          const dek = await hpkeOpen(effect.seed, effect.info, effect.deposit.sealedDek);
          event = { type: 'dek-opened', deposit: effect.deposit, dek };
        } else if (effect.type === 'verify-grant') {
          const claims = await claimsOf(effect.request, effect.held);
          event = { type: 'grant-verified', request: effect.request, claims };
        } else if (effect.type === 'publish') options.publish(effect.held);
        else answer = (await answerOf(effect)) ?? answer;
      }
    }
    return answer ?? encodeRefusal('KEY_UNKNOWN');
  }

  async function serialised(keyId: string, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const turn = (busy.get(keyId) ?? Promise.resolve()).then(work, work);
    busy.set(keyId, turn);
    try {
      return await turn;
    } finally {
      if (busy.get(keyId) === turn) busy.delete(keyId);
    }
  }

  async function handle(from: { nodeId: string }, body: Uint8Array): Promise<Uint8Array> {
    try {
      const request = decodeRequest(body);
      if (!limiter.admit(from.nodeId, clock.nowMs())) throw new SkerryError('RATE_LIMITED');
      if (request.name === 'directory') return options.answerOther(request);
      const [keyId, event] = eventOf(request, nodeKeyOf(from.nodeId));
      return await serialised(toHex(keyId), async () => run(keyId, event));
    } catch (error) {
      const code = error instanceof SkerryError && isErrorCode(error.code) ? error.code : undefined;
      if (code === undefined) throw error;
      if (code === 'STORE_FAILED' || code === 'STORE_CORRUPT') log.error('the store failed', { code });
      return encodeRefusal(code);
    }
  }

  return {
    handle,
    expire: async () => {
      for (const keyId of holdings.keyIds()) {
        const bytes = Uint8Array.from(Buffer.from(keyId, 'hex'));
        await serialised(keyId, async () => run(bytes, { type: 'expire' }));
      }
    },
    shareCount: () => holdings.shareCount(),
  };
}

/** The answer that an effect makes, if it makes one. */
async function answerOf(effect: HolderEffect): Promise<Uint8Array | undefined> {
  switch (effect.type) {
    case 'refuse':
      return encodeRefusal(effect.code);
    case 'answer':
      return encodeAnswer(effect.answer.name, effect.answer.body);
    case 'answer-sealed': {
      const sealed = await hpkeSeal(effect.recipientKey, effect.info, effect.plaintext);
      effect.plaintext.fill(0);
      return sealed ? encodeAnswer('round', { sealed }) : encodeRefusal('GRANT_INVALID');
    }
    default:
      return undefined;
  }
}
