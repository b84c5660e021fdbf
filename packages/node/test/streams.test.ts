import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import type { Host } from '../src/host.ts';
import { createPeerStreams, type PeerStreams, type PeerStreamsOptions } from '../src/streams.ts';
import { recordingLog, startHost, startHosts, until } from './hosts.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array): string => new TextDecoder().decode(body);

let counter = 0;
const opened: PeerStreams[] = [];
let hosts: Host[];

beforeAll(async () => {
  hosts = await startHosts(3);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async streams => streams.close()));
});
afterAll(async () => {
  await Promise.all(hosts.map(async host => host.close()));
});

async function streamsOn(
  host: Host,
  protocol: string,
  options: Partial<PeerStreamsOptions> = {},
): Promise<PeerStreams> {
  const handle: PeerStreamsOptions['handle'] = async (_from, body) => body;
  const streams = await createPeerStreams({ host, protocol, handle, log: recordingLog(), ...options });
  opened.push(streams);
  return streams;
}

/** A requester on one host and a responder on another, over a protocol of their own. */
async function pair(options: Partial<PeerStreamsOptions> = {}): Promise<{
  asking: PeerStreams;
  answering: PeerStreams;
  to: string;
  protocol: string;
}> {
  const protocol = `/test/${counter++}`;
  const [a, b] = hosts as [Host, Host];
  const answering = await streamsOn(b, protocol, options);
  return { asking: await streamsOn(a, protocol), answering, to: b.nodeId, protocol };
}

describe('peer streams', () => {
  test('a request is answered, with the requester named to the handler', async () => {
    const { asking, to } = await pair({
      handle: async ({ nodeId }, body) => bytes(`${nodeId} ${text(body)}`),
    });
    const answer = await asking.request(to, bytes('hello'), { deadlineMs: 5_000 });
    expect(text(answer)).toBe(`${hosts[0]!.nodeId} hello`);
    expect(asking.roundTripMs(to)).toBeGreaterThan(0);
    expect(asking.isAlive(to)).toBe(true);
  });

  test('many requests share one stream and each gets its own answer, in whatever order', async () => {
    const { asking, to, protocol } = await pair({
      handle: async (_from, body) => {
        await new Promise(resolve => setTimeout(resolve, Math.random() * 5));
        return body;
      },
    });
    const sent = Array.from({ length: 200 }, (_, i) => `request ${i}`);
    const answers = await Promise.all(
      sent.map(async body => asking.request(to, bytes(body), { deadlineMs: 5_000 })),
    );
    expect(answers.map(text)).toEqual(sent);
    const streams = hosts[0]!.libp2p.getConnections().flatMap(connection => connection.streams);
    expect(streams.filter(stream => stream.protocol === protocol)).toHaveLength(1);
  });

  test('a node may ask itself', async () => {
    const { answering } = await pair({ handle: async ({ nodeId }) => bytes(nodeId) });
    const own = hosts[1]!.nodeId;
    expect(text(await answering.request(own, bytes('x'), { deadlineMs: 1_000 }))).toBe(own);
  });

  test('a missed deadline rejects, makes the peer silent, and its late answer is passed over', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    const { asking, to } = await pair({
      handle: async (_from, body) => {
        if (text(body) === 'slow') await released;
        return body;
      },
    });
    await asking.request(to, bytes('warm'), { deadlineMs: 5_000 });
    const slow = asking.request(to, bytes('slow'), { deadlineMs: parameters.silentAfterMs + 50 });
    await expect(slow).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', kind: 'unavailable' });
    expect(asking.isAlive(to)).toBe(false);
    release();
    expect(text(await asking.request(to, bytes('next'), { deadlineMs: 5_000 }))).toBe('next');
    expect(asking.isAlive(to)).toBe(true);
  });

  test('a peer that lets a request be called off unanswered is slow, then silent, until it answers', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { asking, to } = await pair({
      handle: async (_from, body) => {
        if (text(body) === 'slow') await released;
        return body;
      },
    });
    await asking.request(to, bytes('warm'), { deadlineMs: 5_000 });
    const usualMs = asking.roundTripMs(to)!;
    const calling = new AbortController();
    const slow = asking.request(to, bytes('slow'), { deadlineMs: 5_000, signal: calling.signal });
    setTimeout(() => calling.abort(new Error('not needed any more')), 50);
    await expect(slow).rejects.toThrow('not needed any more');
    await until(() => asking.roundTripMs(to)! > usualMs + 50);
    await until(() => !asking.isAlive(to));
    release();
    await until(() => asking.isAlive(to));
    expect(asking.roundTripMs(to)).toBeLessThan(parameters.silentAfterMs);
  });

  test('the least round trip is that of the quickest answer, and slow ones change nothing', async () => {
    const { asking, to } = await pair({
      handle: async (_from, body) => {
        await new Promise(resolve => setTimeout(resolve, Number(text(body))));
        return body;
      },
    });
    expect(asking.leastRoundTripMs(to)).toBeUndefined();
    for (const workMs of ['1000', '100', '1000'])
      await asking.request(to, bytes(workMs), { deadlineMs: 5_000 });
    expect(asking.leastRoundTripMs(to)).toBeGreaterThanOrEqual(99);
    expect(asking.leastRoundTripMs(to)).toBeLessThan(999);
    expect(asking.leastRoundTripMs(to)).toBeLessThan(asking.roundTripMs(to)!);
    expect(asking.roundTripSamples(to)).toBe(3);
    expect(asking.leastRoundTripMs(hosts[0]!.nodeId)).toBe(0);
  });

  test('a request that is called off rejects with the reason', async () => {
    const { asking, to } = await pair({ handle: async () => new Promise<never>(() => undefined) });
    const controller = new AbortController();
    const request = asking.request(to, bytes('x'), { deadlineMs: 5_000, signal: controller.signal });
    controller.abort(new Error('not needed any more'));
    await expect(request).rejects.toThrow('not needed any more');
  });

  test('too many waiting requests are TOO_BUSY, and room comes back', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    const { asking, to } = await pair({
      handle: async (_from, body) => {
        await released;
        return body;
      },
    });
    const held = Array.from({ length: parameters.requestsInFlightPerPeerMax }, async () =>
      asking.request(to, bytes('held'), { deadlineMs: 10_000 }),
    );
    const refused = asking.request(to, bytes('one more'), { deadlineMs: 10_000 });
    await expect(refused).rejects.toMatchObject({ code: 'TOO_BUSY' });
    release();
    await Promise.all(held);
    expect(text(await asking.request(to, bytes('again'), { deadlineMs: 5_000 }))).toBe('again');
  });

  test("a responder works on a bounded number of one peer's requests", async () => {
    let atWork = 0;
    let most = 0;
    const { asking, to } = await pair({
      handle: async (_from, body) => {
        most = Math.max(most, ++atWork);
        await new Promise(resolve => setTimeout(resolve, 2));
        atWork--;
        return body;
      },
    });
    await Promise.all(
      Array.from({ length: parameters.requestsInFlightPerPeerMax }, async () =>
        asking.request(to, new Uint8Array(10_000), { deadlineMs: 10_000 }),
      ),
    );
    expect(most).toBe(parameters.requestsServedPerPeerMax);
  });

  test('bodies up to the frame limit pass, and larger ones are refused before they are sent', async () => {
    const { asking, to } = await pair();
    const largest = new Uint8Array(parameters.frameBytesMax - 16).fill(7);
    expect(await asking.request(to, largest, { deadlineMs: 5_000 })).toEqual(largest);
    await expect(
      asking.request(to, new Uint8Array(parameters.frameBytesMax), { deadlineMs: 5_000 }),
    ).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  });

  test('a handler with a bug is logged and fails its request alone', async () => {
    const log = recordingLog();
    const { asking, to } = await pair({
      log,
      handle: async (_from, body) => {
        if (text(body) === 'bug') throw new Error('a bug');
        return body;
      },
    });
    const failing = asking.request(to, bytes('bug'), { deadlineMs: 5_000 });
    await expect(failing).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    expect(log.lines).toEqual(['error: a request handler failed']);
    expect(text(await asking.request(to, bytes('fine'), { deadlineMs: 5_000 }))).toBe('fine');
  });

  test('a stream that ended is opened again by the next request', async () => {
    const { asking, to, protocol } = await pair();
    await asking.request(to, bytes('one'), { deadlineMs: 5_000 });
    const mine = () =>
      hosts[0]!.libp2p
        .getConnections()
        .flatMap(connection => connection.streams)
        .filter(stream => stream.protocol === protocol);
    await Promise.all(mine().map(async stream => stream.close()));
    await until(() => mine().length === 0);
    expect(text(await asking.request(to, bytes('two'), { deadlineMs: 5_000 }))).toBe('two');
  });

  test('an observer sees every frame that enters and leaves', async () => {
    const seen: string[] = [];
    const protocol = `/test/${counter++}`;
    const [a, b] = hosts as [Host, Host];
    await streamsOn(b, protocol, { handle: async () => bytes('the answer') });
    const onFrame: PeerStreamsOptions['onFrame'] = (direction, nodeId, frame) => {
      seen.push(`${direction} ${nodeId === b.nodeId} ${text(frame).slice(-10)}`);
    };
    const asking = await streamsOn(a, protocol, { onFrame });
    await asking.request(b.nodeId, bytes('a question'), { deadlineMs: 5_000 });
    expect(seen).toEqual(['out true a question', 'in true the answer']);
  });

  test('a peer that nobody knows is unreachable, and nobody waits beyond the deadline for it', async () => {
    const { asking } = await pair();
    const stranger = '12D3KooWGRUhYqkjVBzMwjAHCJ5dZxpuaT6SDMBGuHT3fQXsEXvF';
    const request = asking.request(stranger, bytes('x'), { deadlineMs: 300 });
    await expect(request).rejects.toMatchObject({ kind: 'unavailable' });
    expect(asking.isAlive(stranger)).toBe(false);
    await expect(asking.request('nobody', bytes('x'), { deadlineMs: 300 })).rejects.toMatchObject({
      code: 'MESSAGE_MALFORMED',
    });
  });

  test('a peer that goes away fails its requests at once, and is asked again when it is back', async () => {
    const nodeSeed = randomBytes(32);
    const protocol = `/test/${counter++}`;
    const a = hosts[0]!;
    const asking = await streamsOn(a, protocol);
    const first = await startHost({ nodeSeed, bootstrap: a.addresses() });
    await streamsOn(first, protocol, { handle: async () => new Promise<never>(() => undefined) });
    await until(() => a.isConnected(first.nodeId));
    const request = asking.request(first.nodeId, bytes('x'), { deadlineMs: 15_000 });
    request.catch(() => undefined); // it is looked at below
    await until(() => asking.isAlive(first.nodeId));
    await first.close();
    await expect(request).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    await until(() => !a.isConnected(first.nodeId));
    const second = await startHost({ nodeSeed, bootstrap: a.addresses() });
    await streamsOn(second, protocol);
    await until(() => a.isConnected(second.nodeId));
    expect(text(await asking.request(second.nodeId, bytes('back'), { deadlineMs: 15_000 }))).toBe('back');
    await second.close();
  });

  test('a connection that looks open and is dead is passed by with a new one', async () => {
    const { asking, to } = await pair();
    const [a, b] = hosts as [Host, Host];
    await asking.request(to, bytes('one'), { deadlineMs: 5_000 });
    for (const connection of a.libp2p
      .getConnections()
      .filter(each => each.remotePeer.toString() === b.nodeId)) {
      (connection as unknown as { muxer: { abort: (reason: Error) => void } }).muxer.abort(new Error('dead'));
    }
    expect(a.isConnected(to)).toBe(true);
    expect(text(await asking.request(to, bytes('two'), { deadlineMs: 5_000 }))).toBe('two');
  });

  test('of two connections the newer one is taken, as the older may be to a process that is gone', async () => {
    const { asking, to } = await pair();
    const [a, b] = hosts as [Host, Host];
    const between = () => a.libp2p.getConnections().filter(each => each.remotePeer.toString() === b.nodeId);
    const older = new Set(between().map(({ id }) => id));
    await a.libp2p.dial(b.libp2p.getMultiaddrs(), { force: true });
    for (const connection of between().filter(({ id }) => older.has(id))) {
      (connection as unknown as { muxer: { abort: (reason: Error) => void } }).muxer.abort(new Error('dead'));
    }
    const count = between().length;
    expect(text(await asking.request(to, bytes('one'), { deadlineMs: 5_000 }))).toBe('one');
    expect(between().length).toBe(count);
  });

  test('a request that a kept stream loses is sent once more, and not for ever', async () => {
    const times = new Map<string, number>();
    const { asking, to, protocol } = await pair({
      handle: async (_from, body) => {
        const count = (times.get(text(body)) ?? 0) + 1;
        times.set(text(body), count);
        if (count > Number(text(body))) return body;
        for (const connection of hosts[1]!.libp2p.getConnections()) {
          const mine = connection.streams.filter(stream => stream.protocol === protocol);
          for (const stream of mine) stream.abort(new Error('gone'));
        }
        return new Promise<never>(() => undefined);
      },
    });
    await asking.request(to, bytes('0'), { deadlineMs: 5_000 });
    expect(text(await asking.request(to, bytes('1'), { deadlineMs: 5_000 }))).toBe('1');
    await expect(asking.request(to, bytes('9'), { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    });
    expect([...times]).toEqual([
      ['0', 1],
      ['1', 2],
      ['9', 2],
    ]);
  });

  test('closing fails what is waited for, lets what is answered finish, and refuses more', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    let atWork = false;
    const { asking, answering, to } = await pair({
      handle: async (_from, body) => {
        atWork = true;
        await released;
        return body;
      },
    });
    const under = asking.request(to, bytes('under way'), { deadlineMs: 5_000 });
    await until(() => atWork);
    const closing = answering.close();
    release();
    await closing;
    expect(text(await under)).toBe('under way');
    const waited = asking.request(to, bytes('x'), { deadlineMs: 5_000 });
    waited.catch(() => undefined); // it is looked at below
    await asking.close();
    await expect(waited).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(asking.request(to, bytes('x'), { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'SHUTTING_DOWN',
    });
  });
});
