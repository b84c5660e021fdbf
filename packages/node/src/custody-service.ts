import { type Clock, type Log, type Random, SkerryError, toHex, wipe } from '@skerry/base';
import { hpkeRecipient, hpkeSeal, nodeCrypto } from '@skerry/crypto';
import {
  type HeldEpoch,
  type HolderEffect,
  type HolderEvent,
  type HolderStep,
  holderEventOf,
  stepHolder,
  wipeHeldKey,
} from '@skerry/custody';
import {
  decodeRequest,
  encodeAnswer,
  encodeRefusal,
  type KeyRecord,
  type Manifest,
  nodeIdOf,
  nodeKeyOf,
  type Request,
  type Revocation,
  seatsOf,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { createAdmission } from './admission.ts';
import { codeOf } from './asking.ts';
import { createSuccession } from './custody-succession.ts';
import { createFreshness, createUpkeep } from './custody-upkeep.ts';
import type { HealthStore } from './health-store.ts';
import { type HeldKeys, openHeldKeys } from './held-keys.ts';
import { type Holding, heldManifest, holdingOf, recordPage } from './held-views.ts';
import { createHolderMemory, type HolderMemory } from './holder-memory.ts';
import type { Publisher } from './publishing.ts';
import type { Store } from './store.ts';
import type { PeerStreams } from './streams.ts';
import type { Misbehaviour } from './strikes.ts';
import { createTurns } from './turns.ts';

type DirectoryRequest = Extract<Request, { name: 'directory' }>;

/** What a custody service needs. */
export type CustodyOptions = {
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
  /** Called with shares of a key that are held here no more. */
  readonly disown: Publisher['unpublishShares'];
  /**
   * What the network says of a key, if anything: the DHT, and those that hold it with this node.
   *
   * @param holders node ids
   */
  readonly lookUp: (keyId: Uint8Array, holders: readonly string[]) => Promise<KeyRecord | undefined>;
  /** What this node knows of a key of which it holds nothing, as a record of the DHT. */
  readonly recordOf: (keyId: Uint8Array) => Uint8Array | undefined;
  /** What this node's own audits show of holders: who has failed for as long as the grace is. */
  readonly health: Pick<HealthStore, 'failureOf'>;
  /** To those that have a share made again, and those to which a point has moved. */
  readonly streams: Pick<PeerStreams, 'request' | 'isAlive' | 'roundTripMs'>;
  /** Whether this node was away for long: then it looks what became of a key before it answers for it. */
  readonly isBehind: boolean;
  /** Answers requests that are not about one key. */
  readonly answerOther: (request: DirectoryRequest) => Uint8Array;
  readonly log: Log;
  /** @default an empty one */
  readonly memory?: HolderMemory;
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
  /** Has shares made again that were moved here, and lets go of those whose points have moved on, where that is due. */
  readonly succeed: (signal: AbortSignal) => Promise<void>;
  /** Looks what became of a key since it was last heard of. Rejects with a bug alone. */
  readonly catchUp: (keyId: string) => Promise<void>;
  /** Takes in a manifest that this node has found elsewhere or made. Rejects with a bug alone. */
  readonly update: (manifest: Manifest) => Promise<void>;
  /**
   * The share that is served here of a key, for a drill (`drillKey`); undefined where there is none, or its point has
   * moved on.
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

/** Whether this node's own audits show that the holder of a point has failed. */
function isFailing(
  { health }: Pick<CustodyOptions, 'health'>,
  keys: HeldKeys,
): (keyId: Uint8Array, x: number) => boolean {
  return (id, x) => {
    const keyId = toHex(id);
    const manifest = heldManifest(keys, keyId);
    const seat = manifest && seatsOf(manifest).find(one => one.x === x);
    return seat !== undefined && health.failureOf({ keyId, x, nodeId: nodeIdOf(seat.nodeKey) }) !== null;
  };
}

/** What is done for one key outside its machine. */
type KeyHands = {
  readonly keyId: Uint8Array;
  readonly eraseFiles: () => Promise<void>;
  readonly repair: () => void;
};

/** Does what one effect asks for, once the step's state and audit lines are on disk. */
async function carryOut(
  effect: HolderEffect,
  { publish, bury, disown }: Pick<CustodyOptions, 'publish' | 'bury' | 'disown'>,
  memory: HolderMemory,
  key: Pick<KeyHands, 'keyId' | 'eraseFiles' | 'repair'>,
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
    case 'repair':
      key.repair();
      return {};
    case 'erase': {
      const { tombstone, shares, isKept } = effect;
      await key.eraseFiles();
      if (tombstone) bury(tombstone, shares, isKept);
      else disown(key.keyId, shares);
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

/** Whose offers a request adds to. */
function askerOf(event: HolderEvent): Uint8Array | null {
  if (event.type === 'offer') return event.offer.dealer;
  return event.type === 'nominate' ? event.from : null;
}

/** Carries the machine of one key through a request and what follows from it, up to its answer. */
async function runKey(
  options: CustodyOptions,
  keys: HeldKeys,
  memory: HolderMemory,
  key: KeyHands,
  first: HolderEvent,
): Promise<Uint8Array> {
  const { nodeKey, nodeSeed, capacity, random, clock } = options;
  const keyId = toHex(key.keyId);
  const dealer = askerOf(first);
  let answer: Uint8Array | undefined;
  const steps: HolderStep[] = [{ held: keys.read(keyId), effects: [] }];
  try {
    let outcome: Outcome = { event: first };
    while (outcome.event !== undefined) {
      const nowMs = clock.nowMs();
      if (dealer !== null && keys.offerCount() >= parameters.offersKeptMax) {
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
        const done = await carryOut(effect, options, memory, key);
        answer = done.answer ?? answer;
        outcome = { ...outcome, ...done };
      }
    }
    return answer ?? encodeRefusal('KEY_UNKNOWN');
  } finally {
    if (first.type !== 'round' && first.type !== 'probe') memory.forget(keyId);
    steps.forEach(wipeStep);
  }
}

/** Requests that are answered only by who knows what became of a key while it was away. */
const wantsFreshness: ReadonlySet<Request['name']> = new Set([
  'round',
  'probe',
  'nominate',
  'vote',
  'manifest',
]);

/**
 * Carries the holder's machine: one key at a time is stepped by one request at a time, and its state and audit lines
 * are on the disk before any answer leaves (docs/PROTOCOL.md, the masked round).
 *
 * @throws STORE_FAILED, STORE_CORRUPT where the store does not give its keys
 */
export async function createCustodyService(options: CustodyOptions): Promise<CustodyService> {
  const { store, nodeKey, clock, log, onMisbehaviour, memory = createHolderMemory() } = options;
  const keys = await openHeldKeys(store, nodeKey, log);
  const admission = createAdmission(clock);
  const inTurn = createTurns();
  const run = async (keyId: string, event: HolderEvent): Promise<Uint8Array> => {
    const key = {
      keyId: new Uint8Array(Buffer.from(keyId, 'hex')),
      eraseFiles: async (): Promise<void> => keys.erase(keyId),
      repair: () => succession.hurry(keyId),
    };
    return inTurn(keyId, async () => runKey(options, keys, memory, key, event));
  };
  const hands = { run, inTurn, noteFailure };
  const upkeep = createUpkeep(options, keys, hands);
  const succession = createSuccession(options, keys, hands);
  const catchUp = async (keyId: string): Promise<void> =>
    void (await upkeep.catchUp(keyId).catch(noteFailure));
  const behind = options.isBehind ? keys.keyIds().filter(keys.isServed) : [];
  const freshen = createFreshness(behind, catchUp);

  async function answer({ nodeId }: { readonly nodeId: string }, body: Uint8Array): Promise<Uint8Array> {
    admission.request(nodeId, body.length);
    const request = decodeRequest(body);
    if (request.name === 'directory' || request.name === 'manifest') {
      const page =
        request.name === 'directory'
          ? options.answerOther(request)
          : await recordPage(options, keys, inTurn, freshen, request.body.keyId);
      admission.answer(nodeId, page.length);
      return page;
    }
    if (request.name === 'destroy') admission.erasure(nodeId);
    const [keyId, event] = holderEventOf(request, nodeKeyOf(nodeId), isFailing(options, keys));
    if (wantsFreshness.has(request.name)) await freshen(toHex(keyId));
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
    ...upkeep,
    catchUp,
    succeed: succession.look,
    update: async manifest => {
      const keyId = toHex(manifest.core.keyId);
      await run(keyId, { type: 'update', from: nodeKey, manifest }).catch(noteFailure);
    },
    holding: async keyId => inTurn(keyId, async () => holdingOf(keys, nodeKey, keyId)),
    servedKeyIds: () => keys.keyIds().filter(keys.isServed),
    manifestOf: keyId => heldManifest(keys, keyId),
    shareCount: keys.shareCount,
    corruptCount: keys.corruptCount,
  };
}
