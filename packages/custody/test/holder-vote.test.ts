import { at, equalBytes, type SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { encodeHeldKey, type HeldKey, type HolderStep, stepHolder } from '@skerry/custody';
import {
  acceptancePreimage,
  chainHeadOf,
  coreHashOf,
  type Manifest,
  nodeIdOf,
  type Proposal,
  proposalHashOf,
  type RequestBody,
  votePreimage,
} from '@skerry/wire';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { votesPerKeyMax } from '../parameters.ts';
import { type Fault, holdOrder } from './faults.ts';
import type { HolderNode } from './holder-node.ts';
import { type Identity, makeIdentity } from './identities.ts';
import { answerOf, holderOf, move, moveWell, outsiders, tell } from './moves.ts';
import { createWorld, dealWell, nodeOf, orderDeal, type World } from './world.ts';

/** Four of seven, of which one may move without the owner: six have to vote. */
const counts = { t: 4, n: 5, k: 7 };
let world: World;
let manifest: Manifest;
let x: number;
let voter: HolderNode;
let standby: HolderNode;

async function setUp(wanted = counts, nodes = 11): Promise<void> {
  world = createWorld(nodes);
  // the level that has a repair budget
  const order = orderDeal(world, wanted);
  const place: typeof order.place = excluded => ({ ...order.place(excluded), repairBudget: 1 });
  manifest = await dealWell(world, { ...order, place });
  x = at(manifest.core.holders, 0).x;
  voter = holderOf(world, manifest, at(manifest.core.holders, 1).x);
  standby = nodeOf(world, nodeIdOf(at(manifest.core.standby, 0)));
}

type Trial = {
  held: HeldKey | null;
  ballot: Omit<RequestBody<'vote'>, 'offered'> & { proposal: Proposal | null };
  isFailing: boolean;
  /** Who accepts, and until when. */
  nominee: Identity;
  expiresAtMs: number;
};

const isNoStandby = ({ nodeKey }: Identity): boolean =>
  !manifest.core.standby.some(key => equalBytes(key, nodeKey)) && !equalBytes(nodeKey, manifest.core.dealer);

const ek = nodeCrypto.x25519PublicKey(nodeRandom.bytes(32));

function makeTrial(): Trial {
  const { core } = manifest;
  const coreHash = coreHashOf(nodeCrypto, core);
  const { sequence, previous } = chainHeadOf(nodeCrypto, manifest, coreHash);
  const proposal: Proposal = { sequence, previous, x, nodeKey: standby.nodeKey, ek, reason: 'absent' };
  const expiresAtMs = world.timeline.nowMs() + 1;
  const ballot = { keyId: core.keyId, coreHash, previous, proposal };
  return { held: voter.held(core.keyId), ballot, isFailing: true, nominee: standby, expiresAtMs };
}

function run({ held, ballot, isFailing, nominee, expiresAtMs }: Trial): HolderStep {
  const { proposal, ...place } = ballot;
  const sign = ({ x: point, ek: given }: Proposal): Uint8Array =>
    nodeCrypto.ed25519Sign(nominee.nodeSeed, acceptancePreimage(place.coreHash, point, given, expiresAtMs));
  const offered = proposal && { proposal, acceptance: { expiresAtMs, signature: sign(proposal) } };
  const { nodeKey, nodeSeed } = voter;
  const nowMs = world.timeline.nowMs();
  const load = { shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 };
  const env = { crypto: nodeCrypto, random: nodeRandom, nowMs, nodeKey, nodeSeed, load, capacity: 10 };
  return stepHolder(held, env, { type: 'vote', ballot: { ...place, offered }, isFailing });
}

const propose =
  (changes: () => Partial<Proposal>) =>
  (trial: Trial): void => {
    const wanted = changes();
    const { proposal, previous } = trial.ballot;
    const changed = proposal && { ...proposal, ...wanted };
    trial.ballot = { ...trial.ballot, previous: wanted.previous ?? previous, proposal: changed };
  };

function voteIn(step: HolderStep): { proposal: Proposal; x: number; signature: Uint8Array } {
  const effect = step.effects.at(-1);
  if (effect?.type !== 'answer' || effect.answer.name !== 'vote') throw new Error('no vote');
  return effect.answer.body;
}

describe('a vote', () => {
  beforeEach(async () => setUp());
  const another = makeIdentity();
  const faults: readonly Fault<Trial>[] = [
    ['is for a key of which nothing is kept', 'KEY_UNKNOWN', trial => void (trial.held = null)],
    [
      'is for another core',
      'CORE_MISMATCH',
      trial => void (trial.ballot = { ...trial.ballot, coreHash: nodeRandom.bytes(32) }),
    ],
    [
      'comes too late',
      'RECORD_STALE',
      trial => {
        const { active } = trial.held!;
        const { previous } = trial.ballot;
        const proposal = { ...makeTrial().ballot.proposal!, previous, x: at(manifest.core.holders, 2).x };
        const amendment = { proposal, acceptance: { expiresAtMs: 0, signature: new Uint8Array(64) } };
        const amendments = [{ ...amendment, signatures: [], votes: [] }];
        trial.held = { ...trial.held!, active: { ...active!, amendments } };
      },
    ],
    [
      'follows what is not known here',
      'AMENDMENT_UNKNOWN',
      propose(() => ({ previous: nodeRandom.bytes(32) })),
    ],
    [
      'proposes nothing, where nothing was voted for',
      'VOTE_REFUSED',
      trial => void (trial.ballot.proposal = null),
    ],
    [
      'is about a holder that did not fail, by its own audits',
      'VOTE_REFUSED',
      trial => void (trial.isFailing = false),
    ],
    ['is of a point that is none', 'VOTE_REFUSED', propose(() => ({ x: 1 + (x % 255) }))],
    [
      'is for a node that is no standby',
      'VOTE_REFUSED',
      trial => {
        trial.nominee = another;
        propose(() => ({ nodeKey: another.nodeKey }))(trial);
      },
    ],
    ['is for a node that did not accept', 'VOTE_REFUSED', trial => void (trial.nominee = another)],
    [
      'is for a node whose word has expired',
      'VOTE_REFUSED',
      trial => void (trial.expiresAtMs = world.timeline.nowMs()),
    ],
    [
      'finds no room for one more',
      'VOTE_REFUSED',
      trial => {
        const { coreHash, proposal } = trial.ballot;
        const given = { coreHash, proposal: { ...proposal!, previous: nodeRandom.bytes(32) } };
        trial.held = trial.held && {
          ...trial.held,
          votes: Array.from({ length: votesPerKeyMax }, () => given),
        };
      },
    ],
  ];
  holdOrder(faults, makeTrial, run);

  it('is signed by its node for that very proposal, and on the disk before', () => {
    const trial = makeTrial();
    const step = run(trial);
    expect(step.effects.map(({ type }) => type)).toEqual(['store', 'audit', 'answer']);
    const { coreHash, proposal } = trial.ballot;
    expect(step.held?.votes).toEqual([{ coreHash, proposal }]);
    const vote = voteIn(step);
    const signed = votePreimage(proposalHashOf(nodeCrypto, coreHash, proposal!), vote.x);
    expect(nodeCrypto.ed25519Verify(voter.nodeKey, signed, vote.signature)).toBe(true);
  });

  it('is given once for each place in the chain: whoever asks for another hears of the first', () => {
    const first = makeTrial();
    const { held } = run(first);
    const second = { ...makeTrial(), held };
    propose(() => ({ ek: nodeCrypto.x25519PublicKey(nodeRandom.bytes(32)) }))(second);
    const step = run(second);
    expect(step.held).toBe(held);
    expect(voteIn(step).proposal).toEqual(first.ballot.proposal);
    // and it outlives the acceptance, and what the audits say by then
    const late = { ...first, held, isFailing: false, expiresAtMs: 0 };
    expect(voteIn(run(late)).proposal).toEqual(first.ballot.proposal);
    const poll = { ...late, ballot: { ...late.ballot, proposal: null } };
    expect(voteIn(run(poll)).proposal).toEqual(first.ballot.proposal);
  });

  it('may be for the holder itself, anew', () => {
    const leaver = holderOf(world, manifest, x);
    const trial = { ...makeTrial(), nominee: leaver };
    propose(() => ({ nodeKey: leaver.nodeKey }))(trial);
    expect(voteIn(run(trial)).proposal.nodeKey).toEqual(leaver.nodeKey);
  });
});

describe('a move by vote', () => {
  beforeEach(async () => setUp());
  const orderBy = (changes: object = {}) => {
    const nominees = [standby.nodeId];
    return { manifest, x, reason: 'absent', nominees, signer: null, ...changes } as const;
  };

  it('needs all but as many as the margin can lose, and the budget for one', async () => {
    const leaver = holderOf(world, manifest, x);
    world.fate = ({ holder }) => ({ lost: holder === leaver.nodeId });
    const moved = await moveWell(world, orderBy(), voter.nodeKey);
    expect(moved.amendments).toMatchObject([{ signatures: [], proposal: { x } }]);
    expect(moved.amendments[0]?.votes).toHaveLength(6);
    await tell(world, moved);
    const [, , second] = outsiders(world, moved) as [HolderNode, HolderNode, HolderNode];
    const other = at(manifest.core.holders, 2).x;
    const again = orderBy({ manifest: moved, x: other, nominees: [second.nodeId] });
    expect((await move(world, again, voter.nodeKey)).result).toMatchObject({ code: 'VOTES_MISSING' });
  });

  it('fails where too few vote, and says who did not and why', async () => {
    const [gone, blind] = [x, at(manifest.core.holders, 3).x].map(point => holderOf(world, manifest, point));
    world.fate = ({ holder }) => ({ lost: holder === gone!.nodeId });
    blind!.isFailing = () => false;
    const { result } = await move(world, orderBy(), voter.nodeKey);
    expect(result).toMatchObject({ code: 'VOTES_MISSING', metadata: { votes: 5, needed: 6 } });
    const { message } = result as SkerryError;
    expect(message).toContain(`${gone!.nodeId}: DEADLINE_EXCEEDED`);
    expect(message).toContain(`${blind!.nodeId}: VOTE_REFUSED`);
    // once the last one sees it too, the votes that were given count
    blind!.isFailing = () => true;
    const second = outsiders(world, manifest).find(node => node !== standby)!;
    const moved = await moveWell(world, orderBy({ nominees: [second.nodeId] }), blind!.nodeKey);
    expect(nodeIdOf(moved.amendments[0]!.proposal.nodeKey)).toBe(standby.nodeId);
  });

  test.each([
    ['a standby that is gone', () => nodeOf(world, nodeIdOf(at(manifest.core.standby, 1))), 0],
    ['a node that is no standby', () => outsiders(world, manifest).find(isNoStandby)!, 0],
    [
      'a standby, for a point that has not failed',
      () => nodeOf(world, nodeIdOf(at(manifest.core.standby, 1))),
      3,
    ],
  ])('is not stopped by one that says it voted before for %s', async (_, findOther, place) => {
    await setUp({ t: 3, n: 5, k: 7 }, 18); // five of seven have to vote, and there are more nodes than standbys
    const [leaver, other, liar] = [holderOf(world, manifest, x), findOther(), voter];
    const { core } = manifest;
    const coreHash = coreHashOf(nodeCrypto, core);
    const { sequence, previous } = chainHeadOf(nodeCrypto, manifest, coreHash);
    const voted = at(core.holders, place).x;
    const isAccomplice = voted !== x;
    const isFailing = (point: number): boolean => point === x;
    for (const node of world.nodes) node.isFailing = isFailing;
    // the accomplice accepts, as it did before
    const nomination = { keyId: core.keyId, epoch: core.epoch, coreHash, x: voted };
    const asked = { name: 'nominate', body: nomination, deadlineMs: 1000 } as const;
    const answer = await answerOf(world, liar.nodeKey, other.nodeId, asked);
    const given = typeof answer === 'string' ? ek : answer.ek;
    const proposal: Proposal = {
      sequence,
      previous,
      x: voted,
      nodeKey: other.nodeKey,
      ek: given,
      reason: 'absent',
    };
    const held = { ...liar.held(core.keyId)!, votes: [{ coreHash, proposal }] };
    liar.disk.set(toHex(core.keyId), encodeHeldKey(held));
    world.fate = ({ holder }) => ({
      lost: holder === leaver.nodeId || (holder === other.nodeId && !isAccomplice),
    });
    const moved = await moveWell(world, orderBy(), at(core.holders, 2).nodeKey);
    expect(nodeIdOf(moved.amendments[0]!.proposal.nodeKey)).toBe(standby.nodeId);
    expect(moved.amendments[0]!.votes).toHaveLength(5);
  });

  it('is carried on with by another after its proposer died, by the votes that were given', async () => {
    const leaver = holderOf(world, manifest, x);
    world.fate = ({ holder }) => ({ lost: holder === leaver.nodeId });
    for (const last of [3, 8, 10, 14]) {
      const died = await move(world, orderBy(), voter.nodeKey, index => index === last);
      expect(died.result).toBe('vanished');
    }
    const other = holderOf(world, manifest, at(manifest.core.holders, 2).x);
    const third = outsiders(world, manifest).find(node => node !== standby)!;
    const moved = await moveWell(world, orderBy({ nominees: [third.nodeId] }), other.nodeKey);
    expect(nodeIdOf(moved.amendments[0]!.proposal.nodeKey)).toBe(standby.nodeId);
  });
});
