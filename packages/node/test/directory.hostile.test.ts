import { multiaddr } from '@multiformats/multiaddr';
import { at, type Clock } from '@skerry/base';
import { nodeClock } from '@skerry/crypto';
import { directoryTopic } from '@skerry/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { peerIdOf } from '../src/address-book.ts';
import { createDirectory, type Directory } from '../src/directory.ts';
import type { Host } from '../src/host.ts';
import { decodeNeighbour, type NeighbourEntry } from '../src/neighbours.ts';
import { sweepPeerStore } from '../src/peer-store-sweep.ts';
import type { Misbehaviour } from '../src/strikes.ts';
import { recordingLog, startHost, startHosts, until } from './hosts.ts';
import { newSeed, nodeIdOfSeed, recordOf } from './node-records.ts';

let hosts: Host[] = [];
let directories: Directory<NeighbourEntry>[] = [];
let heard: [string, Misbehaviour][] = [];
let log = recordingLog();
afterEach(async () => {
  await Promise.all(directories.map(async directory => directory.close()));
  await Promise.all(hosts.map(async host => host.close()));
  [hosts, directories, heard, log] = [[], [], [], recordingLog()];
});

/** A directory on a host, that of the first new one by default. */
async function open(options: { host?: Host; clock?: Clock; entriesMax?: number } = {}) {
  if (hosts.length === 0) {
    const onMisbehaviour = (nodeId: string, kind: Misbehaviour) => void heard.push([nodeId, kind]);
    hosts.push(await startHost({ onMisbehaviour, meshPeersMax: 0 }));
  }
  const host = options.host ?? at(hosts, 0);
  const directory = createDirectory({ decode: decodeNeighbour, clock: nodeClock, log, ...options, host });
  directories.push(directory);
  return directory;
}

/** A neighbour that is not there any more. */
const source = nodeIdOfSeed(newSeed());
const seeds = (count: number): Uint8Array[] => Array.from({ length: count }, newSeed);

describe('a node that signs two records with one sequence', () => {
  test('has the first kept, and is told of by code and as evidence; the same again is none', async () => {
    const directory = await open();
    const [seed] = seeds(1) as [Uint8Array];
    const nodeId = nodeIdOfSeed(seed);
    const first = recordOf(seed, { sequence: 5, operator: 'one' });
    const second = recordOf(seed, { sequence: 5, operator: 'other' });
    expect(directory.merge([first, first], source)).toBe(1);
    expect(heard).toEqual([]);
    expect(directory.merge([second], source)).toBe(0);
    expect(heard).toEqual([[nodeId, 'equivocation']]);
    expect(directory.entry(nodeId)?.record.operator).toBe('one');
    const refusal = { nodeId, source: source, code: 'RECORD_EQUIVOCATED' };
    expect(log.metadata.filter(({ code }) => code === 'RECORD_EQUIVOCATED')).toEqual([refusal]);
    expect(directory.merge([recordOf(seed, { sequence: 6, operator: 'third' })])).toBe(1);
  });
});

describe('records that come again, late or out of order', () => {
  test('change nothing: the newest stays, each older one is stale', async () => {
    const directory = await open();
    const [seed] = seeds(1) as [Uint8Array];
    const records = [1, 2, 3, 4].map(sequence => recordOf(seed, { sequence }));
    const order = [2, 0, 3, 1, 2, 0, 3].map(i => at(records, i));
    expect(directory.merge(order, source)).toBe(2);
    expect(directory.entry(nodeIdOfSeed(seed))?.sequence).toBe(4);
    expect(log.metadata.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'RECORD_STALE'));
    expect(heard).toEqual([]);
  });

  test('are nothing without their signature, and cost the neighbour that gives them', async () => {
    const directory = await open();
    const [seed] = seeds(1) as [Uint8Array];
    const forged = recordOf(seed, {}, { isUnsigned: true });
    expect(directory.merge([forged, new Uint8Array(10)], source)).toBe(0);
    expect(heard).toEqual([
      [source, 'garbage'],
      [source, 'garbage'],
    ]);
  });
});

describe('a clock that is five minutes off', () => {
  const fiveMs = 300_000;
  const at0 = Date.now();

  test('ahead: its node is refused by code; behind: it is listed like others', async () => {
    const directory = await open({ clock: { nowMs: () => at0 } });
    const [fast, slow] = seeds(2) as [Uint8Array, Uint8Array];
    const said = (seed: Uint8Array, issuedAtMs: number): Uint8Array =>
      recordOf(seed, { issuedAtMs, expiresAtMs: issuedAtMs + parameters.entryLifeMs });
    expect(directory.merge([said(fast, at0 + fiveMs)])).toBe(0);
    expect(log.metadata.map(({ code }) => code)).toEqual(['CLOCK_SKEWED']);
    expect(directory.merge([said(slow, at0 - fiveMs)])).toBe(1);
    expect(directory.entry(nodeIdOfSeed(slow))).toBeDefined();
  });

  test.each([5, -5])(
    'is told to the operator where it is this node that is %i minutes behind',
    async minutes => {
      const signers = seeds(4);
      const behindMs = minutes * 60_000;
      hosts = [await startHost({ nodeSeed: at(signers, 0) })];
      const bootstrap = at(hosts, 0).addresses();
      for (const nodeSeed of signers.slice(1)) hosts.push(await startHost({ nodeSeed, bootstrap }));
      const own = await open({ clock: { nowMs: () => Date.now() - behindMs } });
      expect(own.clockSkewMs()).toBeNull();
      for (const host of hosts.slice(1)) await open({ host });
      await until(async () => {
        for (const [i, host] of hosts.slice(1).entries()) {
          const record = recordOf(at(signers, i + 1), { sequence: Date.now() });
          await host.libp2p.services.gossip.publish(directoryTopic, record);
        }
        await new Promise(resolve => setTimeout(resolve, 100));
        return log.lines.some(line => line.startsWith("warn: this node's clock differs"));
      });
      expect(own.clockSkewMs()).toBeGreaterThan(behindMs - 20_000);
      expect(own.clockSkewMs()).toBeLessThan(behindMs + 20_000);
    },
  );
});

describe('a directory that is full', () => {
  /** Merges as many new nodes of a source; returns their ids. */
  function bring(directory: Directory<NeighbourEntry>, source: string, count: number): string[] {
    const signers = seeds(count);
    for (const seed of signers) directory.merge([recordOf(seed)], source);
    return signers.map(nodeIdOfSeed);
  }
  const has = (directory: Directory<NeighbourEntry>, ids: readonly string[]): number =>
    ids.filter(id => directory.entry(id) !== undefined).length;

  test('of one attacker, though connected, with a thousand new identities keeps every honest node', async () => {
    hosts = await startHosts(3);
    const [own, honest, attacker] = hosts as [Host, Host, Host];
    await until(() => own.connectedNodes().length === 2);
    const directory = await open({ host: own, entriesMax: 300 });
    const early = bring(directory, honest.nodeId, 100);
    const crowd = bring(directory, attacker.nodeId, 1_000);
    expect(has(directory, early)).toBe(100);
    expect(has(directory, crowd)).toBe(200);
    const late = bring(directory, honest.nodeId, 50);
    expect(has(directory, [...early, ...late])).toBe(150);
    expect(has(directory, crowd)).toBe(150);
    expect(directory.entries()).toHaveLength(300);
  });

  test('is not to be had by coming under ever new names either', async () => {
    hosts = await startHosts(2);
    const [own, honest] = hosts as [Host, Host];
    const directory = await open({ host: own, entriesMax: 300 });
    const crowds = Array.from({ length: 10 }, () => bring(directory, nodeIdOfSeed(newSeed()), 100)).flat();
    const known = bring(directory, honest.nodeId, 100);
    crowds.push(...Array.from({ length: 10 }, () => bring(directory, nodeIdOfSeed(newSeed()), 100)).flat());
    expect(has(directory, known)).toBe(100);
    expect(has(directory, crowds)).toBe(200);
  });

  test('takes a neighbour in, whoever brings it', async () => {
    const nodeSeed = newSeed();
    hosts = [await startHost(), await startHost({ nodeSeed })];
    const [own, neighbour] = hosts as [Host, Host];
    const directory = await open({ host: own, entriesMax: 10 });
    await own.learnAddresses(neighbour.nodeId, neighbour.addresses());
    await until(() => own.isConnected(neighbour.nodeId));
    const crowd = bring(directory, neighbour.nodeId, 10);
    expect(directory.merge([recordOf(nodeSeed)], neighbour.nodeId)).toBe(1);
    expect(has(directory, crowd)).toBe(9);
  });

  test('makes room by what has expired first', async () => {
    let nowMs = Date.now();
    const directory = await open({ clock: { nowMs: () => nowMs }, entriesMax: 10 });
    bring(directory, source, 10);
    nowMs += parameters.entryAgeMsMax;
    const issuedAtMs = nowMs;
    expect(directory.merge([recordOf(newSeed(), { issuedAtMs, expiresAtMs: nowMs + 1_000 })], source)).toBe(
      1,
    );
    expect(directory.entries()).toHaveLength(1);
  });
});

test('stored addresses are forgotten over a number, those of neighbours never', async () => {
  hosts = await startHosts(2);
  const [own, neighbour] = hosts as [Host, Host];
  const strangers = seeds(30).map(nodeIdOfSeed);
  for (const id of strangers) {
    const address = `/ip4/127.0.0.1/tcp/1/p2p/${id}`;
    await own.libp2p.peerStore.patch(peerIdOf(id), { multiaddrs: [multiaddr(address)] });
  }
  await sweepPeerStore(own.libp2p, 10);
  const left = (await own.libp2p.peerStore.all()).map(({ id }) => id.toString());
  expect(left).toHaveLength(10);
  expect(left).toContain(neighbour.nodeId);
});
