import { nodeRandom } from '@skerry/crypto';
import { dhtProtocol } from '@skerry/wire';
import { encode } from 'it-length-prefixed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parameters, rates } from '../parameters.ts';
import { peerIdOf } from '../src/address-book.ts';
import type { Host } from '../src/host.ts';
import { createMessageCounter } from '../src/metering.ts';
import type { Misbehaviour } from '../src/strikes.ts';
import { recordingLog, startHost, until } from './hosts.ts';

const log = recordingLog();
const heard: [string, Misbehaviour][] = [];
let victim: Host;
let honest: Host;
beforeAll(async () => {
  victim = await startHost({ log, onMisbehaviour: (nodeId, kind) => void heard.push([nodeId, kind]) });
  honest = await startHost({ bootstrap: victim.addresses() });
  await until(() => honest.isConnected(victim.nodeId));
});
afterAll(async () => {
  await Promise.all([victim, honest].map(async host => host.close()));
});

async function startHostile(): Promise<Host> {
  const hostile = await startHost({ bootstrap: victim.addresses() });
  await until(() => hostile.isConnected(victim.nodeId));
  return hostile;
}

const countOf = ({ nodeId }: Host, kind: Misbehaviour): number =>
  heard.filter(([who, what]) => who === nodeId && what === kind).length;

test('messages are counted however they are cut into chunks', () => {
  const lengths = [0, 1, 127, 128, 300, 20_000];
  const stream = Buffer.concat(lengths.map(length => encode.single(nodeRandom.bytes(length)).subarray()));
  for (const size of [1, 2, 3, 7, 1_000, stream.length]) {
    const count = createMessageCounter();
    let total = 0;
    for (let i = 0; i < stream.length; i += size) total += count(stream.subarray(i, i + size));
    expect(total).toBe(lengths.length);
  }
});

test('a peer that floods the DHT has its streams aborted, and others are answered on', async () => {
  const hostile = await startHostile();
  const findNode = encode.single(new Uint8Array([8, 4, 18, 2, 1, 2])).subarray(); // type FIND_NODE, a key
  const message = Buffer.concat(Array.from({ length: 500 }, () => findNode));
  while (countOf(hostile, 'flood') < 5 && hostile.isConnected(victim.nodeId)) {
    const stream = await hostile.libp2p.dialProtocol(peerIdOf(victim.nodeId), dhtProtocol);
    stream.addEventListener('message', () => undefined);
    for (let i = 0; i < rates.dht.burst / 500 + 1 && stream.status === 'open'; i++) stream.send(message);
    await until(() => stream.status !== 'open');
  }
  expect(countOf(hostile, 'flood')).toBeGreaterThanOrEqual(5);
  expect(countOf(honest, 'flood')).toBe(0);
  expect(await honest.libp2p.services.ping.ping(peerIdOf(victim.nodeId))).toBeGreaterThanOrEqual(0);
  await hostile.close();
});

test('a peer that pings without end is stopped', async () => {
  const hostile = await startHostile();
  const stream = await hostile.libp2p.dialProtocol(peerIdOf(victim.nodeId), '/ipfs/ping/1.0.0');
  stream.addEventListener('message', () => undefined);
  const tooMany = nodeRandom.bytes(32 * (rates.ping.burst + 10));
  stream.send(tooMany);
  await until(() => stream.status !== 'open');
  expect(countOf(hostile, 'flood')).toBeGreaterThan(0);
  await hostile.close();
});

test('who goes on is refused for a while, by a coded line, and nobody else is', async () => {
  const hostile = await startHostile();
  const times = parameters.strikePointsMax / parameters.strikePoints.garbage + 1; // some is forgiven meanwhile
  for (let i = 0; i < times; i++) victim.onMisbehaviour(hostile.nodeId, 'garbage');
  expect(countOf(hostile, 'garbage')).toBe(times);
  const told = { code: 'PEER_BARRED', nodeId: hostile.nodeId, kind: 'garbage', forMs: parameters.barredMs };
  expect(log.metadata.filter(({ nodeId }) => nodeId === hostile.nodeId)).toEqual([told]);
  await until(() => !hostile.isConnected(victim.nodeId));
  const again = hostile.libp2p.dial(peerIdOf(victim.nodeId)).then(async connection => {
    await until(() => connection.status !== 'open');
  });
  await again.catch(() => undefined);
  expect(victim.isConnected(hostile.nodeId)).toBe(false);
  expect(victim.isConnected(honest.nodeId)).toBe(true);
  await hostile.close();
});

test('a node counts nothing against itself', () => {
  for (let i = 0; i < 100; i++) victim.onMisbehaviour(victim.nodeId, 'garbage');
  expect(countOf(victim, 'garbage')).toBe(0);
});
