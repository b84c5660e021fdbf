import { type ErrorCode, SkerryError, toHex } from '@skerry/base';
import { hpkeRecipient, hpkeSeal, nodeCrypto, nodeRandom } from '@skerry/crypto';
import {
  type AskedHolder,
  type AuthoritySigner,
  type DealerEffect,
  type DealerEvent,
  type DealOrder,
  type RequesterEffect,
  type RequesterEvent,
  type RoundEnd,
  type RoundOrder,
  roundContextOf,
  startDeal,
  startRound,
  stepDealer,
  stepRequester,
} from '@skerry/custody';
import { type Candidate, type Counts, planPlacement } from '@skerry/placement';
import { challengeOf, splitPayload, unpackKey } from '@skerry/sharing';
import {
  answerInfo,
  decodeAnswer,
  decodeRequest,
  encodeRefusal,
  encodeRequest,
  type GrantClaims,
  keyIdOf,
  type Manifest,
  nodeIdOf,
  type Request,
  type RequestAnswer,
  type RequestBody,
  type RequestName,
  type RoundRequest,
  seatsOf,
} from '@skerry/wire';
import { createHolderNode, type HolderNode } from './holder-node.ts';
import { type Identity, makeIdentity, makeSigner, signGrant } from './identities.ts';
import { createTimeline, type Timeline } from './timeline.ts';

/** One message on its way: a request to a holder, or a holder's answer. */
export type Message = {
  readonly holder: string;
  readonly name: RequestName;
  readonly leg: 'request' | 'answer';
  readonly bytes: Uint8Array;
};

/** What the network does to a message; left out, it arrives once, as it is, after `hopMs`. */
export type Fate = {
  readonly lost?: boolean;
  readonly delayMs?: number;
  /** How often it arrives. */
  readonly copies?: number;
  readonly bytes?: Uint8Array;
};

/** Time that a message takes, in ms. */
export const hopMs = 20;

/** Nodes, a network between them, and time, all in memory: no I/O, real cryptography. */
export type World = {
  readonly timeline: Timeline;
  readonly owner: AuthoritySigner;
  readonly dealer: Identity;
  readonly nodes: readonly HolderNode[];
  /** What becomes of each message; tests replace it. */
  fate: (message: Message) => Fate;
  /** Every answer that a holder gave, as it left. */
  readonly answered: Message[];
  /** Every request that a holder got. */
  readonly received: { readonly holder: string; readonly request: Request }[];
};

/** A world of `nodeCount` holders, a dealer and an owner. */
export function createWorld(nodeCount: number): World {
  const timeline = createTimeline();
  const nodes = Array.from({ length: nodeCount }, () => createHolderNode(timeline.nowMs));
  return {
    timeline,
    owner: makeSigner(),
    dealer: makeIdentity(),
    nodes,
    fate: () => ({}),
    answered: [],
    received: [],
  };
}

/** The node of a node id. */
export function nodeOf({ nodes }: World, nodeId: string): HolderNode {
  const node = nodes.find(candidate => candidate.nodeId === nodeId);
  if (!node) throw new Error(`no node ${nodeId}`);
  return node;
}

/** Brings a message to its end, as often as fate has it. */
function carry(world: World, message: Message, arrive: (bytes: Uint8Array) => void | Promise<void>): void {
  const { lost = false, delayMs = hopMs, copies = 1, bytes = message.bytes } = world.fate(message);
  if (lost) return;
  for (let copy = 0; copy < copies; copy++) world.timeline.after(delayMs + copy, async () => arrive(bytes));
}

/** Asks a holder over the network. One answer is delivered: the first, or DEADLINE_EXCEEDED. */
export function ask<N extends RequestName>(
  world: World,
  from: Uint8Array,
  holder: string,
  request: { readonly name: N; readonly body: RequestBody<N>; readonly deadlineMs: number },
  deliver: (answer: RequestAnswer<N> | ErrorCode) => void | Promise<void>,
): void {
  const { name, body, deadlineMs } = request;
  let delivered = false;
  const finish = async (answer: () => RequestAnswer<N> | ErrorCode): Promise<void> => {
    if (delivered) return;
    delivered = true;
    await deliver(answer());
  };
  carry(world, { holder, name, leg: 'request', bytes: encodeRequest(name, body) }, async bytes => {
    const answer = await handle(world, from, holder, bytes);
    const message: Message = { holder, name, leg: 'answer', bytes: answer };
    world.answered.push(message);
    carry(world, message, async answered => finish(() => codeOr(() => decodeAnswer(name, answered))));
  });
  world.timeline.after(deadlineMs, async () => finish(() => 'DEADLINE_EXCEEDED'));
}

/** What a holder answers to bytes from a node. */
export async function handle(
  world: World,
  from: Uint8Array,
  holder: string,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const request = codeOr(() => decodeRequest(bytes));
  if (typeof request === 'string') return encodeRefusal(request);
  world.received.push({ holder, request });
  return nodeOf(world, holder).handle(from, request);
}

function codeOr<T>(work: () => T): T | ErrorCode {
  try {
    return work();
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  }
}

function candidateOf({ nodeId }: HolderNode, i: number): Candidate {
  const place = { name: `Place ${i}`, lat: 0, lon: i, country: 'IS', region: `region ${i}` };
  return { nodeId, place, operator: `operator ${i}`, trust: 0.5, availability: 0.97 };
}

/** An order to deal a key among the world's nodes. */
export function orderDeal(
  world: World,
  counts: Counts,
  options: { readonly key?: Uint8Array; readonly delayMs?: number; readonly nonce?: Uint8Array } = {},
): DealOrder {
  const { key = nodeRandom.bytes(32), delayMs = 0, nonce = nodeRandom.bytes(16) } = options;
  const keyId = keyIdOf(nodeCrypto, world.owner.authority, nonce);
  const place: DealOrder['place'] = excluded =>
    planPlacement({
      candidates: world.nodes.map(candidateOf).filter(({ nodeId }) => !excluded.has(nodeId)),
      risk: 'low',
      profile: 'local',
      acceptReduced: false,
      counts,
      simulated: true,
    });
  return { key, keyId, nonce, signer: world.owner, previous: null, delayMs, place };
}

/** How a deal ended, and what the dealer did up to then. */
export type DealOutcome = {
  readonly result: { readonly manifest: Manifest } | SkerryError | 'vanished' | 'running';
  readonly effects: readonly DealerEffect[];
  /** The payload in the machine's state, to see that it was wiped. */
  readonly payload: Uint8Array;
};

/**
 * Deals a key and runs the world until nothing is left to do.
 *
 * @param vanish says before which effect the dealer stops for good; effects are counted from 0
 */
export async function deal(
  world: World,
  order: DealOrder,
  vanish: (index: number, effect: DealerEffect) => boolean = () => false,
  verifies: (effect: Extract<DealerEffect, { type: 'verify' }>) => Promise<boolean> = async () => true,
): Promise<DealOutcome> {
  const { dealer, timeline } = world;
  const effects: DealerEffect[] = [];
  let result: DealOutcome['result'] = 'running';
  const env = () => ({ crypto: nodeCrypto, random: nodeRandom, nowMs: timeline.nowMs(), ...dealer });
  const started = startDeal(env(), order);
  let { state } = started;

  async function dispatch(event: DealerEvent): Promise<void> {
    if (result === 'vanished') return;
    const step = stepDealer(env(), state, event);
    state = step.state;
    for (const effect of step.effects) await perform(effect);
  }

  async function perform(effect: DealerEffect): Promise<void> {
    if (result === 'vanished' || vanish(effects.length, effect)) {
      result = 'vanished';
      return;
    }
    effects.push(effect);
    const from = dealer.nodeKey;
    if (effect.type === 'offer') {
      const { nodeId, offer, deadlineMs } = effect;
      ask(world, from, nodeId, { name: 'offer', body: offer, deadlineMs }, async answer =>
        dispatch({ type: 'offer-answered', nodeId, answer }),
      );
    } else if (effect.type === 'split') {
      await dispatch({ type: 'split', shares: await splitPayload(effect.payload, effect.k, effect.t) });
    } else if (effect.type === 'deposit') {
      const { nodeId, ek, dek, deposit } = effect.share;
      const sealedDek = await hpkeSeal(ek, effect.info, dek);
      if (!sealedDek) return dispatch({ type: 'deposit-answered', nodeId, answer: 'SIGNATURE_INVALID' });
      const body = { ...deposit, sealedDek };
      ask(world, from, nodeId, { name: 'deposit', body, deadlineMs: effect.deadlineMs }, async answer =>
        dispatch({ type: 'deposit-answered', nodeId, answer }),
      );
    } else if (effect.type === 'activate') {
      const { nodeId, keyId, activation, deadlineMs } = effect;
      ask(world, from, nodeId, { name: 'activate', body: { keyId, activation }, deadlineMs }, async answer =>
        dispatch({ type: 'activate-answered', nodeId, answer }),
      );
    } else if (effect.type === 'verify') {
      await dispatch({ type: 'verified', isRight: await verifies(effect) });
    } else if (effect.type === 'store-manifest') await dispatch({ type: 'manifest-stored' });
    else if (effect.type === 'done') result = { manifest: effect.manifest };
    else result = effect.error;
  }

  for (const effect of started.effects) await perform(effect);
  await timeline.run();
  return { result, effects, payload: state.payload };
}

/** Deals a key where nothing goes wrong. */
export async function dealWell(world: World, order: DealOrder): Promise<Manifest> {
  const { result } = await deal(world, order);
  if (result instanceof SkerryError) throw result;
  if (typeof result === 'string') throw new Error(result);
  return result.manifest;
}

/** The claims of a grant to open a key, good now and for an hour. */
export function claimsFor(world: World, manifest: Manifest, to: Identity): GrantClaims {
  const nbf = Math.floor(world.timeline.nowMs() / 1000);
  return {
    keyId: toHex(manifest.core.keyId),
    epoch: null,
    op: 'open',
    sub: to.nodeId,
    cnf: toHex(to.nodeKey),
    jti: Buffer.from(nodeRandom.bytes(12)).toString('base64url'),
    nbf,
    exp: nbf + 3600,
    uses: null,
    among: null,
  };
}

/** The holders of a key, in the manifest's order. */
export function holdersOf(manifest: Manifest): AskedHolder[] {
  return seatsOf(manifest).map(({ x, nodeKey }, i) => {
    return { x, nodeId: nodeIdOf(nodeKey), label: `holder ${i}`, roundTripMs: undefined };
  });
}

/** How a round ended. */
export type RoundOutcome = {
  readonly end: RoundEnd;
  readonly tookMs: number;
  readonly requests: readonly RoundRequest[];
  /** Asks made in all. */
  readonly asks: number;
};

/** How an open ended. */
export type OpenOutcome = RoundOutcome & {
  readonly result: { readonly payload: Uint8Array; readonly sets: number } | SkerryError;
};

/** A round's outcome, where it was an open. */
export function asOpen(outcome: RoundOutcome): OpenOutcome {
  const { end } = outcome;
  if (end.type === 'done') return { ...outcome, result: end };
  if (end.type === 'fail') return { ...outcome, result: end.error };
  throw new Error('an open is no drill');
}

/**
 * Carries a requester's machine on a timeline.
 *
 * @param reply gives the answer to one request
 */
export async function carryRound(
  timeline: Timeline,
  order: RoundOrder,
  reply: (
    effect: Extract<RequesterEffect, { type: 'ask' }>,
    deliver: (answer: Uint8Array | ErrorCode) => void,
  ) => void,
): Promise<RoundOutcome> {
  const startedMs = timeline.nowMs();
  const requests: RoundRequest[] = [];
  let end: RoundEnd | undefined;
  let [endedMs, asks] = [0, 0];
  const env = () => ({ crypto: nodeCrypto, random: nodeRandom, nowMs: timeline.nowMs() });
  const started = startRound(env(), order);
  let { state } = started;

  function dispatch(event: RequesterEvent): void {
    const step = stepRequester(env(), state, event);
    state = step.state;
    perform(step.effects);
  }

  function perform(effects: readonly RequesterEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'wake') timeline.after(effect.afterMs, () => dispatch(effect.event));
      else if (effect.type === 'ask') {
        const { attempt, holder, request } = effect;
        asks++;
        requests[attempt] = request;
        reply(effect, answer => dispatch({ type: 'answered', attempt, x: holder.x, answer }));
      } else {
        if (end) throw new Error('a round ends once');
        end = effect;
        endedMs = timeline.nowMs();
      }
    }
  }

  perform(started.effects);
  await timeline.run();
  if (!end) throw new Error('a round ends');
  return { end, tookMs: endedMs - startedMs, requests, asks };
}

/** Opens a key over the world's network, with a grant, as a node that the grant is for. */
export async function open(
  world: World,
  manifest: Manifest,
  by: Identity,
  grant: Uint8Array = signGrant(world.owner, claimsFor(world, manifest, by)),
): Promise<OpenOutcome & { readonly key: Uint8Array | undefined }> {
  const recipientSeed = nodeRandom.bytes(32);
  const order = {
    manifest,
    holders: holdersOf(manifest),
    aim: { op: 'open', grant, confirmationSeed: by.nodeSeed } as const,
    recipientKey: nodeCrypto.x25519PublicKey(recipientSeed),
    nodeKey: by.nodeKey,
  };
  const carried = await carryRound(world.timeline, order, ({ holder, request, deadlineMs }, deliver) => {
    const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, request, 'gf256'));
    ask(world, by.nodeKey, holder.nodeId, { name: 'round', body: request, deadlineMs }, async answer => {
      if (typeof answer === 'string') return deliver(answer);
      deliver(
        (await hpkeRecipient(recipientSeed).open(answerInfo(challenge, holder.x), answer.sealed)) ??
          'SIGNATURE_INVALID',
      );
    });
  });
  const outcome = asOpen(carried);
  const { box, keyId } = manifest.core;
  const { result } = outcome;
  const key =
    result instanceof SkerryError
      ? undefined
      : unpackKey({ crypto: nodeCrypto, payload: result.payload, box, keyId });
  return { ...outcome, key };
}
