import { encode } from 'it-length-prefixed';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { peerIdOf } from '../src/address-book.ts';
import type { Stream } from '../src/frame-stream.ts';
import { decodeFrame, encodeFrame, frameKinds } from '../src/frames.ts';
import type { Host } from '../src/host.ts';
import { createPeerStreams, type PeerStreams, type PeerStreamsOptions } from '../src/streams.ts';
import { recordingLog, startHosts, until } from './hosts.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array): string => new TextDecoder().decode(body);
const request = (id: number, body = 'x'): Uint8Array =>
  encode.single(encodeFrame({ id, kind: frameKinds.request, body: bytes(body) })).subarray();

let counter = 0;
let heard: string[] = [];
const opened: PeerStreams[] = [];
let hosts: Host[];
let victim: Host;
let honest: Host;
let hostile: Host;

beforeAll(async () => {
  hosts = await startHosts(3, { onMisbehaviour: (nodeId, kind) => void heard.push(`${nodeId} ${kind}`) });
  [victim, honest, hostile] = hosts as [Host, Host, Host];
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

/** A responder, a raw stream to it from the hostile host, and an honest requester that it must go on answering. */
async function attack(
  options: Partial<PeerStreamsOptions> = {},
): Promise<{ raw: Stream; stillServes: () => Promise<void> }> {
  const protocol = `/test/hostile/${counter++}`;
  await streamsOn(victim, protocol, options);
  const asking = await streamsOn(honest, protocol);
  const raw = await hostile.libp2p.dialProtocol(peerIdOf(victim.nodeId), protocol);
  const stillServes = async (): Promise<void> => {
    expect(text(await asking.request(victim.nodeId, bytes('honest'), { deadlineMs: 5_000 }))).toBe('honest');
  };
  await stillServes();
  return { raw, stillServes };
}

describe('a hostile requester has its stream aborted, and others are served on, when it sends', () => {
  const garbage = encode.single(bytes('no frame')).subarray();
  const tooLong = new Uint8Array([0xff, 0xff, 0xff, 0x01]);
  const endlessLength = new Uint8Array(12).fill(0xff);
  const answer = encode
    .single(encodeFrame({ id: 1, kind: frameKinds.response, body: bytes('x') }))
    .subarray();
  const cases = {
    garbage: [garbage],
    'a length over the limit': [tooLong],
    'a length without end': [endlessLength],
    'an answer to nothing': [answer],
    'one request twice': [request(1), request(1)],
    'descending ids': [request(2), request(1)],
  };
  test.each(Object.entries(cases))('%s', async (_name, chunks) => {
    const { raw, stillServes } = await attack();
    heard = [];
    for (const chunk of chunks) raw.send(chunk);
    await until(() => raw.status !== 'open');
    expect(raw.status).toBe('reset');
    await stillServes();
    expect(heard).toEqual([`${hostile.nodeId} garbage`]);
  });
});

describe('a hostile requester', () => {
  test('that floods is worked for in its bounds, and waits while others are served', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    let atWork = 0;
    const { raw, stillServes } = await attack({
      handle: async (_from, body) => {
        if (text(body) === 'honest') return body;
        atWork++;
        await released;
        return body;
      },
    });
    raw.addEventListener('message', () => undefined); // it does read the answers
    const body = 'f'.repeat(10_000);
    for (let id = 1; id <= 1_000; id++) raw.send(request(id, body));
    await until(() => atWork === parameters.requestsServedPerPeerMax && raw.writeBufferLength > 0);
    await stillServes();
    expect(atWork).toBe(parameters.requestsServedPerPeerMax);
    expect(raw.writeBufferLength).toBeGreaterThan(1_000 * body.length - 7_000_000);
    release();
    await until(() => atWork === 1_000 && raw.writeBufferLength === 0);
  });

  test('that reads no answers gets no more work done than its window holds', async () => {
    heard = [];
    let done = 0;
    const { raw, stillServes } = await attack({
      handle: async (_from, body) => {
        if (text(body) !== 'honest') done++;
        return text(body) === 'honest' ? body : new Uint8Array(200_000);
      },
    });
    raw.pause();
    for (let id = 1; id <= 1_000; id++) raw.send(request(id));
    await until(() => done >= parameters.requestsServedPerPeerMax);
    for (let i = 0; i < 3; i++) await stillServes();
    expect(done).toBeLessThan(200);
    raw.abort(new Error('enough'));
    expect(heard).toEqual([]);
  });

  test('that leaves while it is worked for frees its places when the work is done', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const protocol = `/test/hostile/${counter++}`;
    let atWork = 0;
    const handle: PeerStreamsOptions['handle'] = async (_from, body) => {
      atWork++;
      await released;
      atWork--;
      return body;
    };
    await streamsOn(victim, protocol, { handle });
    const leaving = await hostile.libp2p.dialProtocol(peerIdOf(victim.nodeId), protocol);
    for (let id = 1; id <= parameters.requestsServedPerPeerMax; id++) leaving.send(request(id));
    await until(() => atWork === parameters.requestsServedPerPeerMax);
    leaving.abort(new Error('gone'));
    const asking = await streamsOn(hostile, protocol);
    const answer = asking.request(victim.nodeId, bytes('back'), { deadlineMs: 5_000 });
    release();
    expect(text(await answer)).toBe('back');
    expect(atWork).toBe(0);
  });

  test('that opens stream after stream has one', async () => {
    const protocol = `/test/hostile/${counter++}`;
    await streamsOn(victim, protocol);
    const raws: Stream[] = [];
    for (let i = 0; i < 8; i++) {
      raws.push(await hostile.libp2p.dialProtocol(peerIdOf(victim.nodeId), protocol));
      raws.at(-1)!.send(request(1));
    }
    await until(() => raws.filter(raw => raw.status === 'open').length <= 1);
    expect(raws.map(raw => raw.status)).toEqual([...raws.slice(1).map(() => 'reset'), 'open']);
  });
});

describe('a hostile responder', () => {
  /** A requester to a hostile handler of raw streams. */
  async function asked(misbehave: (stream: Stream) => void): Promise<{ asking: PeerStreams; to: string }> {
    const protocol = `/test/hostile/${counter++}`;
    await hostile.libp2p.handle(protocol, misbehave);
    return { asking: await streamsOn(victim, protocol), to: hostile.nodeId };
  }
  const reply = (id: number, body: string): Uint8Array =>
    encode.single(encodeFrame({ id, kind: frameKinds.response, body: bytes(body) })).subarray();

  test('that answers what was never asked has its stream aborted and the request fails', async () => {
    const { asking, to } = await asked(stream => {
      stream.send(reply(2 ** 40, 'unasked'));
    });
    const request = asking.request(to, bytes('x'), { deadlineMs: 10_000 });
    await expect(request).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });

  test('that sends garbage fails the request at once', async () => {
    const { asking, to } = await asked(stream => {
      stream.send(new Uint8Array(50).fill(0xff));
    });
    const request = asking.request(to, bytes('x'), { deadlineMs: 10_000 });
    await expect(request).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  });

  test('that answers twice is believed once', async () => {
    const { asking, to } = await asked(stream => {
      let asked = 0;
      stream.addEventListener('message', ({ data }) => {
        const { id } = decodeFrame(data.subarray().subarray(1), 1_000);
        asked++;
        stream.send(reply(id, `first ${asked}`));
        stream.send(reply(id, `second ${asked}`));
      });
    });
    for (const expected of ['first 1', 'first 2', 'first 3']) {
      expect(text(await asking.request(to, bytes('x'), { deadlineMs: 5_000 }))).toBe(expected);
    }
  });

  test('that answers before it has read the question has to guess its id, and is no nearer for it', async () => {
    const { asking, to } = await asked(stream => {
      stream.addEventListener('message', ({ data }) => {
        const { id } = decodeFrame(data.subarray().subarray(1), 1_000);
        stream.send(reply(id, 'answer'));
        stream.send(reply(id + 1, 'in advance'));
      });
    });
    expect(text(await asking.request(to, bytes('x'), { deadlineMs: 5_000 }))).toBe('answer');
    await asking.request(to, bytes('x'), { deadlineMs: 5_000 }).catch(() => undefined);
    expect(asking.roundTripSamples(to)).toBeLessThanOrEqual(2);
  });

  test('that says nothing costs the deadline', async () => {
    const { asking, to } = await asked(() => undefined);
    const request = asking.request(to, bytes('x'), { deadlineMs: 100 });
    await expect(request).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});
