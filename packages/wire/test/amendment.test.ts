import { SkerryError } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  type Amendment,
  chainHeadOf,
  checkAmendments,
  compareChains,
  coreHashOf,
  countShared,
  decodeManifest,
  encodeManifest,
  amendmentOf as latestOf,
  type Proposal,
  proposalHashOf,
  quorumOf,
  seatsOf,
} from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import {
  amendmentOf,
  type DealtKey,
  dealKey,
  fixedBytes,
  manifestOf,
  proposalFor,
  signByOwners,
  signerOf,
  standbyOf,
  withCore,
} from './keys.ts';
import { codeOf } from './refusal.ts';

const key = dealKey();
const coreHash = coreHashOf(crypto, key.core);
/** Four of seven, of which one may move without the owner: six must vote. */
const votedKey = withCore(
  dealKey({ label: 'voted', t: 4, n: 5, xs: [1, 2, 3, 4, 5, 6, 7], owners: 1, needed: 1 }),
  { repairBudget: 1 },
);
const votedHash = coreHashOf(crypto, votedKey.core);
const voters = [2, 3, 4, 5, 6, 7];
const nominee = standbyOf('voted', 0);

/** The code that a chain is refused with, or that it holds. */
function verdict(of: DealtKey, amendments: readonly Amendment[]): string {
  const { core } = of;
  try {
    checkAmendments(crypto, { core, amendments: [...amendments] }, coreHashOf(crypto, core));
    return 'holds';
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  }
}

/** The second proposal of a chain, after a first. */
function after(of: DealtKey, first: Proposal, changes: Partial<Proposal>): Proposal {
  const previous = proposalHashOf(crypto, coreHashOf(crypto, of.core), first);
  return proposalFor(of, { sequence: 2, previous, ...changes });
}

describe('an amendment of the owners', () => {
  const first = proposalFor(key, { x: 7 });
  const amendment = amendmentOf(key, first);

  test('moves a point to a node that accepted it, and leaves the others where they are', () => {
    expect(verdict(key, [amendment])).toBe('holds');
    const seats = seatsOf({ core: key.core, amendments: [amendment] });
    expect(seats.map(({ x }) => x)).toEqual(key.core.holders.map(({ x }) => x));
    expect(seats.find(({ x }) => x === 7)).toEqual({ x: 7, nodeKey: first.nodeKey, ek: first.ek });
    expect(seats.filter(({ x }) => x !== 7)).toEqual(key.core.holders.filter(({ x }) => x !== 7));
    expect(latestOf([amendment], 7)).toBe(amendment);
    expect(latestOf([amendment], 3)).toBeUndefined();
  });

  test('may name any node that holds no other point, and its own holder anew', () => {
    const stranger = signerOf('a stranger');
    const toStranger = proposalFor(key, { x: 7, nodeKey: stranger.key });
    expect(verdict(key, [amendmentOf(key, toStranger, { nominee: stranger })])).toBe('holds');
    const own = key.nodes.get(7)!;
    expect(
      verdict(key, [amendmentOf(key, proposalFor(key, { x: 7, nodeKey: own.key }), { nominee: own })]),
    ).toBe('holds');
  });

  test('goes on where the one before ended, and the same point may move again', () => {
    const stranger = signerOf('a stranger');
    const second = after(key, first, { x: 7, nodeKey: stranger.key });
    const chain = [amendment, amendmentOf(key, second, { nominee: stranger })];
    expect(verdict(key, chain)).toBe('holds');
    expect(chainHeadOf(crypto, { core: key.core, amendments: chain }, coreHash)).toMatchObject({
      sequence: 3,
      previous: proposalHashOf(crypto, coreHash, second),
      votedMoves: 0,
    });
    expect(
      decodeManifest(crypto, encodeManifest({ ...manifestOf(key), amendments: chain })).amendments,
    ).toEqual(chain);
  });

  const holder3 = key.nodes.get(3)!;
  test.each<[string, Amendment]>([
    ['skips a number', amendmentOf(key, { ...first, sequence: 2 })],
    ['follows something else', amendmentOf(key, { ...first, previous: fixedBytes('else', 32) })],
    ['is of a point that the key has not', amendmentOf(key, { ...first, x: 8 })],
    [
      'gives a node a second point',
      amendmentOf(key, { ...first, nodeKey: holder3.key }, { nominee: holder3 }),
    ],
    [
      'gives the dealer a point',
      amendmentOf(key, { ...first, nodeKey: key.dealer.key }, { nominee: key.dealer }),
    ],
    ['was accepted by another node', amendmentOf(key, first, { nominee: signerOf('another') })],
    [
      'has a key that its node did not give',
      { ...amendment, proposal: { ...first, ek: crypto.x25519PublicKey(fixedBytes('foreign', 32)) } },
    ],
    ['has too few signatures', { ...amendment, signatures: amendment.signatures.slice(0, 1) }],
    ['is signed for something else', { ...amendment, signatures: signByOwners(key, coreHash) }],
  ])('is refused where it %s', (_, broken) => {
    expect(verdict(key, [broken])).toBe('AMENDMENT_INVALID');
  });

  test('is not looked at again where it was checked before', () => {
    const broken = { ...amendment, signatures: amendment.signatures.slice(0, 1) };
    const second = amendmentOf(key, after(key, first, { x: 3, nodeKey: standbyOf('plain', 1).key }), {
      nominee: standbyOf('plain', 1),
    });
    expect(() =>
      checkAmendments(crypto, { core: key.core, amendments: [broken, second] }, coreHash, 1),
    ).not.toThrow();
    expect(countShared([amendment, second], [amendment])).toBe(1);
    expect(countShared([amendment], [broken])).toBe(0);
  });

  test('ends after twice as many as the key has points', () => {
    const nodes = [signerOf('to'), signerOf('fro')];
    const chain: Amendment[] = [];
    for (let sequence = 1; sequence <= 2 * key.core.k + 1; sequence++) {
      const { previous } = chainHeadOf(crypto, { core: key.core, amendments: chain }, coreHash);
      const node = nodes[sequence % 2]!;
      const proposal = proposalFor(key, { sequence, previous, x: 7, nodeKey: node.key });
      chain.push(amendmentOf(key, proposal, { nominee: node }));
    }
    expect(verdict(key, chain.slice(0, -1))).toBe('holds');
    expect(verdict(key, chain)).toBe('AMENDMENT_INVALID');
  });
});

describe('an amendment of the holders', () => {
  const proposal = proposalFor(votedKey, { x: 1, nodeKey: nominee.key });
  const amendment = amendmentOf(votedKey, proposal, { nominee, voters });

  test('takes a quorum, of which any two have t holders in common', () => {
    expect(quorumOf(votedKey.core)).toBe(6);
    for (const [k, t] of [
      [3, 2],
      [4, 2],
      [5, 3],
      [7, 4],
      [10, 5],
      [255, 128],
    ] as const) {
      expect(2 * quorumOf({ k, t }) - k).toBeGreaterThanOrEqual(t);
    }
    expect(verdict(votedKey, [amendment])).toBe('holds');
  });

  test('may give the point to its holder anew', () => {
    const own = votedKey.nodes.get(1)!;
    expect(
      verdict(votedKey, [amendmentOf(votedKey, { ...proposal, nodeKey: own.key }, { nominee: own, voters })]),
    ).toBe('holds');
  });

  const stranger = signerOf('a stranger');
  const withoutBudget = withCore(votedKey, { repairBudget: 0 });
  test.each<[string, DealtKey, Amendment]>([
    ['lacks a vote', votedKey, { ...amendment, votes: amendment.votes.slice(1) }],
    [
      'has a vote twice',
      votedKey,
      { ...amendment, votes: [amendment.votes[0]!, ...amendment.votes.slice(0, 5)] },
    ],
    ['has votes out of order', votedKey, { ...amendment, votes: amendment.votes.toReversed() }],
    [
      "has another's vote under a holder's point",
      votedKey,
      { ...amendment, votes: amendment.votes.map((vote, i) => (i === 0 ? { ...vote, x: 1 } : vote)) },
    ],
    [
      'names a node that is no standby',
      votedKey,
      amendmentOf(votedKey, { ...proposal, nodeKey: stranger.key }, { nominee: stranger, voters }),
    ],
    [
      'is over the budget',
      withoutBudget,
      amendmentOf(withoutBudget, proposalFor(withoutBudget, { x: 1, nodeKey: nominee.key }), {
        nominee,
        voters,
      }),
    ],
  ])('is refused where it %s', (_, of, broken) => {
    expect(verdict(of, [broken])).toBe('AMENDMENT_INVALID');
  });

  test('is one of as many as the budget allows, however many the owner moves besides', () => {
    const other = standbyOf('voted', 1);
    const second = after(votedKey, proposal, { x: 2, nodeKey: other.key });
    const ownerMoves = amendmentOf(votedKey, second, { nominee: other });
    expect(verdict(votedKey, [amendment, ownerMoves])).toBe('holds');
    const voted = { ...ownerMoves, signatures: [], votes: [] };
    // whoever sits there now votes: the standby in the place of the first holder
    const votesNow = amendmentOf(votedKey, second, { nominee: other, voters }).votes;
    expect(verdict(votedKey, [amendment, { ...voted, votes: votesNow }])).toBe('AMENDMENT_INVALID');
  });

  test('is either the owners or the holders, in its form', () => {
    const both = { ...amendment, signatures: signByOwners(votedKey, votedHash) };
    const neither = { ...amendment, votes: [] };
    for (const broken of [both, neither]) {
      const bytes = encodeManifest({ ...manifestOf(votedKey), amendments: [broken] });
      expect(codeOf(() => decodeManifest(crypto, bytes))).toBe('MESSAGE_MALFORMED');
    }
  });
});

describe('of two chains', () => {
  const compare = (a: readonly Amendment[], b: readonly Amendment[]): number =>
    Math.sign(compareChains(crypto, votedHash, a, b));
  const proposal = proposalFor(votedKey, { x: 1, nodeKey: nominee.key });
  const voted = amendmentOf(votedKey, proposal, { nominee, voters });
  const other = standbyOf('voted', 1);
  const owned = (x: number): Amendment =>
    amendmentOf(votedKey, proposalFor(votedKey, { x, nodeKey: other.key }), { nominee: other });

  test('the one that goes on is newer', () => {
    expect(compare([voted], [])).toBe(1);
    expect(compare([], [voted])).toBe(-1);
    expect(compare([voted], [voted])).toBe(0);
  });

  test("an owner's amendment at the first difference is newer than one of voters', however long theirs is", () => {
    const second = after(votedKey, proposal, { x: 2, nodeKey: other.key });
    const longer = [voted, amendmentOf(votedKey, second, { nominee: other })];
    expect(compare([owned(1)], longer)).toBe(1);
    expect(compare(longer, [owned(1)])).toBe(-1);
  });

  test("of two owner's amendments the one with the lower hash is", () => {
    const [a, b] = [owned(1), owned(2)];
    const isLower =
      Buffer.compare(
        proposalHashOf(crypto, votedHash, a.proposal),
        proposalHashOf(crypto, votedHash, b.proposal),
      ) < 0;
    expect(compare([a], [b])).toBe(isLower ? 1 : -1);
    expect(compare([b], [a])).toBe(isLower ? -1 : 1);
  });

  test('the same proposal by other votes is the same', () => {
    const others = amendmentOf(votedKey, proposal, { nominee, voters: [1, 2, 3, 4, 5, 6] });
    expect(compare([voted], [others])).toBe(0);
  });
});
