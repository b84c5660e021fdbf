import { nodeCrypto as crypto } from '@skerry/crypto';
import { type AuthoritySignature, checkAuthority, coreHashOf, pointsHashOf } from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { dealKey, fixedBytes, signByOwners, signerOf } from './keys.ts';
import { codeOf, flipped } from './refusal.ts';

const key = dealKey({ owners: 4, needed: 3 });
const { authority } = key.core;
const message = fixedBytes('message', 32);
const [a, b, c, d] = signByOwners(key, message, [0, 1, 2, 3]) as [
  AuthoritySignature,
  AuthoritySignature,
  AuthoritySignature,
  AuthoritySignature,
];

describe('an authority of 3 of 4', () => {
  test.each([
    ['the first three', [a, b, c]],
    ['the last three', [b, c, d]],
    ['any three', [a, b, d]],
  ])('has signed with %s of its keys', (_, signatures) => {
    expect(() => checkAuthority(crypto, authority, message, signatures)).not.toThrow();
  });

  const stranger = crypto.ed25519Sign(signerOf('stranger').seed, message);
  test.each<[string, AuthoritySignature[]]>([
    ['none', []],
    ['too few', [a, b]],
    ['one more than it needs', [a, b, c, d]],
    ['one twice', [a, b, b]],
    ['one three times', [a, a, a]],
    ['three out of order', [b, a, c]],
    ['a stranger', [a, b, { index: 2, signature: stranger }]],
    ['one under the name of another', [a, b, { ...c, index: 3 }]],
    ['a key that it does not have', [a, b, { ...c, index: 9 }]],
    ['one whose signature was altered', [a, b, { ...c, signature: flipped(c.signature, 40) }]],
  ])('has not signed with %s', (_, signatures) => {
    expect(codeOf(() => checkAuthority(crypto, authority, message, signatures))).toBe('SIGNATURE_INVALID');
  });

  test('has not signed another message', () => {
    expect(codeOf(() => checkAuthority(crypto, authority, flipped(message), [a, b, c]))).toBe(
      'SIGNATURE_INVALID',
    );
  });

  test('is not made of one key that stands in it twice', () => {
    const doubled = { keys: [key.owners[0]!.key, key.owners[0]!.key], needed: 2 };
    const signatures = [a, { ...a, index: 1 }];
    expect(codeOf(() => checkAuthority(crypto, doubled, message, signatures))).toBe('SIGNATURE_INVALID');
  });

  test('costs no verification where the signatures are not as many as it needs', () => {
    const counting = { ...crypto, ed25519Verify: () => expect.unreachable() };
    expect(codeOf(() => checkAuthority(counting, authority, message, [a, b]))).toBe('SIGNATURE_INVALID');
  });

  test('signs cores and points in no way that one passes for the other', () => {
    const { core } = key;
    const points = signByOwners(key, pointsHashOf(crypto, core.keyId, core.epoch, core.points));
    expect(codeOf(() => checkAuthority(crypto, authority, coreHashOf(crypto, core), points))).toBe(
      'SIGNATURE_INVALID',
    );
  });
});
