import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Random, SkerryError } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeRequest, keyIdOf } from '@skerry/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dealKey } from '../src/dealing.ts';
import { dealTo, type Holder, makeOwner, type Owner, placeOn, startHolders, streamsTo } from './holders.ts';

let directory: string;
let holders: Holder[];
let owner: Owner;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  holders = await startHolders(directory, 4);
  owner = makeOwner();
});
afterEach(async () => {
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(directory, { recursive: true });
});

type Options = Parameters<typeof dealKey>[0];

/** Deals a new key, and shows every random buffer that the deal drew, as it left it. */
async function deal(options: Partial<Options> = {}) {
  const drawn: Uint8Array[] = [];
  const random: Random = {
    bytes: length => {
      const bytes = nodeRandom.bytes(length);
      drawn.push(bytes);
      return bytes;
    },
  };
  const nonce = nodeRandom.bytes(16);
  const { nodeKey, nodeSeed, signer } = owner;
  const dealing = dealKey(
    {
      streams: streamsTo(holders, owner),
      nodeKey,
      nodeSeed,
      clock: nodeClock,
      random,
      storeManifest: async () => undefined,
      openPending: async () => Promise.reject(new SkerryError('KEY_UNAVAILABLE')),
      ...options,
    },
    {
      key: nodeRandom.bytes(100),
      keyId: keyIdOf(nodeCrypto, signer.authority, nonce),
      nonce,
      signer,
      previous: null,
      delayMs: 0,
      place: excluded => placeOn(holders.map(({ nodeId }) => nodeId).filter(id => !excluded.has(id))),
    },
  );
  const outcome = await dealing.then(
    () => 'dealt',
    (error: unknown) => error,
  );
  return { outcome, drawn };
}

const isWiped = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0);

/** Streams that do something else for one kind of request. */
function streamsWith(name: string, instead: () => Promise<Uint8Array>): Options['streams'] {
  const { request } = streamsTo(holders, owner);
  return {
    request: async (nodeId, body) => (decodeRequest(body).name === name ? instead() : request(nodeId, body)),
  };
}

test('ten deals at once all come to be', async () => {
  const manifests = await Promise.all(
    Array.from({ length: 10 }, async () => dealTo(holders, owner, nodeRandom.bytes(32))),
  );
  expect(new Set(manifests.map(({ core }) => core.keyId.join())).size).toBe(10);
  expect(holders.map(({ service }) => service.shareCount())).toEqual([10, 10, 10, 10]);
});

test('a deal leaves none of its secrets behind: blinding, box key and the key of every share', async () => {
  const { outcome, drawn } = await deal();
  expect(outcome).toBe('dealt');
  expect(drawn.length).toBe(6);
  expect(drawn.every(isWiped)).toBe(true);
});

test('a manifest that cannot be stored ends the deal, with no holder told to serve the key', async () => {
  const { outcome, drawn } = await deal({
    storeManifest: async () => {
      throw new SkerryError('STORE_FAILED');
    },
  });
  expect(outcome).toMatchObject({ code: 'STORE_FAILED' });
  expect(drawn.every(isWiped)).toBe(true);
  expect(holders.flatMap(({ published }) => published)).toEqual([]);
});

test('a manifest is stored before any holder is told to serve the key', async () => {
  const told: number[] = [];
  await deal({
    storeManifest: async () => {
      await new Promise(resolve => setTimeout(resolve, 20));
      told.push(...holders.map(({ published }) => published.length));
    },
  });
  expect(told).toEqual([0, 0, 0, 0]);
});

for (const name of ['offer', 'deposit', 'activate'] as const) {
  test(`holders that fail at ${name} end the deal by a code, and a bug ends it at once`, async () => {
    const failing = streamsWith(name, async () => Promise.reject(new SkerryError('DEADLINE_EXCEEDED')));
    const failed = await deal({ streams: failing });
    const code = name === 'activate' ? 'DEPOSIT_FAILED' : 'PLACEMENT_INFEASIBLE';
    expect(failed.outcome).toMatchObject({ code });
    expect(failed.drawn.every(isWiped)).toBe(true);

    const buggy = await deal({
      streams: streamsWith(name, async () => Promise.reject(new TypeError('a bug'))),
    });
    expect(buggy.outcome).toBeInstanceOf(TypeError);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(buggy.drawn.every(isWiped)).toBe(true);
  });
}

test('a key that is none, or a placement that is impossible, fails before anything is sent', async () => {
  const streams = streamsWith('offer', async () => Promise.reject(new Error('nothing is to be sent')));
  const [first] = holders as [Holder];
  await expect(dealTo([first], owner, nodeRandom.bytes(32))).rejects.toMatchObject({
    code: 'PLACEMENT_INFEASIBLE',
  });
  await expect(dealTo(holders, owner, new Uint8Array(0))).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
  expect((await deal({ streams })).outcome).toMatchObject({ message: 'nothing is to be sent' });
});
