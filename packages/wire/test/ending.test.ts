import { SkerryError } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  checkKeyRecord,
  checkRevocation,
  checkTombstone,
  compareKeyRecords,
  decodeRevocation,
  encodeManifest,
  encodeRevocation,
  encodeTombstone,
  manifestPath,
  type Revocation,
} from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { exampleRevocation, exampleTombstone } from './examples.ts';
import { dealKey, manifestOf, revocationOf, signByOwners, tombstoneOf, withCore } from './keys.ts';
import { codeOf, flipped } from './refusal.ts';

const key = dealKey();
const other = dealKey({ label: 'other' });
const path = manifestPath(key.core.keyId);

describe('a revocation', () => {
  const encoded = encodeRevocation(exampleRevocation);

  test('holds on its own, of one grant or of all', () => {
    expect(decodeRevocation(crypto, encoded)).toEqual(exampleRevocation);
    const all = revocationOf(key);
    expect(decodeRevocation(crypto, encodeRevocation(all))).toEqual(all);
  });

  test('is of one grant or of all before a time, and never of both or of none', () => {
    const both = { ...exampleRevocation, issuedBefore: 1 };
    const none = { ...exampleRevocation, grant: null };
    for (const wrong of [both, none]) {
      expect(codeOf(() => decodeRevocation(crypto, encodeRevocation(wrong)))).toBe('MESSAGE_MALFORMED');
    }
  });

  test.each(['', 'short', 'with space', 'j'.repeat(65), 'a/../../b'])('names no grant %j', jti => {
    const wrong = { ...exampleRevocation, grant: { jti, exp: 1 } };
    expect(codeOf(() => decodeRevocation(crypto, encodeRevocation(wrong)))).toBe('MESSAGE_MALFORMED');
  });

  test('is refused with another authority than the one in the key id, however well that signs', () => {
    const { authority, nonce } = other.core;
    const foreign: Revocation = { ...exampleRevocation, authority, nonce };
    const signed = { ...foreign, signatures: revocationOf(other).signatures };
    expect(codeOf(() => checkRevocation(crypto, signed))).toBe('RECORD_INVALID');
  });

  test('is refused without enough signatures, with others, and with what they signed changed', () => {
    const { signatures } = exampleRevocation;
    const changed: Partial<Revocation>[] = [
      { signatures: signatures.slice(0, 1) },
      { signatures: signByOwners(key, new Uint8Array(32)) },
      { grant: { jti: 'anotherGrant', exp: exampleRevocation.grant!.exp } },
      { grant: { ...exampleRevocation.grant!, exp: 1 } },
      { grant: null, issuedBefore: 1_790_003_600 },
    ];
    for (const changes of changed) {
      expect(codeOf(() => checkRevocation(crypto, { ...exampleRevocation, ...changes }))).toBe(
        'SIGNATURE_INVALID',
      );
    }
  });

  test('cannot be remade by who passes it on: any byte changed is refused', () => {
    for (let at = 0; at < encoded.length; at++) {
      expect(() => decodeRevocation(crypto, flipped(encoded, at))).toThrow(SkerryError);
    }
  });
});

describe('a tombstone', () => {
  const encoded = encodeTombstone(exampleTombstone);

  test('stands where the manifest stood, and nowhere else', () => {
    expect(checkKeyRecord(crypto, path, encoded)).toEqual({ type: 'tombstone', tombstone: exampleTombstone });
    const elsewhere = manifestPath(other.core.keyId);
    expect(codeOf(() => checkKeyRecord(crypto, elsewhere, encoded))).toBe('RECORD_INVALID');
  });

  test('is refused from anybody but the authority that the key id names', () => {
    const { authority, nonce } = other.core;
    const { signatures } = tombstoneOf(withCore(other, { keyId: key.core.keyId }));
    const foreign = { ...exampleTombstone, authority, nonce, signatures };
    expect(codeOf(() => checkTombstone(crypto, foreign))).toBe('RECORD_INVALID');
    const unsigned = { ...exampleTombstone, signatures };
    expect(codeOf(() => checkTombstone(crypto, unsigned))).toBe('SIGNATURE_INVALID');
    expect(codeOf(() => checkKeyRecord(crypto, path, encodeTombstone(unsigned)))).toBe('SIGNATURE_INVALID');
  });

  test('cannot be remade by who passes it on: any byte changed is refused', () => {
    for (let at = 0; at < encoded.length; at++) {
      expect(() => checkKeyRecord(crypto, path, flipped(encoded, at))).toThrow(SkerryError);
    }
  });

  test('is newer than every manifest of its key, and all nodes keep the same of two', () => {
    const epochs = [1, 2, 0xffff_ffff].map(epoch => {
      const previousHash = epoch === 1 ? null : new Uint8Array(32);
      return encodeManifest(manifestOf(withCore(key, { epoch, previousHash })));
    });
    for (const manifest of epochs) {
      expect(compareKeyRecords(crypto, encoded, manifest)).toBeGreaterThan(0);
      expect(compareKeyRecords(crypto, manifest, encoded)).toBeLessThan(0);
    }
    const second = encodeTombstone(tombstoneOf(key, 1_790_000_000_001));
    const order = compareKeyRecords(crypto, encoded, second);
    expect(order).not.toBe(0);
    expect(Math.sign(compareKeyRecords(crypto, second, encoded))).toBe(-Math.sign(order));
    expect(compareKeyRecords(crypto, encoded, encoded.slice())).toBe(0);
    expect(compareKeyRecords(crypto, epochs[1]!, epochs[0]!)).toBeGreaterThan(0);
  });
});
