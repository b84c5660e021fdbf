import { nodeCrypto as crypto, nodeRandom as random } from '@skerry/crypto';
import { deriveShareKeys, matchShare, provePossession, verifyPossession } from '@skerry/sharing';
import { describe, expect, test } from 'vitest';
import { dealKey } from './deal.ts';

const coded = (code: string) => expect.objectContaining({ code });
const identity = {
  share: { x: 7, y: new Uint8Array(48).fill(3) },
  keyId: new Uint8Array(32).fill(1),
  epoch: 1,
  length: 48,
};

describe('deriveShareKeys', () => {
  test('gives the same keys each time, and their public keys', () => {
    const keys = deriveShareKeys(crypto, identity);
    expect(deriveShareKeys(crypto, identity)).toEqual(keys);
    expect(keys.vk).toEqual(crypto.ed25519PublicKey(keys.signSeed));
    expect(keys.mk).toEqual(crypto.x25519PublicKey(keys.maskSeed));
    expect(keys.signSeed).not.toEqual(keys.maskSeed);
  });

  test('gives other keys for another share, point, key, epoch or length', () => {
    const { signSeed, maskSeed } = deriveShareKeys(crypto, identity);
    for (const other of [
      { share: { x: 7, y: new Uint8Array(48).fill(4) } },
      { share: { ...identity.share, x: 8 } },
      { keyId: new Uint8Array(32) },
      { epoch: 2 },
      { share: { x: 7, y: new Uint8Array(49).fill(3) }, length: 49 },
    ]) {
      const keys = deriveShareKeys(crypto, { ...identity, ...other });
      expect(keys.signSeed).not.toEqual(signSeed);
      expect(keys.maskSeed).not.toEqual(maskSeed);
    }
  });

  test('refuses a share of another length than the key has', () => {
    for (const length of [47, 49, 32, 97]) {
      expect(() => deriveShareKeys(crypto, { ...identity, length })).toThrow(coded('SHARE_LENGTH_INVALID'));
    }
  });

  test.each([0, 256, -1, 1.5])('refuses a share at %d', x => {
    const share = { ...identity.share, x };
    expect(() => deriveShareKeys(crypto, { ...identity, share })).toThrow(coded('FIELD_POINT_INVALID'));
  });
});

describe('matchShare', () => {
  test('gives the keys of a dealt share, and refuses every other share, point, epoch and key', async () => {
    const { holders, keyId, epoch, length } = await dealKey({ t: 2, k: 3 });
    const [a, b] = holders as [(typeof holders)[0], (typeof holders)[0]];
    const dealt = { share: a.share, keyId, epoch, length };
    expect(matchShare(crypto, dealt, a)).toEqual(deriveShareKeys(crypto, dealt));
    const y = new Uint8Array(a.share.y);
    y[0]! ^= 1;
    const refused = [
      [{ ...dealt, share: { x: a.x, y } }, a],
      [{ ...dealt, epoch: epoch + 1 }, a],
      [{ ...dealt, keyId: random.bytes(32) }, a],
      [dealt, b],
      [dealt, { ...a, x: b.x }],
      [dealt, { ...a, vk: b.vk }],
      [dealt, { ...a, mk: b.mk }],
    ] as const;
    for (const [identity, point] of refused) {
      expect(() => matchShare(crypto, identity, point)).toThrow(coded('SHARE_MISMATCH'));
    }
  });
});

describe('provePossession and verifyPossession', () => {
  const { signSeed, vk } = deriveShareKeys(crypto, identity);
  const possession = { keyId: identity.keyId, epoch: 1, x: 7, nonce: random.bytes(32) };
  const signature = provePossession(crypto, signSeed, possession);

  test('convince of this share', () => {
    expect(verifyPossession(crypto, vk, possession, signature)).toBe(true);
  });

  test('convince of no other key, epoch, point, nonce or holder', () => {
    for (const other of [
      { keyId: random.bytes(32) },
      { epoch: 2 },
      { x: 8 },
      { nonce: random.bytes(32) },
      { nonce: possession.nonce.subarray(1) },
    ]) {
      expect(verifyPossession(crypto, vk, { ...possession, ...other }, signature)).toBe(false);
    }
    const stranger = deriveShareKeys(crypto, { ...identity, epoch: 2 });
    expect(verifyPossession(crypto, stranger.vk, possession, signature)).toBe(false);
    expect(verifyPossession(crypto, vk, possession, signature.subarray(1))).toBe(false);
  });
});
