import { type Clock, fromHex, type Log, type Random, SkerryError, toHex, wipe } from '@skerry/base';
import { hpkeRecipient, hpkeSeal, nodeCrypto } from '@skerry/crypto';
import {
  type HeldEpoch,
  type HolderEffect,
  type HolderEvent,
  type HolderStep,
  openHeldShare,
  stepHolder,
  wipeHeldKey,
} from '@skerry/custody';
import {
  decodeRequest,
  encodeAnswer,
  encodeRefusal,
  type KeyRecord,
  type Manifest,
  nodeKeyOf,
  type Request,
  type Revocation,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { createAdmission } from './admission.ts';
import { codeOf } from './asking.ts';
import { type HeldKeys, openHeldKeys } from './held-keys.ts';
import { createHolderMemory, type HolderMemory } from './holder-memory.ts';
import type { Publisher } from './publishing.ts';
import type { Store } from './store.ts';
import type { Misbehaviour } from './strikes.ts';
import { createTurns, type Turns } from './turns.ts';

/** A request about one key, and one that is about none. */
type DirectoryRequest = Extract<Request, { name: 'directory' }>;
type KeyRequest = Exclude<Request, DirectoryRequest>;

/** What a custody service needs. */
type CustodyOptions = {
  readonly store: Store;
  readonly nodeKey: Uint8Array;
  /** 32 bytes; stays the caller's. */
  readonly nodeSeed: Uint8Array;
  /** Shares the operator is willing to hold. */
  readonly capacity: number;
  /** Told of each request that is malformed, or beyond what a peer may ask. */
  readonly onMisbehaviour?: (nodeId: string, kind: Misbehaviour) => void;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Called with each share that was activated, and by `publishAll`, to publish its records. The epoch's secrets are
   * wiped once this has returned.
   */
  readonly publish: (held: HeldEpoch, isNew: boolean) => void;
  /** Called with the tombstone of each key that was destroyed, and by `publishAll`, to publish it where it is kept. */
  readonly bury: Publisher['publishTombstone'];
  /** What the DHT says of a key, if anything. */
  readonly lookUp: (keyId: Uint8Array) => Promise<KeyRecord | undefined>;
  /** Answers requests that are not about one key. */
  readonly answerOther: (request: DirectoryRequest) => Uint8Array;
  readonly log: Log;
  /** @default an empty one */
  readonly memory?: HolderMemory;
};

/** A share that is served here. */
type Holding = {
  readonly manifest: Manifest;
  readonly x: number;
  /** The seed of the share's verification key, 32 bytes; owned, and wiped, by whoever asked for it. */
  readonly shareSeed: Uint8Array;
};

/** The holder: answers what other nodes ask of the shares kept here. */
export type CustodyService = {
  /**
   * Answers one request; whatever happens is in the answer. A rejection is a bug.
   *
   * @param from the peer, proven by its connection
   */
  readonly handle: (from: { readonly nodeId: string }, body: Uint8Array) => Promise<Uint8Array>;
  /** Takes in a revocation that came by gossip, where the key is kept here. */
  readonly revoke: (revocation: Revocation) => void;
  /** Drops what is over its time, deposits only after a look whether their activation is in the DHT. What the disk refuses is logged, and left for the next time, as is all that is left at an abort. */
  readonly expire: (signal?: AbortSignal) => Promise<void>;
  /**
   * Hands every active share to `publish` and every tombstone to `bury`, one after the other; of keys that were
   * destroyed while this node was away, it erases the share.
   */
  readonly publishAll: (signal: AbortSignal) => Promise<void>;
  /**
   * The share that is served here of a key, for a drill (`drillKey`); undefined where there is none.
   *
   * @param keyId in hexadecimal
   * @throws SHARE_CORRUPT where it no longer is the one of its point; STORE_CORRUPT, STORE_FAILED
   */
  readonly holding: (keyId: string) => Promise<Holding | undefined>;
  /** Keys of which a share is served here, in hexadecimal. */
  readonly servedKeyIds: () => string[];
  /** The manifest of a key that is served here. @throws STORE_CORRUPT, STORE_FAILED */
  readonly manifestOf: (keyId: string) => Manifest | undefined;
  /** Active and pending shares kept here. */
  readonly shareCount: () => number;
  /** Records that are damaged on disk: they are not served, and left as they are. */
  readonly corruptCount: () => number;
};

/** What the effects of a step lead to: the answer to the peer, or an event that the machine waits for. */
type Outcome = { readonly answer?: Uint8Array; readonly event?: HolderEvent };

/** The holder event of a request. */
function eventOf(request: KeyRequest, from: Uint8Array): [Uint8Array, HolderEvent] {
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
    case 'revoke':
      return [request.body.keyId, { type: 'revoke', revocation: request.body }];
    case 'destroy':
      return [request.body.keyId, { type: 'destroy', from, tombstone: request.body }];
  }
}

/** Does what one effect asks for, once the step's state and audit lines are on disk. */
async function carryOut(
  effect: HolderEffect,
  { publish, bury }: Pick<CustodyOptions, 'publish' | 'bury'>,
  memory: HolderMemory,
  eraseFiles: () => Promise<void>,
): Promise<Outcome> {
  switch (effect.type) {
    case 'store':
    case 'audit':
      return {};
    case 'open-dek': {
      const { deposit, seed, info } = effect;
      const dek = await hpkeRecipient(seed).open(info, deposit.sealedDek);
      return { event: { type: 'dek-opened', deposit, dek } };
    }
    case 'verify-grant': {
      const { request, held } = effect;
      const claims = await memory.claimsOf(request.grant, held).catch(codeOf);
      return { event: { type: 'grant-verified', request, claims } };
    }
    case 'publish':
      publish(effect.held, true);
      return {};
    case 'erase': {
      const { tombstone, shares, isKept } = effect;
      await eraseFiles();
      bury(tombstone, shares, isKept);
      return { event: { type: 'erased', tombstone } };
    }
    case 'refuse':
      return { answer: encodeRefusal(effect.code) };
    case 'answer':
      return { answer: encodeAnswer(effect.answer.name, effect.answer.body) };
    case 'answer-sealed': {
      const sealed = await hpkeSeal(effect.recipientKey, effect.info, effect.plaintext);
      return { answer: sealed ? encodeAnswer('round', { sealed }) : encodeRefusal('MESSAGE_MALFORMED') };
    }
  }
}

function wipeStep({ held, effects }: HolderStep): void {
  if (held) wipeHeldKey(held);
  for (const effect of effects) if (effect.type === 'answer-sealed') wipe(effect.plaintext);
}

/** Carries the machine of one key through a request and what follows from it, up to an answer. */
async function runKey(
  options: CustodyOptions,
  keys: HeldKeys,
  memory: HolderMemory,
  keyId: string,
  first: HolderEvent,
): Promise<Uint8Array> {
  const { nodeKey, nodeSeed, capacity, random, clock } = options;
  const dealer = first.type === 'offer' ? first.offer.dealer : null;
  const eraseFiles = async (): Promise<void> => keys.erase(keyId);
  const steps: HolderStep[] = [{ held: keys.read(keyId), effects: [] }];
  try {
    let outcome: Outcome = { event: first };
    while (outcome.event !== undefined) {
      const nowMs = clock.nowMs();
      if (outcome.event.type === 'offer' && keys.offerCount() >= parameters.offersKeptMax) {
        throw new SkerryError('TOO_BUSY', 'too many offers wait for their deposit');
      }
      const pairSecrets = memory.pairSecretsOf(keyId);
      const env = { crypto: nodeCrypto, random, nowMs, nodeKey, nodeSeed, capacity, pairSecrets };
      const load = keys.load(dealer, nowMs);
      const step = stepHolder(steps.at(-1)?.held ?? null, { ...env, load }, outcome.event);
      steps.push(step);
      await keys.write(keyId, step, nowMs);
      outcome = {};
      for (const effect of step.effects) {
        outcome = { ...outcome, ...(await carryOut(effect, options, memory, eraseFiles)) };
      }
    }
    return outcome.answer ?? encodeRefusal('KEY_UNKNOWN');
  } finally {
    if (first.type !== 'round' && first.type !== 'probe') memory.forget(keyId);
    steps.forEach(wipeStep);
  }
}

/** The manifest of an epoch that was activated. */
function manifestIn({ core, signatures, activation }: HeldEpoch): Manifest | undefined {
  return activation ? { core, signatures, activation } : undefined;
}

/** The share that is served of a key, with the seed of its verification key. */
function holdingOf(keys: HeldKeys, keyId: string): Holding | undefined {
  const held = keys.read(keyId);
  if (held === null) return undefined;
  try {
    const { active } = held;
    const manifest = active && manifestIn(active);
    if (!active || !manifest) return undefined;
    const { keys: shareKeys, close } = openHeldShare(nodeCrypto, active, 'SHARE_CORRUPT');
    const shareSeed = shareKeys.signSeed.slice();
    close();
    return { manifest, x: active.x, shareSeed };
  } finally {
    wipeHeldKey(held);
  }
}

/** What upkeep does to keys, and what it does with errors. */
type Hands = {
  readonly run: (keyId: string, event: HolderEvent) => Promise<unknown>;
  readonly inTurn: Turns;
  readonly noteFailure: (error: unknown) => void;
};

/** What a holder does by itself: it drops what is over its time, and catches up with what it missed. */
function createUpkeep(
  options: CustodyOptions,
  keys: HeldKeys,
  { run, inTurn, noteFailure }: Hands,
): Pick<CustodyService, 'expire' | 'publishAll'> {
  const { nodeKey, clock, publish, bury, lookUp } = options;

  /** Steps a key with what the DHT says of it: its end, or the activation that a crashed dealer did not bring. */
  async function catchUp(keyId: string): Promise<void> {
    const record = await lookUp(fromHex(keyId) ?? new Uint8Array());
    if (record?.type === 'tombstone') {
      await run(keyId, { type: 'destroy', from: nodeKey, tombstone: record.tombstone });
    } else if (record) {
      await run(keyId, { type: 'activate', from: nodeKey, activation: record.manifest.activation });
    }
  }

  async function publishKey(keyId: string): Promise<void> {
    const held = keys.read(keyId);
    if (held?.active) publish(held.active, false);
    if (held?.grave) bury(held.grave.tombstone, [], true);
    if (held) wipeHeldKey(held);
  }

  return {
    expire: async signal => {
      const lapsed = keys.lapsedKeyIds(clock.nowMs());
      const deposits = lapsed.filter(keys.hasPending);
      for (const keyId of deposits.slice(0, parameters.lookupsPerLook)) {
        if (signal?.aborted) return;
        await catchUp(keyId).catch(noteFailure);
      }
      const waiting = new Set(deposits.slice(parameters.lookupsPerLook));
      for (const keyId of lapsed) {
        if (signal?.aborted) return; // a look-up that was cut short says nothing
        if (!waiting.has(keyId)) await run(keyId, { type: 'expire' }).catch(noteFailure);
      }
    },
    publishAll: async signal => {
      for (const keyId of keys.keyIds()) {
        if (signal.aborted) return;
        if (keys.isServed(keyId)) await catchUp(keyId).catch(noteFailure);
        await inTurn(keyId, async () => publishKey(keyId)).catch(noteFailure);
      }
    },
  };
}

/**
 * Carries the holder's machine: one key at a time is stepped by one request at a time, and its state and audit lines
 * are on the disk before any answer leaves (docs/PROTOCOL.md, the masked round).
 *
 * @throws STORE_FAILED, STORE_CORRUPT where the store does not give its keys
 */
export async function createCustodyService(options: CustodyOptions): Promise<CustodyService> {
  const { store, clock, log, onMisbehaviour, memory = createHolderMemory() } = options;
  const keys = await openHeldKeys(store, log);
  const admission = createAdmission(clock);
  const inTurn = createTurns();
  const run = async (keyId: string, event: HolderEvent): Promise<Uint8Array> =>
    inTurn(keyId, async () => runKey(options, keys, memory, keyId, event));

  async function answer({ nodeId }: { readonly nodeId: string }, body: Uint8Array): Promise<Uint8Array> {
    admission.request(nodeId, body.length);
    const request = decodeRequest(body);
    if (request.name === 'directory') {
      const page = options.answerOther(request);
      admission.answer(nodeId, page.length);
      return page;
    }
    if (request.name === 'destroy') admission.erasure(nodeId);
    const [keyId, event] = eventOf(request, nodeKeyOf(nodeId));
    return run(toHex(keyId), event);
  }

  function noteFailure(error: unknown): SkerryError {
    if (!(error instanceof SkerryError)) throw error;
    if (error.code === 'STORE_FAILED') log.error('the store failed', { reason: error.message });
    return error;
  }

  return {
    handle: async (from, body) =>
      answer(from, body).catch((error: unknown) => {
        const { code } = noteFailure(error);
        if (code === 'RATE_LIMITED') onMisbehaviour?.(from.nodeId, 'flood');
        if (code === 'MESSAGE_MALFORMED') onMisbehaviour?.(from.nodeId, 'garbage');
        return encodeRefusal(code);
      }),
    revoke: revocation => {
      const keyId = toHex(revocation.keyId);
      if (keys.has(keyId)) run(keyId, { type: 'revoke', revocation }).catch(noteFailure);
    },
    ...createUpkeep(options, keys, { run, inTurn, noteFailure }),
    holding: async keyId => inTurn(keyId, async () => holdingOf(keys, keyId)),
    servedKeyIds: () => keys.keyIds().filter(keys.isServed),
    manifestOf: keyId => {
      const held = keys.read(keyId);
      if (held) wipeHeldKey(held);
      return held?.active ? manifestIn(held.active) : undefined;
    },
    shareCount: keys.shareCount,
    corruptCount: keys.corruptCount,
  };
}
