import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '@skerry/crypto';
import { nodeIdOf } from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import type { Host } from '../src/host.ts';
import { recordingLog, startHost, until } from './hosts.ts';

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function nameOf(seed: Uint8Array): string {
  return nodeIdOf(nodeCrypto.ed25519PublicKey(seed));
}

async function closeAll(...hosts: Host[]): Promise<void> {
  await Promise.all(hosts.map(async host => host.close()));
}

describe('a host', () => {
  test('says once that a bootstrap peer stays silent', { timeout: 30_000 }, async () => {
    const log = recordingLog();
    const alone = await startHost({ bootstrap: [`/ip4/127.0.0.1/tcp/${await freePort()}`], log });
    const count = (text: string): number => log.lines.filter(line => line.startsWith(text)).length;
    await until(() => count('debug: could not dial a peer') > parameters.bootstrapFailuresTold);
    await alone.close();
    expect(count('warn: a bootstrap peer does not answer')).toBe(1);
  });

  test('connects to a bootstrap peer that comes up late, and again when that one was away', async () => {
    const address = `/ip4/127.0.0.1/tcp/${await freePort()}`;
    const log = recordingLog();
    const early = await startHost({ bootstrap: [address], log });
    await until(() => log.lines.includes('debug: could not dial a peer'));
    const nodeSeed = randomBytes(32);
    const late = await startHost({ nodeSeed, listen: [address] });
    await until(() => early.isConnected(late.nodeId));
    await late.close();
    await until(() => !early.isConnected(late.nodeId));
    const again = await startHost({ nodeSeed, listen: [address] });
    await until(() => early.isConnected(again.nodeId));
    expect(early.connectedNodes()).toEqual([late.nodeId]);
    await closeAll(early, again);
  });

  test('makes one connection to a bootstrap address that names no node', async () => {
    const first = await startHost();
    const bare = first.addresses().map(address => address.replace(/\/p2p\/.*/, ''));
    const second = await startHost({ bootstrap: bare });
    await until(() => second.isConnected(first.nodeId));
    await new Promise(resolve => setTimeout(resolve, 2.2 * parameters.keeperIntervalMs));
    expect(second.libp2p.getConnections()).toHaveLength(1);
    await closeAll(first, second);
  });

  test('dials nodes whose addresses it learns, up to its mesh, and passes over addresses that are none', async () => {
    // the lesser node id of a pair dials at once
    const seeds = Array.from({ length: 4 }, () => randomBytes(32)).sort((x, y) =>
      nameOf(x) < nameOf(y) ? -1 : 1,
    );
    const [first, ...rest] = seeds as [Buffer, ...Buffer[]];
    const hub = await startHost({ nodeSeed: first, meshPeersMax: 2 });
    const others = await Promise.all(rest.map(async nodeSeed => startHost({ nodeSeed, meshPeersMax: 0 })));
    const [a, b, c] = others as [Host, Host, Host];
    await hub.learnAddresses(a.nodeId, ['rubbish', `/ip4/127.0.0.1/tcp/1/p2p/${b.nodeId}`]);
    expect(await hub.libp2p.peerStore.all()).toEqual([]);
    for (const host of others) await hub.learnAddresses(host.nodeId, host.addresses());
    await until(() => hub.connectedNodes().length >= 2);
    await new Promise(resolve => setTimeout(resolve, 2.2 * parameters.keeperIntervalMs));
    expect(hub.isConnected(a.nodeId) && hub.isConnected(b.nodeId) && hub.isConnected(c.nodeId)).toBe(false);
    await closeAll(hub, ...others);
  });

  test('tells others no loopback address where it has another', async () => {
    const ip4 = Object.values(networkInterfaces()).flatMap(all =>
      all!.filter(({ family }) => family === 'IPv4'),
    );
    const outward = ip4.filter(({ internal }) => !internal);
    const everywhere = await startHost({ listen: ['/ip4/0.0.0.0/tcp/0'] });
    const told = everywhere.addresses().map(address => address.split('/')[2]);
    const others = (outward.length > 0 ? outward : ip4).map(({ address }) => address);
    expect(new Set(told)).toEqual(new Set(others));
    const here = await startHost();
    expect(here.addresses().map(address => address.split('/')[2])).toEqual(['127.0.0.1']);
    await closeAll(everywhere, here);
  });

  test('talks over memory within one process', async () => {
    const first = await startHost({ transport: 'memory', listen: ['/memory/one'] });
    const second = await startHost({
      transport: 'memory',
      listen: ['/memory/two'],
      bootstrap: first.addresses(),
    });
    await until(() => first.isConnected(second.nodeId));
    expect(first.addresses()).toEqual([`/memory/one/p2p/${first.nodeId}`]);
    await closeAll(first, second);
  });

  test('says which address it cannot use', async () => {
    await expect(startHost({ listen: ['no address'] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(startHost({ bootstrap: ['no address'] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const first = await startHost();
    const taken = first.addresses().map(address => address.replace(/\/p2p\/.*/, ''));
    await expect(startHost({ listen: taken })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await first.close();
  });

  test('that is closed leaves nothing behind that keeps a process alive', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'host-child.ts')], { stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
  });
});
