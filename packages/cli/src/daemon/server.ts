import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { httpStatuses, type Log, SkerryError } from '@skerry/base';
import { encodePacket, type Packet, readPacket } from './packet.ts';
import { socketPath } from './socket.ts';

/** Methods by name: what each does with a packet, and what it answers. */
export type Methods = Readonly<Record<string, (packet: Packet) => Promise<Packet>>>;

/** A daemon's local API. */
type DaemonServer = {
  /** Path of the socket. */
  readonly path: string;
  /** Takes no more calls and waits for those under way. */
  readonly close: () => Promise<void>;
};

/** Calls at once; a daemon is spoken to by its operator's own programs. */
const callsMax = 64;

function reply(response: ServerResponse, status: number, packet: Packet): void {
  const body = encodePacket(packet);
  packet.secret.fill(0);
  response.writeHead(status, { 'content-type': 'application/octet-stream', 'content-length': body.length });
  response.end(body, () => body.fill(0));
}

async function serve(
  methods: Methods,
  log: Log,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const name = /^\/v1\/([a-z-]+)$/.exec(message.url ?? '')?.[1] ?? '';
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (message.method !== 'POST' || !method)
      throw new SkerryError('PROTOCOL_UNSUPPORTED', `no method ${name}`);
    const packet = await readPacket(message);
    try {
      reply(response, 200, await method(packet));
    } finally {
      packet.secret.fill(0);
    }
  } catch (error) {
    if (!(error instanceof SkerryError)) {
      log.error('a call failed by a bug', { reason: error instanceof Error ? (error.stack ?? '') : '' });
      return reply(response, 500, { document: {}, secret: new Uint8Array(0) });
    }
    const { code, message: text, metadata, kind } = error;
    const document = { code, message: text, metadata };
    reply(response, httpStatuses[kind], { document, secret: new Uint8Array(0) });
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
  const server = createServer((message, response) => void serve(methods, log, message, response));
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
      server.closeIdleConnections();
      await promise;
      await rm(path, { force: true });
    },
  };
}
