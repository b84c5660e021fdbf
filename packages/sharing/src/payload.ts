import { type Crypto, concatBytes, preimage, type Random, SkerryError, wipe } from '@skerry/base';
import { blindingBytes, boxKeyBytes, keyBytesMax, plainKeyBytesMax } from '../parameters.ts';
import { checkPayloadLength } from './shares.ts';

/** What is shared of a key, and what the key's description carries in the open. */
export type PackedKey = {
  /** P = M || r, 33 to 96 bytes: secret. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** The key sealed under M, for keys over 64 bytes; public. */
  readonly box: Uint8Array<ArrayBuffer> | null;
};

/**
 * Makes the payload of a key (docs/PROTOCOL.md, deal): P = M || r, where r is 32 random bytes and M is the key itself,
 * or for keys over 64 bytes a random key under which the key is boxed (AES-256-GCM, bound to the keyId).
 *
 * @param key 1 to 65,536 bytes; stays the caller's
 * @param keyId 32 bytes
 * @returns payload and box, owned by the caller, who wipes the payload
 * @throws SECRET_EMPTY for a key of no bytes or of too many
 */
export function packKey({
  crypto,
  random,
  key,
  keyId,
}: {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly key: Uint8Array;
  readonly keyId: Uint8Array;
}): PackedKey {
  if (key.length < 1 || key.length > keyBytesMax) {
    throw new SkerryError('SECRET_EMPTY', '', { bytes: key.length, bytesMax: keyBytesMax });
  }
  const r = random.bytes(blindingBytes);
  if (key.length <= plainKeyBytesMax) {
    const payload = concatBytes(key, r);
    wipe(r);
    return { payload, box: null };
  }
  const boxKey = random.bytes(boxKeyBytes);
  const box = crypto.aeadSeal(boxKey, key, preimage('box', keyId));
  const payload = concatBytes(boxKey, r);
  wipe(r, boxKey);
  return { payload, box };
}

/**
 * The key that a payload, already compared with its commitment, stands for.
 *
 * @param payload as `packKey` made it; stays the caller's
 * @param box as in the key's description
 * @param keyId 32 bytes
 * @returns the key, 1 to 65,536 bytes, owned by the caller
 * @throws SHARE_LENGTH_INVALID for a payload of an impossible length
 * @throws KEY_CORRUPT for a box that the payload does not open, or that holds no key that would be boxed
 */
export function unpackKey({
  crypto,
  payload,
  box,
  keyId,
}: {
  readonly crypto: Crypto;
  readonly payload: Uint8Array;
  readonly box: Uint8Array | null;
  readonly keyId: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  checkPayloadLength(payload.length);
  const m = payload.slice(0, -blindingBytes);
  if (box === null) return m;
  const key = m.length === boxKeyBytes ? crypto.aeadOpen(m, box, preimage('box', keyId)) : undefined;
  wipe(m);
  if (key === undefined || key.length <= plainKeyBytesMax || key.length > keyBytesMax) {
    throw new SkerryError('KEY_CORRUPT', "the key's box does not open");
  }
  return key;
}

/**
 * The public commitment to a payload: H(["commit", keyId, originEpoch, P]). It hides the key because r is 32 random
 * bytes, and an opened payload is checked against it.
 *
 * @param keyId 32 bytes
 * @param originEpoch the epoch in which the payload was made
 * @param payload 33 to 96 bytes; stays the caller's
 * @returns 32 bytes
 * @throws SHARE_LENGTH_INVALID for a payload too short to hold r, or too long
 */
export function commitPayload(
  crypto: Crypto,
  {
    keyId,
    originEpoch,
    payload,
  }: { readonly keyId: Uint8Array; readonly originEpoch: number; readonly payload: Uint8Array },
): Uint8Array<ArrayBuffer> {
  checkPayloadLength(payload.length);
  const committed = preimage('commit', keyId, originEpoch, payload);
  const commitment = crypto.sha256(committed);
  wipe(committed);
  return commitment;
}
