import { type ErrorCode, SkerryError } from '@skerry/base';
import { hpkeRecipient, nodeCrypto } from '@skerry/crypto';
import {
  type MoveOrder,
  type MoverEffect,
  type MoverEvent,
  roundContextOf,
  startMove,
  stepMove,
} from '@skerry/custody';
import { challengeOf } from '@skerry/sharing';
import {
  amendmentOf,
  answerInfo,
  coreHashOf,
  type Manifest,
  nodeIdOf,
  proposalHashOf,
  type RequestAnswer,
  seatsOf,
} from '@skerry/wire';
import type { HolderNode } from './holder-node.ts';
import { ask, carryRound, holdersOf, nodeOf, type World } from './world.ts';

/** How a move ended. */
type MoveOutcome = {
  readonly result: Manifest | SkerryError | 'vanished';
  readonly effects: readonly MoverEffect[];
};

/** Asks a holder and waits for its answer. */
export async function answerOf<N extends 'nominate' | 'vote' | 'update'>(
  world: World,
  from: Uint8Array,
  nodeId: string,
  request: Parameters<typeof ask<N>>[3],
): Promise<RequestAnswer<N> | ErrorCode> {
  const { promise, resolve } = Promise.withResolvers<RequestAnswer<N> | ErrorCode>();
  ask<N>(world, from, nodeId, request, resolve);
  await world.timeline.run();
  return promise;
}

/**
 * Carries the mover's machine over the world's network, one request after the other.
 *
 * @param from the node key of who moves
 * @param vanish says before which effect the mover stops for good; effects are counted from 0
 */
export async function move(
  world: World,
  order: MoveOrder,
  from: Uint8Array,
  vanish: (index: number, effect: MoverEffect) => boolean = () => false,
): Promise<MoveOutcome> {
  const effects: MoverEffect[] = [];
  const mover = startMover(world, order, from);
  for (;;) {
    const effect = mover.next();
    if (vanish(effects.length, effect)) return { result: 'vanished', effects };
    effects.push(effect);
    if (effect.type === 'done') return { result: effect.manifest, effects };
    if (effect.type === 'fail') return { result: effect.error, effects };
    await mover.carry();
  }
}

/** A mover's machine that is carried step by step: what is due next, and that it is done. */
export function startMover(world: World, order: MoveOrder, from: Uint8Array) {
  const env = () => ({ crypto: nodeCrypto, nowMs: world.timeline.nowMs() });
  let { state, effects: due } = startMove(env(), order);
  const waiting = [...due];
  const next = (): MoverEffect => {
    const [effect] = waiting;
    if (!effect) throw new Error('a move ends');
    return effect;
  };
  return {
    next,
    carry: async (): Promise<void> => {
      const effect = next();
      waiting.shift();
      if (effect.type === 'done' || effect.type === 'fail') throw new Error('what is over is not carried');
      const event = await eventOf(world, from, effect);
      ({ state, effects: due } = stepMove(env(), state, event));
      waiting.push(...due);
    },
  };
}

async function eventOf(
  world: World,
  from: Uint8Array,
  effect: Exclude<MoverEffect, { type: 'done' | 'fail' }>,
): Promise<MoverEvent> {
  if (effect.type === 'adopt') return { type: 'adopted' };
  const { nodeId, deadlineMs } = effect;
  if (effect.type === 'nominate') {
    const request = { name: 'nominate', body: effect.nomination, deadlineMs } as const;
    return { type: 'nominee-answered', nodeId, answer: await answerOf(world, from, nodeId, request) };
  }
  const request = { name: 'vote', body: effect.ballot, deadlineMs } as const;
  return { type: 'voter-answered', nodeId, answer: await answerOf(world, from, nodeId, request) };
}

/** A move that went through. */
export async function moveWell(world: World, order: MoveOrder, from: Uint8Array): Promise<Manifest> {
  const { result } = await move(world, order, from);
  if (result instanceof SkerryError) throw result;
  if (typeof result === 'string') throw new Error(result);
  return result;
}

/** Brings a manifest to nodes, and gives back what each answered: a code, or nothing where it took it in. */
export async function tell(
  world: World,
  manifest: Manifest,
  nodeIds: readonly string[] = seatsOf(manifest).map(({ nodeKey }) => nodeIdOf(nodeKey)),
): Promise<(ErrorCode | undefined)[]> {
  const codes: (ErrorCode | undefined)[] = [];
  for (const nodeId of nodeIds) {
    const request = { name: 'update', body: manifest, deadlineMs: 5_000 } as const;
    const answer = await answerOf(world, world.dealer.nodeKey, nodeId, request);
    codes.push(typeof answer === 'string' ? answer : undefined);
  }
  return codes;
}

/**
 * Has a node make the share that was moved to it, as it does by itself.
 *
 * @returns why it could not, or nothing
 */
export async function repairAt(
  world: World,
  node: HolderNode,
  keyId: Uint8Array,
): Promise<ErrorCode | undefined> {
  const incoming = node.held(keyId)?.incoming;
  if (!incoming) throw new Error('no share is to come here');
  const { manifest, x, ekSeed } = incoming;
  const proposal = amendmentOf(manifest.amendments, x)!.proposal;
  const proposalHash = proposalHashOf(nodeCrypto, coreHashOf(nodeCrypto, manifest.core), proposal);
  const order = {
    manifest,
    holders: holdersOf(manifest).filter(holder => holder.x !== x),
    aim: { op: 'repair', x, proposalHash, nodeSeed: node.nodeSeed } as const,
    recipientKey: proposal.ek,
    nodeKey: node.nodeKey,
  };
  const { end } = await carryRound(world.timeline, order, ({ holder, request, deadlineMs }, deliver) => {
    const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, request, 'gf256'));
    ask(world, node.nodeKey, holder.nodeId, { name: 'round', body: request, deadlineMs }, async answer => {
      if (typeof answer === 'string') return deliver(answer);
      const info = answerInfo(challenge, holder.x);
      deliver((await hpkeRecipient(ekSeed).open(info, answer.sealed)) ?? 'SIGNATURE_INVALID');
    });
  });
  if (end.type === 'fail') return end.error.code;
  if (end.type !== 'repaired') throw new Error(`a repair ended as ${end.type}`);
  await node.step(keyId, { type: 'repaired', share: end.share });
  return undefined;
}

/** Nodes of the world that hold no point of a key. */
export function outsiders(world: World, manifest: Manifest): HolderNode[] {
  const taken = new Set(seatsOf(manifest).map(({ nodeKey }) => nodeIdOf(nodeKey)));
  return world.nodes.filter(({ nodeId }) => !taken.has(nodeId));
}

/** The node that holds a point now. */
export function holderOf(world: World, manifest: Manifest, x: number): HolderNode {
  const seat = seatsOf(manifest).find(one => one.x === x);
  return nodeOf(world, nodeIdOf(seat!.nodeKey));
}
