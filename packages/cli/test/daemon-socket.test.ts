import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { isErrorCode } from '@skerry/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentIn, run } from './captured-run.ts';
import { type DaemonProcess, startDaemon } from './daemons.ts';
import { createFolder } from './folder.ts';

const folder = createFolder();
const home = folder.path('home');
const env = { SKERRY_HOME: home };
let daemon: DaemonProcess;

beforeAll(async () => {
  await run(['init', '--location', 'Madrid, ES', '--profile', 'local'], { env });
  const rejecting = folder.path('rejecting.mjs');
  writeFileSync(rejecting, "process.on('SIGUSR2', () => void Promise.reject(new Error('unheard')));");
  daemon = await startDaemon(home, [], [], ['--import', rejecting]);
});
afterAll(async () => {
  await daemon.end('SIGKILL');
  folder[Symbol.dispose]();
});

/** A packet as `encodePacket` makes it, of any text. */
function packetOf(text: string, secret: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([head, Buffer.from(text), secret]);
}

/** Posts a body, and resolves to the status and code of the answer, or to the connection's error. */
async function post(method: string, body: Uint8Array): Promise<{ status: number; code: unknown }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; code: unknown }>();
  const options = { socketPath: daemon.ready.socket, path: `/v1/${method}`, method: 'POST' };
  const fail = (error: NodeJS.ErrnoException): void => resolve({ status: 0, code: error.code });
  const outgoing = request(options, message => {
    buffer(message).then(body => {
      const { code } = JSON.parse(body.subarray(4).toString()) as { code?: unknown };
      resolve({ status: message.statusCode!, code });
    }, fail);
  });
  outgoing.on('error', fail);
  outgoing.end(body);
  return promise;
}

/** A raw connection to the socket that sent some text. */
async function sent(text: string | Uint8Array): Promise<Socket> {
  const socket = connect(daemon.ready.socket);
  socket.on('error', () => undefined);
  await new Promise(resolve => socket.write(text, resolve));
  return socket;
}

async function expectServed(): Promise<void> {
  const status = await run(['status', '--json'], { env });
  expect(documentIn(status)).toMatchObject({ nodeId: daemon.ready.nodeId });
}

/** Megabytes of memory that the daemon has. */
function residentMegabytes(): number {
  return (
    Number(execFileSync('ps', ['-o', 'rss=', '-p', String(daemon.child.pid)], { encoding: 'utf8' })) / 1024
  );
}

describe('the socket of a daemon', () => {
  const names = ['reserve', 'plan', 'deal', 'open', 'keys', 'key', 'explain', 'grant'].concat([
    'peers',
    'peer',
    'status',
    'doctor',
  ]);

  test('answers documents of any shape to any method, and never fails by a bug', async () => {
    const zeros = '0'.repeat(64);
    const documents = [
      'null',
      '5',
      '[]',
      '"x"',
      '{}',
      '{"key":5}',
      `{"key":"${'x'.repeat(5000)}"}`,
      '{"key":"nobody"}',
      `{"key":"${zeros}","to":"nobody","lifeMs":1e400,"uses":-1}`,
      `{"key":"${zeros}","to":"12D3KooW","lifeMs":5,"uses":1.5}`,
      `{"risk":"__proto__","keyId":"${zeros}","nonce":"${zeros}"}`,
      `{"risk":"low","keyId":"${zeros}","nonce":"${zeros.slice(32)}"}`,
      `{"risk":"low","keyId":"${zeros}","nonce":"${zeros.slice(32)}","t":-1,"n":0,"k":1e9}`,
      '{"__proto__":{"risk":"low"},"constructor":1}',
    ];
    for (const name of [...names, 'constructor', 'no-such', '']) {
      const answers = await Promise.all(
        documents.map(async document => post(name, packetOf(document, randomBytes(100)))),
      );
      for (const [i, { status, code }] of answers.entries()) {
        const told = status === 200 || isErrorCode(String(code));
        expect(told, `${name} ${documents[i]} gave ${status} ${String(code)}`).toBe(true);
      }
    }
    await expectServed();
  });

  test('refuses bytes that are no packet, too long or cut short', async () => {
    const bodies: [Uint8Array, string][] = [
      [new Uint8Array(), 'MESSAGE_MALFORMED'],
      [new Uint8Array(3), 'MESSAGE_MALFORMED'],
      [packetOf('{"key":'), 'MESSAGE_MALFORMED'],
      [packetOf('{}').subarray(0, -1), 'MESSAGE_MALFORMED'],
      [Buffer.from('ffffffff', 'hex'), 'MESSAGE_MALFORMED'],
      [packetOf('{}', new Uint8Array(65_537)), 'MESSAGE_TOO_LARGE'],
    ];
    for (const [body, code] of bodies) expect(await post('key', body)).toEqual({ status: 400, code });
    for (const { code } of await Promise.all(
      Array.from({ length: 40 }, async () => post('key', packetOf(`"${'x'.repeat(8 << 20)}"`))),
    )) {
      expect(['MESSAGE_TOO_LARGE', 'EPIPE', 'ECONNRESET']).toContain(code);
    }
    await expectServed();
  });

  test('takes no memory from a flood of calls', async () => {
    const floods = async (): Promise<unknown> =>
      Promise.all(Array.from({ length: 60 }, async () => post('deal', packetOf(`"${'x'.repeat(4 << 20)}"`))));
    await floods();
    const before = residentMegabytes();
    for (let i = 0; i < 4; i++) await floods();
    await expectServed();
    expect(residentMegabytes()).toBeLessThan(before + 100);
  });

  test('lives through what is no HTTP, what is half sent, and programs that leave', async () => {
    const half = 'POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n1234';
    const sockets = await Promise.all(
      [randomBytes(5_000), '\r\n'.repeat(5_000), half, half, 'POST /v1/st', ''].map(sent),
    );
    await expectServed();
    for (const socket of sockets) socket.destroy();
    await expectServed();
  });
});

test('SIGTERM ends a daemon though calls are half sent', async () => {
  const half = 'POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n1234';
  const sockets = await Promise.all([half, 'POST /v1/st', ''].map(sent));
  expect(await daemon.end('SIGTERM')).toBe(0);
  for (const socket of sockets) socket.destroy();
  daemon = await startDaemon(home, [], [], ['--import', folder.path('rejecting.mjs')]);
});

test('a rejection that nobody hears ends a daemon in order: logged, its home let go, exit 1', async () => {
  const ended = await daemon.end('SIGUSR2');
  expect(ended).toBe(1);
  daemon = await startDaemon(home, [], [], ['--import', folder.path('rejecting.mjs')]);
  await expectServed();
});

test('a daemon that cannot listen ends with a code', async () => {
  const other = folder.path('other');
  await run(['init', '--location', 'Madrid, ES', '--profile', 'local'], { env: { SKERRY_HOME: other } });
  const { child } = await startDaemon(other, ['/ip4/127.0.0.1/nonsense']);
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(2);
});
