import { equalBytes, SkerryError } from '@skerry/base';
import {
  chainHeadOf,
  follows,
  isAccepted,
  isForVoters,
  isTaken,
  type Proposal,
  proposalHashOf,
  type RequestBody,
  votePreimage,
} from '@skerry/wire';
import { votesPerKeyMax } from '../parameters.ts';
import { type HeldEpoch, type HeldKey, isSeated } from './held-key.ts';
import type { HolderEffect, HolderEnv, HolderStep } from './holder.ts';
import { activeOf, refuseUnless } from './holder-round.ts';

/** This holder's vote for a proposal. */
function voteFor(env: HolderEnv, { coreHash, x }: HeldEpoch, proposal: Proposal): HolderEffect {
  const signed = votePreimage(proposalHashOf(env.crypto, coreHash, proposal), x);
  const signature = env.crypto.ed25519Sign(env.nodeSeed, signed);
  return { type: 'answer', answer: { name: 'vote', body: { proposal, x, signature } } };
}

/**
 * Votes for moving a point without its owner, where this holder's own audits show that the point's holder has failed:
 * once for each place in the chain, and on the disk before anybody hears of it, so that of two proposals for one place
 * no two quorums can come together. Who asks again, or for another, or offers none, hears what was voted for.
 *
 * @param held the key as stored
 * @param env time, keys and crypto
 * @param ballot as received
 * @param isFailing whether this node's own audits show that the point's holder failed, for as long as the grace is
 * @throws KEY_UNKNOWN, KEY_NOT_ACTIVE, CORE_MISMATCH; RECORD_STALE where the chain has gone on, AMENDMENT_UNKNOWN where
 *   this holder is behind; VOTE_REFUSED
 */
export function takeVote(
  held: HeldKey | null,
  env: HolderEnv,
  ballot: RequestBody<'vote'>,
  isFailing: boolean,
): HolderStep {
  const { crypto, nowMs } = env;
  const { coreHash, previous, offered } = ballot;
  const active = activeOf(held);
  if (held === null) throw new SkerryError('KEY_UNKNOWN');
  refuseUnless(equalBytes(coreHash, active.coreHash), 'CORE_MISMATCH');
  const head = chainHeadOf(crypto, active, coreHash);
  refuseUnless(!isTaken(active.amendments, previous), 'RECORD_STALE');
  refuseUnless(equalBytes(previous, head.previous), 'AMENDMENT_UNKNOWN');
  const given = held.votes.find(
    vote => equalBytes(vote.coreHash, coreHash) && equalBytes(vote.proposal.previous, previous),
  );
  if (given) return { held, effects: [voteFor(env, active, given.proposal)] };
  refuseUnless(offered !== null && isFailing && held.votes.length < votesPerKeyMax, 'VOTE_REFUSED');
  const { proposal, acceptance } = offered;
  const allowed =
    isSeated(active, env.nodeKey) &&
    follows(active.core, head, proposal) &&
    isForVoters(active.core, head, proposal) &&
    isAccepted(crypto, coreHash, proposal, acceptance) &&
    acceptance.expiresAtMs > nowMs;
  refuseUnless(allowed, 'VOTE_REFUSED');
  const { sequence, x, reason } = proposal;
  return {
    held: { ...held, votes: [...held.votes, { coreHash, proposal }] },
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'vote', fields: { sequence, x, reason } },
      voteFor(env, active, proposal),
    ],
  };
}
