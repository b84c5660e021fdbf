import type { Request } from '@skerry/wire';
import type { HolderEvent } from './holder.ts';

/** A request that a holder's machine answers. */
export type HolderRequest = Exclude<Request, { name: 'directory' | 'manifest' }>;

/**
 * The key that a request is about, and what it is to the holder's machine.
 *
 * @param request as received, decoded
 * @param from the node key of the peer, proven by its connection
 * @param isFailing whether this node's own audits show that the holder of a point has failed
 */
export function holderEventOf(
  request: HolderRequest,
  from: Uint8Array,
  isFailing: (keyId: Uint8Array, x: number) => boolean,
): [keyId: Uint8Array, event: HolderEvent] {
  const { name, body } = request;
  switch (name) {
    case 'offer':
      return [body.keyId, { type: 'offer', from, offer: body }];
    case 'deposit':
      return [body.core.keyId, { type: 'deposit', from, deposit: body }];
    case 'activate':
      return [body.keyId, { type: 'activate', from, activation: body.activation }];
    case 'round':
      return [body.keyId, { type: 'round', from, request: body }];
    case 'probe':
      return [body.keyId, { type: 'probe', probe: body }];
    case 'nominate':
      return [body.keyId, { type: 'nominate', from, nomination: body }];
    case 'vote': {
      const hasFailed = body.offered !== null && isFailing(body.keyId, body.offered.proposal.x);
      return [body.keyId, { type: 'vote', ballot: body, isFailing: hasFailed }];
    }
    case 'update':
      return [body.core.keyId, { type: 'update', from, manifest: body }];
    case 'revoke':
      return [body.keyId, { type: 'revoke', revocation: body }];
    case 'destroy':
      return [body.keyId, { type: 'destroy', from, tombstone: body }];
  }
}
