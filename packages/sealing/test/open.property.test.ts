import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSealedHeader } from '../index.ts';
import {
  chunkBytes,
  headerLength,
  key,
  keyId,
  openBytes,
  patternOf,
  piecesOf,
  sealBytes,
  sealedChunkBytes,
} from './fixtures.ts';

const refusal = /^(SEALED_FILE_MALFORMED|FILE_KEY_MISMATCH)$/;

/** Lengths around the edges of chunks, and any. */
const lengths = fc.oneof(
  fc.nat({ max: 3 * chunkBytes }),
  fc
    .tuple(fc.nat({ max: 3 }), fc.integer({ min: -2, max: 2 }))
    .map(([n, d]) => Math.max(0, n * chunkBytes + d)),
);

test('what was sealed opens to the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(lengths, async length => {
      const plaintext = patternOf(length);
      const opened = await openBytes(await sealBytes(plaintext));
      expect(Buffer.isBuffer(opened) && opened.equals(plaintext)).toBe(true);
    }),
    { numRuns: 25 },
  );
});

test('a sealed file with any byte changed is refused, and nothing is written', async () => {
  const sealed = await sealBytes(patternOf(2 * chunkBytes + 500));
  const places = fc.oneof(fc.nat({ max: headerLength(sealed) + 20 }), fc.nat({ max: sealed.length - 1 }));
  await fc.assert(
    fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (place, mask) => {
      const changed = Buffer.from(sealed);
      changed[place]! ^= mask;
      expect(await openBytes(changed)).toMatch(refusal);
    }),
    { numRuns: 100 },
  );
});

test('a sealed file cut or extended by any number of bytes is refused, and nothing is written', async () => {
  const sealed = await sealBytes(patternOf(2 * chunkBytes));
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: sealed.length - 1 }), async length => {
      expect(await openBytes(sealed.subarray(0, length))).toBe('SEALED_FILE_MALFORMED');
    }),
    { numRuns: 40 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2 * sealedChunkBytes }), async more => {
      expect(await openBytes(Buffer.concat([sealed, more]))).toBe('SEALED_FILE_MALFORMED');
    }),
    { numRuns: 30 },
  );
});

test('chunks in any other order or number are refused', async () => {
  const sealed = await sealBytes(patternOf(3 * chunkBytes));
  const start = headerLength(sealed) + 16;
  const chunks = [0, 1, 2].map(i =>
    sealed.subarray(start + i * sealedChunkBytes, start + (i + 1) * sealedChunkBytes),
  );
  const orders = fc.array(fc.nat({ max: 2 }), { maxLength: 5 }).filter(order => order.join() !== '0,1,2');
  await fc.assert(
    fc.asyncProperty(orders, async order => {
      const file = Buffer.concat([sealed.subarray(0, start), ...order.map(i => chunks[i]!)]);
      expect(await openBytes(file)).toBe('SEALED_FILE_MALFORMED');
    }),
    { numRuns: 40 },
  );
});

test('one file with the payload of another is refused', async () => {
  const [a, b] = [await sealBytes(patternOf(100)), await sealBytes(patternOf(100))];
  const mixed = Buffer.concat([a.subarray(0, headerLength(a)), b.subarray(headerLength(b))]);
  expect(await openBytes(mixed)).toBe('SEALED_FILE_MALFORMED');
});

test('any other key is FILE_KEY_MISMATCH', async () => {
  const sealed = await sealBytes(patternOf(10));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async other => {
      fc.pre(Buffer.compare(other, key) !== 0);
      expect(await openBytes(sealed, other)).toBe('FILE_KEY_MISMATCH');
    }),
    { numRuns: 30 },
  );
});

test('any bytes at all are read or refused with a code', async () => {
  const { buffer } = await sealBytes(new Uint8Array(0));
  const lines = Buffer.from(buffer).toString('latin1').split('\n');
  const line = fc.oneof(fc.constantFrom(...lines, '-> skerry', '-> X25519 AAAA', '---', ''), fc.string());
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), async parts => {
      const file = Buffer.from(parts.join('\n'));
      const header = await readSealedHeader(piecesOf(file)).catch((error: unknown) => error);
      expect(header).toMatchObject(header instanceof Error ? { code: 'SEALED_FILE_MALFORMED' } : { keyId });
    }),
    { numRuns: 200 },
  );
});
