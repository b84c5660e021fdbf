import { type Crypto, compareBytes, equalBytes, preimage, SkerryError, toHex } from '@skerry/base';
import { amendmentsMax, authorityKeysMax, sharesMax } from '../parameters.ts';
import { authoritySignatureShape, checkAuthority } from './authority.ts';
import { type Core, xShape } from './core.ts';
import { exchangeKeyShape } from './exchange-key.ts';
import { ascends } from './order.ts';
import { bytes, encode, integer, list, type TypeOf, timeMs, tuple, where, word } from './shapes.ts';

/**
 * Why a point is moved: its holder does not answer, has lost the share, was caught cheating, is denied by the owner's
 * operator, or is moved for another reason of the owner's.
 */
const moveReasons = ['absent', 'lost', 'cheated', 'denied', 'moved'] as const;

/** Who is to hold a point from here on, in the chain of a core's amendments. */
export const proposalShape = tuple({
  /** From 1. */
  sequence: integer(1, amendmentsMax),
  /** The hash of the proposal before; of the first, the core's. */
  previous: bytes(32),
  x: xShape,
  nodeKey: bytes(32),
  /** The HPKE key that the node gave, to which its share will be sealed. */
  ek: exchangeKeyShape,
  reason: word(moveReasons),
});
/** An amendment before anybody signed it. */
export type Proposal = TypeOf<typeof proposalShape>;

/** A node's signed word that it will hold a point. */
export const acceptanceShape = tuple({ expiresAtMs: timeMs, signature: bytes(64) });
/** A node's signed word that it will hold a point, good until it expires for who is about to sign an amendment. */
export type Acceptance = TypeOf<typeof acceptanceShape>;

const voteShape = tuple({ x: xShape, signature: bytes(64) });
/** A holder's vote for a proposal: its point, and its node's signature. */
export type Vote = TypeOf<typeof voteShape>;

/** A point moved to another node, or to the same one anew: by the key's owners, or by a quorum of its holders. */
export const amendmentShape = where(
  tuple({
    proposal: proposalShape,
    acceptance: acceptanceShape,
    signatures: list(authoritySignatureShape, 0, authorityKeysMax),
    votes: list(voteShape, 0, sharesMax),
  }),
  ({ signatures, votes }) => (signatures.length === 0) !== (votes.length === 0),
  "signed by the key's owners or by its holders, not by both",
);
/** A decoded amendment; `checkAmendments` says whether it is true. */
export type Amendment = TypeOf<typeof amendmentShape>;

/** Who holds a point. */
export type Seat = Core['holders'][number];

/** A core and what became of its points. */
type Amended = { readonly core: Core; readonly amendments: readonly Amendment[] };

/**
 * Who holds the points of a key: the core's holders in its order, each as the last amendment of its point has it.
 *
 * @param manifest core and amendments, which were checked
 */
export function seatsOf({ core, amendments }: Amended): Seat[] {
  const latest = new Map(amendments.map(({ proposal }) => [proposal.x, proposal]));
  return core.holders.map(({ x, nodeKey, ek }) => {
    const moved = latest.get(x);
    return { x, nodeKey: moved?.nodeKey ?? nodeKey, ek: moved?.ek ?? ek };
  });
}

/**
 * Who has held each point of a key in this epoch, in turn; the last holds it now, or is to.
 *
 * @param manifest core and amendments, which were checked
 * @returns node keys by point, in the core's order
 */
export function tenuresOf({ core, amendments }: Amended): Map<number, Uint8Array[]> {
  const tenures = new Map(core.holders.map(({ x, nodeKey }) => [x, [nodeKey]]));
  for (const { proposal } of amendments) tenures.get(proposal.x)?.push(proposal.nodeKey);
  return tenures;
}

/**
 * The last amendment of a point, or undefined.
 *
 * @param amendments of one core, in order
 */
export function amendmentOf(amendments: readonly Amendment[], x: number): Amendment | undefined {
  return amendments.findLast(({ proposal }) => proposal.x === x);
}

/**
 * Holders that must vote for a proposal where the owner is away: so many of the k that any two quorums have t of them
 * in common, an honest one among them (docs/PROTOCOL.md, healing).
 *
 * @param core of the key
 */
export function quorumOf({ k, t }: Pick<Core, 'k' | 't'>): number {
  return Math.ceil((k + t) / 2);
}

/**
 * The hash that names a proposal: what owners and voters sign, and what the next one follows. Who accepts is in it, by
 * what word is not, so that a vote outlives the acceptance that it was given on.
 *
 * @param coreHash 32 bytes
 * @returns 32 bytes
 */
export function proposalHashOf(
  crypto: Crypto,
  coreHash: Uint8Array,
  proposal: Proposal,
): Uint8Array<ArrayBuffer> {
  return crypto.sha256(preimage('amendment', coreHash, proposalShape.pack(proposal)));
}

/**
 * What a node signs that will hold a point.
 *
 * @param coreHash of the sharing, 32 bytes
 * @param x the point
 * @param ek the HPKE key that it gives, 32 bytes
 * @param expiresAtMs until when an amendment may be signed by it, Unix ms
 */
export function acceptancePreimage(
  coreHash: Uint8Array,
  x: number,
  ek: Uint8Array,
  expiresAtMs: number,
): Uint8Array {
  return preimage('acceptance', coreHash, x, ek, expiresAtMs);
}

/**
 * What a voter's node signs.
 *
 * @param proposalHash 32 bytes
 * @param x the voter's point
 */
export function votePreimage(proposalHash: Uint8Array, x: number): Uint8Array {
  return preimage('vote', proposalHash, x);
}

/**
 * Whether the node that a proposal names has accepted it, whatever the time.
 *
 * @param coreHash 32 bytes
 */
export function isAccepted(
  crypto: Crypto,
  coreHash: Uint8Array,
  { x, nodeKey, ek }: Proposal,
  { expiresAtMs, signature }: Acceptance,
): boolean {
  return crypto.ed25519Verify(nodeKey, acceptancePreimage(coreHash, x, ek, expiresAtMs), signature);
}

/**
 * Whether a chain has something already in the place of what would follow there.
 *
 * @param previous the hash that it would follow, 32 bytes
 */
export function isTaken(amendments: readonly Amendment[], previous: Uint8Array): boolean {
  return amendments.some(({ proposal }) => equalBytes(proposal.previous, previous));
}

/** Where a chain stands: the hash that the next proposal follows, and who sits where. */
export type ChainHead = {
  readonly sequence: number;
  readonly previous: Uint8Array;
  readonly seats: readonly Seat[];
  /** Points that voters have moved. */
  readonly votedMoves: number;
};

/**
 * Where a chain of amendments ends.
 *
 * @param manifest core and amendments, which were checked
 * @param coreHash of the core, 32 bytes
 */
export function chainHeadOf(crypto: Crypto, manifest: Amended, coreHash: Uint8Array): ChainHead {
  const last = manifest.amendments.at(-1);
  return {
    sequence: manifest.amendments.length + 1,
    previous: last ? proposalHashOf(crypto, coreHash, last.proposal) : coreHash,
    seats: seatsOf(manifest),
    votedMoves: manifest.amendments.filter(({ votes }) => votes.length > 0).length,
  };
}

/**
 * Whether a proposal may follow a chain, whoever signs it: in its order, of a point of the key, to a node that holds
 * no other point of it.
 *
 * @param head of the chain so far
 */
export function follows(core: Core, head: ChainHead, proposal: Proposal): boolean {
  const { x, nodeKey } = proposal;
  return (
    proposal.sequence === head.sequence &&
    proposal.sequence <= 2 * core.k &&
    equalBytes(proposal.previous, head.previous) &&
    head.seats.some(seat => seat.x === x) &&
    !head.seats.some(seat => seat.x !== x && equalBytes(seat.nodeKey, nodeKey)) &&
    !equalBytes(nodeKey, core.dealer)
  );
}

/**
 * Whether holders may move a point so without the owner: within the repair budget, and to a standby of the core or to
 * the same node anew.
 *
 * @param head of the chain so far
 */
export function isForVoters(core: Core, head: ChainHead, { x, nodeKey }: Proposal): boolean {
  const known = [...core.standby, ...head.seats.filter(seat => seat.x === x).map(seat => seat.nodeKey)];
  return head.votedMoves < core.repairBudget && known.some(key => equalBytes(key, nodeKey));
}

function isVotedFor(crypto: Crypto, { seats }: ChainHead, hash: Uint8Array, votes: readonly Vote[]): boolean {
  return (
    ascends(votes.map(({ x }) => x)) &&
    votes.every(({ x, signature }) => {
      const voter = seats.find(seat => seat.x === x);
      return voter !== undefined && crypto.ed25519Verify(voter.nodeKey, votePreimage(hash, x), signature);
    })
  );
}

function isSigned(
  crypto: Crypto,
  core: Core,
  head: ChainHead,
  hash: Uint8Array,
  { proposal, signatures, votes }: Amendment,
): boolean {
  if (votes.length > 0) {
    return (
      isForVoters(core, head, proposal) &&
      votes.length === quorumOf(core) &&
      isVotedFor(crypto, head, hash, votes)
    );
  }
  try {
    checkAuthority(crypto, core.authority, hash, signatures);
    return true;
  } catch (error) {
    if (error instanceof SkerryError) return false;
    throw error;
  }
}

/**
 * Holds that each amendment of a chain follows the one before and is signed, accepted and allowed.
 *
 * @param manifest a core that keeps the rules, and amendments from a peer
 * @param coreHash of the core, 32 bytes
 * @param known how many of the first were checked before
 * @throws AMENDMENT_INVALID otherwise
 */
export function checkAmendments(
  crypto: Crypto,
  { core, amendments }: Amended,
  coreHash: Uint8Array,
  known = 0,
): void {
  for (let i = known; i < amendments.length; i++) {
    const amendment = amendments[i]!;
    const { proposal, acceptance } = amendment;
    const head = chainHeadOf(crypto, { core, amendments: amendments.slice(0, i) }, coreHash);
    const valid =
      follows(core, head, proposal) &&
      isAccepted(crypto, coreHash, proposal, acceptance) &&
      isSigned(crypto, core, head, proposalHashOf(crypto, coreHash, proposal), amendment);
    if (!valid) {
      throw new SkerryError('AMENDMENT_INVALID', '', { sequence: proposal.sequence, x: proposal.x });
    }
  }
}

/**
 * Orders two chains of one core that were checked: at the first difference an amendment of the owner's is newer than
 * one of voters', and of two alike the lower hash; a chain that only goes on is newer than what it goes on from.
 *
 * @param coreHash 32 bytes
 * @returns positive when `a` is newer than `b`; 0 where they move the same points to the same nodes
 */
export function compareChains(
  crypto: Crypto,
  coreHash: Uint8Array,
  a: readonly Amendment[],
  b: readonly Amendment[],
): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [mine, other] = [a[i]!, b[i]!];
    const [hash, otherHash] = [mine, other].map(({ proposal }) => proposalHashOf(crypto, coreHash, proposal));
    if (toHex(hash!) === toHex(otherHash!)) continue;
    const byOwner = Number(mine.votes.length === 0) - Number(other.votes.length === 0);
    return byOwner === 0 ? compareBytes(otherHash!, hash!) : byOwner;
  }
  return a.length - b.length;
}

/**
 * How many amendments two chains have in common from the first, the same to the byte: what was checked in one of them
 * need not be in the other.
 */
export function countShared(a: readonly Amendment[], b: readonly Amendment[]): number {
  const length = Math.min(a.length, b.length);
  let count = 0;
  while (count < length && equalBytes(encode(amendmentShape, a[count]!), encode(amendmentShape, b[count]!))) {
    count++;
  }
  return count;
}
