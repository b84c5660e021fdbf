import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { at } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import {
  custodyProtocol,
  decodeAnswer,
  directoryTopic,
  encodeRequest,
  manifestPath,
  shareRecordPath,
} from '@skerry/wire';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { peerIdOf } from '../src/address-book.ts';
import type { Host } from '../src/host.ts';
import { createPeerStreams, type PeerStreams } from '../src/streams.ts';
import { quiet } from './holders.ts';
import { startHost, until } from './hosts.ts';

type Figures = { readonly held: number; readonly rss: number };
type Victim = {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly nodeId: string;
  readonly addresses: string[];
  readonly measure: () => Promise<Figures>;
};

let root: string;
let victim: Victim;
let hostile: Host;
let honest: Host;
let asking: PeerStreams;

async function startVictim(): Promise<Victim> {
  const argv = ['--expose-gc', join(import.meta.dirname, 'flooded-child.ts'), root];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const next = async (): Promise<unknown> => JSON.parse(((await once(lines, 'line')) as [string])[0]);
  const { nodeId, addresses } = (await next()) as Pick<Victim, 'nodeId' | 'addresses'>;
  const measure = async (): Promise<Figures> => {
    child.stdin.write('\n');
    return (await next()) as Figures;
  };
  return { child, nodeId, addresses, measure };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
  victim = await startVictim();
  honest = await startHost({ bootstrap: victim.addresses });
  asking = await createPeerStreams({
    host: honest,
    protocol: custodyProtocol,
    handle: async (_from, body) => body,
    log: quiet,
  });
  await until(() => honest.isConnected(victim.nodeId));
});
// a new one each time, since the victim refuses who flooded it
beforeEach(async () => {
  hostile = await startHost({ bootstrap: victim.addresses });
  await until(() => hostile.isConnected(victim.nodeId));
});
afterEach(async () => hostile.close());
afterAll(async () => {
  await asking.close();
  await honest.close();
  victim.child.stdin.end();
  if (victim.child.exitCode === null) await once(victim.child, 'exit');
  await rm(root, { recursive: true });
});

/** That the victim lives and serves an honest peer. */
async function expectServed(): Promise<void> {
  const body = encodeRequest('directory', { offset: 0 });
  const answer = await asking.request(victim.nodeId, body, { deadlineMs: 10_000 });
  expect(decodeAnswer('directory', answer).total).toBeGreaterThan(0);
}

const floods: Readonly<Record<string, () => Promise<unknown>>> = {
  'requests of a frame each': async () => {
    const streams = await createPeerStreams({
      host: hostile,
      protocol: custodyProtocol,
      handle: async (_from, body) => body,
      log: quiet,
    });
    const body = nodeRandom.bytes(1_000_000);
    for (let i = 0; i < 2; i++) {
      const requests = Array.from({ length: 40 }, async () =>
        streams.request(victim.nodeId, body, { deadlineMs: 10_000 }),
      );
      await Promise.allSettled(requests);
    }
    await streams.close();
  },
  'frames that never end, on stream after stream': async () => {
    for (let i = 0; i < 60; i++) {
      const stream = await hostile.libp2p
        .dialProtocol(peerIdOf(victim.nodeId), custodyProtocol)
        .catch(() => undefined);
      stream?.send(new Uint8Array([0x80, 0x80, 0x40])); // a frame of 1 MiB is to come
      stream?.send(nodeRandom.bytes(500_000));
    }
  },
  'gossip that is none, and of every length': async () => {
    const { gossip } = hostile.libp2p.services;
    gossip.subscribe(directoryTopic);
    await until(() => gossip.getSubscribers(directoryTopic).length > 0);
    for (let i = 0; i < 400; i++) {
      const length = [10, 1_000, 60_000, 200_000][i % 4]!;
      await gossip.publish(directoryTopic, nodeRandom.bytes(length)).catch(() => undefined);
    }
  },
  'records that are none, at paths of every kind': async () => {
    const shelf = hostile.shelf as { datastore: { put: unknown } };
    shelf.datastore.put = async (path: unknown) => path;
    const paths = [
      manifestPath(nodeRandom.bytes(32)),
      shareRecordPath(nodeRandom.bytes(32), 1, 5),
      '/skerry/other/x',
      '/pk/x',
    ];
    for (let i = 0; i < 60; i++) {
      const path = new TextEncoder().encode(at(paths, i % paths.length));
      const putting = hostile.libp2p.services.dht.put(path, nodeRandom.bytes(100_000), {
        signal: AbortSignal.timeout(5_000),
      });
      try {
        for await (const _ of putting);
      } catch {
        // the victim may well refuse
      }
    }
  },
  'connections, one after the other': async () => {
    for (let i = 0; i < 15; i++) {
      const stranger = await startHost({ bootstrap: victim.addresses });
      await until(() => stranger.isConnected(victim.nodeId));
      stranger.cut();
      await stranger.close();
    }
  },
};

/** Floods of each kind, one after the other: many in `npm run flood`. */
const rounds = Number(process.env['SKERRY_FLOOD_ROUNDS'] ?? 1);

test.each(Object.entries(floods))(
  'a node that is flooded with %s serves others and keeps nothing',
  { timeout: 20_000 * (rounds + 1) },
  async (_, flood) => {
    await expectServed();
    const before = await victim.measure();
    for (let i = 0; i < rounds; i++) await flood();
    await expectServed();
    const after = await victim.measure();
    expect(after.held - before.held).toBeLessThan(40_000_000);
    expect(after.rss - before.rss).toBeLessThan(150_000_000);
    if (rounds > 1) console.log(_, { before, after });
  },
);
