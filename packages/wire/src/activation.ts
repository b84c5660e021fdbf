import { type Crypto, equalBytes, preimage, SkerryError } from '@skerry/base';
import { sharesMax } from '../parameters.ts';
import type { Core, Point } from './core.ts';
import { bytes, integer, list, type TypeOf, tuple } from './shapes.ts';

/** A holder's receipt for one share: signed by its node key and by the share's own verification key. */
export const receiptShape = tuple({
  x: integer(1, sharesMax),
  nodeSignature: bytes(64),
  shareSignature: bytes(64),
});
/** See `receiptShape`. */
export type Receipt = TypeOf<typeof receiptShape>;

/** The dealer's word that enough shares are safely deposited, with the receipts that prove it. */
export const activationShape = tuple({
  coreHash: bytes(32),
  receipts: list(receiptShape, 2, sharesMax),
  signature: bytes(64),
});
/** See `activationShape`. */
export type Activation = TypeOf<typeof activationShape>;

/**
 * What a receipt signs.
 *
 * @param coreHash 32 bytes
 * @param x the point
 * @param nodeKey the holder
 */
export function receiptPreimage(coreHash: Uint8Array, x: number, nodeKey: Uint8Array): Uint8Array {
  return preimage('receipt', coreHash, x, nodeKey);
}

/** What an activation signs: the core and every receipt. */
export function activationPreimage(coreHash: Uint8Array, receipts: readonly Receipt[]): Uint8Array {
  return preimage('activate', coreHash, list(receiptShape, 0, sharesMax).pack([...receipts]));
}

/**
 * Whether a receipt proves that the core's holder of its point has the share.
 *
 * @param receipt from a peer
 */
export function verifyReceipt(crypto: Crypto, core: Core, coreHash: Uint8Array, receipt: Receipt): boolean {
  const holder = core.holders.find(({ x }) => x === receipt.x);
  const point: Point | undefined = core.points.find(({ x }) => x === receipt.x);
  if (!holder || !point) return false;
  const signed = receiptPreimage(coreHash, receipt.x, holder.nodeKey);
  return (
    crypto.ed25519Verify(holder.nodeKey, signed, receipt.nodeSignature) &&
    crypto.ed25519Verify(point.vk, signed, receipt.shareSignature)
  );
}

/** Receipts without which a key may not be activated: the n primaries' worth, and t even after R moves. */
export function receiptsNeeded(core: Pick<Core, 't' | 'n' | 'repairBudget'>): number {
  return Math.max(core.n, core.t + core.repairBudget);
}

/**
 * Holds that an activation is its dealer's and carries enough true receipts of distinct points.
 *
 * @throws ACTIVATION_INVALID otherwise
 */
export function checkActivation(
  crypto: Crypto,
  core: Core,
  coreHash: Uint8Array,
  activation: Activation,
): void {
  const { receipts } = activation;
  const ascending = receipts.every((receipt, i) => i === 0 || receipt.x > receipts[i - 1]!.x);
  const valid =
    equalBytes(activation.coreHash, coreHash) &&
    ascending &&
    receipts.length >= receiptsNeeded(core) &&
    crypto.ed25519Verify(core.dealer, activationPreimage(coreHash, receipts), activation.signature) &&
    receipts.every(receipt => verifyReceipt(crypto, core, coreHash, receipt));
  if (!valid)
    throw new SkerryError('ACTIVATION_INVALID', 'an activation lacks receipts or one of them is false');
}
