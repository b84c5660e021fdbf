/**
 * Bytes of r, the random tail of every payload: 256 bits, so that neither t - 1 shares with a public commitment, nor a
 * quantum search, brute-forces a short key (docs/PROTOCOL.md, deal). Range 16 to 32.
 */
export const blindingBytes = 32;

/**
 * Bytes of key that are shared as they are; longer keys are boxed under a random key of `boxKeyBytes`, so that shares
 * and rounds stay small. 64 holds every symmetric key in use. Range 32 to 128.
 */
export const plainKeyBytesMax = 64;

/** Bytes of the key that opens a box: what the one AEAD, AES-256-GCM, takes. */
export const boxKeyBytes = 32;

/** Bytes of key material that one key may have: an RSA-16384 key in PEM is 13 KiB. Range 4,096 to 65,536. */
export const keyBytesMax = 65_536;

/** The shortest payload, and so the shortest share: one byte of key and r. */
export const payloadBytesMin = 1 + blindingBytes;

/** The longest payload, and so the longest share. */
export const payloadBytesMax = plainKeyBytesMax + blindingBytes;
