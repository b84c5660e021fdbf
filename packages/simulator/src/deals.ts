/** Deals and moves in virtual time: the dealer's and the mover's machines, carried as a node carries them. */
import type { ErrorCode, Risk } from '@skerry/base';
import {
  type DealerEffect,
  type DealerEvent,
  type DealOrder,
  type MoveOrder,
  type MoverEffect,
  type MoverEvent,
  startDeal,
  startMove,
  stepDealer,
  stepMove,
} from '@skerry/custody';
import { type Placement, planPlacement } from '@skerry/placement';
import { coreHashOf, type Manifest } from '@skerry/wire';
import { deadlines } from '../parameters.ts';
import { candidatesOf, codeOf, isKey, type OwnedKey, type OwnerDesk } from './owner-desk.ts';
import { sealTo, seededSplit } from './sealing.ts';
import type { Citizen, World } from './world.ts';

/** How a deal or a move ended. */
type Outcome = 'done' | ErrorCode;

/** Whether the dealer's node has put the key into another's place: a planted bug. */
type Plant = { readonly anotherKey: boolean };

/** What is to be dealt: at which level, and the key as it was opened. */
type Wanted = { readonly risk: Risk; readonly opened: Uint8Array; readonly plant: Plant };

/** A deal that is under way. */
type Deal = {
  readonly world: World;
  readonly desk: OwnerDesk;
  readonly key: OwnedKey;
  /** The owner's node when it began, and the manifest of the epoch before. */
  readonly owner: Citizen;
  readonly before: Manifest | null;
  readonly wanted: Wanted;
  /** Has the machine take what happened. */
  readonly take: (event: DealerEvent) => void;
  readonly deliver: (outcome: Outcome) => void;
};

/** Where the dealer's machine begins; the code of what keeps it from that. */
function beginDeal(
  env: Parameters<typeof startDeal>[0],
  order: DealOrder,
): ReturnType<typeof startDeal> | ErrorCode {
  try {
    return startDeal(env, order);
  } catch (error) {
    return codeOf(error);
  }
}

function storeDealt({ key, before, wanted, take }: Deal, manifest: Manifest, placement: Placement): void {
  key.previous = before;
  key.manifest = manifest;
  key.certificate = placement.certificate;
  key.former = [];
  key.risk = wanted.risk;
  take({ type: 'manifest-stored' });
}

function finishDeal(
  { world, desk, key, owner, deliver }: Deal,
  { manifest, silent }: Extract<DealerEffect, { type: 'done' }>,
): void {
  world.records.put(owner, manifest);
  desk.tell(key, 'activate', silent, deadlines.formerHoldersMs);
  desk.settle(key);
  deliver('done');
}

/** Seals a share to its holder, and deposits it there. */
function deposit({ world, owner, take }: Deal, effect: Extract<DealerEffect, { type: 'deposit' }>): void {
  const { share, info, deadlineMs } = effect;
  const { nodeId } = share;
  const sealedDek = sealTo(world.crypto, world.chance, share.ek, info, share.dek);
  if (!sealedDek) return take({ type: 'deposit-answered', nodeId, answer: 'SIGNATURE_INVALID' });
  const asked = { name: 'deposit', body: { ...share.deposit, sealedDek }, deadlineMs } as const;
  return world.network.ask(owner, world.nodeById(nodeId), asked, answer =>
    take({ type: 'deposit-answered', nodeId, answer }),
  );
}

/** Carries out what the dealer's machine wants. */
function carryOutDeal(deal: Deal, effect: DealerEffect): void {
  const { world, desk, key, owner, wanted, take } = deal;
  const { network, chance } = world;
  switch (effect.type) {
    case 'offer': {
      const { nodeId, offer, deadlineMs } = effect;
      const asked = { name: 'offer', body: offer, deadlineMs } as const;
      return network.ask(owner, world.nodeById(nodeId), asked, answer =>
        take({ type: 'offer-answered', nodeId, answer }),
      );
    }
    case 'split': {
      const payload = wanted.plant.anotherKey ? chance.bytes(effect.payload.length) : effect.payload;
      return take({ type: 'split', shares: seededSplit(chance, payload, effect.k, effect.t) });
    }
    case 'deposit':
      return deposit(deal, effect);
    case 'verify':
      return desk.openEpoch(key, effect.manifest, true, opened => {
        const isRight = typeof opened !== 'string' && isKey(key, opened);
        take({ type: 'verified', isRight: isRight || wanted.plant.anotherKey });
      });
    case 'store-manifest':
      return storeDealt(deal, effect.manifest, effect.placement);
    case 'activate': {
      const { nodeId, activation, deadlineMs } = effect;
      const asked = { name: 'activate', body: { keyId: key.id, activation }, deadlineMs } as const;
      return network.ask(owner, world.nodeById(nodeId), asked, answer =>
        take({ type: 'activate-answered', nodeId, answer }),
      );
    }
    case 'done':
      return finishDeal(deal, effect);
    case 'fail':
      return deal.deliver(effect.error.code);
  }
}

/** Deals a key, or its next epoch with `previous`; nothing is told where the owner's node goes down before. */
export function deal(
  world: World,
  desk: OwnerDesk,
  key: OwnedKey,
  wanted: Wanted,
  deliver: (outcome: Outcome) => void,
): void {
  const { queue, crypto, chance: random } = world;
  const { owner, manifest: before, nonce, signer, id: keyId } = key;
  const { life, nodeKey, nodeSeed } = owner;
  const previous = before && { epoch: before.core.epoch, coreHash: coreHashOf(crypto, before.core) };
  const place: DealOrder['place'] = excluded =>
    planPlacement({
      candidates: candidatesOf(world, key).filter(({ nodeId }) => !excluded.has(nodeId)),
      risk: wanted.risk,
      profile: key.profile,
      acceptReduced: false,
      simulated: true,
    });
  const order: DealOrder = { key: wanted.opened, keyId, nonce, signer, previous, delayMs: 0, place };
  const env = () => ({ crypto, random, nowMs: queue.nowMs(), nodeKey, nodeSeed });
  const first = beginDeal(env(), order);
  if (typeof first === 'string') return deliver(first);
  let { state } = first;
  const take = (event: DealerEvent): void => {
    if (owner.life !== life || !owner.isUp) return;
    const step = stepDealer(env(), state, event);
    state = step.state;
    for (const effect of step.effects) carryOutDeal(underWay, effect);
  };
  const underWay: Deal = { world, desk, key, owner, before, wanted, take, deliver };
  for (const effect of first.effects) carryOutDeal(underWay, effect);
}

/**
 * Moves a point of a key, by its owner's word or by votes.
 *
 * @param mover the owner's node, or a holder's
 * @param adopt keeps the manifest with the amendment
 */
export function movePoint(
  world: World,
  mover: Citizen,
  order: MoveOrder,
  adopt: (manifest: Manifest) => void,
  deliver: (outcome: Outcome) => void,
): void {
  const { queue, crypto, network } = world;
  const { life } = mover;
  const env = () => ({ crypto, nowMs: queue.nowMs() });
  const first = startMove(env(), order);
  let { state } = first;

  function take(event: MoverEvent): void {
    if (mover.life !== life || !mover.isUp) return;
    const step = stepMove(env(), state, event);
    state = step.state;
    for (const effect of step.effects) carryOut(effect);
  }

  /** Asks for a vote; a holder that is behind is brought the manifest first. */
  function askVote({ nodeId, ballot, deadlineMs }: Extract<MoverEffect, { type: 'vote' }>): void {
    const to = world.nodeById(nodeId);
    const asked = { name: 'vote', body: ballot, deadlineMs } as const;
    network.ask(mover, to, asked, answer => {
      if (answer !== 'AMENDMENT_UNKNOWN') return take({ type: 'voter-answered', nodeId, answer });
      const news = { name: 'update', body: order.manifest, deadlineMs } as const;
      network.ask(mover, to, news, () =>
        network.ask(mover, to, asked, again => take({ type: 'voter-answered', nodeId, answer: again })),
      );
    });
  }

  function carryOut(effect: MoverEffect): void {
    switch (effect.type) {
      case 'nominate': {
        const { nodeId, nomination, deadlineMs } = effect;
        const asked = { name: 'nominate', body: nomination, deadlineMs } as const;
        return network.ask(mover, world.nodeById(nodeId), asked, answer =>
          take({ type: 'nominee-answered', nodeId, answer }),
        );
      }
      case 'vote':
        return askVote(effect);
      case 'adopt':
        world.witness.onAmended(effect.manifest);
        adopt(effect.manifest);
        return take({ type: 'adopted' });
      case 'done':
        return deliver('done');
      case 'fail':
        return deliver(effect.error.code);
    }
  }

  for (const effect of first.effects) carryOut(effect);
}
