import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { concatBytes } from '@skerry/base';

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: the ids of RFC 9180 section 7, which travel. */
const suiteId = new Uint8Array([0x00, 0x20, 0x00, 0x01, 0x00, 0x02]);
const encBytes = 32;

/** Bytes that `hpkeSeal` adds to its plaintext: suite id, encapsulated key, tag. */
export const hpkeOverheadBytes = suiteId.length + encBytes + 16;

/**
 * Seals to a public key (RFC 9180, base mode, single shot).
 *
 * @param publicKey 32 bytes, X25519
 * @param info binds the context
 * @param plaintext stays the caller's
 * @returns suite id (6) || encapsulated key (32) || ciphertext and tag; or undefined for a key that X25519 refuses
 */
export async function hpkeSeal(
  publicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(exact(publicKey));
    const sealed = await suite.seal({ recipientPublicKey, info: exact(info) }, exact(plaintext));
    return concatBytes(suiteId, new Uint8Array(sealed.enc), new Uint8Array(sealed.ct));
  } catch {
    return undefined; // a low-order or malformed public key
  }
}

/**
 * Opens what `hpkeSeal` made.
 *
 * @param seed 32 bytes, the X25519 private key
 * @param info as at sealing
 * @param sealed from a peer: anything
 * @returns the plaintext, owned by the caller, or undefined where it does not open
 */
export async function hpkeOpen(
  seed: Uint8Array,
  info: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (sealed.length < hpkeOverheadBytes || suiteId.some((byte, i) => sealed[i] !== byte)) return undefined;
  try {
    const recipientKey = await suite.kem.deserializePrivateKey(exact(seed));
    const enc = exact(sealed.subarray(suiteId.length, suiteId.length + encBytes));
    const opened = await suite.open(
      { recipientKey, enc, info: exact(info) },
      exact(sealed.subarray(suiteId.length + encBytes)),
    );
    return new Uint8Array(opened);
  } catch {
    return undefined; // a wrong key, context or ciphertext: the caller names the error
  }
}

/** @hpke/core takes ArrayBuffers whole. */
function exact(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
