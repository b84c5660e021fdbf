import { SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import { type Allowance, createAllowance } from './allowance.ts';
import type { Stream } from './frame-stream.ts';
import { createRecent } from './recent.ts';

/** How much of a libp2p service a peer may use. */
type Rate = {
  readonly burst: number;
  readonly everyMs: number;
  /** What a token stands for beside one for each stream: messages with a length before them, bytes, or nothing. */
  readonly per: 'message' | 'stream' | { readonly bytes: number };
};

type Handler = (stream: Stream, connection: { readonly remotePeer: { toString(): string } }) => unknown;
type Registrar = { readonly handle: (protocol: string, handler: Handler, ...rest: unknown[]) => unknown };

/**
 * The components of a libp2p service, with a registrar that holds peers to a rate: over it, the stream is aborted and
 * `onFlood` told. libp2p's own middleware is no way to do that: in 3.3.11 it grows by a handler with each stream.
 *
 * @param onFlood called with the peer for each stream that is aborted
 */
export function metered<C extends object>(components: C, rate: Rate, onFlood: (nodeId: string) => void): C {
  const allowances = createRecent<Allowance>(parameters.meteredPeersMax);

  function meter(handler: Handler): Handler {
    return (stream, connection) => {
      const nodeId = connection.remotePeer.toString();
      const take = (tokens: number): boolean => {
        const nowMs = performance.now();
        if (allowances.get(nodeId, () => createAllowance(rate, nowMs)).take(nowMs, tokens)) return true;
        stream.abort(new SkerryError('RATE_LIMITED', '', { nodeId }));
        onFlood(nodeId);
        return false;
      };
      if (!take(1)) return undefined;
      const handling = handler(stream, connection);
      // after the handler: a stream hands out what it has as soon as anybody listens
      if (rate.per !== 'stream') {
        const count = rate.per === 'message' ? createMessageCounter() : byBytes(rate.per.bytes);
        stream.addEventListener('message', ({ data }) => {
          const tokens = count(data.subarray());
          if (tokens > 0 && stream.status === 'open') take(tokens);
        });
      }
      return handling;
    };
  }

  const registrarOver = (registrar: Registrar): Registrar =>
    new Proxy(registrar, {
      get: (target, name) =>
        name === 'handle'
          ? (protocol: string, handler: Handler, ...rest: unknown[]) =>
              target.handle(protocol, meter(handler), ...rest)
          : bound(target, name),
    });
  return new Proxy(components, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      return name === 'registrar' ? registrarOver(value as Registrar) : value;
    },
  });
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? value.bind(target) : value;
}

/** Tokens for chunks of bytes; what is left of one counts with the next. */
function byBytes(bytesPerToken: number): (chunk: Uint8Array) => number {
  let left = 0;
  return chunk => {
    left += chunk.length;
    const tokens = Math.floor(left / bytesPerToken);
    left -= tokens * bytesPerToken;
    return tokens;
  };
}

/** Counts messages that each have their length before them (unsigned LEB128), however they are cut into chunks. */
export function createMessageCounter(): (chunk: Uint8Array) => number {
  let toSkip = 0;
  let length = 0;
  let shift = 0;
  return chunk => {
    let count = 0;
    for (let i = 0; i < chunk.length; ) {
      if (toSkip > 0) {
        const skipped = Math.min(toSkip, chunk.length - i);
        toSkip -= skipped;
        i += skipped;
        continue;
      }
      const byte = chunk[i++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      shift = Math.min(shift + 7, 56); // a length without end is for the reader to refuse
      if (byte >= 0x80) continue;
      count++;
      toSkip = length;
      length = 0;
      shift = 0;
    }
    return count;
  };
}
