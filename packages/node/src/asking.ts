import { type ErrorCode, SkerryError } from '@skerry/base';
import {
  decodeAnswer,
  encodeRequest,
  type RequestAnswer,
  type RequestBody,
  type RequestName,
} from '@skerry/wire';
import type { PeerStreams } from './streams.ts';

/** The error code that a failed request stands for; a bug is thrown on. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof SkerryError) return error.code;
  throw error;
}

/**
 * Asks a node and decodes its answer.
 *
 * @param options.deadlineMs milliseconds from now until DEADLINE_EXCEEDED
 * @param options.signal calls the request off; it then rejects with the signal's reason
 * @throws what `PeerStreams.request` and `decodeAnswer` throw
 */
export async function ask<N extends RequestName>(
  streams: Pick<PeerStreams, 'request'>,
  nodeId: string,
  name: N,
  body: RequestBody<N>,
  options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
): Promise<RequestAnswer<N>> {
  return decodeAnswer(name, await streams.request(nodeId, encodeRequest(name, body), options));
}
