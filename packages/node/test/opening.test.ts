import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, type Random, SkerryError } from '@skerry/base';
import { nodeClock, nodeRandom } from '@skerry/crypto';
import { type Manifest, nodeIdOf } from '@skerry/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenedKey, openKey } from '../src/opening.ts';
import { dealTo, grantTo, type Holder, makeOwner, startHolders, streamsTo } from './holders.ts';

const key = nodeRandom.bytes(32);
const owner = makeOwner();
let directory: string;
let holders: Holder[];
let manifest: Manifest;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  holders = await startHolders(directory, 4);
  manifest = await dealTo(holders, owner, key);
});
afterAll(async () => {
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(directory, { recursive: true });
});

type Streams = Parameters<typeof openKey>[0]['streams'];
type Request = Streams['request'];

/** Opens the key over streams, and shows every 32 random bytes that were drawn, as the open left them. */
async function open(
  streams: Streams,
  grant?: Uint8Array,
): Promise<{ opened: OpenedKey; drawn: Uint8Array[] }> {
  const drawn: Uint8Array[] = [];
  const random: Random = {
    bytes: length => {
      const bytes = nodeRandom.bytes(length);
      if (length === 32) drawn.push(bytes);
      return bytes;
    },
  };
  const opened = await openKey(
    { streams, nodeKey: owner.nodeKey, confirmationSeed: owner.nodeSeed, clock: nodeClock, random },
    {
      manifest,
      grant: grant ?? (await grantTo(owner, manifest, owner)),
      holders: manifest.core.holders.map(({ x, nodeKey }) => {
        const nodeId = nodeIdOf(nodeKey);
        return { x, nodeId, label: nodeId };
      }),
    },
  );
  return { opened, drawn };
}

/** Streams on which some holders do something else. */
function streamsWith(nodeIds: readonly string[], instead: Request): Streams {
  const streams = streamsTo(holders, owner);
  const request: Request = async (nodeId, body, options) =>
    nodeIds.includes(nodeId) ? instead(nodeId, body, options) : streams.request(nodeId, body);
  return { ...streams, request };
}

const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
const idOf = (index: number): string => nodeIdOf(at(manifest.core.holders, index).nodeKey);

test('twenty opens at once all give the key, and each wipes the seed that its answers were sealed to', async () => {
  const before = timers();
  const opens = await Promise.all(Array.from({ length: 20 }, async () => open(streamsTo(holders, owner))));
  for (const { opened, drawn } of opens) {
    expect(opened.key).toEqual(key);
    expect(drawn.map(bytes => bytes.every(byte => byte === 0))).toEqual([true]);
  }
  expect(timers()).toBeLessThanOrEqual(before);
});

test('answers that come after the end go nowhere, and nothing of an open runs on', async () => {
  const before = timers();
  const late: (() => Promise<Uint8Array>)[] = [];
  const first = idOf(0);
  const direct = streamsTo(holders, owner);
  const streams = streamsWith([first], async (nodeId, body) => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    late.push(async () => {
      const answer = await direct.request(nodeId, body);
      resolve(answer);
      return answer;
    });
    return promise;
  });
  const { opened } = await open(streams);
  expect(opened.key).toEqual(key);
  expect(late.length).toBeGreaterThan(0);
  for (const finish of late) await finish();
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(timers()).toBeLessThanOrEqual(before);
});

test('requests under way are called off at the end, and their rejections are heard', async () => {
  const calledOff: unknown[] = [];
  const streams = streamsWith([idOf(0)], async (_nodeId, _body, { signal }) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal?.addEventListener('abort', () => {
      calledOff.push(signal.reason);
      reject(signal.reason as Error);
    });
    return promise;
  });
  expect((await open(streams)).opened.key).toEqual(key);
  expect(calledOff.length).toBeGreaterThan(0);
});

test('garbage, refusals and silence from k - t holders cost time and never the key', async () => {
  const garbage = streamsWith([idOf(0)], async () => nodeRandom.bytes(200));
  expect((await open(garbage)).opened.key).toEqual(key);
  const gone = streamsWith([idOf(1), idOf(2)], async () => {
    throw new SkerryError('PEER_UNREACHABLE');
  });
  expect((await open(gone)).opened.key).toEqual(key);
});

test('too few holders are an error with a code that names them, and a bug is thrown as it is', async () => {
  const three = [idOf(0), idOf(1), idOf(2)];
  const gone = streamsWith(three, async () => {
    throw new SkerryError('PEER_UNREACHABLE');
  });
  await expect(open(gone)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' });
  const buggy = streamsWith(three, async () => {
    throw new TypeError('a bug');
  });
  await expect(open(buggy)).rejects.toThrow('a bug');

  const before = timers();
  let asked = 0;
  const oneBug = streamsWith([idOf(0), idOf(1), idOf(2), idOf(3)], async (_nodeId, _body, { signal }) => {
    if (++asked === 2) throw new TypeError('a bug');
    const { promise, reject: callOff } = Promise.withResolvers<never>();
    signal?.addEventListener('abort', () => callOff(signal.reason as Error));
    return promise;
  });
  await expect(open(oneBug)).rejects.toThrow('a bug');
  await new Promise(resolve => setImmediate(resolve));
  expect(asked).toBe(2);
  expect(timers()).toBeLessThanOrEqual(before);
  const foreign = await grantTo(makeOwner(), manifest, owner);
  await expect(open(streamsTo(holders, owner), foreign)).rejects.toMatchObject({ code: 'GRANT_INVALID' });
});
