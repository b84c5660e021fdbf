import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import {
  type FrameObserver,
  type FrameStream,
  isOffence,
  openFrameStream,
  type Stream,
} from './frame-stream.ts';
import { type Frame, frameKinds, frameOverheadBytes } from './frames.ts';
import type { Host } from './host.ts';

/**
 * Answers one request. It resolves to the answer whatever happened: refusals are encoded by the layer above. A
 * rejection is a bug, is logged, and the requester learns only that there was a failure. `signal` aborts when the
 * requester's stream ends, and nobody waits any more.
 */
export type RequestHandler = (
  from: { readonly nodeId: string },
  body: Uint8Array,
  signal: AbortSignal,
) => Promise<Uint8Array>;

/** The answering half of custody streams. */
type ResponderStreams = {
  /** Takes no new request, lets those at work finish for `parameters.drainMs`, then ends every stream. */
  readonly close: () => Promise<void>;
};

/** What is known of one requester: its stream, and how many of its requests are at work, over all its streams. */
type Requester = {
  readonly nodeId: string;
  frames: FrameStream | undefined;
  atWork: number;
  /** Resolves when one of them is done. */
  freed: PromiseWithResolvers<void>;
};

type Options = {
  readonly host: Host;
  readonly protocol: string;
  readonly frameBytesMax: number;
  readonly onFrame: FrameObserver;
  readonly handle: RequestHandler;
  readonly log: Log;
};

/**
 * Answers every peer's requests over one stream each: a second stream of the same peer replaces the first. At most
 * `parameters.requestsServedPerPeerMax` of one peer's requests are at work; further ones stay unread, so that the
 * peer's window runs full and it waits.
 */
export async function createResponderStreams(options: Options): Promise<ResponderStreams> {
  const { host, protocol } = options;
  const requesters = new Map<string, Requester>();
  await host.libp2p.handle(
    protocol,
    async (stream, connection) => {
      const requester = requesterOf(requesters, connection.remotePeer.toString());
      await serve(stream, requester, options);
      if (requester.frames === undefined && requester.atWork === 0) requesters.delete(requester.nodeId);
    },
    { maxInboundStreams: 4 },
  );
  return {
    close: async () => {
      await host.libp2p.unhandle(protocol);
      await Promise.race([
        Promise.all([...requesters.values()].map(finishUp)),
        sleep(parameters.drainMs, undefined, { ref: false }),
      ]);
      for (const { frames } of requesters.values()) frames?.abort(new Error('shutting down'));
    },
  };
}

function requesterOf(requesters: Map<string, Requester>, nodeId: string): Requester {
  const known = requesters.get(nodeId);
  if (known !== undefined) return known;
  const requester = { nodeId, frames: undefined, atWork: 0, freed: Promise.withResolvers<void>() };
  requesters.set(nodeId, requester);
  return requester;
}

async function finishUp(requester: Requester): Promise<void> {
  requester.frames?.pause();
  while (requester.atWork > 0) await requester.freed.promise;
  requester.frames?.end();
  await requester.frames?.ended;
}

async function serve(stream: Stream, requester: Requester, options: Options): Promise<void> {
  const { host, frameBytesMax, onFrame } = options;
  const { nodeId } = requester;
  requester.frames?.abort(new Error('the peer opened another stream'));
  const gone = new AbortController();
  let lastId = 0;
  const receive = async (frame: Frame): Promise<void> => {
    if (frame.kind !== frameKinds.request || frame.id <= lastId)
      throw new SkerryError('MESSAGE_MALFORMED', 'not a new request');
    lastId = frame.id;
    while (requester.atWork >= parameters.requestsServedPerPeerMax) {
      frames.pause();
      await requester.freed.promise;
      gone.signal.throwIfAborted();
    }
    frames.resume();
    void answer(frame, frames, requester, options, gone.signal);
  };
  const finish = async (): Promise<void> => {
    while (requester.atWork > 0) await requester.freed.promise;
  };
  const frames = openFrameStream({ stream, nodeId, frameBytesMax, onFrame, receive, finish });
  requester.frames = frames;
  const reason = await frames.ended;
  if (isOffence(reason)) host.onMisbehaviour(nodeId, 'garbage');
  gone.abort(reason);
  if (requester.frames === frames) requester.frames = undefined;
}

/** Works on one request until its answer has been taken, so that a peer that reads no answers gets no more work done. */
async function answer(
  { id, body }: Frame,
  frames: FrameStream,
  requester: Requester,
  { handle, frameBytesMax, log }: Options,
  gone: AbortSignal,
): Promise<void> {
  const { nodeId } = requester;
  requester.atWork++;
  let reply: Frame = { id, kind: frameKinds.failed, body: new Uint8Array() };
  try {
    const answered = await handle({ nodeId }, body, gone);
    if (answered.length + frameOverheadBytes <= frameBytesMax) {
      reply = { id, kind: frameKinds.response, body: answered };
    } else {
      log.error('an answer is too large to send', { nodeId, bytes: answered.length });
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!gone.aborted) log.error('a request handler failed', { nodeId, reason });
  }
  await frames.send(reply);
  requester.atWork--;
  requester.freed.resolve();
  requester.freed = Promise.withResolvers<void>();
}
