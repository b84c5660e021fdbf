import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  type Activation,
  activationPreimage,
  checkActivation,
  coreHashOf,
  type Receipt,
  receiptsNeeded,
  verifyReceipt,
} from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { activationOf, dealKey, receiptFor, withCore } from './keys.ts';
import { codeOf, flipped } from './refusal.ts';

const key = dealKey();
const { core } = key;
const coreHash = coreHashOf(crypto, core);
const receipts = core.points.map(({ x }) => receiptFor(key, x)) as [Receipt, Receipt, Receipt, Receipt];
const [first, second, third, fourth] = receipts;

function check(activation: Activation): void {
  checkActivation(crypto, core, coreHash, activation);
}

describe('an activation', () => {
  test('is accepted with every receipt, and with as many as are needed', () => {
    expect(() => check(activationOf(key))).not.toThrow();
    expect(() => check(activationOf(key, [first, third, fourth]))).not.toThrow();
  });

  const other = withCore(key, { createdAtMs: core.createdAtMs + 1 });
  const stranger = dealKey({ label: 'stranger' });
  const foreign = { ...receiptFor(stranger, 90), x: 90 };
  test.each<[string, Receipt[]]>([
    ['too few receipts', [first, second]],
    ['a receipt twice', [first, second, second]],
    ['a receipt twice beside enough others', [first, second, second, third]],
    ['receipts out of order', [second, first, third]],
    [
      'a receipt that only the node signed',
      [first, second, { ...third, shareSignature: third.nodeSignature }],
    ],
    [
      'a receipt that only the share signed',
      [first, second, { ...third, nodeSignature: third.shareSignature }],
    ],
    ['a receipt of strangers for a point of the key', [first, second, foreign]],
    ['a receipt for another core of the key', [first, second, receiptFor(other, 90)]],
    ['a receipt under the name of another point', [first, second, { ...fourth, x: 90 }]],
    ['a receipt for a point that is none', [first, second, third, { ...fourth, x: 201 }]],
    [
      'one false receipt beside enough true ones',
      [first, second, third, { ...fourth, nodeSignature: flipped(fourth.nodeSignature) }],
    ],
  ])('is refused with %s', (_, list) => {
    expect(codeOf(() => check(activationOf(key, list)))).toBe('ACTIVATION_INVALID');
  });

  test('is refused where another than the dealer signed it', () => {
    const false1 = activationOf({ ...key, dealer: key.nodes.get(3)! });
    const false2 = activationOf({ ...key, dealer: key.owners[0]! });
    for (const activation of [false1, false2])
      expect(codeOf(() => check(activation))).toBe('ACTIVATION_INVALID');
  });

  test('is refused where receipts were taken out or put in after the dealer signed', () => {
    const activation = activationOf(key);
    expect(codeOf(() => check({ ...activation, receipts: [first, second, third] }))).toBe(
      'ACTIVATION_INVALID',
    );
    const fewer = activationOf(key, [first, second, third]);
    expect(codeOf(() => check({ ...fewer, receipts }))).toBe('ACTIVATION_INVALID');
  });

  test('is refused where it is for another core', () => {
    expect(codeOf(() => check(activationOf(other)))).toBe('ACTIVATION_INVALID');
    expect(codeOf(() => check({ ...activationOf(key), coreHash: coreHashOf(crypto, other.core) }))).toBe(
      'ACTIVATION_INVALID',
    );
  });

  test('is signed in no way that a receipt or another list would pass for it', () => {
    expect(activationPreimage(coreHash, [first, second])).not.toEqual(
      activationPreimage(coreHash, [first, third]),
    );
    expect(activationPreimage(coreHash, [first, second])).not.toEqual(
      activationPreimage(coreHash, [first, second, third]),
    );
  });

  test("costs one verification where its dealer's signature is false", () => {
    let verifications = 0;
    const counting = { ...crypto, ed25519Verify: () => ++verifications < 0 };
    expect(codeOf(() => checkActivation(counting, core, coreHash, activationOf(key)))).toBe(
      'ACTIVATION_INVALID',
    );
    expect(verifications).toBe(1);
  });
});

describe('receipts', () => {
  test('are needed from n holders, or from t and the repair budget where that is more', () => {
    expect(receiptsNeeded({ t: 3, n: 5, repairBudget: 1 })).toBe(5);
    expect(receiptsNeeded({ t: 3, n: 4, repairBudget: 2 })).toBe(5);
  });

  test('are true for their own point, core and holder only', () => {
    expect(verifyReceipt(crypto, core, coreHash, first)).toBe(true);
    expect(verifyReceipt(crypto, core, coreHash, { ...first, x: 7 })).toBe(false);
    expect(verifyReceipt(crypto, core, coreHash, { ...first, x: 4 })).toBe(false);
    expect(verifyReceipt(crypto, core, flipped(coreHash), first)).toBe(false);
  });

  test('are false where the point has no holder, or the holder no point', () => {
    const unheld = { ...core, holders: core.holders.filter(({ x }) => x !== 3) };
    const pointless = { ...core, points: core.points.filter(({ x }) => x !== 3) };
    for (const broken of [unheld, pointless])
      expect(verifyReceipt(crypto, broken, coreHash, first)).toBe(false);
  });
});
