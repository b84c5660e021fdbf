import { type Crypto, equalBytes, preimage, SkerryError, wipe } from '@skerry/base';
import { checkHolderPoint, checkPayloadLength, type Share } from './shares.ts';

/** What the key's description says about a point; public. */
export type Point = {
  /** 1 to 255. */
  readonly x: number;
  /** Verification key: Ed25519, 32 bytes. */
  readonly vk: Uint8Array;
  /** Mask key: X25519, 32 bytes. */
  readonly mk: Uint8Array;
};

/** The two key pairs that follow from a share. */
export type ShareKeys = {
  /** Ed25519 seed, 32 bytes: secret. */
  readonly signSeed: Uint8Array<ArrayBuffer>;
  /** Its public key. */
  readonly vk: Uint8Array<ArrayBuffer>;
  /** X25519 seed, 32 bytes: secret. */
  readonly maskSeed: Uint8Array<ArrayBuffer>;
  /** Its public key. */
  readonly mk: Uint8Array<ArrayBuffer>;
};

/** A share and the key and epoch it belongs to. */
export type ShareIdentity = {
  readonly share: Share;
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  readonly epoch: number;
  /** The bytes that the key's description says a share has. */
  readonly length: number;
};

const seedBytes = 32;

/**
 * The signing and mask keys of a share (docs/PROTOCOL.md, deal): HKDF(y, info = ["share-keys", keyId, epoch, x, L]).
 * They follow from the share alone, so that whoever erases the share has erased them, and stealing them is stealing
 * the share.
 *
 * @returns seeds and public keys, owned by the caller, who wipes the seeds
 * @throws FIELD_POINT_INVALID for a point outside 1 to 255
 * @throws SHARE_LENGTH_INVALID for a share of another length than `length`
 */
export function deriveShareKeys(crypto: Crypto, { share, keyId, epoch, length }: ShareIdentity): ShareKeys {
  checkHolderPoint(share.x);
  checkPayloadLength(length);
  if (share.y.length !== length) throw new SkerryError('SHARE_LENGTH_INVALID');
  const info = preimage('share-keys', keyId, epoch, share.x, length);
  const okm = crypto.hkdf(share.y, new Uint8Array(0), info, 2 * seedBytes);
  const signSeed = okm.slice(0, seedBytes);
  const maskSeed = okm.slice(seedBytes);
  wipe(okm);
  return {
    signSeed,
    vk: crypto.ed25519PublicKey(signSeed),
    maskSeed,
    mk: crypto.x25519PublicKey(maskSeed),
  };
}

/**
 * The keys of a share that is what the key's description names: what a holder checks at deposit and before every
 * contribution, and a recipient of a recovered share.
 *
 * @param point as in the key's description
 * @returns as `deriveShareKeys`
 * @throws SHARE_MISMATCH where the point, vk or mk differs; the seeds are wiped
 * @throws FIELD_POINT_INVALID and SHARE_LENGTH_INVALID as `deriveShareKeys`
 */
export function matchShare(crypto: Crypto, identity: ShareIdentity, point: Point): ShareKeys {
  const keys = deriveShareKeys(crypto, identity);
  if (identity.share.x !== point.x || !equalBytes(keys.vk, point.vk) || !equalBytes(keys.mk, point.mk)) {
    wipe(keys.signSeed, keys.maskSeed);
    throw new SkerryError('SHARE_MISMATCH', '', { x: point.x });
  }
  return keys;
}

/** What an auditor asks and a holder answers about one share. */
export type Possession = {
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  readonly epoch: number;
  /** 1 to 255. */
  readonly x: number;
  /** The auditor's own fresh 32 bytes. */
  readonly nonce: Uint8Array;
};

function possessionPreimage({ keyId, epoch, x, nonce }: Possession): Uint8Array {
  return preimage('possession', keyId, epoch, x, nonce);
}

/**
 * Proves that the signer has the share: a signature under its vk over ["possession", keyId, epoch, x, nonce].
 *
 * @param signSeed from `deriveShareKeys`; stays the caller's
 * @returns 64 bytes
 */
export function provePossession(crypto: Crypto, signSeed: Uint8Array, possession: Possession): Uint8Array {
  return crypto.ed25519Sign(signSeed, possessionPreimage(possession));
}

/**
 * Whether a proof of possession is one, for this key, epoch, point and nonce.
 *
 * @param vk the point's verification key, from the key's description
 * @param signature from the holder: anything
 */
export function verifyPossession(
  crypto: Crypto,
  vk: Uint8Array,
  possession: Possession,
  signature: Uint8Array,
): boolean {
  return crypto.ed25519Verify(vk, possessionPreimage(possession), signature);
}
