/**
 * Every limit on the wire, in one place. A limit is part of the protocol: raising one is a new version.
 */

/** Shares of one key, at most: x is one nonzero byte. */
export const sharesMax = 255;

/** Bytes of key material, at most: what a KMS would wrap; larger data is encrypted under a key. */
export const keyMaterialBytesMax = 65_536;

/** Bytes of a payload M || r, at most: 64 of key and 32 random. */
export const payloadBytesMax = 96;

/** Bytes of a payload, at least: one of key and 32 random. */
export const payloadBytesMin = 33;

/** Authority keys of one key, at most. */
export const authorityKeysMax = 16;

/** Bytes of a manifest record in the DHT, at most: 255 points of 96 bytes, as many holders and receipts, and a 64 KiB box. */
export const manifestBytesMax = 524_288;

/** Bytes of a share record in the DHT, at most: 255 points of 34 bytes, a ciphertext and signatures. */
export const shareRecordBytesMax = 16_384;

/** Bytes of a directory entry, at most: eight addresses and a place. */
export const nodeRecordBytesMax = 4096;

/** Bytes of one custody message, at most: a deposit carries a whole core. */
export const messageBytesMax = 524_288 + 65_536;

/** Addresses in a directory entry, at most. */
export const addressesMax = 8;

/** Bytes of a grant, at most: 16 signatures and its labels. */
export const grantBytesMax = 16_384;

/** Directory entries in one answer to a late joiner, at most; several answers follow each other. */
export const directoryPageMax = 100;
