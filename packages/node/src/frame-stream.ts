import { messageStreamToDuplex } from '@libp2p/utils';
import { concatBytes, SkerryError } from '@skerry/base';
import { decode, encode } from 'it-length-prefixed';
import { pipe } from 'it-pipe';
import { pushable } from 'it-pushable';
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

/** What the reader of lengths throws for one over its limit and for one without end; it exports no classes. */
const lengthErrors = new Set([
  'InvalidDataLengthError',
  'InvalidDataLengthLengthError',
  'InvalidMessageLengthError',
]);

/** Whether a stream ended since the peer sent what nobody honest sends. */
export function isOffence(reason: Error | undefined): boolean {
  if (reason instanceof SkerryError)
    return reason.code === 'MESSAGE_MALFORMED' || reason.code === 'MESSAGE_TOO_LARGE';
  return reason !== undefined && lengthErrors.has(reason.name);
}

/** Bytes on their way, and whom to tell when libp2p has taken them. */
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
  const outgoing = createOutgoing();

  const writing = pipe(outgoing.chunks, duplex.sink);
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
      await Promise.all([writing, reading.then(options.finish).then(outgoing.end)]);
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error : new Error('the stream ended');
      stream.abort(reason);
      outgoing.end();
      return reason;
    } finally {
      outgoing.forget();
    }
  }

  return {
    send: async frame => {
      const bytes = encodeFrame(frame);
      onFrame('out', nodeId, bytes);
      await outgoing.send(encode.single(bytes, { maxDataLength: frameBytesMax }).subarray());
    },
    isOpen: () => stream.status === 'open' && stream.writeStatus === 'writable',
    pause: () => {
      if (stream.readStatus === 'readable') stream.pause();
    },
    resume: () => {
      if (stream.readStatus === 'paused') stream.resume();
    },
    end: outgoing.end,
    abort: reason => stream.abort(reason),
    ended: settle(),
  };
}

type OutgoingQueue = {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Resolves when the bytes were taken, or never will be. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Nothing more will be sent; what is queued still goes out. */
  readonly end: () => void;
  /** Resolves every `send` that waits or comes. */
  readonly forget: () => void;
};

/**
 * Gathers what is sent within one turn of the event loop into chunks of about `parameters.batchBytes`: encrypting
 * and writing cost by the chunk, so that 64 requests at once go 4 to 5 times as fast as one by one.
 */
function createOutgoing(): OutgoingQueue {
  const chunks = pushable<readonly Outgoing[]>({ objectMode: true });
  const waiting = new Set<() => void>();
  let gathered: Outgoing[] = [];
  let gatheredBytes = 0;
  let over = false;

  const flush = (): void => {
    if (gathered.length > 0) chunks.push(gathered);
    gathered = [];
    gatheredBytes = 0;
  };
  return {
    chunks: pipe(chunks, async function* (source) {
      for await (const chunk of source) {
        yield concatBytes(...chunk.map(({ bytes }) => bytes));
        for (const { taken } of chunk) taken(); // the sink asks for more only when libp2p has room for it
      }
    }),
    send: async bytes =>
      new Promise(resolve => {
        if (over) {
          resolve();
          return;
        }
        const taken = (): void => {
          waiting.delete(taken);
          resolve();
        };
        waiting.add(taken);
        if (gathered.length === 0) setImmediate(flush);
        gathered.push({ bytes, taken });
        gatheredBytes += bytes.length;
        if (gatheredBytes >= parameters.batchBytes) flush();
      }),
    end: () => {
      flush();
      chunks.end();
    },
    forget: () => {
      over = true;
      for (const taken of waiting) taken();
    },
  };
}
