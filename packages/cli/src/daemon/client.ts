import { type ErrorMetadata, isErrorCode, SkerryError } from '@skerry/base';
import { answerBytesMax, encodePacket, type Packet, readPacket } from './packet.ts';
import { socketPath } from './socket.ts';

/** Not imported: an import reads every export, and one of them loads all of fetch, 50 ms. */
const { request } = process.getBuiltinModule('node:http');

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

/** Posts a packet and resolves to the answer's status and packet. */
async function send(path: string, method: string, body: Buffer): Promise<[status: number, answer: Packet]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, Packet]>();
  const signal = AbortSignal.timeout(callDeadlineMs);
  const outgoing = request({ socketPath: path, path: `/v1/${method}`, method: 'POST', signal }, message => {
    readPacket(message, answerBytesMax).then(answer => resolve([message.statusCode ?? 0, answer]), reject);
  });
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
        const [status, answer] = await send(path, method, packet);
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
