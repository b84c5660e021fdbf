/**
 * Every limit on the wire, in one place. Each is part of the protocol and has no range: peers must agree on what is
 * too much, so a change is a new version. The shapes in `src` use them, and with them bound every encoding.
 */

/** Shares of one key, at most: x is one nonzero byte (GF(2^8) has 255 of them). */
export const sharesMax = 255;

/** Bytes of key material, at most: what a key service would wrap; larger data is encrypted under a key. */
export const keyMaterialBytesMax = 65_536;

/** Bytes of a payload M || r, at least: one of key and 32 random. */
export const payloadBytesMin = 33;

/** Bytes of a payload, at most: 64 of key and 32 random. */
export const payloadBytesMax = 96;

/** Bytes of the payload of a boxed key: the box's own 32-byte key and 32 random. */
export const boxedPayloadBytes = 64;

/** Bytes of key material that is boxed, at least: up to 64 go into the payload itself. */
export const boxedKeyBytesMin = 65;

/** Authority keys of one key, at most: a board of owners; each costs a verification. */
export const authorityKeysMax = 16;

/** Standbys that a core may name, at most: four times a large repair budget. */
export const standbyMax = 32;

/** Points that may move in one epoch without the owner, at most. */
export const repairBudgetMax = 8;

/** Milliseconds between announcement and answer that a policy may ask for, at most: 30 days. */
export const delayMsMax = 2_592_000_000;

/** Amendments of one core, at most: twice as many as it has points. After that it is time for a new epoch. */
export const amendmentsMax = 510;

/**
 * Bytes of a manifest record in the DHT, at most: 140 kB for a core of 255 points with its activation, and 510
 * amendments of one owner, or fewer where many owners or voters sign each.
 */
export const manifestBytesMax = 524_288;

/** Bytes of a share record in the DHT, at most: 255 points of 38 bytes, a ciphertext, 16 keys and signatures. */
export const shareRecordBytesMax = 16_384;

/** Bytes of a revocation, at most: 16 keys, 16 signatures and a grant's id. */
export const revocationBytesMax = 2048;

/**
 * Bytes of a directory entry, at most: 4,096 for eight addresses and a place, 1,602 for what the node observed. A page
 * of `directoryPageMax` such entries fits into one message.
 */
export const nodeRecordBytesMax = 5760;

/** Nodes that a directory entry says something about, at most: 50 bytes each; who saw more takes turns. */
export const observationsMax = 32;

/** Outcomes of one kind that an observation counts, at most, in hundredths: 655 of them, far over what decay leaves. */
export const observedHundredthsMax = 65_535;

/** Round trip that an observation names, at most, in tenths of a ms: 6.5 s, longer than any that says something. */
export const roundTripTenthsMsMax = 65_535;

/** Addresses in a directory entry, at most: libp2p dials no more than 25 of one peer, and few nodes have four. */
export const addressesMax = 8;

/** Characters of an address in a directory entry, at most: a relayed multiaddr with two peer ids has about 200. */
export const addressLengthMax = 256;

/** Bytes of one custody message, at most: a page of a directory, or a deposit with its whole core. */
export const messageBytesMax = 589_824;

/** Bytes of a grant, at most: 16 signatures in base64url with their headers, and the claims. */
export const grantBytesMax = 16_384;

/** Uses that a grant may have, at most; one without a count has no number at all. */
export const grantUsesMax = 1_000_000;

/** Directory entries in one answer to a late joiner, at most; several answers follow each other. */
export const directoryPageMax = 100;

/** Entries that a directory may claim to have, at most: far over what a node keeps. */
export const directoryTotalMax = 1_000_000;
