import { assert, type Crypto, type ErrorCode, equalBytes, SkerryError, toHex } from '@skerry/base';
import {
  type Acceptance,
  type Amendment,
  chainHeadOf,
  coreHashOf,
  follows,
  isAccepted,
  isForVoters,
  type Manifest,
  nodeIdOf,
  nodeKeyOf,
  type Proposal,
  proposalHashOf,
  quorumOf,
  type RequestAnswer,
  type RequestBody,
  seatsOf,
  type Vote,
  votePreimage,
} from '@skerry/wire';
import { moveStepMs } from '../parameters.ts';
import type { AuthoritySigner } from './deal.ts';

/** What a move is asked to do. */
export type MoveOrder = {
  /** Of the key, as newest known. */
  readonly manifest: Manifest;
  /** The point whose holder failed. */
  readonly x: number;
  readonly reason: Proposal['reason'];
  /** Nodes that may take the point, by their ids; those to ask first come first. */
  readonly nominees: readonly string[];
  /** What signs for the owner; null where the owner is away, and holders vote. */
  readonly signer: AuthoritySigner | null;
};

/** What a mover's step may use of the world outside its state. */
export type MoverEnv = { readonly crypto: Crypto; readonly nowMs: number };

/** What holders have voted for, and their votes. */
type Polled = { readonly proposal: Proposal; readonly votes: readonly Vote[] };

/** Votes by proposal, whose hash in hexadecimal names it. */
type Votes = ReadonlyMap<string, Polled>;

/** A proposal that holders are asked about. */
type Ballot = { readonly proposal: Proposal; readonly acceptance: Acceptance };

type Phase =
  /** Holders are asked what they voted for before: nobody votes twice, so that what some voted for is carried on with. */
  | {
      readonly name: 'polling';
      readonly waiting: ReadonlySet<string>;
      readonly votes: Votes;
    }
  /** A node was asked whether it takes the point: of this move's own, or of a proposal that others voted for before. */
  | { readonly name: 'nominating'; readonly nodeId: string; readonly adopted: Proposal | null }
  | {
      readonly name: 'voting';
      readonly ballot: Ballot;
      readonly waiting: ReadonlySet<string>;
      readonly votes: Votes;
      readonly refusals: ReadonlyMap<string, ErrorCode>;
    }
  | { readonly name: 'adopting'; readonly manifest: Manifest }
  | { readonly name: 'ended' };

/** The machine that moves a point to another node. */
export type MoverState = {
  readonly order: MoveOrder;
  readonly coreHash: Uint8Array;
  readonly phase: Phase;
  /** Nominees not asked yet. */
  readonly left: readonly string[];
  /** Why nominees were passed over, by node id. */
  readonly failed: ReadonlyMap<string, ErrorCode>;
};

/** What happens to a move. Each request is answered by one event, its code where it failed. */
export type MoverEvent =
  | {
      readonly type: 'nominee-answered';
      readonly nodeId: string;
      readonly answer: RequestAnswer<'nominate'> | ErrorCode;
    }
  | {
      readonly type: 'voter-answered';
      readonly nodeId: string;
      readonly answer: RequestAnswer<'vote'> | ErrorCode;
    }
  | { readonly type: 'adopted' };

/** What the world is to do for a move; the last of it is `done` or `fail`. */
export type MoverEffect =
  | {
      readonly type: 'nominate';
      readonly nodeId: string;
      readonly nomination: RequestBody<'nominate'>;
      readonly deadlineMs: number;
    }
  | {
      readonly type: 'vote';
      readonly nodeId: string;
      readonly ballot: RequestBody<'vote'>;
      readonly deadlineMs: number;
    }
  /** Keeps the manifest, with whom to tell of it, on the disk; answered by `adopted`. */
  | { readonly type: 'adopt'; readonly manifest: Manifest }
  | { readonly type: 'done'; readonly manifest: Manifest; readonly proposal: Proposal }
  | { readonly type: 'fail'; readonly error: SkerryError };

/** A move after a step: its state, and what is to be done. */
export type MoverStep = { readonly state: MoverState; readonly effects: readonly MoverEffect[] };

function end(state: MoverState, effect: MoverEffect): MoverStep {
  return { state: { ...state, phase: { name: 'ended' } }, effects: [effect] };
}

function fail(state: MoverState, error: SkerryError): MoverStep {
  return end(state, { type: 'fail', error });
}

function nominate(state: MoverState, nodeId: string, x: number, adopted: Proposal | null): MoverStep {
  const { core } = state.order.manifest;
  const nomination = { keyId: core.keyId, epoch: core.epoch, coreHash: state.coreHash, x };
  return {
    state: { ...state, phase: { name: 'nominating', nodeId, adopted } },
    effects: [{ type: 'nominate', nodeId, nomination, deadlineMs: moveStepMs }],
  };
}

/** Asks the next nominee, or gives up. */
function nominateNext(state: MoverState): MoverStep {
  const [nodeId, ...left] = state.left;
  if (nodeId !== undefined) return nominate({ ...state, left }, nodeId, state.order.x, null);
  const why = [...state.failed].map(([id, code]) => `${id}: ${code}`).join(', ');
  const message = `no node takes the point ${state.order.x}${why === '' ? '' : ` (${why})`}`;
  return fail(state, new SkerryError('PLACEMENT_INFEASIBLE', message));
}

/** Asks every holder for its vote, this node among them; with no proposal for what it voted for before. */
function askAll(state: MoverState, previous: Uint8Array, offered: Ballot | null): MoverEffect[] {
  const { manifest } = state.order;
  const ballot = { keyId: manifest.core.keyId, coreHash: state.coreHash, previous, offered };
  return voterIdsOf(state).map(nodeId => ({ type: 'vote', nodeId, ballot, deadlineMs: moveStepMs }));
}

function voterIdsOf({ order }: MoverState): string[] {
  return seatsOf(order.manifest).map(({ nodeKey }) => nodeIdOf(nodeKey));
}

/**
 * Starts moving a point: asks the first nominee whether it takes it, or where holders are to vote, what they voted for
 * before (docs/PROTOCOL.md, healing).
 *
 * @param env crypto and time
 * @param order what to move; nothing of it is secret
 */
export function startMove(env: MoverEnv, order: MoveOrder): MoverStep {
  const { core } = order.manifest;
  const coreHash = coreHashOf(env.crypto, core);
  const state: MoverState = {
    order,
    coreHash,
    phase: { name: 'ended' },
    left: order.nominees,
    failed: new Map(),
  };
  if (order.signer) return nominateNext(state);
  const { previous } = chainHeadOf(env.crypto, order.manifest, coreHash);
  return {
    state: { ...state, phase: { name: 'polling', waiting: new Set(voterIdsOf(state)), votes: new Map() } },
    effects: askAll(state, previous, null),
  };
}

/** The proposal to move the order's point to a node that gave a key for it. */
function proposalFor(
  env: MoverEnv,
  { order, coreHash }: MoverState,
  nodeId: string,
  ek: Uint8Array,
): Proposal {
  const { sequence, previous } = chainHeadOf(env.crypto, order.manifest, coreHash);
  return { sequence, previous, x: order.x, nodeKey: nodeKeyOf(nodeId), ek, reason: order.reason };
}

function adopt(state: MoverState, amendment: Amendment): MoverStep {
  const { manifest: before } = state.order;
  const manifest = { ...before, amendments: [...before.amendments, amendment] };
  return {
    state: { ...state, phase: { name: 'adopting', manifest } },
    effects: [{ type: 'adopt', manifest }],
  };
}

function callVote(state: MoverState, ballot: Ballot): MoverStep {
  const waiting = new Set(voterIdsOf(state));
  const phase: Phase = { name: 'voting', ballot, waiting, votes: new Map(), refusals: new Map() };
  return {
    state: { ...state, phase },
    effects: askAll(state, ballot.proposal.previous, ballot),
  };
}

function takeNominee(
  env: MoverEnv,
  state: MoverState,
  nodeId: string,
  answer: RequestAnswer<'nominate'> | ErrorCode,
): MoverStep {
  assert(state.phase.name === 'nominating', 'a nominee answers a nomination');
  const { adopted } = state.phase;
  if (typeof answer === 'string') return passOver(state, nodeId, answer);
  const { ek, acceptance } = answer;
  const proposal = adopted ?? proposalFor(env, state, nodeId, ek);
  const isGood =
    equalBytes(proposal.ek, ek) &&
    acceptance.expiresAtMs > env.nowMs &&
    isAccepted(env.crypto, state.coreHash, proposal, acceptance);
  if (!isGood) return passOver(state, nodeId, 'SIGNATURE_INVALID');
  const { signer } = state.order;
  if (signer === null) return callVote(state, { proposal, acceptance });
  const signatures = signer.sign(proposalHashOf(env.crypto, state.coreHash, proposal));
  return adopt(state, { proposal, acceptance, signatures, votes: [] });
}

function passOver(state: MoverState, nodeId: string, code: ErrorCode): MoverStep {
  assert(state.phase.name === 'nominating', 'a nominee answers a nomination');
  const next = { ...state, failed: new Map(state.failed).set(nodeId, code) };
  // nor does a vote stop anything that was given before for a node that does not answer: it may be a liar's
  return nominateNext(next);
}

/** Whether an answer is its holder's true vote for what it names. */
function isVote(env: MoverEnv, state: MoverState, nodeId: string, answer: RequestAnswer<'vote'>): boolean {
  const seat = seatsOf(state.order.manifest).find(({ x }) => x === answer.x);
  if (!seat || nodeIdOf(seat.nodeKey) !== nodeId) return false;
  const signed = votePreimage(proposalHashOf(env.crypto, state.coreHash, answer.proposal), answer.x);
  return env.crypto.ed25519Verify(seat.nodeKey, signed, answer.signature);
}

/** Votes with one more; undefined where an answer is not its holder's true vote for what it names. */
function addVote(
  env: MoverEnv,
  state: MoverState,
  votes: Votes,
  nodeId: string,
  answer: RequestAnswer<'vote'>,
): Votes | undefined {
  if (!isVote(env, state, nodeId, answer)) return undefined;
  const { proposal, x, signature } = answer;
  const name = toHex(proposalHashOf(env.crypto, state.coreHash, proposal));
  const before = votes.get(name)?.votes ?? [];
  return new Map(votes).set(name, { proposal, votes: [...before, { x, signature }] });
}

/** All have said what they voted for before: what most voted for of what may be is carried on with, if anything. */
function takePolled(
  env: MoverEnv,
  state: MoverState,
  nodeId: string,
  answer: RequestAnswer<'vote'> | ErrorCode,
): MoverStep {
  const { phase } = state;
  assert(phase.name === 'polling', 'a voter answers a poll');
  const waiting = new Set(phase.waiting);
  waiting.delete(nodeId);
  const added = typeof answer === 'string' ? undefined : addVote(env, state, phase.votes, nodeId, answer);
  const votes = added ?? phase.votes;
  const next: MoverState = { ...state, phase: { ...phase, waiting, votes } };
  if (waiting.size > 0) return { state: next, effects: [] };
  const { manifest, x } = state.order;
  const { core } = manifest;
  const head = chainHeadOf(env.crypto, manifest, state.coreHash);
  // of another point only what others could not outvote: one that has not failed is a liar's word, and nobody votes for it
  const may = ({ proposal, votes: given }: Polled): boolean =>
    follows(core, head, proposal) &&
    isForVoters(core, head, proposal) &&
    (proposal.x === x || given.length > core.k - quorumOf(core));
  const [most] = [...votes.values()].filter(may).sort((a, b) => b.votes.length - a.votes.length);
  if (!most) return nominateNext(next);
  return nominate(next, nodeIdOf(most.proposal.nodeKey), most.proposal.x, most.proposal);
}

/** All have voted: the amendment, or nothing. */
function countVotes(env: MoverEnv, state: MoverState): MoverStep {
  const { phase, order, coreHash } = state;
  assert(phase.name === 'voting', 'votes are counted where they were asked for');
  const { core } = order.manifest;
  const { ballot, votes, refusals } = phase;
  const needed = quorumOf(core);
  const name = toHex(proposalHashOf(env.crypto, coreHash, ballot.proposal));
  const mine = votes.get(name)?.votes ?? [];
  if (mine.length >= needed) {
    const quorum = [...mine].sort((a, b) => a.x - b.x).slice(0, needed);
    return adopt(state, { ...ballot, signatures: [], votes: quorum });
  }
  const why = [...refusals].map(([id, code]) => `${id}: ${code}`).join(', ');
  const message = `${mine.length} of ${core.k} holders voted for it and ${needed} must (${why})`;
  return fail(state, new SkerryError('VOTES_MISSING', message, { votes: mine.length, needed }));
}

function takeVoter(
  env: MoverEnv,
  state: MoverState,
  nodeId: string,
  answer: RequestAnswer<'vote'> | ErrorCode,
): MoverStep {
  const { phase } = state;
  if (phase.name === 'polling') return takePolled(env, state, nodeId, answer);
  assert(phase.name === 'voting', 'a voter answers a ballot');
  const waiting = new Set(phase.waiting);
  waiting.delete(nodeId);
  const refusals = new Map(phase.refusals);
  const added = typeof answer === 'string' ? undefined : addVote(env, state, phase.votes, nodeId, answer);
  if (!added) refusals.set(nodeId, typeof answer === 'string' ? answer : 'SIGNATURE_INVALID');
  const next: MoverState = { ...state, phase: { ...phase, waiting, votes: added ?? phase.votes, refusals } };
  return waiting.size > 0 ? { state: next, effects: [] } : countVotes(env, next);
}

/**
 * One step of a move: a node is asked whether it takes the point, the owner signs or the holders vote, and the manifest
 * with the amendment is kept. Where holders have voted before, what most of them voted for is carried on with, since
 * nobody votes twice for one place in the chain.
 *
 * @param env crypto and time
 * @param state as the last step returned it
 * @param event what happened
 * @returns the next state and the effects; after `done` or `fail` there are none
 */
export function stepMove(env: MoverEnv, state: MoverState, event: MoverEvent): MoverStep {
  const ignored: MoverStep = { state, effects: [] };
  const { phase } = state;
  switch (event.type) {
    case 'nominee-answered':
      if (phase.name !== 'nominating' || phase.nodeId !== event.nodeId) return ignored;
      return takeNominee(env, state, event.nodeId, event.answer);
    case 'voter-answered':
      if (phase.name !== 'polling' && phase.name !== 'voting') return ignored;
      if (!phase.waiting.has(event.nodeId)) return ignored;
      return takeVoter(env, state, event.nodeId, event.answer);
    case 'adopted': {
      if (phase.name !== 'adopting') return ignored;
      const { manifest } = phase;
      const last = manifest.amendments.at(-1);
      assert(last !== undefined, 'what was adopted has an amendment');
      return end(state, { type: 'done', manifest, proposal: last.proposal });
    }
  }
}
