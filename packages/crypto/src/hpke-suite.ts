import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { assert, concatBytes, wipe } from '@skerry/base';
import { type AEAD, type KDF, type KEM, type Key, LabeledExpand, LabeledExtract } from 'hpke';
import { agree, keyBytes, rawPublicKey, tagBytes, x25519PrivateKey } from './primitives.ts';

/*
 * What the library `hpke` takes from outside, by node:crypto: a KEM, a KDF and an AEAD. Its own go through WebCrypto,
 * which costs a millisecond and more for each message where these take a third (ADR 9). Byte strings that the library
 * hands over are of the lengths that each part names here; it checks them.
 */

/** Either half of a pair: what the library asks of one, and what this suite does. */
type SuiteKey = Key & { readonly raw: Uint8Array<ArrayBuffer>; readonly secret?: KeyObject };

const none = new Uint8Array(0);
const hashBytes = 32;

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

function unused(): never {
  assert(false, 'Skerry makes, stores and exports no HPKE keys through the suite');
}

/** HKDF-SHA256 (RFC 5869), as RFC 9180 section 7.2 wants it: no output here takes a second block. */
export function hkdfSha256(): KDF {
  return {
    id: 0x0001,
    type: 'KDF',
    name: 'HKDF-SHA256',
    Nh: hashBytes,
    stages: 2,
    Extract: async (salt, ikm) => hmac(salt, ikm),
    Expand: async (prk, info, length) => {
      assert(length <= hashBytes, 'one block is enough');
      return hmac(prk, info, new Uint8Array([1])).slice(0, length);
    },
    Derive: unused,
  };
}

/** AES-256-GCM (NIST SP 800-38D). Messages here are far below its limit of 2^36 bytes. */
export function aes256Gcm(): AEAD {
  const options = { authTagLength: tagBytes };
  return {
    id: 0x0002,
    type: 'AEAD',
    name: 'AES-256-GCM',
    Nk: keyBytes,
    Nn: 12,
    Nt: tagBytes,
    Seal: async (key, nonce, aad, plaintext) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonce, options).setAAD(aad);
      return concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
    },
    Open: async (key, nonce, aad, ciphertext) => {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, options).setAAD(aad);
      decipher.setAuthTag(ciphertext.subarray(-tagBytes));
      const opened = decipher.update(ciphertext.subarray(0, -tagBytes));
      try {
        decipher.final();
        return new Uint8Array(opened);
      } finally {
        wipe(opened);
      }
    },
  };
}

function suiteKey(type: 'private' | 'public', raw: Uint8Array<ArrayBuffer>, secret?: KeyObject): SuiteKey {
  const key = { algorithm: { name: 'X25519' }, extractable: false, type, raw };
  return secret === undefined ? key : { ...key, secret };
}

/** A private key, which knows its public half. */
export function privateSuiteKey(seed: Uint8Array): SuiteKey {
  const secret = x25519PrivateKey(seed);
  return suiteKey('private', rawPublicKey(secret), secret);
}

/** ExtractAndExpand (RFC 9180 section 4.1); `agreed` is wiped. @throws where the two keys agree on nothing */
async function sharedSecret(
  agreed: Uint8Array | undefined,
  enc: Uint8Array,
  recipientKey: Uint8Array,
): Promise<Uint8Array> {
  if (agreed === undefined) throw new Error('a key of low order');
  const suiteId = new Uint8Array([...Buffer.from('KEM'), 0x00, 0x20]);
  const ascii = (label: string): Uint8Array => new TextEncoder().encode(label);
  const extracted = await LabeledExtract(hkdf, suiteId, none, ascii('eae_prk'), agreed);
  const context = concatBytes(enc, recipientKey);
  const shared = await LabeledExpand(hkdf, suiteId, extracted, ascii('shared_secret'), context, hashBytes);
  wipe(agreed, extracted);
  return shared;
}

const hkdf = hkdfSha256();

/** DHKEM(X25519, HKDF-SHA256) (RFC 9180 section 4.1). Its private keys come from `privateSuiteKey`. */
export function dhkemX25519(): KEM<SuiteKey> {
  return {
    id: 0x0020,
    type: 'KEM',
    name: 'DHKEM(X25519, HKDF-SHA256)',
    Nsecret: hashBytes,
    Nenc: keyBytes,
    Npk: keyBytes,
    Nsk: keyBytes,
    DeriveKeyPair: unused,
    GenerateKeyPair: unused,
    SerializePublicKey: unused,
    SerializePrivateKey: unused,
    DeserializePublicKey: async raw => suiteKey('public', new Uint8Array(raw)),
    DeserializePrivateKey: unused,
    Encap: async recipient => {
      const { privateKey } = generateKeyPairSync('x25519');
      const enc = rawPublicKey(privateKey);
      return { shared_secret: await sharedSecret(agree(privateKey, recipient.raw), enc, recipient.raw), enc };
    },
    Decap: async (enc, { raw, secret }) => {
      assert(secret !== undefined, 'opened with a private key');
      return sharedSecret(agree(secret, enc), enc, raw);
    },
  };
}
