import { type Log, SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import type { FrameObserver } from './frame-stream.ts';
import type { Host } from './host.ts';
import { createRequesterStreams, type RequestOptions } from './requester-streams.ts';
import { createResponderStreams, type RequestHandler } from './responder-streams.ts';

/** Requests and answers between nodes: one long-lived stream for each pair and direction. */
export type PeerStreams = {
  /**
   * Sends a request and resolves to the answer's body. To this node's own id, it calls the handler.
   *
   * @throws PEER_UNREACHABLE where the peer cannot be dialled, its stream ends, or its handler has a bug
   * @throws DEADLINE_EXCEEDED without an answer in time; a later one is passed over
   * @throws TOO_BUSY over `parameters.requestsInFlightPerPeerMax` waiting requests to that peer
   * @throws MESSAGE_TOO_LARGE over the frame limit, SHUTTING_DOWN after `close`
   */
  readonly request: (nodeId: string, body: Uint8Array, options: RequestOptions) => Promise<Uint8Array>;
  /** Whether there is a connection, and the peer has not owed an answer for long, without any since. */
  readonly isAlive: (nodeId: string) => boolean;
  /**
   * Smoothed milliseconds from request to answer, the peer's work included, or for how long it has owed one now where
   * that is more; undefined before the first.
   */
  readonly roundTripMs: (nodeId: string) => number | undefined;
  /**
   * The least milliseconds from a request to its answer within `parameters.leastRoundTripMs`; undefined where there
   * was none. Work and waiting only lengthen it, and nobody can answer what it has not read, so that the peer is no
   * further than light gets in half of it. 0 for this node.
   */
  readonly leastRoundTripMs: (nodeId: string) => number | undefined;
  /** Round trips measured in the present half of that window. */
  readonly roundTripSamples: (nodeId: string) => number;
  /** Ends all streams. Requests under way reject with SHUTTING_DOWN; those being answered may finish. */
  readonly close: () => Promise<void>;
};

/** What `createPeerStreams` needs. */
export type PeerStreamsOptions = {
  readonly host: Host;
  /** libp2p protocol id. */
  readonly protocol: string;
  readonly handle: RequestHandler;
  /** Bytes of one frame, both ways. */
  readonly frameBytesMax?: number;
  /** Sees every frame that passes. */
  readonly onFrame?: FrameObserver;
  readonly log: Log;
};

/** Starts answering, and readies asking. */
export async function createPeerStreams(options: PeerStreamsOptions): Promise<PeerStreams> {
  const { host, handle, frameBytesMax = parameters.frameBytesMax, onFrame = () => undefined } = options;
  const responder = await createResponderStreams({ ...options, frameBytesMax, onFrame });
  const requester = createRequesterStreams({ ...options, frameBytesMax, onFrame });
  return {
    request: async (nodeId, body, wanted) => {
      if (nodeId !== host.nodeId) return requester.request(nodeId, body, wanted);
      return askSelf(handle, nodeId, body, wanted);
    },
    isAlive: nodeId => nodeId === host.nodeId || (host.isConnected(nodeId) && !requester.isSilent(nodeId)),
    roundTripMs: nodeId => (nodeId === host.nodeId ? 0 : requester.roundTripMs(nodeId)),
    leastRoundTripMs: nodeId => (nodeId === host.nodeId ? 0 : requester.leastRoundTrip(nodeId).leastMs),
    roundTripSamples: nodeId => requester.leastRoundTrip(nodeId).samples,
    close: async () => {
      await requester.close();
      await responder.close();
    },
  };
}

/** A node that needs its own share asks itself, within the same deadline. */
async function askSelf(
  handle: RequestHandler,
  nodeId: string,
  body: Uint8Array,
  { deadlineMs, signal }: RequestOptions,
): Promise<Uint8Array> {
  const late = AbortSignal.timeout(deadlineMs);
  const over = signal === undefined ? late : AbortSignal.any([signal, late]);
  over.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void =>
    reject(late.aborted ? new SkerryError('DEADLINE_EXCEEDED', '', { nodeId, deadlineMs }) : over.reason);
  over.addEventListener('abort', end);
  try {
    return await Promise.race([handle({ nodeId }, body, over), promise]);
  } finally {
    over.removeEventListener('abort', end);
  }
}
