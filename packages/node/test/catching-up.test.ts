import { SkerryError } from '@skerry/base';
import { decodeRequest, encodeAnswer, encodeRefusal } from '@skerry/wire';
import { expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { createCatchUp } from '../src/catching-up.ts';
import { quiet } from './holders.ts';

const record = new Uint8Array([1]);

/** A neighbourhood: who is connected, what was asked of whom, and what was merged. */
function neighbourhood(answer: (nodeId: string, offset: number) => Uint8Array | Promise<Uint8Array>) {
  const asked: string[] = [];
  const state = { connected: [] as string[], merged: 0, asked };
  const catchUp = createCatchUp({
    host: { connectedNodes: () => state.connected },
    directory: { merge: records => (state.merged += records.length) },
    streams: {
      request: async (nodeId, body, { signal }) => {
        const request = decodeRequest(body);
        if (request.name !== 'directory') throw new Error('only directories are asked for');
        asked.push(`${nodeId}:${request.body.offset}`);
        const answering = (async () => answer(nodeId, request.body.offset))();
        const off = new Promise<never>((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        });
        return Promise.race([answering, off]);
      },
    },
    log: quiet,
  });
  return { state, catchUp };
}

const page = (count: number, total: number): Uint8Array =>
  encodeAnswer('directory', { records: Array.from({ length: count }, () => record), total });
const settled = async (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5));

test('a new neighbour is asked once for all its pages, and again when it comes back', async () => {
  const { state, catchUp } = neighbourhood((_, offset) => page(Math.min(100, 250 - offset), 250));
  state.connected = ['a'];
  for (let i = 0; i < 3; i++) {
    catchUp.look();
    await settled();
  }
  expect(state.asked).toEqual(['a:0', 'a:100', 'a:200']);
  expect(state.merged).toBe(250);
  state.connected = [];
  expect(catchUp.look()).toBe(0);
  state.connected = ['a'];
  expect(catchUp.look()).toBe(1);
  await settled();
  expect(state.asked.length).toBe(6);
});

test('a neighbour that refuses or fails is not asked again at once, and keeps nobody from being asked', async () => {
  const { state, catchUp } = neighbourhood(nodeId => {
    if (nodeId === 'a') return encodeRefusal('RATE_LIMITED');
    if (nodeId === 'b') throw new SkerryError('PEER_UNREACHABLE');
    return page(1, 1);
  });
  state.connected = ['a', 'b', 'c'];
  for (let i = 0; i < 3; i++) {
    catchUp.look();
    await settled();
  }
  expect(state.asked.sort()).toEqual(['a:0', 'b:0', 'c:0']);
});

test('pages without end, or of nothing, come to an end', async () => {
  const endless = neighbourhood(() => page(100, 1_000_000));
  endless.state.connected = ['a'];
  endless.catchUp.look();
  while (endless.state.merged < parameters.directoryEntriesMax) await settled();
  await settled();
  expect(endless.state.merged).toBe(parameters.directoryEntriesMax);
  const empty = neighbourhood(() => page(0, 1_000_000));
  empty.state.connected = ['a'];
  empty.catchUp.look();
  await settled();
  expect(empty.state.asked).toEqual(['a:0']);
});

test('few are asked at once, so that slow ones cost nothing but their place', async () => {
  const { state, catchUp } = neighbourhood(async () => new Promise<Uint8Array>(() => {}));
  state.connected = Array.from({ length: 20 }, (_, i) => `node-${i}`);
  for (let i = 0; i < 3; i++) catchUp.look();
  await settled();
  expect(state.asked.length).toBe(parameters.catchUpsAtOnce);
  await catchUp.close();
});

test('a peer that comes back under ever new names is asked a bounded number of times', async () => {
  const { state, catchUp } = neighbourhood(() => page(1, 1));
  for (let i = 0; i < 2 * parameters.catchUpsPerWindow; i++) {
    state.connected = [`sybil-${i}`];
    catchUp.look();
    await settled();
  }
  expect(state.asked.length).toBe(parameters.catchUpsPerWindow);
});
