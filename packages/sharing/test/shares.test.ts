import { concatBytes } from '@skerry/base';
import { interpolate, splitPayload } from '@skerry/sharing';
import * as fc from 'fast-check';
import { combine } from 'shamir-secret-sharing';
import { describe, expect, test } from 'vitest';
import { payloadBytesMax, payloadBytesMin } from '../parameters.ts';
import { subsets } from './deal.ts';

const payload = Uint8Array.from({ length: 48 }, (_, i) => (i * 37) & 0xff);
const coded = (code: string) => expect.objectContaining({ code });

describe('splitPayload', () => {
  test.each([
    [2, 2],
    [2, 3],
    [3, 5],
    [4, 7],
  ])('makes shares of which any %i of %i give the payload and every other share', async (t, k) => {
    const shares = await splitPayload(payload, k, t);
    for (const chosen of subsets(shares, t)) {
      expect(interpolate(chosen, 0)).toEqual(payload);
      for (const { x, y } of shares) expect(interpolate(chosen, x)).toEqual(y);
    }
  });

  test('takes the extremes of counts and lengths', async () => {
    for (const [length, k, t] of [
      [payloadBytesMin, 255, 2],
      [payloadBytesMax, 255, 255],
    ] as const) {
      const long = new Uint8Array(length).fill(9);
      const shares = await splitPayload(long, k, t);
      expect(new Set(shares.map(share => share.x)).size).toBe(255);
      expect(interpolate(shares.slice(0, t), 0)).toEqual(long);
    }
  });

  test('makes shares that the library combines', async () => {
    const shares = await splitPayload(payload, 5, 3);
    const rows = shares.slice(1, 4).map(({ x, y }) => concatBytes(y, Uint8Array.of(x)));
    expect(await combine(rows)).toEqual(payload);
  });

  test('draws points and polynomials anew each time', async () => {
    const [a, b] = [await splitPayload(payload, 20, 3), await splitPayload(payload, 20, 3)];
    expect(a.map(share => share.x)).not.toEqual(b.map(share => share.x));
    expect(a.map(share => share.y)).not.toEqual(b.map(share => share.y));
  });

  test('takes a Buffer and leaves it alone', async () => {
    const buffer = Buffer.from(payload);
    const shares = await splitPayload(buffer, 3, 2);
    expect(new Uint8Array(buffer)).toEqual(payload);
    expect(interpolate(shares.slice(0, 2), 0)).toEqual(payload);
  });

  test.each([
    [1, 1],
    [1, 5],
    [0, 5],
    [6, 5],
    [3, 256],
    [2.5, 5],
    [3, 5.5],
    [Number.NaN, 5],
  ])('refuses a threshold of %d among %d', async (t, k) => {
    await expect(splitPayload(payload, k, t)).rejects.toThrow(coded('SHARE_COUNTS_INVALID'));
  });

  test.each([0, 1, payloadBytesMin - 1, payloadBytesMax + 1])(
    'refuses a payload of %i bytes: none can hold r and a key',
    async length => {
      await expect(splitPayload(new Uint8Array(length), 5, 3)).rejects.toThrow(coded('SHARE_LENGTH_INVALID'));
    },
  );
});

describe('interpolate', () => {
  const share = (x: number, length = 48) => ({ x, y: new Uint8Array(length).fill(x) });

  test('refuses a share at 0, which would dictate the result', async () => {
    const forged = { x: 0, y: new Uint8Array(48).fill(0x66) };
    const shares = (await splitPayload(payload, 3, 2)).slice(0, 1);
    // The library takes it and returns the forger's bytes:
    const rows = [forged, ...shares].map(({ x, y }) => concatBytes(y, Uint8Array.of(x)));
    expect(await combine(rows)).toEqual(forged.y);
    expect(() => interpolate([forged, ...shares], 0)).toThrow(coded('FIELD_POINT_INVALID'));
  });

  test.each([256, -1, 1.5, Number.NaN])('refuses a share at %d', x => {
    expect(() => interpolate([share(7), { ...share(8), x }], 0)).toThrow(coded('FIELD_POINT_INVALID'));
  });

  test('refuses a repeated point', () => {
    expect(() => interpolate([share(7), share(8), share(7)], 0)).toThrow(coded('FIELD_POINT_INVALID'));
  });

  test('refuses no shares, and shares of different or impossible lengths', () => {
    expect(() => interpolate([], 0)).toThrow(coded('SHARE_LENGTH_INVALID'));
    expect(() => interpolate([share(7), share(8, 47)], 0)).toThrow(coded('SHARE_LENGTH_INVALID'));
    expect(() => interpolate([share(7, 32), share(8, 32)], 0)).toThrow(coded('SHARE_LENGTH_INVALID'));
  });
});

describe('fewer shares than the threshold', () => {
  test('go with every possible byte of the payload, each exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), async t => {
        const shares = await splitPayload(payload, t, t);
        const known = shares.slice(1);
        const secrets = new Set<number>();
        for (let candidate = 0; candidate < 256; candidate++) {
          const missing = { x: shares[0]!.x, y: new Uint8Array(payload.length).fill(candidate) };
          secrets.add(interpolate([missing, ...known], 0)[0]!);
        }
        expect(secrets.size).toBe(256);
      }),
      { numRuns: 10 },
    );
  });

  test('give something else than the payload, and no error: only a commitment can tell', async () => {
    const shares = await splitPayload(payload, 5, 3);
    expect(interpolate(shares.slice(0, 2), 0)).not.toEqual(payload);
  });
});
