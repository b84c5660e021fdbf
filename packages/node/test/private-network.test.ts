import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, test } from 'vitest';
import type { Host } from '../src/host.ts';
import { recordingLog, startHost, until } from './hosts.ts';

const makeKey = () => Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`);

/** How a dial ends: what keeps a stranger out may be said in many ways. */
async function dial(from: Host, to: Host): Promise<'connected' | 'refused'> {
  try {
    await from.libp2p.dial(
      to.addresses().map(address => multiaddr(address)),
      { signal: AbortSignal.timeout(4_000) },
    );
    return 'connected';
  } catch {
    return 'refused';
  }
}

describe('hosts with a swarm key', () => {
  test('connect to each other, and neither way to those with another or none; they stay up', async () => {
    const swarmKey = makeKey();
    const first = await startHost({ swarmKey });
    const bootstrap = first.addresses();
    const [second, foreign, open] = await Promise.all([
      startHost({ swarmKey, bootstrap }),
      startHost({ swarmKey: makeKey(), bootstrap, log: recordingLog() }),
      startHost({ bootstrap, log: recordingLog() }),
    ]);
    await until(() => first.isConnected(second.nodeId));
    const strangers = [foreign, open];
    const outcomes = await Promise.all([
      ...strangers.flatMap(stranger => [dial(first, stranger), dial(stranger, first)]),
      dial(foreign, open),
      dial(open, foreign),
    ]);
    expect(new Set(outcomes)).toEqual(new Set(['refused']));
    for (const stranger of strangers) expect(stranger.connectedNodes()).toEqual([]);
    expect(first.connectedNodes()).toEqual([second.nodeId]);
    const third = await startHost({ swarmKey, bootstrap });
    await until(() => first.isConnected(third.nodeId));
    await Promise.all([first, second, third, foreign, open].map(async host => host.close()));
  });

  test('live through rubbish on their port', async () => {
    const swarmKey = makeKey();
    const first = await startHost({ swarmKey });
    const port = /tcp\/(\d+)/.exec(first.addresses()[0]!)![1];
    for (const length of [0, 1, 24, 25, 100_000]) {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      socket.end(randomBytes(length));
    }
    const second = await startHost({ swarmKey, bootstrap: first.addresses() });
    await until(() => first.isConnected(second.nodeId));
    expect(first.connectedNodes()).toEqual([second.nodeId]);
    await Promise.all([first.close(), second.close()]);
  });

  test('are not started with a key that is none', async () => {
    await expect(startHost({ swarmKey: Buffer.from('rubbish') })).rejects.toMatchObject({
      code: 'SWARM_KEY_INVALID',
      kind: 'invalid',
    });
  });
});
