import type { Clock } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { type MoveOrder, type MoverEffect, type MoverEvent, startMove, stepMove } from '@skerry/custody';
import type { Manifest, Proposal, RequestAnswer } from '@skerry/wire';
import { ask, codeOf } from './asking.ts';
import type { PeerStreams } from './streams.ts';

/** What a move needs of its node. */
type MovingOptions = {
  readonly streams: Pick<PeerStreams, 'request'>;
  readonly clock: Clock;
  /** Keeps the manifest with the amendment, and whom to tell of it, on the disk. */
  readonly adopt: (manifest: Manifest) => Promise<void>;
};

/** A point that was moved: its manifest, and to whom. */
export type Moved = { readonly manifest: Manifest; readonly proposal: Proposal };

type Outcome = { readonly event: MoverEvent } | { readonly moved: Moved };

/** Asks for a vote; a holder that is behind is brought the manifest first. */
async function askVote(
  { streams }: MovingOptions,
  { manifest }: MoveOrder,
  { nodeId, ballot, deadlineMs }: Extract<MoverEffect, { type: 'vote' }>,
): Promise<RequestAnswer<'vote'>> {
  const deadline = { deadlineMs };
  try {
    return await ask(streams, nodeId, 'vote', ballot, deadline);
  } catch (error) {
    if (codeOf(error) !== 'AMENDMENT_UNKNOWN') throw error;
    await ask(streams, nodeId, 'update', manifest, deadline);
    return ask(streams, nodeId, 'vote', ballot, deadline);
  }
}

async function carryOut(options: MovingOptions, order: MoveOrder, effect: MoverEffect): Promise<Outcome> {
  const { streams, adopt } = options;
  switch (effect.type) {
    case 'nominate': {
      const { nodeId, nomination, deadlineMs } = effect;
      const answer = await ask(streams, nodeId, 'nominate', nomination, { deadlineMs }).catch(codeOf);
      return { event: { type: 'nominee-answered', nodeId, answer } };
    }
    case 'vote': {
      const answer = await askVote(options, order, effect).catch(codeOf);
      return { event: { type: 'voter-answered', nodeId: effect.nodeId, answer } };
    }
    case 'adopt':
      await adopt(effect.manifest);
      return { event: { type: 'adopted' } };
    case 'done':
      return { moved: { manifest: effect.manifest, proposal: effect.proposal } };
    case 'fail':
      throw effect.error;
  }
}

/**
 * Moves a point to another node: carries the mover's machine until the amendment is kept or the move has failed. The node
 * has the share made by itself, once it is told.
 *
 * @throws PLACEMENT_INFEASIBLE where no nominee takes it, VOTES_MISSING, STORE_FAILED
 */
export async function movePoint(options: MovingOptions, order: MoveOrder): Promise<Moved> {
  const { promise, resolve, reject } = Promise.withResolvers<Moved>();
  const env = () => ({ crypto: nodeCrypto, nowMs: options.clock.nowMs() });
  const first = startMove(env(), order);
  let { state } = first;

  async function follow(effect: MoverEffect): Promise<void> {
    const outcome = await carryOut(options, order, effect);
    if ('moved' in outcome) return resolve(outcome.moved);
    const step = stepMove(env(), state, outcome.event);
    state = step.state;
    followAll(step.effects);
  }

  function followAll(effects: readonly MoverEffect[]): void {
    for (const effect of effects) follow(effect).catch(reject);
  }

  followAll(first.effects);
  return promise;
}
