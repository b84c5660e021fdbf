/** Where time comes from. */
export type Clock = {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly nowMs: () => number;
};

/** Where randomness comes from. */
export type Random = {
  /**
   * @param length bytes wanted, 0 to 65,536
   * @returns fresh cryptographically strong random bytes, owned by the caller
   */
  readonly bytes: (length: number) => Uint8Array<ArrayBuffer>;
};

/** Where a line for the operator goes. Fields are primitives and never secret. */
export type Log = {
  readonly debug: (message: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;
  readonly info: (message: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;
  readonly warn: (message: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;
  readonly error: (message: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;
};

/**
 * The primitives that the protocol is built from, each by its RFC; the node gives them by node:crypto.
 * All are synchronous. Keys and secrets passed in stay the caller's; what is returned is the caller's.
 */
export type Crypto = {
  /** SHA-256 (FIPS 180-4): 32 bytes. */
  readonly sha256: (data: Uint8Array) => Uint8Array<ArrayBuffer>;
  /** HKDF-SHA256 (RFC 5869): `length` bytes, at most 8,160. */
  readonly hkdf: (
    ikm: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ) => Uint8Array<ArrayBuffer>;
  /** Ed25519 (RFC 8032): the 32-byte public key of a 32-byte seed. */
  readonly ed25519PublicKey: (seed: Uint8Array) => Uint8Array<ArrayBuffer>;
  /** Ed25519: a 64-byte signature under a 32-byte seed. */
  readonly ed25519Sign: (seed: Uint8Array, message: Uint8Array) => Uint8Array<ArrayBuffer>;
  /** Ed25519: whether the signature verifies; false for a malformed key or signature. */
  readonly ed25519Verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
  /** X25519 (RFC 7748): the 32-byte public key of a 32-byte seed. */
  readonly x25519PublicKey: (seed: Uint8Array) => Uint8Array<ArrayBuffer>;
  /** X25519: the 32-byte shared secret, or undefined where it would be all zero (a low-order point). */
  readonly x25519: (seed: Uint8Array, publicKey: Uint8Array) => Uint8Array<ArrayBuffer> | undefined;
  /**
   * AES-256-GCM (NIST SP 800-38D), the one AEAD: ciphertext || 16-byte tag. Each key seals one message only, so the nonce is zero.
   */
  readonly aeadSeal: (key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array) => Uint8Array<ArrayBuffer>;
  /** Its inverse, or undefined where the tag does not verify. */
  readonly aeadOpen: (
    key: Uint8Array,
    ciphertext: Uint8Array,
    aad: Uint8Array,
  ) => Uint8Array<ArrayBuffer> | undefined;
};
