import { SkerryError } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  checkShareRecord,
  compareShareRecords,
  decodeShareRecord,
  encodeShareRecord,
  keyIdOf,
  type ShareRecord,
  shareRecordBytesMax,
  shareRecordPath,
} from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import {
  dealKey,
  fixedBytes,
  pointsSignatures,
  shareRecordOf,
  signByOwners,
  signerOf,
  withCore,
} from './keys.ts';
import { codeOf, flipped } from './refusal.ts';

const key = dealKey();
const { keyId } = key.core;
const record = shareRecordOf(key, 7);
const path = shareRecordPath(keyId, 1, 7);

function check(checked: ShareRecord, at = path): ShareRecord {
  return checkShareRecord(crypto, at, encodeShareRecord(checked));
}

describe('a share record', () => {
  test('comes back as it was made', () => {
    expect(check(record)).toEqual(record);
    expect(decodeShareRecord(encodeShareRecord(record))).toEqual(record);
  });

  test('holds for every share of the key, each at its own path', () => {
    for (const { x } of key.core.points) {
      expect(check(shareRecordOf(key, x), shareRecordPath(keyId, 1, x)).x).toBe(x);
    }
  });

  const { points, signatures, authority } = record;
  const [firstPoint, ...otherPoints] = points as [ShareRecord['points'][0], ...ShareRecord['points']];
  const stranger = signerOf('stranger').key;
  const changes: { readonly [F in keyof ShareRecord]: readonly [ShareRecord[F], string] } = {
    keyId: [flipped(keyId), 'RECORD_INVALID'],
    epoch: [2, 'RECORD_INVALID'],
    x: [3, 'RECORD_INVALID'],
    sequence: [1, 'SIGNATURE_INVALID'],
    ciphertext: [flipped(record.ciphertext), 'SIGNATURE_INVALID'],
    points: [[{ ...firstPoint, vk: stranger }, ...otherPoints], 'SIGNATURE_INVALID'],
    authority: [{ ...authority, needed: 1 }, 'RECORD_INVALID'],
    nonce: [flipped(record.nonce), 'RECORD_INVALID'],
    signatures: [signatures.toReversed(), 'SIGNATURE_INVALID'],
    signature: [flipped(record.signature), 'SIGNATURE_INVALID'],
  };
  test.each(Object.keys(changes) as (keyof ShareRecord)[])('is refused with another %s', field => {
    const [value, code] = changes[field];
    expect(codeOf(() => check({ ...record, [field]: value }))).toBe(code);
  });

  test('cannot be remade by who passes it on: any byte changed is refused', () => {
    const encoded = encodeShareRecord(record);
    for (let at = 0; at < encoded.length; at++) {
      expect(() => checkShareRecord(crypto, path, flipped(encoded, at))).toThrow(SkerryError);
    }
  });

  test('is not remade by leaving out or adding a signature of its owners', () => {
    const more = signByOwners(key, fixedBytes('unused', 32), [2]);
    expect(codeOf(() => check({ ...record, signatures: signatures.slice(0, 1) }))).toBe('SIGNATURE_INVALID');
    expect(codeOf(() => check({ ...record, signatures: [...signatures, ...more] }))).toBe(
      'SIGNATURE_INVALID',
    );
  });

  test.each([
    ['another share', shareRecordPath(keyId, 1, 3)],
    ['another epoch', shareRecordPath(keyId, 2, 7)],
    ['another key', shareRecordPath(flipped(keyId), 1, 7)],
    ['leading zeros', path.replace(/7$/, '07')],
    ['nothing', ''],
  ])('is refused under a path that names %s', (_, wrong) => {
    expect(codeOf(() => check(record, wrong))).toBe('RECORD_INVALID');
  });

  test('is refused for a point that the key does not have, points out of order, or one twice', () => {
    const [a, b, ...rest] = points as [
      ShareRecord['points'][0],
      ShareRecord['points'][0],
      ...ShareRecord['points'],
    ];
    const lists = [
      [a, ...rest],
      [b, a, ...rest],
      [a, b, b, ...rest],
    ];
    for (const list of lists) expect(codeOf(() => check({ ...record, points: list }))).toBe('RECORD_INVALID');
  });

  test('is refused by its size before it is read', () => {
    expect(codeOf(() => checkShareRecord(crypto, path, new Uint8Array(shareRecordBytesMax + 1)))).toBe(
      'MESSAGE_TOO_LARGE',
    );
  });

  test('of 255 points under 16 owners with the longest ciphertext fits', () => {
    const xs = Array.from({ length: 255 }, (_, i) => i + 1);
    const large = dealKey({ label: 'large', t: 100, n: 254, xs, owners: 16, needed: 16 });
    const longest = shareRecordOf(large, 255, { ciphertext: fixedBytes('longest', 113), sequence: 510 });
    expect(check(longest, shareRecordPath(large.core.keyId, 1, 255))).toEqual(longest);
  });
});

describe('someone without the share', () => {
  const forger = signerOf('forger');
  const shares = new Map([...key.shares, [7, forger] as const]);

  test('cannot replace its record, not even another holder of the key', () => {
    const other = key.shares.get(90)!;
    for (const signer of [forger, other, key.nodes.get(7)!, key.dealer, key.owners[0]!]) {
      const forged = shareRecordOf({ ...key, shares: new Map([[7, signer]]) }, 7, { sequence: 5 });
      expect(codeOf(() => check(forged))).toBe('SIGNATURE_INVALID');
    }
  });

  test('cannot name another verification key for its point', () => {
    const forged = shareRecordOf({ ...key, shares }, 7, {
      points: record.points.map(point => (point.x === 7 ? { x: 7, vk: forger.key } : point)),
    });
    expect(codeOf(() => check(forged))).toBe('SIGNATURE_INVALID');
  });

  test('cannot put owners of its own in place of the owners', () => {
    const thief = dealKey({ label: 'thief' });
    const own = { authority: thief.core.authority, nonce: thief.core.nonce };
    const points = record.points.map(point => (point.x === 7 ? { x: 7, vk: forger.key } : point));
    const signatures = pointsSignatures({ ...thief, core: key.core });
    const forged = shareRecordOf({ ...key, shares }, 7, { ...own, points, signatures });
    expect(keyIdOf(crypto, own.authority, own.nonce)).not.toEqual(keyId);
    expect(codeOf(() => check(forged))).toBe('RECORD_INVALID');
  });

  test('cannot bring the record of another epoch', () => {
    const later = withCore(key, { epoch: 2, previousHash: fixedBytes('previous', 32) });
    const old = { ...shareRecordOf(later, 7), signatures: record.signatures };
    expect(codeOf(() => check(old, shareRecordPath(keyId, 2, 7)))).toBe('SIGNATURE_INVALID');
  });
});

describe('of two records of a share', () => {
  const newer = shareRecordOf(key, 7, { sequence: 1, ciphertext: fixedBytes('again', 81) });
  const twin = shareRecordOf(key, 7, { ciphertext: fixedBytes('twin', 81) });

  test('the higher sequence is newer', () => {
    expect(compareShareRecords(newer, record)).toBeGreaterThan(0);
    expect(compareShareRecords(record, newer)).toBeLessThan(0);
    expect(compareShareRecords(twin, newer)).toBeLessThan(0);
  });

  test('of one sequence the lower bytes are newer, so that nodes agree, and only the same are the same', () => {
    const [low, high] = [record, twin].sort((a, b) =>
      Buffer.compare(encodeShareRecord(a), encodeShareRecord(b)),
    ) as [ShareRecord, ShareRecord];
    expect(compareShareRecords(low, high)).toBeGreaterThan(0);
    expect(compareShareRecords(high, low)).toBeLessThan(0);
    expect(compareShareRecords(record, decodeShareRecord(encodeShareRecord(record)))).toBe(0);
  });
});
