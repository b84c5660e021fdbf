/** Standing in gossip: honest peers of one machine never lose theirs, a spammer does at once. */
import { at } from '@skerry/base';
import { nodeClock, nodeRandom } from '@skerry/crypto';
import { directoryTopic } from '@skerry/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDirectory, type Directory } from '../src/directory.ts';
import type { Host } from '../src/host.ts';
import { decodeNeighbour, type NeighbourEntry } from '../src/neighbours.ts';
import type { Misbehaviour } from '../src/strikes.ts';
import { recordingLog, startHost, until } from './hosts.ts';
import { newSeed, recordOf } from './node-records.ts';

const count = 24;
const signers = Array.from({ length: count }, newSeed);
const heard: [string, Misbehaviour][] = [];
let hosts: Host[];
let directories: Directory<NeighbourEntry>[];
beforeAll(async () => {
  const log = recordingLog();
  const onMisbehaviour = (nodeId: string, kind: Misbehaviour): void => void heard.push([nodeId, kind]);
  const options = { log, onMisbehaviour, meshPeersMax: 5 };
  hosts = [await startHost({ ...options, nodeSeed: at(signers, 0) })];
  const bootstrap = at(hosts, 0).addresses();
  for (const nodeSeed of signers.slice(1)) hosts.push(await startHost({ ...options, nodeSeed, bootstrap }));
  directories = hosts.map(host => createDirectory({ host, decode: decodeNeighbour, clock: nodeClock, log }));
});
afterAll(async () => {
  await Promise.all(directories.map(async directory => directory.close()));
  await Promise.all(hosts.map(async host => host.close()));
});

/** What gossipsub has and its types do not tell. */
type Innards = {
  readonly getScore: (nodeId: string) => number;
  readonly getMeshPeers: (topic: string) => string[];
};
const innards = (host: Host): Innards => host.libp2p.services.gossip as unknown as Innards;

/** The least standing that any of these peers has with any other that it is connected to. */
function leastStanding(among: readonly Host[]): number {
  const ids = new Set(among.map(({ nodeId }) => nodeId));
  const scores = among.flatMap(host =>
    host
      .connectedNodes()
      .filter(nodeId => ids.has(nodeId))
      .map(nodeId => innards(host).getScore(nodeId)),
  );
  return Math.min(...scores);
}

async function announceAll(sequence: number): Promise<void> {
  for (const [i, directory] of directories.entries()) {
    await directory.announce(recordOf(at(signers, i), { sequence, addresses: at(hosts, i).addresses() }));
  }
}

test('honest peers of one machine keep their standing, and one that spams loses it with all that it reaches', {
  timeout: 120_000,
}, async () => {
  let sequence = 0;
  await until(async () => {
    await announceAll(++sequence);
    await new Promise(resolve => setTimeout(resolve, 3_000));
    return directories.every(directory => directory.entries().length === count);
  });
  for (let i = 0; i < 2; i++) {
    await announceAll(++sequence);
    await new Promise(resolve => setTimeout(resolve, 3_000));
  }
  expect(leastStanding(hosts)).toBeGreaterThanOrEqual(0);
  expect(heard).toEqual([]);

  const spammer = at(hosts, count - 1);
  const honest = hosts.slice(0, -1);
  const neighbours = honest.filter(host => host.isConnected(spammer.nodeId));
  const reached = (): Host[] => neighbours.filter(host => innards(host).getScore(spammer.nodeId) < -80);
  for (let i = 0; i < 20; i++) {
    await spammer.libp2p.services.gossip
      .publish(directoryTopic, nodeRandom.bytes(100))
      .catch(() => undefined);
  }
  await until(() => reached().length > 0);
  // gossipsub mends its mesh every second
  await until(() =>
    reached().every(host => !innards(host).getMeshPeers(directoryTopic).includes(spammer.nodeId)),
  );
  expect(leastStanding(honest)).toBeGreaterThanOrEqual(0);
  expect(new Set(heard.map(([nodeId]) => nodeId))).toEqual(new Set([spammer.nodeId]));
});
