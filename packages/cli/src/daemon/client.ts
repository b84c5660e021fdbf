import { type IncomingMessage, request } from 'node:http';
import { type ErrorMetadata, isErrorCode, SkerryError } from '@skerry/base';
import { decodePacket, encodePacket, type Packet, packetBytesMax } from './packet.ts';
import { socketPath } from './socket.ts';

/** Speaks to the daemon of a home. */
export type Daemon = {
  /**
   * Calls a method.
   *
   * @param method see `daemon/methods.ts`
   * @param argument a JSON document
   * @param secret bytes that go beside it; stay the caller's
   * @throws DAEMON_DOWN where none runs; what the method throws
   */
  readonly call: (method: string, argument: object, secret?: Uint8Array) => Promise<Packet>;
};

/** How long a method may take, ms: a deal tries four times, and each time waits for three steps. */
const callDeadlineMs = 120_000;

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > packetBytesMax) throw new SkerryError('MESSAGE_TOO_LARGE');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function send(path: string, method: string, body: Buffer): Promise<{ status: number; body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Buffer }>();
  const outgoing = request(
    { socketPath: path, path: `/v1/${method}`, method: 'POST', signal: AbortSignal.timeout(callDeadlineMs) },
    message => {
      readBody(message).then(
        received => resolve({ status: message.statusCode ?? 0, body: received }),
        reject,
      );
    },
  );
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/** Whether the socket is missing, refused, cut or silent, and not something that the daemon said. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || 'code' in error) && !(error instanceof SkerryError);
}

/** The error that a daemon answered with; what it has no code for is a bug there. */
function errorIn(document: unknown): Error {
  const { code, message, metadata } = Object(document) as Record<string, unknown>;
  if (typeof code !== 'string' || !isErrorCode(code))
    return new Error('the daemon failed by a bug; see its log');
  return new SkerryError(code, typeof message === 'string' ? message : '', Object(metadata) as ErrorMetadata);
}

/**
 * The daemon of a home; nothing is asked of it yet.
 *
 * @param home the home directory
 */
export function connectDaemon(home: string): Daemon {
  const path = socketPath(home);
  return {
    call: async (method, argument, secret = new Uint8Array(0)) => {
      const packet = encodePacket({ document: argument, secret });
      try {
        const { status, body } = await send(path, method, packet);
        const answer = decodePacket(body);
        body.fill(0);
        if (status !== 200) throw errorIn(answer.document);
        return answer;
      } catch (error) {
        if (!isSystemError(error)) throw error;
        const message = `no daemon answers in ${home}: start it with skerry run`;
        throw new SkerryError('DAEMON_DOWN', message, { home }, error);
      } finally {
        packet.fill(0);
      }
    },
  };
}
