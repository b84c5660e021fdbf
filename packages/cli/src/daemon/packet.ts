import type { IncomingMessage } from 'node:http';
import { SkerryError, wipe } from '@skerry/base';

/** Bytes of a request's document, at most: some fields of a few kB. */
export const requestBytesMax = 65_536;

/** Bytes of an answer's document, at most: ten thousand peers, or a certificate of 255 holders. */
export const answerBytesMax = 33_554_432;

/** Bytes of a packet's secret, at most: the largest key, or a grant. */
const secretBytesMax = 65_536;

/** What goes over the daemon's socket, both ways: a JSON document, and apart from it bytes that never are a string. */
export type Packet = { readonly document: unknown; readonly secret: Uint8Array };

/**
 * A packet's bytes: the document's length (4, big-endian), the document, the secret.
 *
 * @param secret copied; stays the caller's
 */
export function encodePacket({ document, secret }: Packet): Buffer {
  const text = Buffer.from(JSON.stringify(document));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(text.length);
  return Buffer.concat([head, text, secret]);
}

/**
 * A packet from its bytes.
 *
 * @param bytes anything
 * @returns the secret as a copy, owned by the caller
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED
 */
function decodePacket(bytes: Buffer): Packet {
  const length = bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(0);
  if (bytes.length - 4 - length > secretBytesMax) throw new SkerryError('MESSAGE_TOO_LARGE');
  if (4 + length > bytes.length) throw new SkerryError('MESSAGE_MALFORMED', 'a packet is cut short');
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8', 4, 4 + length));
    return { document, secret: new Uint8Array(bytes.subarray(4 + length)) };
  } catch (cause) {
    throw new SkerryError('MESSAGE_MALFORMED', 'a packet is not JSON', {}, cause);
  }
}

/**
 * The packet in the body of an HTTP message; what was read is wiped.
 *
 * @param message request or response
 * @param documentBytesMax of its document
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, and what the connection throws
 */
export async function readPacket(message: IncomingMessage, documentBytesMax: number): Promise<Packet> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > 4 + documentBytesMax + secretBytesMax) throw new SkerryError('MESSAGE_TOO_LARGE');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  try {
    return decodePacket(body);
  } finally {
    wipe(body, ...chunks);
  }
}
