import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { SkerryError } from '@skerry/base';
import { parameters, scales } from '../parameters.ts';
import { type PeerId, peerIdOf } from './address-book.ts';
import {
  type FrameObserver,
  type FrameStream,
  isOffence,
  openFrameStream,
  type Stream,
} from './frame-stream.ts';
import { type Frame, frameKinds, frameOverheadBytes } from './frames.ts';
import type { Host } from './host.ts';
import { createLeastRoundTrip, type LeastRoundTrip } from './least-round-trip.ts';

/** How long a request may take, and how to call it off. */
export type RequestOptions = {
  /** Milliseconds from now until `DEADLINE_EXCEEDED`, dialling included. */
  readonly deadlineMs: number;
  /** Calls the request off: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
};

/** The requesting half of custody streams. */
type RequesterStreams = {
  readonly request: (nodeId: string, body: Uint8Array, options: RequestOptions) => Promise<Uint8Array>;
  readonly isSilent: (nodeId: string) => boolean;
  readonly roundTripMs: (nodeId: string) => number | undefined;
  readonly leastRoundTrip: (nodeId: string) => {
    readonly leastMs: number | undefined;
    readonly samples: number;
  };
  readonly close: () => Promise<void>;
};

type Pending = {
  readonly sentAtMs: number;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
  /** The stream ended before the answer. */
  readonly lose: (error: SkerryError) => void;
};

type Link = { readonly frames: FrameStream; readonly pending: Map<number, Pending>; lastId: number };

/** What is known of one responder. */
type Responder = {
  readonly nodeId: string;
  link: Promise<Link> | undefined;
  inFlight: number;
  smoothedMs: number | undefined;
  readonly least: LeastRoundTrip;
  /** Since when it has answered nothing though it was asked; undefined where it owes no answer. */
  owingSinceMs: number | undefined;
};

type Options = {
  readonly host: Host;
  readonly protocol: string;
  readonly frameBytesMax: number;
  readonly onFrame: FrameObserver;
};

/** One long-lived stream to each responder, opened when first needed and again when it has ended. */
export function createRequesterStreams(options: Options): RequesterStreams {
  const responders = new Map<string, Responder>();
  const closing = new AbortController();

  async function request(nodeId: string, body: Uint8Array, wanted: RequestOptions): Promise<Uint8Array> {
    if (closing.signal.aborted) throw new SkerryError('SHUTTING_DOWN');
    wanted.signal?.throwIfAborted();
    const bytes = body.length + frameOverheadBytes;
    if (bytes > options.frameBytesMax) {
      throw new SkerryError('MESSAGE_TOO_LARGE', '', { bytes, bytesMax: options.frameBytesMax });
    }
    const responder = responderOf(responders, nodeId);
    if (responder.inFlight >= parameters.requestsInFlightPerPeerMax) {
      throw new SkerryError('TOO_BUSY', 'too many requests wait for that peer', { nodeId });
    }
    responder.inFlight++;
    try {
      return await ask(responder, body, wanted, async () => linkTo(responder, options, closing.signal));
    } finally {
      responder.inFlight--;
    }
  }

  return {
    request,
    isSilent: nodeId => owedMs(responders.get(nodeId)) >= parameters.silentAfterMs,
    roundTripMs: nodeId => {
      const responder = responders.get(nodeId);
      return responder?.smoothedMs && Math.max(responder.smoothedMs, owedMs(responder));
    },
    leastRoundTrip: nodeId => {
      const least = responders.get(nodeId)?.least;
      const nowMs = performance.now();
      return { leastMs: least?.leastMs(nowMs), samples: least?.samples(nowMs) ?? 0 };
    },
    close: async () => {
      closing.abort();
      const links = [...responders.values()].map(({ link }) => link).filter(link => link !== undefined);
      const opened = await Promise.allSettled(links);
      for (const result of opened) {
        if (result.status === 'fulfilled') shutLink(result.value);
      }
    },
  };
}

function responderOf(responders: Map<string, Responder>, nodeId: string): Responder {
  const known = responders.get(nodeId);
  if (known !== undefined) return known;
  if (responders.size >= parameters.respondersMax) {
    for (const [name, { link, inFlight }] of responders) {
      if (link === undefined && inFlight === 0) responders.delete(name);
    }
  }
  const responder: Responder = {
    nodeId,
    link: undefined,
    inFlight: 0,
    smoothedMs: undefined,
    least: createLeastRoundTrip(),
    owingSinceMs: undefined,
  };
  responders.set(nodeId, responder);
  return responder;
}

/**
 * For how long a responder has owed an answer, ms. A request that is called off counts on, since the answer comes
 * all the same: so who hedged knows of the silent one next time. After a while that is forgotten and it is tried again.
 */
function owedMs(responder: Responder | undefined): number {
  if (responder?.owingSinceMs === undefined) return 0;
  const ms = performance.now() - responder.owingSinceMs;
  return ms < parameters.silentAfterMs + parameters.silentMs ? ms : 0;
}

/** Sends one request and waits for its answer, its deadline, its calling off or the end of its stream. */
async function ask(
  responder: Responder,
  body: Uint8Array,
  { deadlineMs, signal }: RequestOptions,
  open: () => Promise<Link>,
): Promise<Uint8Array> {
  const { nodeId } = responder;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const timer = setTimeout(() => {
    reject(new SkerryError('DEADLINE_EXCEEDED', '', { nodeId, deadlineMs }));
  }, deadlineMs);
  if (owedMs(responder) === 0) responder.owingSinceMs = performance.now();
  const callOff = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', callOff);
  let over = false;
  let forget = (): void => undefined;
  // A stream kept from before may have ended with its peer's last process, unnoticed: all requests may be repeated,
  // so one that such a stream loses is sent once more over a new one.
  const sending = async (isRepeated: boolean): Promise<void> => {
    const isKept = responder.link !== undefined;
    const link = await open();
    if (over) return;
    // A gap of chance: who could guess an id could answer before it was asked, and so seem nearer than it is.
    const id = link.lastId + randomInt(1, parameters.requestIdGapMax + 1);
    link.lastId = id;
    const lose = (error: SkerryError): void => {
      if (over || !isKept || isRepeated || error.code !== 'PEER_UNREACHABLE') reject(error);
      else sending(true).catch(reject);
    };
    link.pending.set(id, { sentAtMs: performance.now(), resolve, reject, lose });
    forget = () => link.pending.delete(id);
    await link.frames.send({ id, kind: frameKinds.request, body });
  };
  sending(false).catch(reject);
  try {
    return await promise;
  } finally {
    over = true;
    forget();
    clearTimeout(timer);
    signal?.removeEventListener('abort', callOff);
  }
}

/**
 * The open stream to a responder, the one being opened, or a new one. One that another request began to open may fail
 * for what is over, such as a restart of the peer: then this one tries once itself.
 */
async function linkTo(
  responder: Responder,
  options: Options,
  closing: AbortSignal,
  mayFail = true,
): Promise<Link> {
  const existing = responder.link;
  if (existing !== undefined) {
    const link = await (mayFail ? existing.catch(() => undefined) : existing);
    if (link === undefined) return linkTo(responder, options, closing, false);
    if (link.frames.isOpen()) return link;
    if (responder.link === existing) responder.link = undefined;
    return linkTo(responder, options, closing);
  }
  const opening = openLink(responder, options, closing);
  responder.link = opening;
  const forget = (): void => {
    if (responder.link === opening) responder.link = undefined;
  };
  try {
    const link = await opening;
    void link.frames.ended.then(reason => {
      forget();
      responder.owingSinceMs = undefined;
      failPending(link, unreachable(responder.nodeId, reason));
      if (isOffence(reason)) options.host.onMisbehaviour(responder.nodeId, 'garbage');
    });
    return link;
  } catch (error) {
    forget();
    responder.owingSinceMs = undefined;
    throw error;
  }
}

async function openLink(responder: Responder, options: Options, closing: AbortSignal): Promise<Link> {
  const { host, protocol, frameBytesMax, onFrame } = options;
  const { nodeId } = responder;
  const peerId = peerIdOf(nodeId);
  try {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(scales[host.scale].dialMs)]);
    const stream = await openStream(host, peerId, protocol, signal);
    const pending = new Map<number, Pending>();
    const receive = (frame: Frame): void => receiveAnswer(responder, link, frame);
    const finish = async (): Promise<void> => undefined;
    const frames = openFrameStream({ stream, nodeId, frameBytesMax, onFrame, receive, finish });
    const link: Link = { frames, pending, lastId: 0 };
    return link;
  } catch (error) {
    throw closing.aborted ? new SkerryError('SHUTTING_DOWN') : unreachable(nodeId, error);
  }
}

/**
 * A stream over the newest connection there is, or a new one. For a moment after a peer restarted, libp2p still holds
 * the old connection, over which no stream opens, and would choose it: it takes the first that it has.
 */
async function openStream(
  host: Host,
  peerId: PeerId,
  protocol: string,
  signal: AbortSignal,
): Promise<Stream> {
  const newest = host.libp2p.getConnections(peerId).findLast(({ status }) => status === 'open');
  if (newest === undefined) return host.libp2p.dialProtocol(peerId, protocol, { signal });
  try {
    return await newest.newStream(protocol, { signal });
  } catch (error) {
    const refused = error instanceof Error && error.name === 'UnsupportedProtocolError';
    if (refused || signal.aborted) throw error;
    return host.libp2p.dialProtocol(peerId, protocol, { signal, force: true });
  }
}

/** An answer to a request given up, or a second one, is passed over; one to a request never made is an offence. */
function receiveAnswer(responder: Responder, link: Link, { id, kind, body }: Frame): void {
  if (kind === frameKinds.request || id > link.lastId)
    throw new SkerryError('MESSAGE_MALFORMED', 'an answer without a request');
  responder.owingSinceMs = undefined;
  const pending = link.pending.get(id);
  if (pending === undefined) return;
  link.pending.delete(id);
  const nowMs = performance.now();
  const sampleMs = nowMs - pending.sentAtMs;
  responder.least.add(sampleMs, nowMs);
  // RFC 6298 section 2.3, alpha = 1/8
  responder.smoothedMs =
    responder.smoothedMs === undefined ? sampleMs : (7 * responder.smoothedMs + sampleMs) / 8;
  if (kind === frameKinds.response) pending.resolve(body);
  else
    pending.reject(
      new SkerryError('PEER_UNREACHABLE', 'the peer failed to answer', { nodeId: responder.nodeId }),
    );
}

function failPending({ pending }: Link, error: SkerryError): void {
  const lost = [...pending.values()];
  pending.clear();
  for (const { lose } of lost) lose(error);
}

function shutLink(link: Link): void {
  failPending(link, new SkerryError('SHUTTING_DOWN'));
  link.frames.end();
}

function unreachable(nodeId: string, cause: unknown): SkerryError {
  return new SkerryError('PEER_UNREACHABLE', '', { nodeId }, cause);
}
