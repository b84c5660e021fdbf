import { assert, equalBytes, SkerryError, wipe } from '@skerry/base';
import { split } from 'shamir-secret-sharing';
import { payloadBytesMax, payloadBytesMin } from '../parameters.ts';
import { addScaledInto, lagrangeCoefficient } from './field.ts';

/** One share of a payload: the polynomials' values at a point. */
export type Share = {
  /** The point, 1 to 255; public. */
  readonly x: number;
  /** The values, as many bytes as the payload has; secret, wiped by its owner. */
  readonly y: Uint8Array;
};

/**
 * Throws unless a payload, share or contribution has a length that payloads have.
 *
 * @param length bytes
 * @throws SHARE_LENGTH_INVALID
 */
export function checkPayloadLength(length: number): void {
  if (length < payloadBytesMin || length > payloadBytesMax) {
    throw new SkerryError('SHARE_LENGTH_INVALID', '', { length, payloadBytesMin, payloadBytesMax });
  }
}

/**
 * Throws unless a number is a holder's point.
 *
 * @param x anything from a caller
 * @throws FIELD_POINT_INVALID outside 1 to 255
 */
export function checkHolderPoint(x: number): void {
  if (!Number.isInteger(x) || x < 1 || x > 255) {
    throw new SkerryError('FIELD_POINT_INVALID', `${x} is not a holder's point, 1 to 255`, { x });
  }
}

/**
 * Splits a payload so that any `t` shares give it and `t - 1` say nothing about it (Shamir 1979), with the audited
 * `split` of shamir-secret-sharing 0.0.4 and its own randomness. Points are random and distinct: an index says
 * nothing about a point. Before it returns, the payload and every further share have been interpolated from the first
 * `t` by this package's own arithmetic, so that a faulty split never leaves the dealer.
 *
 * @param payload 33 to 96 bytes as `packKey` makes it, r included; stays the caller's
 * @param k shares to make, `t` to 255
 * @param t threshold, 2 to `k`
 * @returns `k` shares in the library's order, owned by the caller
 * @throws SHARE_COUNTS_INVALID unless 2 <= t <= k <= 255
 * @throws SHARE_LENGTH_INVALID for a payload of another length
 */
export async function splitPayload(payload: Uint8Array, k: number, t: number): Promise<Share[]> {
  if (!Number.isInteger(t) || !Number.isInteger(k) || t < 2 || k < t || k > 255) {
    throw new SkerryError('SHARE_COUNTS_INVALID', '', { t, k });
  }
  checkPayloadLength(payload.length);
  const copy = new Uint8Array(payload); // the library refuses subclasses of Uint8Array, such as Buffer
  const rows = await split(copy, k, t);
  wipe(copy);
  const shares = rows.map(row => ({ x: row[payload.length]!, y: row.slice(0, payload.length) }));
  wipe(...rows);
  checkShares(shares, payload, k, t);
  return shares;
}

/** Asserts that a split is one polynomial's, of degree under `t`, with the payload at 0. */
function checkShares(shares: readonly Share[], payload: Uint8Array, k: number, t: number): void {
  const points = new Set(shares.map(share => share.x));
  assert(
    shares.length === k && points.size === k && !points.has(0),
    'a split has k distinct points, 1 to 255',
  );
  const first = shares.slice(0, t);
  for (const { x, y } of [{ x: 0, y: payload }, ...shares.slice(t)]) {
    const value = interpolate(first, x);
    assert(equalBytes(value, y), 'the first t shares give the payload and every other share');
    wipe(value);
  }
}

/**
 * The value at `x` of the polynomials of degree under `shares.length` through all the shares: the payload at 0, a
 * further share at another point. With fewer shares than the threshold, or a wrong one among them, the result is
 * wrong and nothing here can tell: compare it with a commitment or a verification key.
 *
 * @param shares at distinct points and of one length; stay the caller's
 * @param x 0 to 255
 * @returns bytes owned by the caller
 * @throws FIELD_POINT_INVALID for a point outside 1 to 255 or a repeated one
 * @throws SHARE_LENGTH_INVALID for shares of different or impossible lengths
 */
export function interpolate(shares: readonly Share[], x: number): Uint8Array<ArrayBuffer> {
  const points = shares.map(share => share.x);
  for (const point of points) checkHolderPoint(point);
  if (new Set(points).size !== points.length) {
    throw new SkerryError('FIELD_POINT_INVALID', 'a point is repeated');
  }
  const length = shares[0]?.y.length ?? 0;
  checkPayloadLength(length);
  const value = new Uint8Array(length);
  for (const [i, { y }] of shares.entries()) {
    if (y.length !== length) throw new SkerryError('SHARE_LENGTH_INVALID');
    addScaledInto(value, y, lagrangeCoefficient(points, i, x));
  }
  return value;
}
