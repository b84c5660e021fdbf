import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { assert, type Clock, type Crypto, type Random } from '@skerry/base';

/** Bytes of a key of any kind here. */
export const keyBytes = 32;

/** Bytes of an AES-GCM tag. */
export const tagBytes = 16;

const nonce = new Uint8Array(12);

/** DER prefixes that turn 32 raw bytes into the structures of RFC 8410. */
const prefixes = {
  ed25519Private: Buffer.from('302e020100300506032b657004220420', 'hex'),
  ed25519Public: Buffer.from('302a300506032b6570032100', 'hex'),
  x25519Private: Buffer.from('302e020100300506032b656e04220420', 'hex'),
  x25519Public: Buffer.from('302a300506032b656e032100', 'hex'),
};

function privateKey(prefix: Buffer, seed: Uint8Array): KeyObject {
  assert(seed.length === keyBytes, 'a private key is 32 bytes');
  const der = Buffer.concat([prefix, seed]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

function publicKey(prefix: Buffer, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' });
}

/**
 * The 32 bytes of a private key's public half. By way of JWK, which takes a tenth of the time that SPKI does.
 */
export function rawPublicKey(key: KeyObject): Uint8Array<ArrayBuffer> {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  assert(x !== undefined, 'keys of RFC 8037 have an x');
  return new Uint8Array(Buffer.from(x, 'base64url'));
}

function ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== keyBytes || signature.length !== 2 * keyBytes) return false;
  try {
    return verify(null, message, publicKey(prefixes.ed25519Public, key), signature);
  } catch {
    return false; // not a point on the curve
  }
}

/** The X25519 private key of a 32-byte seed. */
export function x25519PrivateKey(seed: Uint8Array): KeyObject {
  return privateKey(prefixes.x25519Private, seed);
}

/**
 * X25519 (RFC 7748): the shared secret, owned by the caller; undefined for what is no public key, and where the secret
 * would be all zero, as with a point of low order.
 */
export function agree(mine: KeyObject, theirs: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (theirs.length !== keyBytes) return undefined;
  let secret: Uint8Array<ArrayBuffer>;
  try {
    const theirKey = publicKey(prefixes.x25519Public, theirs);
    secret = new Uint8Array(diffieHellman({ privateKey: mine, publicKey: theirKey }));
  } catch {
    return undefined; // OpenSSL refuses low-order points itself
  }
  return secret.every(byte => byte === 0) ? undefined : secret;
}

function aeadSeal(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array<ArrayBuffer> {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(aad);
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

function aeadOpen(
  key: Uint8Array,
  ciphertext: Uint8Array,
  aad: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  if (ciphertext.length < tagBytes) return undefined;
  const body = ciphertext.subarray(0, -tagBytes);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    .setAAD(aad)
    .setAuthTag(ciphertext.subarray(-tagBytes));
  const opened = decipher.update(body);
  try {
    decipher.final();
  } catch {
    opened.fill(0);
    return undefined;
  }
  return new Uint8Array(opened);
}

/** The protocol's primitives by node:crypto. */
export const nodeCrypto: Crypto = {
  sha256: data => new Uint8Array(createHash('sha256').update(data).digest()),
  hkdf: (ikm, salt, info, length) => new Uint8Array(hkdfSync('sha256', ikm, salt, info, length)),
  ed25519PublicKey: seed => rawPublicKey(privateKey(prefixes.ed25519Private, seed)),
  ed25519Sign: (seed, message) =>
    new Uint8Array(sign(null, message, privateKey(prefixes.ed25519Private, seed))),
  ed25519Verify,
  x25519PublicKey: seed => rawPublicKey(x25519PrivateKey(seed)),
  x25519: (seed, key) => agree(x25519PrivateKey(seed), key),
  aeadSeal,
  aeadOpen,
};

/** Randomness from the operating system. */
export const nodeRandom: Random = { bytes: length => new Uint8Array(randomBytes(length)) };

/** The machine's wall clock. */
export const nodeClock: Clock = { nowMs: () => Date.now() };
