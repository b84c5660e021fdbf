/** Rounds in virtual time: the requester's machine, carried as a node carries it. */
import { assert, type ErrorCode } from '@skerry/base';
import {
  type AskedHolder,
  type HeldKey,
  type InspectionEvent,
  type RequesterEffect,
  type RequesterEvent,
  type RoundEnd,
  type RoundOrder,
  roundContextOf,
  startRound,
  stepRequester,
} from '@skerry/custody';
import { challengeOf, type Share } from '@skerry/sharing';
import { amendmentOf, answerInfo, coreHashOf, type Manifest, proposalHashOf, seatsOf } from '@skerry/wire';
import { openWith } from './sealing.ts';
import { type Citizen, idOf, type World } from './world.ts';

/** The holders of a key but one, those to ask first come first: those that are up, the nearest. */
function holdersFor(world: World, node: Citizen, manifest: Manifest, but: number): AskedHolder[] {
  const seats = seatsOf(manifest).filter(({ x }) => x !== but);
  const known = seats.map(({ x, nodeKey }) => {
    const holder = world.nodeOf(nodeKey);
    const roundTripMs = holder && world.network.roundTripMs(node, holder);
    const nodeId = idOf(nodeKey);
    const isAlive = holder?.isUp === true && world.network.connects(node, holder);
    return { rank: isAlive ? (roundTripMs ?? 0) : 1e9, asked: { x, nodeId, label: nodeId, roundTripMs } };
  });
  return known.sort((a, b) => a.rank - b.rank).map(({ asked }) => asked);
}

/** Carries a requester's machine to its end, unless the node goes down before. */
function run(
  world: World,
  node: Citizen,
  order: Omit<RoundOrder, 'recipientKey' | 'nodeKey'>,
  recipientSeed: Uint8Array,
  deliver: (end: RoundEnd) => void,
): void {
  const { queue, crypto, chance: random, network } = world;
  const { life, nodeKey } = node;
  const env = () => ({ crypto, random, nowMs: queue.nowMs() });
  const full = { ...order, recipientKey: crypto.x25519PublicKey(recipientSeed), nodeKey };
  const first = startRound(env(), full);
  let { state } = first;
  let isOver = false;

  function take(event: RequesterEvent): void {
    if (isOver || node.life !== life || !node.isUp) return;
    const step = stepRequester(env(), state, event);
    state = step.state;
    carryOut(step.effects);
  }

  function ask({ attempt, holder, request, deadlineMs }: Extract<RequesterEffect, { type: 'ask' }>): void {
    const asked = { name: 'round', body: request, deadlineMs } as const;
    network.ask(node, world.nodeById(holder.nodeId), asked, answer => {
      const { x } = holder;
      if (typeof answer === 'string') return take({ type: 'answered', attempt, x, answer });
      const context = roundContextOf(crypto, request, order.manifest.core.scheme);
      const info = answerInfo(challengeOf(crypto, context), x);
      const opened = openWith(crypto, recipientSeed, info, answer.sealed) ?? 'SIGNATURE_INVALID';
      take({ type: 'answered', attempt, x, answer: opened });
    });
  }

  function carryOut(effects: readonly RequesterEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'ask') ask(effect);
      else if (effect.type === 'wake') queue.after(effect.afterMs, () => take(effect.event));
      else {
        isOver = true;
        deliver(effect);
      }
    }
  }

  carryOut(first.effects);
}

/**
 * Opens a key by a grant.
 *
 * @param deliver gets the payload, or why there is none; nothing where the node goes down before
 */
export function openAt(
  world: World,
  node: Citizen,
  manifest: Manifest,
  grant: Uint8Array,
  deliver: (payload: Uint8Array | ErrorCode) => void,
): void {
  const holders = holdersFor(world, node, manifest, 0);
  const aim = { op: 'open', grant, confirmationSeed: node.nodeSeed } as const;
  run(world, node, { manifest, holders, aim }, world.chance.bytes(32), end => {
    assert(end.type === 'done' || end.type === 'fail', 'an open gives a payload');
    deliver(end.type === 'done' ? end.payload : end.error.code);
  });
}

/**
 * Has the share of a point made for its owner, by a grant to inspect.
 *
 * @param asked points whose holders are asked, the first ones first
 */
export function inspectAt(
  world: World,
  node: Citizen,
  {
    manifest,
    x,
    asked,
  }: { readonly manifest: Manifest; readonly x: number; readonly asked: readonly number[] },
  grant: Uint8Array,
  deliver: (event: InspectionEvent) => void,
): void {
  const known = new Map(holdersFor(world, node, manifest, x).map(holder => [holder.x, holder]));
  const holders = asked.map(point => known.get(point)!);
  const aim = { op: 'inspect', x, grant, confirmationSeed: node.nodeSeed } as const;
  run(world, node, { manifest, holders, aim }, world.chance.bytes(32), end => {
    if (end.type === 'inspected') return deliver(end);
    assert(end.type === 'fail', 'an inspection gives a share');
    deliver({ type: 'failed', observations: end.observations });
  });
}

/** Has the share of a point made that was moved to a node. */
export function repairAt(
  world: World,
  node: Citizen,
  { manifest, x, ekSeed }: NonNullable<HeldKey['incoming']>,
  deliver: (share: Share | ErrorCode) => void,
): void {
  const amendment = amendmentOf(manifest.amendments, x);
  assert(amendment !== undefined, 'a repair follows an amendment');
  const coreHash = coreHashOf(world.crypto, manifest.core);
  const proposalHash = proposalHashOf(world.crypto, coreHash, amendment.proposal);
  const holders = holdersFor(world, node, manifest, x);
  const aim = { op: 'repair', x, proposalHash, nodeSeed: node.nodeSeed } as const;
  run(world, node, { manifest, holders, aim }, ekSeed, end => {
    assert(end.type === 'repaired' || end.type === 'fail', 'a repair gives a share');
    deliver(end.type === 'repaired' ? end.share : end.error.code);
  });
}
