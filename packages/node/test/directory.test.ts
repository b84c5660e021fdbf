import { type Clock, SkerryError } from '@skerry/base';
import { nodeClock } from '@skerry/crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import {
  announceIntervalMs,
  createDirectory,
  type Directory,
  type DirectoryEntry,
} from '../src/directory.ts';
import type { Host } from '../src/host.ts';
import { recordingLog, startHost, startHosts, until } from './hosts.ts';

type Spoken = Omit<DirectoryEntry, 'bytes'>;

/** Entries of the tests are JSON, "signed" by a word that only honest ones know. */
function encode(entry: Spoken, signature = 'honest'): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ ...entry, signature }));
}

function decode(bytes: Uint8Array): DirectoryEntry {
  try {
    const { signature, ...entry } = JSON.parse(new TextDecoder().decode(bytes)) as Spoken & {
      signature: string;
    };
    if (signature === 'honest') return { ...entry, bytes: new Uint8Array(bytes) };
  } catch {
    throw new SkerryError('MESSAGE_MALFORMED');
  }
  throw new SkerryError('SIGNATURE_INVALID');
}

let hosts: Host[] = [];
let directories: Directory[] = [];

function open(host: Host, options: { clock?: Clock; entriesMax?: number } = {}): Directory {
  const directory = createDirectory({ host, decode, clock: nodeClock, log: recordingLog(), ...options });
  directories.push(directory);
  return directory;
}

async function start(count: number): Promise<Directory[]> {
  hosts = await startHosts(count);
  const opened = hosts.map(host => open(host));
  // gossip to a neighbour that has no stream yet is lost: wait until all can hear all
  await until(() =>
    hosts.every((host, i) => innards(host).streamsOutbound.size >= (i === 0 ? count - 1 : 1)),
  );
  await until(() =>
    hosts.every((host, i) => innards(host).getMeshPeers(topic).length >= (i === 0 ? count - 1 : 1)),
  );
  return opened;
}

/** What gossipsub has and its types do not tell. */
function innards(host: Host): Innards {
  return host.libp2p.services.gossip as unknown as Innards;
}

type Innards = {
  readonly streamsOutbound: ReadonlyMap<string, unknown>;
  readonly getMeshPeers: (topic: string) => string[];
  readonly getScore: (nodeId: string) => number;
};

const topic = '/skerry/directory/1';

afterEach(async () => {
  await Promise.all(directories.splice(0).map(async directory => directory.close()));
  await Promise.all(hosts.splice(0).map(async host => host.close()));
});

function speak(host: Host, changes: Partial<Spoken> = {}): Spoken {
  const nowMs = Date.now();
  const addresses = host.addresses();
  const life = { issuedAtMs: nowMs, expiresAtMs: nowMs + 600_000 };
  return { nodeId: host.nodeId, sequence: 1, ...life, addresses, ...changes };
}

/** Gossip as a hostile peer sends it: no check of its own. */
async function gossip(from: Host, bytes: Uint8Array): Promise<void> {
  await from.libp2p.services.gossip.publish(topic, bytes);
}

describe('the directory', () => {
  test('what a node announces reaches every other, and makes it dialable', async () => {
    const [first, ...others] = await start(4);
    for (const [i, directory] of [first!, ...others].entries())
      await directory.announce(encode(speak(hosts[i]!)));
    await until(() => directories.every(directory => directory.entries().length === 4));
    await until(() => hosts.every(host => host.connectedNodes().length === 3));
    expect(others[0]!.entry(hosts[3]!.nodeId)?.addresses).toEqual(hosts[3]!.addresses());
  });

  test('an older or equal sequence changes nothing', async () => {
    const [a, b] = (await start(2)) as [Directory, Directory];
    await a.announce(encode(speak(hosts[0]!, { sequence: 5 })));
    await until(() => b.entries().length === 1);
    const newer = encode(speak(hosts[0]!, { sequence: 6, addresses: [] }));
    await gossip(hosts[0]!, encode(speak(hosts[0]!, { sequence: 4, addresses: ['old'] })));
    await gossip(hosts[0]!, encode(speak(hosts[0]!, { sequence: 5, addresses: ['equal'] })));
    await a.announce(newer);
    await until(() => b.entry(hosts[0]!.nodeId)?.sequence === 6);
    expect(b.snapshot()).toEqual([newer]);
    await expect(a.announce(newer)).rejects.toMatchObject({ code: 'RECORD_STALE' });
  });

  test('a forged entry is refused, not passed on, and costs its sender', async () => {
    const [, b, c] = (await start(3)) as [Directory, Directory, Directory];
    const victim = hosts[2]!;
    for (let i = 0; i < 3; i++) {
      await gossip(hosts[1]!, encode(speak(victim, { sequence: 90 + i }), 'forged'));
    }
    const score = () => innards(hosts[0]!).getScore(hosts[1]!.nodeId);
    await until(() => score() < -80);
    expect(b.entries()).toEqual([]);
    expect(c.entries()).toEqual([]);
  });

  test('a node announces only itself', async () => {
    const [a] = await start(2);
    await expect(a!.announce(encode(speak(hosts[1]!)))).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    await expect(a!.announce(encode(speak(hosts[0]!), 'forged'))).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });

  test("one that joins late catches up from a neighbour's snapshot", async () => {
    const [a, b] = (await start(2)) as [Directory, Directory];
    await a.announce(encode(speak(hosts[0]!)));
    await b.announce(encode(speak(hosts[1]!)));
    await until(() => a.entries().length === 2);
    const late = await startHost({ bootstrap: hosts[0]!.addresses() });
    hosts.push(late);
    const directory = open(late);
    const heard: string[] = [];
    directory.onEntry(({ nodeId }) => heard.push(nodeId));
    const bad = encode(speak(late, { sequence: 2 }), 'forged');
    expect(directory.merge([bad, ...a.snapshot(), ...a.snapshot()])).toBe(2);
    expect(heard.toSorted()).toEqual([hosts[0]!.nodeId, hosts[1]!.nodeId].toSorted());
    await until(() => late.isConnected(hosts[1]!.nodeId));
  });

  test('entries expire, and those from the future or already expired are not entered', async () => {
    hosts = [await startHost(), await startHost()];
    let nowMs = 1_000_000;
    const directory = open(hosts[0]!, { clock: { nowMs: () => nowMs } });
    const life = { issuedAtMs: nowMs, expiresAtMs: nowMs + 1_000 };
    const other = hosts[1]!;
    const future = nowMs + parameters.clockSkewMs + 1;
    expect(directory.merge([encode(speak(other, { ...life, expiresAtMs: nowMs }))])).toBe(0);
    expect(directory.merge([encode(speak(other, { issuedAtMs: future, expiresAtMs: future + 1 }))])).toBe(0);
    expect(directory.merge([encode(speak(other, life))])).toBe(1);
    nowMs += 999;
    expect(directory.entry(other.nodeId)?.sequence).toBe(1);
    nowMs += 1;
    expect(directory.entry(other.nodeId)).toBeUndefined();
    expect(directory.snapshot()).toEqual([]);
    expect(
      directory.merge([encode(speak(other, { sequence: 2, issuedAtMs: nowMs, expiresAtMs: 1e15 }))]),
    ).toBe(1);
    nowMs += parameters.entryAgeMsMax;
    expect(directory.entries()).toEqual([]);
  });

  test('a node that says something new all the time is heard now and then', async () => {
    hosts = [await startHost(), await startHost()];
    const directory = open(hosts[0]!);
    const many = Array.from({ length: 50 }, (_, i) => encode(speak(hosts[1]!, { sequence: i + 1 })));
    expect(directory.merge(many)).toBe(parameters.entriesPerNode.burst);
  });

  test('announcements become rarer as nodes become more', () => {
    expect(announceIntervalMs(1)).toBe(10_000);
    expect(announceIntervalMs(20)).toBe(10_000);
    expect(announceIntervalMs(100)).toBe(50_000);
  });
});
