import { concatBytes } from '@skerry/base';
import { CipherSuite } from 'hpke';
import { aes256Gcm, dhkemX25519, hkdfSha256, privateSuiteKey } from './hpke-suite.ts';
import { keyBytes, tagBytes } from './primitives.ts';

const suite = new CipherSuite(dhkemX25519, hkdfSha256, aes256Gcm);

/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: the ids of RFC 9180 section 7, which travel. */
const suiteId = new Uint8Array([0x00, 0x20, 0x00, 0x01, 0x00, 0x02]);

/** Bytes that `hpkeSeal` adds to its plaintext: suite id, encapsulated key, tag. */
export const hpkeOverheadBytes = suiteId.length + keyBytes + tagBytes;

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
    const recipient = await suite.DeserializePublicKey(publicKey);
    const { encapsulatedSecret, ciphertext } = await suite.Seal(recipient, plaintext, { info });
    return concatBytes(suiteId, encapsulatedSecret, ciphertext);
  } catch {
    return undefined; // a low-order or malformed public key
  }
}

/** Who opens what was sealed to a key. Its copy of the private key ends with it. */
export type HpkeRecipient = {
  /** 32 bytes, X25519. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /**
   * Opens what `hpkeSeal` made.
   *
   * @param info as at sealing
   * @param sealed from a peer: anything
   * @returns the plaintext, owned by the caller, or undefined where it does not open
   */
  readonly open: (info: Uint8Array, sealed: Uint8Array) => Promise<Uint8Array<ArrayBuffer> | undefined>;
};

/**
 * The recipient whose private key a seed is. What comes again and again to one key has it prepared once.
 *
 * @param seed 32 bytes, stays the caller's
 */
export function hpkeRecipient(seed: Uint8Array): HpkeRecipient {
  const key = privateSuiteKey(seed);
  return {
    publicKey: key.raw,
    open: async (info, sealed) => {
      if (sealed.length < hpkeOverheadBytes || suiteId.some((byte, i) => sealed[i] !== byte))
        return undefined;
      try {
        const enc = sealed.subarray(suiteId.length, suiteId.length + keyBytes);
        const ciphertext = sealed.subarray(suiteId.length + keyBytes);
        return new Uint8Array(await suite.Open(key, enc, ciphertext, { info }));
      } catch {
        return undefined; // a wrong key, context or ciphertext: the caller names the error
      }
    },
  };
}
