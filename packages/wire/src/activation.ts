import { type Crypto, equalBytes, preimage, SkerryError } from '@skerry/base';
import { sharesMax } from '../parameters.ts';
import { type Core, xShape } from './core.ts';
import { ascends } from './order.ts';
import { bytes, list, type TypeOf, tuple } from './shapes.ts';
import { createVerdicts } from './verdicts.ts';

/** A holder's receipt for one share: signed by its node key and by the share's own verification key. */
export const receiptShape = tuple({
  x: xShape,
  nodeSignature: bytes(64),
  shareSignature: bytes(64),
});
/** A decoded receipt; `verifyReceipt` says whether it is true. */
export type Receipt = TypeOf<typeof receiptShape>;

const receiptsShape = list(receiptShape, 2, sharesMax);

/** The dealer's word that enough shares are safely deposited, with the receipts that prove it. */
export const activationShape = tuple({
  coreHash: bytes(32),
  receipts: receiptsShape,
  signature: bytes(64),
});
/** A decoded activation; `checkActivation` says whether it is true. */
export type Activation = TypeOf<typeof activationShape>;

/**
 * What a receipt signs, twice: with the node key and with the share's verification key.
 *
 * @param coreHash 32 bytes
 * @param x the point
 * @param nodeKey the holder, 32 bytes
 */
export function receiptPreimage(coreHash: Uint8Array, x: number, nodeKey: Uint8Array): Uint8Array {
  return preimage('receipt', coreHash, x, nodeKey);
}

/**
 * What an activation signs: the core and every receipt.
 *
 * @param coreHash 32 bytes
 * @param receipts ascending by x
 */
export function activationPreimage(coreHash: Uint8Array, receipts: readonly Receipt[]): Uint8Array {
  return preimage('activate', coreHash, receiptsShape.pack([...receipts]));
}

/**
 * Whether a receipt proves that the core's holder of its point has the share.
 *
 * @param core one that keeps the rules
 * @param coreHash of that core, 32 bytes
 * @param receipt from a peer
 */
export function verifyReceipt(crypto: Crypto, core: Core, coreHash: Uint8Array, receipt: Receipt): boolean {
  const holder = core.holders.find(({ x }) => x === receipt.x);
  const point = core.points.find(({ x }) => x === receipt.x);
  if (!holder || !point) return false;
  const signed = receiptPreimage(coreHash, receipt.x, holder.nodeKey);
  return (
    crypto.ed25519Verify(holder.nodeKey, signed, receipt.nodeSignature) &&
    crypto.ed25519Verify(point.vk, signed, receipt.shareSignature)
  );
}

/**
 * How many receipts a key needs to be activated: the n primaries' worth, and t even after R moves
 * (docs/PROTOCOL.md, deposit).
 *
 * @param core of the key
 */
export function receiptsNeeded(core: Pick<Core, 't' | 'n' | 'repairBudget'>): number {
  return Math.max(core.n, core.t + core.repairBudget);
}

const trueActivations = createVerdicts();

/**
 * Holds that an activation is its dealer's and carries enough true receipts of distinct points. The dealer's
 * signature comes first, so that a stranger's list of 255 receipts costs one verification and not 510.
 *
 * @param core one that keeps the rules
 * @param coreHash of that core, 32 bytes
 * @param activation from a peer
 * @throws ACTIVATION_INVALID otherwise
 */
export function checkActivation(
  crypto: Crypto,
  core: Core,
  coreHash: Uint8Array,
  activation: Activation,
): void {
  const { receipts } = activation;
  trueActivations.once(crypto, activation, core, () => {
    const valid =
      equalBytes(activation.coreHash, coreHash) &&
      ascends(receipts.map(({ x }) => x)) &&
      receipts.length >= receiptsNeeded(core) &&
      crypto.ed25519Verify(core.dealer, activationPreimage(coreHash, receipts), activation.signature) &&
      receipts.every(receipt => verifyReceipt(crypto, core, coreHash, receipt));
    if (!valid)
      throw new SkerryError('ACTIVATION_INVALID', 'an activation lacks receipts or one of them is false');
  });
}
