/**
 * What a node reads from peers, tokens and files beside the wire format: whatever the bytes, a value or a code of ours.
 * `SKERRY_FUZZ_RUNS` sets the cases of each (`npm run fuzz`).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, encodeHeldKey } from '@skerry/custody';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeFrame, encodeFrame, frameKinds } from '../src/frames.ts';
import { readGrantClaims, verifyGrant } from '../src/grants.ts';
import { parseSwarmKey } from '../src/swarm-key.ts';
import { dealTo, grantTo, makeOwner, startHolders } from './holders.ts';

const numRuns = Number(process.env['SKERRY_FUZZ_RUNS'] ?? 1000);
const timeout = Math.max(20_000, numRuns * 20);
const owner = makeOwner();
let root: string;
let grant: Uint8Array;
let held: Uint8Array;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
  const holders = await startHolders(root, 4);
  const manifest = await dealTo(holders, owner, nodeRandom.bytes(32));
  grant = await grantTo(owner, manifest, owner);
  held = at(holders, 0).store.get(`held/${toHex(manifest.core.keyId)}`) ?? new Uint8Array();
  await Promise.all(holders.map(async ({ store }) => store.close()));
});
afterAll(async () => rm(root, { recursive: true }));

/** Any bytes, and an example with some of it cut out and other bytes put there. */
function bytesNear(example: () => Uint8Array): fc.Arbitrary<() => Uint8Array> {
  const spoiled = fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(4), fc.uint8Array({ maxLength: 4 }))
    .map(([where, cut, put]) => (): Uint8Array => {
      const bytes = example();
      const start = Math.floor(where * bytes.length);
      return new Uint8Array([...bytes.subarray(0, start), ...put, ...bytes.subarray(start + cut)]);
    });
  return fc.oneof(
    { weight: 4, arbitrary: spoiled },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }).map(bytes => () => bytes) },
  );
}

/** What was read, or undefined where it was refused by a code of ours; anything else is thrown on. */
async function attempt<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SkerryError) return undefined;
    throw error;
  }
}

describe('fuzz: what a node reads', { timeout }, () => {
  test('a frame is what would be sent as those very bytes, or refused', async () => {
    const frame = encodeFrame({ id: 7, kind: frameKinds.request, body: nodeRandom.bytes(40) });
    await fc.assert(
      fc.asyncProperty(
        bytesNear(() => frame),
        async make => {
          const bytes = make();
          const read = await attempt(() => decodeFrame(bytes, 512));
          expect(read ? encodeFrame(read) : bytes).toEqual(bytes);
        },
      ),
      { numRuns },
    );
  });

  test('a grant says what its owner signed, or is refused', async () => {
    const claims = await verifyGrant(grant, owner.signer.authority);
    await fc.assert(
      fc.asyncProperty(
        bytesNear(() => grant),
        async make => {
          const bytes = make();
          expect((await attempt(async () => verifyGrant(bytes, owner.signer.authority))) ?? claims).toEqual(
            claims,
          );
          const unverified = await attempt(() => readGrantClaims(bytes));
          expect(unverified?.jti ?? 'refused').toMatch(/^[\w-]{7,64}$/);
        },
      ),
      { numRuns },
    );
  });

  test('a held key is what would be stored as those very bytes, or refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        bytesNear(() => held),
        async make => {
          const bytes = make();
          const read = await attempt(() => decodeHeldKey(bytes));
          expect(read ? encodeHeldKey(read) : bytes).toEqual(bytes);
        },
      ),
      { numRuns },
    );
  });

  test('a swarm key is 256 bits in three lines, or refused', async () => {
    const file = Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${'0123456789abcdef'.repeat(4)}\n`);
    await fc.assert(
      fc.asyncProperty(
        bytesNear(() => file),
        async make => {
          const read = await attempt(() => parseSwarmKey(make()));
          const text = Buffer.from(read ?? file).toString('latin1');
          expect(text).toMatch(/^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n?$/);
        },
      ),
      { numRuns },
    );
  });
});
