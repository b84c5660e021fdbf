import { nodeRandom as random } from '@skerry/crypto';
import { combineContributions, type RoundContext } from '@skerry/sharing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addInto, addScaledInto, lagrangeCoefficient } from '../src/field.ts';
import { answerOf, answersOf, type DealtKey, dealKey, holdersAt, makeContext } from './deal.ts';

/** A dealt key's size, and an order in which its holders are drawn. */
const sizes = fc
  .tuple(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 1, max: 5 }))
  .map(([t, spare]) => ({ t, k: t + spare }));

/** t points of a dealt key and one more, drawn by a seed. */
function drawPoints(dealt: DealtKey, seed: number): { set: number[]; spare: number } {
  const points = dealt.holders.map(holder => holder.x);
  const start = seed % points.length;
  const rotated = [...points.slice(start), ...points.slice(0, start)];
  return { set: rotated.slice(0, dealt.t).sort((a, b) => a - b), spare: rotated[dealt.t]! };
}

/** The sum of lambda_i(S, x) * y_i over S, with no masks. */
function interpolateAt(dealt: DealtKey, set: readonly number[], x: number): Uint8Array {
  const value = new Uint8Array(dealt.length);
  for (const [i, { share }] of holdersAt(dealt, set).entries()) {
    addScaledInto(value, share.y, lagrangeCoefficient(set, i, x));
  }
  return value;
}

describe('a masked round', () => {
  test('gives f(x) at 0 and at every point of the field outside S, whatever the answers’ order', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.integer({ min: 1, max: 255 }), async (size, seed, x) => {
        const dealt = await dealKey(size);
        const { set } = drawPoints(dealt, seed);
        const open = makeContext(dealt, 'open', 0, set);
        expect(combineContributions(open, answersOf(dealt, open).toReversed())).toEqual(dealt.payload);
        if (set.includes(x)) return;
        const inspect = makeContext(dealt, 'inspect', x, set);
        expect(combineContributions(inspect, answersOf(dealt, inspect))).toEqual(
          interpolateAt(dealt, set, x),
        );
      }),
      { numRuns: 40 },
    );
  });

  test.each<[string, (ctx: RoundContext, other: number) => Partial<RoundContext>]>([
    ['op', () => ({ op: 'inspect' })],
    ['keyId', () => ({ keyId: random.bytes(32) })],
    ['epoch', ctx => ({ epoch: ctx.epoch + 1 })],
    ['coreHash', () => ({ coreHash: random.bytes(32) })],
    ['recipientId', () => ({ recipientId: random.bytes(32) })],
    ['recipientKey', () => ({ recipientKey: random.bytes(32) })],
    ['authHash', () => ({ authHash: random.bytes(32) })],
    ['roundId', () => ({ roundId: random.bytes(16) })],
    ['x', (_, other) => ({ x: other })],
    ['set', (ctx, other) => ({ set: [...ctx.set.slice(1), other].sort((a, b) => a - b) })],
    // t and S bind each other; scheme and length have no second value that a holder would answer for.
    ['t', (ctx, other) => ({ t: ctx.t + 1, set: [...ctx.set, other].sort((a, b) => a - b) })],
  ])('gives nothing of f(x) when one holder answered for another %s', async (_, change) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 5 }), fc.nat(), async (t, seed) => {
        const dealt = await dealKey({ t, k: t + 2 });
        const { set, spare } = drawPoints(dealt, seed);
        const other = dealt.holders.find(({ x }) => x !== spare && !set.includes(x))!.x;
        const ctx = makeContext(dealt, 'repair', spare, set);
        const strayed = { ...ctx, ...change(ctx, other) };
        const answers = holdersAt(dealt, set).map((holder, i) =>
          answerOf(dealt, i === t - 1 ? strayed : ctx, holder),
        );
        const combined = combineContributions(ctx, answers);
        const value = interpolateAt(dealt, set, spare);
        // The masks that were left standing lie over all of it, not over a byte or two.
        expect(combined.filter((byte, i) => byte !== value[i]).length).toBeGreaterThan(dealt.length / 2);
      }),
      { numRuns: 8 },
    );
  });
});

describe('fewer than t contributions', () => {
  test('stay masked: they are not the scaled shares, nor is their sum', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (size, seed) => {
        const dealt = await dealKey(size);
        const { set } = drawPoints(dealt, seed);
        const ctx = makeContext(dealt, 'open', 0, set);
        const masked = new Uint8Array(dealt.length);
        const bare = new Uint8Array(dealt.length);
        for (const [i, holder] of holdersAt(dealt, set).entries()) {
          addInto(masked, answerOf(dealt, ctx, holder).contribution);
          addScaledInto(bare, holder.share.y, lagrangeCoefficient(set, i, 0));
          const bareIsSeen = Buffer.compare(masked, bare) === 0;
          expect(bareIsSeen).toBe(i === size.t - 1);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('go with every possible payload: the missing one may be anything', async () => {
    const dealt = await dealKey({ t: 3, k: 3 });
    const ctx = makeContext(
      dealt,
      'open',
      0,
      dealt.holders.map(holder => holder.x),
    );
    const answers = answersOf(dealt, ctx);
    const results = new Set<number>();
    for (let candidate = 0; candidate < 256; candidate++) {
      const contribution = new Uint8Array(dealt.length).fill(candidate);
      results.add(
        combineContributions(ctx, [answers[0]!, answers[1]!, { ...answers[2]!, contribution }])[0]!,
      );
    }
    expect(results.size).toBe(256);
  });
});

describe('masks are bound to x and S', () => {
  /** What a recipient learns of a holder's share from its contributions to two rounds, if their masks were equal. */
  function unmask(dealt: DealtKey, holder: DealtKey['holders'][0], a: RoundContext, b: RoundContext) {
    const difference = answerOf(dealt, a, holder).contribution;
    addInto(difference, answerOf(dealt, b, holder).contribution);
    const factor =
      lagrangeCoefficient(a.set, a.set.indexOf(holder.x), a.x) ^
      lagrangeCoefficient(b.set, b.set.indexOf(holder.x), b.x);
    const expected = new Uint8Array(dealt.length);
    addScaledInto(expected, holder.share.y, factor);
    return { difference, expected };
  }

  test('so that rounds alike but for x give no multiple of a share', async () => {
    const dealt = await dealKey({ t: 2, k: 4 });
    const [first, second, third, fourth] = dealt.holders.map(holder => holder.x);
    const ctx = makeContext(dealt, 'repair', third!, [first!, second!]);
    const { difference, expected } = unmask(dealt, dealt.holders[0]!, ctx, { ...ctx, x: fourth! });
    expect(difference).not.toEqual(expected);
  });

  test('so that rounds alike but for S give no multiple of a share', async () => {
    const dealt = await dealKey({ t: 3, k: 4 });
    const [first, second, third, fourth] = dealt.holders.map(holder => holder.x);
    const ctx = makeContext(dealt, 'open', 0, [first!, second!, third!]);
    const other = { ...ctx, set: [first!, second!, fourth!] };
    const { difference, expected } = unmask(dealt, dealt.holders[0]!, ctx, other);
    expect(difference).not.toEqual(expected);
  });

  test('so that answers to two S of one roundId do not mix', async () => {
    const dealt = await dealKey({ t: 3, k: 4 });
    const [first, second, third, fourth] = dealt.holders.map(holder => holder.x);
    const a = makeContext(dealt, 'open', 0, [first!, second!, third!]);
    const b = { ...a, set: [first!, second!, fourth!] };
    const [fromA, fromB] = [answersOf(dealt, a), answersOf(dealt, b)];
    expect(combineContributions(a, [fromB[0]!, fromA[1]!, fromA[2]!])).not.toEqual(dealt.payload);
    expect(combineContributions(a, [fromB[0]!, fromB[1]!, fromA[2]!])).not.toEqual(dealt.payload);
  });
});
