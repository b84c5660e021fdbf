import { type Crypto, type ErrorCode, preimage, SkerryError, wipe } from '@skerry/base';
import { matchShare, type Share, type ShareKeys } from '@skerry/sharing';
import type { HeldEpoch } from './held-key.ts';

/**
 * What a share's encryption is bound to.
 *
 * @param keyId 32 bytes
 */
export function shareAad(keyId: Uint8Array, epoch: number, x: number): Uint8Array {
  return preimage('share', keyId, epoch, x);
}

/** A share in the clear, with the keys that follow from it; `close` wipes all of it. */
type OpenShare = { readonly share: Share; readonly keys: ShareKeys; readonly close: () => void };

/**
 * The share that a holder keeps, decrypted and held against the keys that the core names for its point.
 *
 * @param epoch as stored
 * @param code the error for a share that is not the one: SHARE_MISMATCH at deposit, SHARE_CORRUPT later
 * @returns a share owned, and closed, by the caller
 */
export function openHeldShare(crypto: Crypto, epoch: HeldEpoch, code: ErrorCode): OpenShare {
  const { core, x } = epoch;
  const { keyId, length } = core;
  const plaintext = crypto.aeadOpen(epoch.dek, epoch.ciphertext, shareAad(keyId, core.epoch, x));
  const point = core.points.find(candidate => candidate.x === x);
  if (!plaintext || !point || plaintext.length !== length + 1 || plaintext[length] !== x) {
    if (plaintext) wipe(plaintext);
    throw new SkerryError(code);
  }
  const share = { x, y: plaintext.slice(0, length) };
  wipe(plaintext);
  try {
    const keys = matchShare(crypto, { share, keyId, epoch: core.epoch, length }, point);
    return { share, keys, close: () => wipe(share.y, keys.signSeed, keys.maskSeed) };
  } catch (error) {
    wipe(share.y);
    throw new SkerryError(code, '', {}, error);
  }
}
