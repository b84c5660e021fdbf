import { type Crypto, concatBytes, type Random } from '@skerry/base';
import { interpolate, type Share } from '@skerry/sharing';

/**
 * Seals to a key, as HPKE does in the node: to an ephemeral key's agreement with it.
 *
 * @param crypto a node's, or an ideal
 * @param random for the ephemeral key
 * @param publicKey of who is to open it, 32 bytes
 * @param info what it is bound to
 * @returns undefined for a low-order key
 */
export function sealTo(
  crypto: Crypto,
  random: Random,
  publicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array | undefined {
  const seed = random.bytes(32);
  const ephemeral = crypto.x25519PublicKey(seed);
  const shared = crypto.x25519(seed, publicKey);
  if (!shared) return undefined;
  const key = crypto.hkdf(shared, ephemeral, info, 32);
  return concatBytes(ephemeral, crypto.aeadSeal(key, plaintext, info));
}

/** Opens what was sealed to a seed's key; undefined where it was not. */
export function openWith(
  crypto: Crypto,
  seed: Uint8Array,
  info: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const ephemeral = sealed.slice(0, 32);
  const shared = crypto.x25519(seed, ephemeral);
  if (!shared) return undefined;
  return crypto.aeadOpen(crypto.hkdf(shared, ephemeral, info, 32), sealed.slice(32), info);
}

/**
 * Splits a payload by chance that a seed decides, which the library's split has none of: t shares at random, all moved
 * by the constant that makes the value at 0 the payload, and the rest of them interpolated.
 *
 * @param random decides the shares
 * @returns k shares, owned by the caller
 */
export function seededSplit(random: Random, payload: Uint8Array, k: number, t: number): Share[] {
  const points = new Set<number>();
  while (points.size < k) for (const x of random.bytes(k)) if (x > 0 && points.size < k) points.add(x);
  const xs = [...points];
  const first = xs.slice(0, t).map(x => ({ x, y: random.bytes(payload.length) }));
  const wrong = interpolate(first, 0);
  for (const { y } of first) for (let i = 0; i < y.length; i++) y[i]! ^= payload[i]! ^ wrong[i]!;
  return [...first, ...xs.slice(t).map(x => ({ x, y: interpolate(first, x) }))];
}
