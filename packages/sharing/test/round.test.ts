import { fromHex } from '@skerry/base';
import { nodeCrypto as crypto, nodeRandom as random } from '@skerry/crypto';
import {
  type Answer,
  challengeOf,
  combineContributions,
  contribute,
  type PairSecrets,
  type RoundContext,
  recoverPayload,
  recoverShare,
  unpackKey,
  validateSet,
} from '@skerry/sharing';
import { describe, expect, test } from 'vitest';
import { answerOf, answersOf, type DealtKey, dealKey, holdersAt, makeContext, subsets } from './deal.ts';

const coded = (code: string) => expect.objectContaining({ code });
const pointsOf = (dealt: DealtKey) => dealt.holders.map(holder => holder.x);
const originOf = ({ commitment, epoch }: DealtKey) => ({ commitment, originEpoch: epoch });

/** Every point of low order on the curve or its twist, by its encodings under 2^255 (Bernstein, "Curve25519"). */
const lowOrderKeys = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

describe('validateSet', () => {
  test('takes exactly t distinct ascending points away from x', () => {
    expect(() => validateSet([1, 2, 255], 0, 3)).not.toThrow();
    expect(() => validateSet([1, 255], 254, 2)).not.toThrow();
  });

  test.each<[string, number[], number, number, string]>([
    ['one holder alone, who would show its share', [5], 0, 1, 'SHARE_COUNTS_INVALID'],
    ['no holder', [], 0, 0, 'SHARE_COUNTS_INVALID'],
    ['a threshold over 255', [1, 2], 0, 256, 'SHARE_COUNTS_INVALID'],
    ['fewer points than t', [1, 2], 0, 3, 'SET_INVALID'],
    ['more points than t', [1, 2, 3], 0, 2, 'SET_INVALID'],
    ['a repeated point', [1, 2, 2], 0, 3, 'SET_INVALID'],
    ['descending points', [2, 1], 0, 2, 'SET_INVALID'],
    ['the point 0', [0, 1], 5, 2, 'SET_INVALID'],
    ['the point 256', [1, 256], 0, 2, 'SET_INVALID'],
    ['a point between points', [1, 1.5], 0, 2, 'SET_INVALID'],
    ['no number', [1, Number.NaN], 0, 2, 'SET_INVALID'],
    ['x in S', [1, 7], 7, 2, 'FIELD_POINT_INVALID'],
    ['x over 255', [1, 7], 256, 2, 'FIELD_POINT_INVALID'],
    ['x under 0', [1, 7], -1, 2, 'FIELD_POINT_INVALID'],
    ['x between points', [1, 7], 2.5, 2, 'FIELD_POINT_INVALID'],
  ])('refuses %s', (_, set, x, t, code) => {
    expect(() => validateSet(set, x, t)).toThrow(coded(code));
  });
});

describe('a masked round', () => {
  test('of any t holders opens the key', async () => {
    for (const [t, k, keyBytes] of [
      [2, 4, 1],
      [3, 5, 64],
      [3, 5, 1000],
    ] as const) {
      const dealt = await dealKey({ t, k, keyBytes });
      for (const set of subsets(pointsOf(dealt), t)) {
        const ctx = makeContext(dealt, 'open', 0, set);
        const payload = recoverPayload(crypto, ctx, answersOf(dealt, ctx).toReversed(), originOf(dealt));
        expect(unpackKey({ crypto, payload, box: dealt.box, keyId: dealt.keyId })).toEqual(dealt.key);
      }
    }
  });

  test('at every point gives the share there, byte for byte, to repair, inspect and drill', async () => {
    const dealt = await dealKey({ t: 3, k: 6 });
    for (const lost of dealt.holders) {
      const others = pointsOf(dealt).filter(x => x !== lost.x);
      for (const [i, set] of subsets(others, 3).entries()) {
        const op = (['repair', 'inspect', 'drill'] as const)[i % 3]!;
        const ctx = makeContext(dealt, op, lost.x, set);
        expect(recoverShare(crypto, ctx, answersOf(dealt, ctx), lost)).toEqual(lost.share);
      }
    }
  });

  test('repeats byte for byte, with and without kept pair secrets', async () => {
    const dealt = await dealKey({ t: 4, k: 5 });
    const ctx = makeContext(dealt, 'open', 0, pointsOf(dealt).slice(1));
    const own = holdersAt(dealt, ctx.set)[1]!;
    const pairSecrets: PairSecrets = new Map();
    const inputs = { ctx, points: dealt.holders, share: own.share, keys: own };
    const first = contribute(crypto, inputs);
    expect(contribute(crypto, inputs)).toEqual(first);
    expect(contribute(crypto, { ...inputs, pairSecrets })).toEqual(first);
    expect([...pairSecrets.keys()]).toEqual(ctx.set.filter(x => x !== own.x));
    const kept = structuredClone(pairSecrets);
    const refuseToAgree = { ...crypto, x25519: () => undefined };
    expect(contribute(refuseToAgree, { ...inputs, pairSecrets })).toEqual(first);
    expect(pairSecrets).toEqual(kept);
  });

  test('leaves share and seed as they were', async () => {
    const dealt = await dealKey({ t: 2, k: 2 });
    const before = structuredClone(dealt.holders);
    answersOf(dealt, makeContext(dealt, 'open', 0, pointsOf(dealt)));
    expect(dealt.holders).toEqual(before);
  });

  test('never shows the same bytes in two rounds', async () => {
    const dealt = await dealKey({ t: 2, k: 3 });
    const set = pointsOf(dealt).slice(0, 2);
    const [a, b] = [makeContext(dealt, 'open', 0, set), makeContext(dealt, 'open', 0, set)];
    expect(answersOf(dealt, a)[0]).not.toEqual(answersOf(dealt, b)[0]);
  });
});

describe('contribute refuses', () => {
  /** A dealt 3 of 5, a context over its first three points, and the first holder's inputs. */
  async function makeInputs() {
    const dealt = await dealKey({ t: 3, k: 5 });
    const set = pointsOf(dealt).slice(0, 3);
    const ctx = makeContext(dealt, 'open', 0, set);
    const { share, ...keys } = dealt.holders[0]!;
    return { dealt, inputs: { ctx, points: dealt.holders, share, keys } };
  }

  test.each<[string, Partial<RoundContext>, string]>([
    ['another scheme', { scheme: 'ristretto255' as 'gf256' }, 'OPERATION_REFUSED'],
    ['to open elsewhere than at 0', { op: 'open', x: 9 }, 'OPERATION_REFUSED'],
    ['to repair at 0', { op: 'repair', x: 0 }, 'OPERATION_REFUSED'],
    ['to inspect at 0', { op: 'inspect', x: 0 }, 'OPERATION_REFUSED'],
    ['to drill at 0', { op: 'drill', x: 0 }, 'OPERATION_REFUSED'],
    ['a set alone', { set: [1], t: 1 }, 'SHARE_COUNTS_INVALID'],
    ['a set of fewer than t', { t: 4 }, 'SET_INVALID'],
    ['an impossible length', { length: 16 }, 'SHARE_LENGTH_INVALID'],
    ['another length than its share has', { length: 40 }, 'SHARE_LENGTH_INVALID'],
  ])('%s', async (_, change, code) => {
    const { inputs } = await makeInputs();
    expect(() => contribute(crypto, { ...inputs, ctx: { ...inputs.ctx, ...change } })).toThrow(coded(code));
  });

  test('a set that repeats a point, or holds the point asked for', async () => {
    const { inputs } = await makeInputs();
    const [a, b, c] = inputs.ctx.set as [number, number, number];
    const refused = [
      [{ set: [a, b, b] }, 'SET_INVALID'],
      [{ set: [b, a, c] }, 'SET_INVALID'],
      [{ op: 'repair', x: b }, 'FIELD_POINT_INVALID'],
      [{ op: 'drill', x: a }, 'FIELD_POINT_INVALID'],
    ] as const;
    for (const [change, code] of refused) {
      const ctx = { ...inputs.ctx, ...change };
      expect(() => contribute(crypto, { ...inputs, ctx })).toThrow(coded(code));
    }
  });

  test('a set without its own point', async () => {
    const { dealt, inputs } = await makeInputs();
    const ctx = { ...inputs.ctx, set: pointsOf(dealt).slice(1, 4) };
    expect(() => contribute(crypto, { ...inputs, ctx })).toThrow(coded('NOT_IN_SET'));
  });

  test('a set with a point that the key lacks', async () => {
    const { inputs } = await makeInputs();
    const points = inputs.points.filter(point => point.x !== inputs.ctx.set[2]);
    expect(() => contribute(crypto, { ...inputs, points })).toThrow(coded('SET_INVALID'));
  });

  test('a mask seed that is not the one of its point', async () => {
    const { dealt, inputs } = await makeInputs();
    const keys = dealt.holders[1]!;
    expect(() => contribute(crypto, { ...inputs, keys })).toThrow(coded('SHARE_CORRUPT'));
  });

  test.each(lowOrderKeys)('the mask key %s of low order', async key => {
    const { inputs } = await makeInputs();
    const points = inputs.points.map(point =>
      point.x === inputs.ctx.set[2] ? { ...point, mk: fromHex(key)! } : point,
    );
    expect(() => contribute(crypto, { ...inputs, points })).toThrow(coded('CORE_INVALID'));
  });
});

describe('combining', () => {
  async function makeRound() {
    const dealt = await dealKey({ t: 3, k: 5 });
    const ctx = makeContext(dealt, 'open', 0, pointsOf(dealt).slice(0, 3));
    return { dealt, ctx, answers: answersOf(dealt, ctx) };
  }

  test('refuses fewer answers than t, repeated ones, and ones from outside S', async () => {
    const { dealt, ctx, answers } = await makeRound();
    const outside = { x: dealt.holders[4]!.x, contribution: random.bytes(dealt.length) };
    const refused = [
      [[], 'KEY_UNAVAILABLE'],
      [answers.slice(1), 'KEY_UNAVAILABLE'],
      [[...answers, answers[0]!], 'SET_INVALID'],
      [[answers[0]!, answers[1]!, answers[1]!], 'SET_INVALID'],
      [[answers[0]!, answers[1]!, outside], 'SET_INVALID'],
      [[...answers, outside], 'SET_INVALID'],
    ] as const;
    for (const [given, code] of refused) {
      expect(() => combineContributions(ctx, given)).toThrow(coded(code));
    }
  });

  test('refuses a contribution of another length', async () => {
    const { ctx, answers } = await makeRound();
    for (const contribution of [random.bytes(ctx.length - 1), random.bytes(ctx.length + 1)]) {
      const given = [answers[0]!, answers[1]!, { ...answers[2]!, contribution }];
      expect(() => combineContributions(ctx, given)).toThrow(coded('SHARE_LENGTH_INVALID'));
    }
  });

  test('never returns a wrong key or share: one wrong bit anywhere is an error', async () => {
    const dealt = await dealKey({ t: 2, k: 3, keyBytes: 1 });
    const [a, b, c] = dealt.holders as [
      DealtKey['holders'][0],
      DealtKey['holders'][0],
      DealtKey['holders'][0],
    ];
    const open = makeContext(dealt, 'open', 0, [a.x, b.x]);
    const repair = makeContext(dealt, 'repair', c.x, [a.x, b.x]);
    const [opened, repaired] = [answersOf(dealt, open), answersOf(dealt, repair)];
    for (let bit = 0; bit < 8 * dealt.length; bit++) {
      const spoil = ([first, second]: readonly Answer[]) => {
        const contribution = new Uint8Array(second!.contribution);
        contribution[bit >> 3]! ^= 1 << (bit & 7);
        return [first!, { ...second!, contribution }];
      };
      expect(() => recoverPayload(crypto, open, spoil(opened), originOf(dealt))).toThrow(
        coded('KEY_CORRUPT'),
      );
      expect(() => recoverShare(crypto, repair, spoil(repaired), c)).toThrow(coded('SHARE_MISMATCH'));
    }
  });

  test('compares with the commitment of this key and epoch', async () => {
    const { dealt, ctx, answers } = await makeRound();
    const other = { commitment: random.bytes(32), originEpoch: 1 };
    expect(() => recoverPayload(crypto, ctx, answers, other)).toThrow(coded('KEY_CORRUPT'));
    const later = { ...originOf(dealt), originEpoch: 2 };
    expect(() => recoverPayload(crypto, ctx, answers, later)).toThrow(coded('KEY_CORRUPT'));
  });

  test('compares a recovered share with its own point and no other', async () => {
    const dealt = await dealKey({ t: 2, k: 4 });
    const [a, b, c, d] = dealt.holders;
    const ctx = makeContext(dealt, 'repair', c!.x, [a!.x, b!.x]);
    const answers = answersOf(dealt, ctx);
    expect(() => recoverShare(crypto, ctx, answers, d!)).toThrow(coded('SHARE_MISMATCH'));
    expect(() => recoverShare(crypto, ctx, answers, { ...d!, x: c!.x })).toThrow(coded('SHARE_MISMATCH'));
  });

  test('takes a payload only from open, and a share only from the others', async () => {
    const { dealt, ctx, answers } = await makeRound();
    expect(() => recoverShare(crypto, ctx, answers, dealt.holders[4]!)).toThrow(coded('OPERATION_REFUSED'));
    const repair = makeContext(dealt, 'repair', dealt.holders[4]!.x, ctx.set);
    expect(() => recoverPayload(crypto, repair, answersOf(dealt, repair), originOf(dealt))).toThrow(
      coded('OPERATION_REFUSED'),
    );
  });
});

describe('challengeOf', () => {
  test('differs for every field', () => {
    const ctx: RoundContext = {
      scheme: 'gf256',
      op: 'repair',
      keyId: new Uint8Array(32),
      epoch: 1,
      coreHash: new Uint8Array(32),
      t: 2,
      length: 48,
      set: [1, 2],
      x: 3,
      recipientId: new Uint8Array(32),
      recipientKey: new Uint8Array(32),
      authHash: new Uint8Array(32),
      roundId: new Uint8Array(16),
    };
    const changes: { [Field in keyof RoundContext]: unknown } = {
      scheme: 'ristretto255',
      op: 'drill',
      keyId: new Uint8Array(32).fill(1),
      epoch: 2,
      coreHash: new Uint8Array(32).fill(1),
      t: 3,
      length: 49,
      set: [1, 4],
      x: 5,
      recipientId: new Uint8Array(32).fill(1),
      recipientKey: new Uint8Array(32).fill(1),
      authHash: new Uint8Array(32).fill(1),
      roundId: new Uint8Array(16).fill(1),
    };
    const challenges = Object.entries(changes).map(([field, value]) =>
      Buffer.from(challengeOf(crypto, { ...ctx, [field]: value })).toString('hex'),
    );
    challenges.push(Buffer.from(challengeOf(crypto, ctx)).toString('hex'));
    expect(new Set(challenges).size).toBe(14);
  });
});

describe('a verdict on a wrong contribution', () => {
  test('follows from recomputing it with the recovered share, and clears whom colluders would frame', async () => {
    const dealt = await dealKey({ t: 3, k: 7 });
    const [a, b, c, d] = dealt.holders as DealtKey['holders'][0][] & { length: 7 };
    // a and b add the same error: together it cancels. With b swapped for d the round fails, as if d had lied.
    const error = random.bytes(dealt.length);
    const lie = (bytes: Uint8Array) => bytes.map((byte, i) => byte ^ error[i]!);
    const answersWithLies = (ctx: RoundContext) =>
      answersOf(dealt, ctx).map(({ x, contribution }) => ({
        x,
        contribution: x === a!.x || x === b!.x ? lie(contribution) : contribution,
      }));
    const together = makeContext(dealt, 'open', 0, [a!.x, b!.x, c!.x]);
    expect(recoverPayload(crypto, together, answersWithLies(together), originOf(dealt))).toEqual(
      dealt.payload,
    );
    const swapped = makeContext(dealt, 'open', 0, [a!.x, c!.x, d!.x]);
    const signed = answersWithLies(swapped);
    expect(() => recoverPayload(crypto, swapped, signed, originOf(dealt))).toThrow(coded('KEY_CORRUPT'));
    // The verdict: recover each share through others, which vk proves, and recompute what was signed.
    const liars = swapped.set.filter(x => {
      const suspect = dealt.holders.find(holder => holder.x === x)!;
      const inspect = makeContext(dealt, 'inspect', x, pointsOf(dealt).slice(4, 7));
      const share = recoverShare(crypto, inspect, answersOf(dealt, inspect), suspect);
      const recomputed = answerOf(dealt, swapped, { ...suspect, share });
      const given = signed.find(answer => answer.x === x)!;
      return Buffer.compare(given.contribution, recomputed.contribution) !== 0;
    });
    expect(liars).toEqual([a!.x]);
  });
});
