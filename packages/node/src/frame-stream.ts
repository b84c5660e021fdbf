import { messageStreamToDuplex } from '@libp2p/utils';
import { concatBytes } from '@skerry/base';
import { decode, encode } from 'it-length-prefixed';
import { pipe } from 'it-pipe';
import { pushableV } from 'it-pushable';
import { parameters } from '../parameters.ts';
import { decodeFrame, encodeFrame, type Frame } from './frames.ts';
import type { NodeLibp2p } from './node-libp2p.ts';

/** A libp2p stream. */
export type Stream = Awaited<ReturnType<NodeLibp2p['dialProtocol']>>;

/** Sees every frame that passes, with its direction and the node at the other end. */
export type FrameObserver = (direction: 'in' | 'out', nodeId: string, frame: Uint8Array) => void;

/** Frames over one libp2p stream, both ways. */
export type FrameStream = {
  /** Queues a frame; resolves when libp2p has taken it, which waits for a slow reader, or when the stream ends. */
  readonly send: (frame: Frame) => Promise<void>;
  /** Whether a frame sent now could go out. */
  readonly isOpen: () => boolean;
  /** Stops or takes up reading, so that the peer's window runs full. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Lets what is queued go out and closes. */
  readonly end: () => void;
  /** Ends at once both ways. */
  readonly abort: (reason: Error) => void;
  /** Resolves with undefined when both ways ended in order, or with the error that broke them. Never rejects. */
  readonly ended: Promise<Error | undefined>;
};

type Outgoing = { readonly bytes: Uint8Array; readonly taken: () => void };

/** Bytes of a varint for lengths up to 4 MiB. */
const lengthBytesMax = 4;

type Options = {
  readonly stream: Stream;
  readonly nodeId: string;
  readonly frameBytesMax: number;
  readonly onFrame: FrameObserver;
  /** Takes each frame in order; where it throws, or its promise rejects, the stream is aborted. */
  readonly receive: (frame: Frame) => void | Promise<void>;
  /** Called when the peer will send no more; once it resolves, what is queued goes out and the stream closes. */
  readonly finish: () => Promise<void>;
};

/**
 * Reads and writes length-prefixed frames on a stream until it ends. A peer that sends a frame over
 * `frameBytesMax`, or one that is malformed, has its stream aborted.
 *
 * libp2p's iterable of a stream never pauses it: not reading alone would pile up in memory. Hence `pause`.
 */
export function openFrameStream(options: Options): FrameStream {
  const { stream, nodeId, frameBytesMax, onFrame, receive } = options;
  const duplex = messageStreamToDuplex(stream);
  const outgoing = pushableV<Outgoing>({ objectMode: true });
  const waiting = new Set<() => void>();

  const writing = pipe(outgoing, source => inBatches(source, options), duplex.sink);
  const reading = pipe(
    duplex.source,
    source => decode(source, { maxDataLength: frameBytesMax, maxLengthLength: lengthBytesMax }),
    async source => {
      for await (const chunk of source) {
        const bytes = chunk.subarray();
        onFrame('in', nodeId, bytes);
        await receive(decodeFrame(bytes, frameBytesMax));
      }
    },
  );

  async function settle(): Promise<Error | undefined> {
    try {
      await Promise.all([writing, reading.then(options.finish).then(() => outgoing.end())]);
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error : new Error('the stream ended');
      stream.abort(reason);
      outgoing.end();
      return reason;
    } finally {
      for (const taken of waiting) taken();
    }
  }

  return {
    send: async frame =>
      new Promise(resolve => {
        const taken = (): void => {
          waiting.delete(taken);
          resolve();
        };
        waiting.add(taken);
        outgoing.push({ bytes: encodeFrame(frame), taken });
      }),
    isOpen: () => stream.status === 'open' && stream.writeStatus === 'writable',
    pause: () => {
      if (stream.readStatus === 'readable') stream.pause();
    },
    resume: () => {
      if (stream.readStatus === 'paused') stream.resume();
    },
    end: () => outgoing.end(),
    abort: reason => stream.abort(reason),
    ended: settle(),
  };
}

/**
 * Length-prefixed frames, as many in one chunk as wait and fit: encrypting and writing cost by the chunk. A frame
 * counts as taken when the sink asks for the next chunk, which it does only when libp2p has room for it.
 */
async function* inBatches(
  source: AsyncIterable<readonly Outgoing[]>,
  { nodeId, frameBytesMax, onFrame }: Options,
): AsyncGenerator<Uint8Array> {
  for await (const waiting of source) {
    let batch: Outgoing[] = [];
    let batchBytes = 0;
    for (const [i, frame] of waiting.entries()) {
      onFrame('out', nodeId, frame.bytes);
      batch.push(frame);
      batchBytes += frame.bytes.length;
      if (batchBytes < parameters.batchBytes && i + 1 < waiting.length) continue;
      yield concatBytes(...batch.map(({ bytes }) => encode.single(bytes, { maxDataLength: frameBytesMax }).subarray()));
      for (const { taken } of batch) taken();
      batch = [];
      batchBytes = 0;
    }
  }
}
