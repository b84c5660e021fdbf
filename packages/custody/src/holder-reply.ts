import { assert, type Crypto, type ErrorCode, SkerryError, wipe } from '@skerry/base';
import { challengeOf } from '@skerry/sharing';
import {
  contributionPreimage,
  contributionShape,
  decode,
  type Manifest,
  type RoundRequest,
} from '@skerry/wire';
import { roundContextOf } from './holder-round.ts';

/**
 * The holder of a point.
 *
 * @param x a point of the manifest; another is a bug
 */
export function holderAt({ core }: Manifest, x: number): Manifest['core']['holders'][number] {
  const holder = core.holders.find(candidate => candidate.x === x);
  assert(holder !== undefined, 'who is asked is a holder of the key');
  return holder;
}

/**
 * The contribution in a holder's opened answer, if its node signed it for this very round.
 *
 * @param request that was asked
 * @param x the holder's point
 * @param answer opened, from the holder: anything; wiped here
 * @returns a contribution owned by the caller, or the code of what was wrong
 */
export function contributionIn(
  crypto: Crypto,
  manifest: Manifest,
  request: RoundRequest,
  x: number,
  answer: Uint8Array,
): Uint8Array | ErrorCode {
  try {
    const { bytesMax } = contributionShape;
    const { contribution, signature } = decode(contributionShape, answer, bytesMax, 'contribution');
    if (contribution.length !== request.length) return 'SHARE_LENGTH_INVALID';
    const challenge = challengeOf(crypto, roundContextOf(crypto, request, manifest.core.scheme));
    const signed = contributionPreimage(challenge, x, contribution);
    const { nodeKey } = holderAt(manifest, x);
    return crypto.ed25519Verify(nodeKey, signed, signature) ? contribution : 'SIGNATURE_INVALID';
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  } finally {
    wipe(answer);
  }
}
