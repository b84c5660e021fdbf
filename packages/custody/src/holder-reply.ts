import { assert, type Crypto, type ErrorCode, SkerryError, wipe } from '@skerry/base';
import { challengeOf } from '@skerry/sharing';
import {
  contributionPreimage,
  contributionShape,
  decode,
  type Manifest,
  type RoundRequest,
  type Seat,
  seatsOf,
} from '@skerry/wire';
import { roundContextOf } from './holder-round.ts';

/**
 * The holder of a point.
 *
 * @param x a point of the manifest; another is a bug
 */
export function holderAt(manifest: Manifest, x: number): Seat {
  const holder = seatsOf(manifest).find(candidate => candidate.x === x);
  assert(holder !== undefined, 'who is asked is a holder of the key');
  return holder;
}

/** What a holder answered: its part, and its node's signature over it, which nobody has looked at yet. */
export type Contribution = { readonly contribution: Uint8Array; readonly signature: Uint8Array };

/**
 * The contribution in a holder's opened answer.
 *
 * @param request that was asked
 * @param answer opened, from the holder: anything; wiped here
 * @returns a contribution owned by the caller, or the code of what was wrong
 */
export function contributionIn(request: RoundRequest, answer: Uint8Array): Contribution | ErrorCode {
  try {
    const opened = decode(contributionShape, answer, contributionShape.bytesMax, 'contribution');
    return opened.contribution.length === request.length ? opened : 'SHARE_LENGTH_INVALID';
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  } finally {
    wipe(answer);
  }
}

/**
 * Whether a holder's node signed a contribution for this very round.
 *
 * @param request that was asked
 * @param x the holder's point
 */
export function isSigned(
  crypto: Crypto,
  manifest: Manifest,
  request: RoundRequest,
  x: number,
  { contribution, signature }: Contribution,
): boolean {
  const challenge = challengeOf(crypto, roundContextOf(crypto, request, manifest.core.scheme));
  const { nodeKey } = holderAt(manifest, x);
  return crypto.ed25519Verify(nodeKey, contributionPreimage(challenge, x, contribution), signature);
}
