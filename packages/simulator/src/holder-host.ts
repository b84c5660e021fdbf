/** What a virtual node does as a holder: it carries the holder's machine, as a node does. */
import { assert, type ErrorCode, equalBytes, toHex } from '@skerry/base';
import {
  failureOf,
  type HeldEpoch,
  type HeldKey,
  type HolderEffect,
  type HolderEvent,
  holderEventOf,
  isSeated,
  judgeProbe,
  lapseMs,
  manifestOf,
  roundContextOf,
  stepHolder,
} from '@skerry/custody';
import { challengeOf, type Share } from '@skerry/sharing';
import {
  contributionPreimage,
  contributionShape,
  decode,
  encode,
  type Manifest,
  probeAnswerPreimage,
  type RequestAnswer,
  type RequestBody,
  type RoundRequest,
  seatsOf,
} from '@skerry/wire';
import { citizens, deadlines } from '../parameters.ts';
import type { AskedName, Handle, Reply } from './network.ts';
import { repairAt } from './rounds.ts';
import { openWith, sealTo } from './sealing.ts';
import { type Citizen, idOf, type World } from './world.ts';

type Answered = { readonly answer?: Reply<AskedName>; readonly event?: HolderEvent };

const noLoad = { shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 };

const manifests = new WeakMap<HeldEpoch, Manifest>();

/** The manifest that a node serves a key by. */
export function servedBy(node: Citizen, keyId: string): Manifest | undefined {
  const active = node.held.get(keyId)?.active;
  if (!active) return undefined;
  const manifest = manifests.get(active) ?? manifestOf(active);
  if (manifest) manifests.set(active, manifest);
  return manifest;
}

const holderIds = new WeakMap<Manifest, Map<number, string>>();

/** The node ids of those that hold a key's points, by point. */
export function holderIdsOf(manifest: Manifest): ReadonlyMap<number, string> {
  const known = holderIds.get(manifest);
  if (known) return known;
  const ids = new Map(seatsOf(manifest).map(({ x, nodeKey }) => [x, idOf(nodeKey)]));
  holderIds.set(manifest, ids);
  return ids;
}

/** Whether a node's own audits show that the holder of a point has failed. */
function isFailing(world: World, node: Citizen, keyId: string, x: number, graceMs: number): boolean {
  const manifest = servedBy(node, keyId);
  const nodeId = manifest && holderIdsOf(manifest).get(x);
  return (
    nodeId !== undefined &&
    failureOf(node.health, { keyId, x, nodeId }, world.queue.nowMs(), graceMs) !== null
  );
}

/** What a holder's machine is carried with. */
export type HolderHost = {
  readonly handle: Handle;
  /** Steps a key's machine with an event of the node's own. */
  readonly step: (node: Citizen, keyId: string, event: HolderEvent) => Reply<AskedName> | undefined;
  /** A node is up again: what lapsed lapses, what was begun goes on, and it catches up with what it missed. */
  readonly wake: (node: Citizen) => void;
  /** Takes in what the network knows of a key. */
  readonly catchUp: (node: Citizen, keyId: string) => void;
};

/** What a node that misbehaves makes of an answer. */
function tamper(world: World, node: Citizen, event: HolderEvent, answer: Reply<AskedName>): Reply<AskedName> {
  if (node.conduct !== 'wrong-proofs' || event.type !== 'probe' || typeof answer === 'string') return answer;
  const signature = world.chance.bytes(64);
  const signed = probeAnswerPreimage(event.probe, signature);
  return { signature, nodeSignature: world.crypto.ed25519Sign(node.nodeSeed, signed) };
}

/** A part of a round with one bit turned, signed as if it were right. */
function wrongPart(
  { crypto }: World,
  { nodeSeed }: Citizen,
  request: RoundRequest,
  x: number,
  part: Uint8Array,
): Uint8Array {
  const { contribution } = decode(contributionShape, part, contributionShape.bytesMax, 'contribution');
  contribution[0]! ^= 1;
  const challenge = challengeOf(crypto, roundContextOf(crypto, request, 'gf256'));
  const signature = crypto.ed25519Sign(nodeSeed, contributionPreimage(challenge, x, contribution));
  return encode(contributionShape, { contribution, signature });
}

/** Does what an effect asks for. */
function carryOut(
  world: World,
  node: Citizen,
  keyId: string,
  cause: HolderEvent,
  effect: HolderEffect,
): Answered {
  const { crypto, chance, queue } = world;
  switch (effect.type) {
    case 'open-dek': {
      const { deposit, seed, info } = effect;
      return { event: { type: 'dek-opened', deposit, dek: openWith(crypto, seed, info, deposit.sealedDek) } };
    }
    case 'verify-grant': {
      const claims = world.grants.get(toHex(effect.request.grant)) ?? ('GRANT_INVALID' as const);
      return { event: { type: 'grant-verified', request: effect.request, claims } };
    }
    case 'publish': {
      const manifest = manifestOf(effect.held);
      if (manifest) world.records.put(node, manifest);
      return {};
    }
    case 'repair':
      queue.after(0, () => begin(world, node, keyId));
      return {};
    case 'erase':
      return { event: { type: 'erased', tombstone: effect.tombstone } };
    case 'refuse':
      return { answer: effect.code };
    case 'answer':
      return { answer: effect.answer.body };
    case 'answer-sealed': {
      const { active } = node.held.get(keyId)!;
      const isWrong = node.conduct === 'wrong-parts' && 'request' in cause && active;
      const plaintext = isWrong
        ? wrongPart(world, node, cause.request, active.x, effect.plaintext)
        : effect.plaintext;
      const sealed = sealTo(crypto, chance, effect.recipientKey, effect.info, plaintext);
      return { answer: sealed ? { sealed } : 'MESSAGE_MALFORMED' };
    }
    // a state is kept once its step is done, and nobody reads what a virtual node writes down
    case 'store':
    case 'audit':
      return {};
  }
}

/** Has a lapse looked at when it is due. */
function watchLapse(world: World, node: Citizen, keyId: string, held: HeldKey | null): void {
  const { queue } = world;
  const lapsesMs = held ? lapseMs(held) : Number.POSITIVE_INFINITY;
  const known = node.lapses.get(keyId) ?? Number.POSITIVE_INFINITY;
  if (lapsesMs === Number.POSITIVE_INFINITY || known <= lapsesMs) return;
  node.lapses.set(keyId, lapsesMs);
  queue.after(lapsesMs - queue.nowMs(), () => {
    if (node.lapses.get(keyId) === lapsesMs) node.lapses.delete(keyId);
    if (!node.isUp || node.isDeparted) return;
    step(world, node, keyId, { type: 'expire' });
    watchLapse(world, node, keyId, node.held.get(keyId) ?? null);
  });
}

/** Steps a key's machine with an event, and with all that follows from it at once. */
function step(world: World, node: Citizen, keyId: string, first: HolderEvent): Reply<AskedName> | undefined {
  const before = node.held.get(keyId) ?? null;
  let [held, answer]: [HeldKey | null, Reply<AskedName> | undefined] = [before, undefined];
  let event: HolderEvent | undefined = first;
  while (event) {
    const { crypto, chance: random } = world;
    const { nodeKey, nodeSeed } = node;
    const env = { crypto, random, nowMs: world.queue.nowMs(), nodeKey, nodeSeed };
    const done = stepHolder(held, { ...env, load: noLoad, capacity: citizens.capacity }, event);
    held = done.held;
    const cause = event;
    event = undefined;
    for (const effect of done.effects) {
      const came = carryOut(world, node, keyId, cause, effect);
      answer = came.answer ?? answer;
      event = came.event ?? event;
    }
  }
  if (world.planted.has('tamper-share') && first.type === 'repaired' && held?.active) {
    held = { ...held, active: { ...held.active, dek: world.chance.bytes(32) } };
  }
  if (held !== before) keep(world, node, keyId, before, held);
  return answer && tamper(world, node, first, answer);
}

/** Puts a new state on a node's disk, and has what follows from it begin. */
function keep(
  world: World,
  node: Citizen,
  keyId: string,
  before: HeldKey | null,
  held: HeldKey | null,
): void {
  if (held) node.held.set(keyId, held);
  else node.held.delete(keyId);
  world.witness.onState(node, keyId, before, held);
  watchLapse(world, node, keyId, held);
  const isLeaving = held?.active && !isSeated(held.active, node.nodeKey);
  if (isLeaving) world.queue.after(0, () => begin(world, node, keyId));
}

/** Begins to have a share made, or to let go of one, if there is one and nobody is at it. */
function begin(world: World, node: Citizen, keyId: string): void {
  if (node.jobs.has(keyId) || node.isDeparted || !node.isUp) return;
  node.jobs.add(keyId);
  work(world, node, keyId, deadlines.successionMinMs);
}

/** One try; the next one waits twice as long. */
function work(world: World, node: Citizen, keyId: string, waitMs: number): void {
  const { life } = node;
  const held = node.held.get(keyId);
  const isGone = held?.active && !isSeated(held.active, node.nodeKey);
  const again = (): void => {
    world.queue.after(waitMs, () => {
      if (node.life === life && node.isUp)
        work(world, node, keyId, Math.min(2 * waitMs, deadlines.successionMaxMs));
    });
  };
  if (world.witness.isLost(keyId)) node.jobs.delete(keyId);
  else if (held?.incoming && node.conduct !== 'idle-successor') repair(world, node, keyId, again);
  else if (isGone) release(world, node, keyId, again);
  else node.jobs.delete(keyId);
}

/** Has the share made that is to come to a node, once the other holders have been told of it. */
function repair(world: World, node: Citizen, keyId: string, again: () => void): void {
  const incoming = node.held.get(keyId)?.incoming;
  assert(incoming != null, 'what is repaired is on its way');
  const { manifest } = incoming;
  const others = seatsOf(manifest).filter(({ nodeKey }) => !equalBytes(nodeKey, node.nodeKey));
  let waiting = others.length;
  const told = (): void => {
    waiting -= 1;
    if (waiting > 0) return;
    repairAt(world, node, incoming, (share: Share | ErrorCode) => {
      if (typeof share === 'string') return again();
      step(world, node, keyId, { type: 'repaired', share });
      node.jobs.delete(keyId);
      begin(world, node, keyId);
    });
  };
  const request = { name: 'update', body: manifest, deadlineMs: deadlines.noticeMs } as const;
  for (const { nodeKey } of others) world.network.ask(node, world.nodeOf(nodeKey), request, told);
}

/** Lets go of the share of a point that has moved, once the next holder proves that it has one. */
function release(world: World, node: Citizen, keyId: string, again: () => void): void {
  const active = node.held.get(keyId)?.active;
  const manifest = active && manifestOf(active);
  const seat = manifest && seatsOf(manifest).find(({ x }) => x === active.x);
  if (!active || !manifest || !seat) return void node.jobs.delete(keyId);
  probe(world, node, manifest, active.x, shown => {
    if (shown !== 'proof') return again();
    step(world, node, keyId, { type: 'release' });
    node.jobs.delete(keyId);
    begin(world, node, keyId);
  });
}

function catchUp(world: World, node: Citizen, keyId: string): void {
  const known = lookUp(world, node, keyId);
  if (known && servedBy(node, keyId) !== known)
    step(world, node, keyId, { type: 'update', from: node.nodeKey, manifest: known });
}

function wake(world: World, node: Citizen): void {
  const onDisk = [...node.held];
  for (const [keyId, held] of onDisk) {
    step(world, node, keyId, { type: 'expire' });
    catchUp(world, node, keyId);
    watchLapse(world, node, keyId, node.held.get(keyId) ?? null);
    if (held.incoming || held.active) begin(world, node, keyId);
  }
}

/** Holders of a world. */
export function createHolderHost(world: World, graceMs: number): HolderHost {
  return {
    step: (node, keyId, event) => step(world, node, keyId, event),
    catchUp: (node, keyId) => catchUp(world, node, keyId),
    wake: node => wake(world, node),
    handle: <N extends AskedName>(
      to: { readonly nodeId: string },
      from: { readonly nodeId: string },
      request: { readonly name: N; readonly body: RequestBody<N> },
    ): Reply<N> => {
      const [node, asker] = [world.nodeById(to.nodeId), from as Citizen];
      assert(node !== undefined, 'who is asked is there');
      const failing = (id: Uint8Array, x: number): boolean => isFailing(world, node, toHex(id), x, graceMs);
      const [keyId, event] = holderEventOf(request as never, asker.nodeKey, failing);
      return (step(world, node, toHex(keyId), event) ?? 'KEY_UNKNOWN') as RequestAnswer<N> | ErrorCode;
    },
  };
}

/** What the DHT and a few of those that hold a key know of it: the newest; at once. */
export function lookUp(world: World, node: Citizen, keyId: string): Manifest | undefined {
  return world.records.get(node, keyId);
}

/** Asks the holder of a point to prove its share. */
export function probe(
  world: World,
  node: Citizen,
  manifest: Manifest,
  x: number,
  deliver: (shown: ReturnType<typeof judgeProbe> | ErrorCode) => void,
): void {
  const { core } = manifest;
  const seat = seatsOf(manifest).find(one => one.x === x);
  assert(seat !== undefined, 'who is probed holds a point');
  const body = {
    keyId: core.keyId,
    epoch: core.epoch,
    coreHash: manifest.activation.coreHash,
    x,
    nonce: world.chance.bytes(32),
  };
  const request = { name: 'probe', body, deadlineMs: deadlines.auditMs } as const;
  world.network.ask(node, world.nodeOf(seat.nodeKey), request, answer => {
    deliver(typeof answer === 'string' ? answer : judgeProbe(world.crypto, manifest, body, answer));
  });
}
