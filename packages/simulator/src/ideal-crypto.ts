/**
 * Cryptography as an ideal: it keeps every equation that the protocol uses, in a microsecond instead of a hundred, and
 * hides nothing from who tries. No node of the simulator tries.
 */
import { type Crypto, concatBytes, equalBytes } from '@skerry/base';

const seeds = { hash: 1, sign: 2, edKey: 3, xKey: 4, agree: 5, stream: 6, tag: 7, derive: 8 } as const;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

function mix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/**
 * A digest of 32 bytes: four lanes by the rounds of MurmurHash3 (Austin Appleby), finished twice. Not for adversaries;
 * by chance no two of a simulation's billions meet, as 128 bits are between them.
 */
function digest(seed: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let [a, b, c, d] = [seed, seed ^ 0x9e3779b9, seed ^ 0x7f4a7c15, seed ^ 0x94d049bb];
  for (const part of parts) {
    const { length } = part;
    a ^= length;
    for (let i = 0; i < length; i += 4) {
      const word =
        part[i]! | ((part[i + 1] ?? 0) << 8) | ((part[i + 2] ?? 0) << 16) | ((part[i + 3] ?? 0) << 24);
      const mixed = Math.imul(rotate(Math.imul(word, 0x239b961b), 15), 0xab0e9789);
      const next = (Math.imul(rotate(a ^ mixed, 19) + b, 5) + 0x561ccd1b) | 0;
      // in turn: to take all four apart at once costs more than the arithmetic
      a = b;
      b = c;
      c = d;
      d = next;
    }
    const first = a;
    a = mix(a + b);
    b = mix(b + c);
    c = mix(c + d);
    d = mix(d + first);
  }
  const out = new Uint8Array(32);
  for (let i = 0; i < 8; i++) {
    const next = mix(a + Math.imul(i + 1, 0x9e3779b9) + b);
    a = b;
    b = c;
    c = d;
    d = next;
    out[4 * i] = d;
    out[4 * i + 1] = d >>> 8;
    out[4 * i + 2] = d >>> 16;
    out[4 * i + 3] = d >>> 24;
  }
  return out;
}

/** So many bytes that follow from the parts. */
function stretch(seed: number, length: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const first = digest(seed, ...parts);
  if (length <= 32) return first.slice(0, length);
  const words = new Int32Array(first.buffer);
  const out = new Uint8Array(length);
  out.set(first);
  for (let i = 32; i < length; i += 4) {
    const word = mix(words[(i >> 2) & 7]! + Math.imul(i, 0x9e3779b9));
    // what is past the end is dropped
    out[i] = word;
    out[i + 1] = word >>> 8;
    out[i + 2] = word >>> 16;
    out[i + 3] = word >>> 24;
  }
  return out;
}

function isLess(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}

function xor(text: Uint8Array, key: Uint8Array, aad: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = stretch(seeds.stream, text.length, key, aad);
  for (let i = 0; i < text.length; i++) out[i]! ^= text[i]!;
  return out;
}

function tagOf(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
  return digest(seeds.tag, key, sealed, aad).subarray(0, 16);
}

const xKeyOf = (seed: Uint8Array): Uint8Array<ArrayBuffer> => digest(seeds.xKey, seed);
const edKeyOf = (seed: Uint8Array): Uint8Array<ArrayBuffer> => digest(seeds.edKey, seed);

/** Cryptography that costs little and hides nothing. */
export const idealCrypto: Crypto = {
  sha256: data => digest(seeds.hash, data),
  hkdf: (ikm, salt, info, length) => stretch(seeds.derive, length, ikm, salt, info),
  ed25519PublicKey: edKeyOf,
  ed25519Sign: (seed, message) => stretch(seeds.sign, 64, edKeyOf(seed), message),
  ed25519Verify: (publicKey, message, signature) =>
    equalBytes(stretch(seeds.sign, 64, publicKey, message), signature),
  x25519PublicKey: xKeyOf,
  x25519: (seed, publicKey) => {
    const own = xKeyOf(seed);
    return isLess(own, publicKey) ? digest(seeds.agree, own, publicKey) : digest(seeds.agree, publicKey, own);
  },
  aeadSeal: (key, plaintext, aad) => {
    const sealed = xor(plaintext, key, aad);
    return concatBytes(sealed, tagOf(key, sealed, aad));
  },
  aeadOpen: (key, ciphertext, aad) => {
    const sealed = ciphertext.subarray(0, ciphertext.length - 16);
    if (!equalBytes(tagOf(key, sealed, aad), ciphertext.subarray(sealed.length))) return undefined;
    return xor(sealed, key, aad);
  },
};
