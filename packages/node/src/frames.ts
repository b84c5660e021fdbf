import { decodeCanonical, type Encodable, encodeCanonical, SkerryError } from '@skerry/base';

/** What a frame is: a request, its answer, or word that the responder failed to answer. */
export const frameKinds = { request: 0, response: 1, failed: 2 } as const;

/** One of `frameKinds`. */
type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

/** One message on a stream: `[id, kind, body]` in canonical CBOR. */
export type Frame = {
  /** Chosen by the requester, ascending on each stream with gaps of chance; an answer repeats it. */
  readonly id: number;
  readonly kind: FrameKind;
  /** Belongs to the layer above; empty in `failed`. */
  readonly body: Uint8Array;
};

/** Bytes that the envelope adds to a body at most: array, id, kind and length. */
export const frameOverheadBytes = 16;

/** The frame's bytes. */
export function encodeFrame({ id, kind, body }: Frame): Uint8Array<ArrayBuffer> {
  return encodeCanonical([id, kind, body]);
}

/**
 * The frame that a peer sent.
 *
 * @throws MESSAGE_TOO_LARGE over `bytesMax`, MESSAGE_MALFORMED where the bytes are no frame
 */
export function decodeFrame(received: Uint8Array, bytesMax: number): Frame {
  const value: Encodable = decodeCanonical(received, bytesMax);
  if (Array.isArray(value) && value.length === 3) {
    const [id, kind, body] = value as readonly Encodable[];
    const known = kind === frameKinds.request || kind === frameKinds.response || kind === frameKinds.failed;
    if (typeof id === 'number' && id > 0 && known && body instanceof Uint8Array) return { id, kind, body };
  }
  throw new SkerryError('MESSAGE_MALFORMED', 'a frame is not [id, kind, body]');
}
