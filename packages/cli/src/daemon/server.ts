import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { httpStatuses, type Log, SkerryError } from '@skerry/base';
import { encodePacket, type Packet, readPacket, requestBytesMax } from './packet.ts';
import { socketPath } from './socket.ts';

/** Methods by name: what each does with a packet, and what it answers. */
export type Methods = Readonly<Record<string, (packet: Packet) => Promise<Packet>>>;

/** A daemon's local API. */
type DaemonServer = {
  /** Path of the socket. */
  readonly path: string;
  /** Takes no more calls, waits for those under way, and cuts off what is still being sent. */
  readonly close: () => Promise<void>;
};

/** Calls at once; a daemon is spoken to by its operator's own programs. */
const callsMax = 64;

/** How long a program may take to send a call, ms: it is on this machine. */
const sendingMs = 10_000;

/** How long a program may leave an answer unread, ms: one that is stopped must not keep the daemon from ending. */
const readingMs = 10_000;

/** Resolves when the answer is sent, or nobody waits for it. */
async function reply(response: ServerResponse, status: number, packet: Packet): Promise<void> {
  const body = encodePacket(packet);
  packet.secret.fill(0);
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('close', resolve);
  response.setTimeout(readingMs, () => response.destroy());
  const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length };
  response.writeHead(status, { ...headers, connection: 'close' }); // none is kept from the next program
  response.end(body);
  if (response.destroyed) resolve();
  await promise;
  body.fill(0);
}

async function replyWithError(response: ServerResponse, error: unknown, log: Log): Promise<void> {
  if (!(error instanceof SkerryError)) {
    log.error('a call failed by a bug', { reason: error instanceof Error ? (error.stack ?? '') : '' });
    return reply(response, 500, { document: {}, secret: new Uint8Array(0) });
  }
  const { code, message, metadata, kind } = error;
  const document = { code, message, metadata };
  return reply(response, httpStatuses[kind], { document, secret: new Uint8Array(0) });
}

/** The method that a request names, and its packet; undefined where the program left before it had sent all. */
async function readCall(methods: Methods, message: IncomingMessage) {
  try {
    const name = /^\/v1\/([a-z-]+)$/.exec(message.url ?? '')?.[1] ?? '';
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (message.method !== 'POST' || !method)
      throw new SkerryError('PROTOCOL_UNSUPPORTED', `no method ${name}`);
    return { method, packet: await readPacket(message, requestBytesMax) };
  } catch (error) {
    if (error instanceof SkerryError) throw error;
    return undefined;
  }
}

async function serve(
  methods: Methods,
  log: Log,
  message: IncomingMessage,
  response: ServerResponse,
  calls: Set<Promise<void>>,
): Promise<void> {
  try {
    const call = await readCall(methods, message);
    if (!call) return;
    const { method, packet } = call;
    const work = method(packet)
      .then(async answer => reply(response, 200, answer))
      .catch(async error => replyWithError(response, error, log))
      .finally(() => packet.secret.fill(0));
    calls.add(work);
    await work;
    calls.delete(work);
  } catch (error) {
    await replyWithError(response, error, log);
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(path, () => resolve());
  await promise;
  await chmod(path, 0o600);
}

/**
 * Serves methods on the socket of a home, for its owner's user alone. The home's store is open already, so a socket
 * that is left is a dead daemon's and is replaced.
 *
 * @throws HOME_INVALID where the socket cannot be made
 */
export async function serveDaemon(home: string, methods: Methods, log: Log): Promise<DaemonServer> {
  const path = socketPath(home);
  const calls = new Set<Promise<void>>();
  const limits = { requestTimeout: sendingMs, headersTimeout: sendingMs, connectionsCheckingInterval: 1000 };
  const server = createServer(limits, (message, response) => {
    serve(methods, log, message, response, calls).catch((error: unknown) => {
      log.error('a call was not answered', { reason: String(error) });
      response.destroy();
    });
  });
  server.maxConnections = callsMax;
  const mask = process.umask(0o177);
  try {
    await rm(path, { force: true });
    await listen(server, path);
  } catch (cause) {
    throw new SkerryError('HOME_INVALID', `no socket can be made at ${path}`, { path }, cause);
  } finally {
    process.umask(mask);
  }
  return {
    path,
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      while (calls.size > 0) await Promise.all(calls);
      server.closeAllConnections();
      await promise;
      await rm(path, { force: true });
    },
  };
}
