import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { rememberPeers } from '../src/known-peers.ts';
import { createPeer, type Peer } from '../src/peer.ts';
import { openStore } from '../src/store.ts';
import { keysIn, quiet } from './holders.ts';
import { until } from './hosts.ts';
import { peerOptions, startPeers, untilTheyMeet } from './peers.ts';

let root: string;
let peers: Peer[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
  peers = await startPeers(root, 3);
});
afterAll(async () => {
  await Promise.all(peers.map(async peer => peer.close()));
  await rm(root, { recursive: true });
});

test('a node that starts again finds its network, though it is told of no bootstrap peer', async () => {
  await at(peers, 2).close();
  peers[2] = await createPeer(peerOptions(root, 2, { bootstrap: [] }));
  await untilTheyMeet(peers);
  expect(
    at(peers, 2)
      .candidates()
      .map(({ nodeId }) => nodeId)
      .sort(),
  ).toEqual([at(peers, 0).nodeId, at(peers, 1).nodeId].sort());
});

/** What is remembered of the first peer, by a node that sees the directory of the second. */
async function remember(name: string, nowMs: number, put: (bytes: Uint8Array) => Uint8Array) {
  const { nodeId, network } = at(peers, 0);
  const entry = at(peers, 1).network.directory.entry(nodeId);
  if (!entry) throw new Error('they know each other');
  const store = await openStore(join(root, name));
  await store.put(`peer/${nodeId}`, put(entry.bytes));
  const learned: string[] = [];
  const host = {
    learnAddresses: async (id: string) => void learned.push(id),
    connectedNodes: () => [],
  };
  const { directory } = network;
  const stop = await rememberPeers({ store, host, directory, clock: { nowMs: () => nowMs }, log: quiet });
  await stop();
  const left = await keysIn(store, 'peer/');
  await store.close();
  return { learned, left: left.length, nodeId };
}

test('what is remembered is dialled, and forgotten where it is old, damaged or of another node', async () => {
  const whole = await remember('whole', Date.now(), bytes => bytes);
  expect(whole).toMatchObject({ learned: [whole.nodeId], left: 1 });
  const old = await remember('old', Date.now() + parameters.peersKeptMs + 3_600_000, bytes => bytes);
  expect(old).toMatchObject({ learned: [], left: 0 });
  const damaged = await remember('damaged', Date.now(), bytes => nodeRandom.bytes(bytes.length));
  expect(damaged).toMatchObject({ learned: [], left: 0 });
  const other = at(peers, 1).network.directory.entry(at(peers, 2).nodeId)?.bytes;
  const swapped = await remember('swapped', Date.now(), () => other ?? new Uint8Array());
  expect(swapped).toMatchObject({ learned: [], left: 0 });
});

test('as many peers are remembered as there is room for, and those known stay', async () => {
  const entry = at(peers, 1).network.directory.entry(at(peers, 0).nodeId);
  if (!entry) throw new Error('they know each other');
  const store = await openStore(join(root, 'many'));
  const names = Array.from({ length: parameters.peersKeptMax + 5 }, (_, i) => `node${i}`);
  const host = { learnAddresses: async () => undefined, connectedNodes: () => names };
  const directory = { entry: () => entry, merge: () => 0 };
  const clock = { nowMs: () => Date.now() };
  const stop = await rememberPeers({ store, host, directory, clock, log: quiet });
  await until(async () => (await keysIn(store, 'peer/')).length > 0);
  await stop();
  expect(await keysIn(store, 'peer/')).toHaveLength(parameters.peersKeptMax);
  await store.close();
});
