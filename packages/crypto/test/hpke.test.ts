import { createCipheriv } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { concatBytes, fromHex, toHex } from '@skerry/base';
import { hpkeOverheadBytes, hpkeRecipient, hpkeSeal, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { describe, expect, test } from 'vitest';

const hex = (text: string) => fromHex(text)!;
const suiteId = hex('002000010002');
const text = (value: string) => new Uint8Array(Buffer.from(value));

/**
 * test-vectors.json of cfrg/draft-irtf-cfrg-hpke, published with RFC 9180: base mode, DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, AES-256-GCM. Appendix A prints this suite's kin with AES-128-GCM and ChaCha20-Poly1305 only.
 */
const vector = {
  info: hex('4f6465206f6e2061204772656369616e2055726e'),
  recipientSeed: hex('497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d'),
  recipientKey: hex('430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c'),
  enc: hex('6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256'),
  key: hex('f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f'),
  baseNonce: hex('151d9929e2449747889bc923'),
  aad: hex('436f756e742d30'),
  plaintext: hex('4265617574792069732074727574682c20747275746820626561757479'),
  ciphertext: hex(
    'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a',
  ),
};

/** The vector's message under its published key and nonce, with any aad. */
function encryptVector(aad: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', vector.key, vector.baseNonce).setAAD(aad);
  return concatBytes(cipher.update(vector.plaintext), cipher.final(), cipher.getAuthTag());
}

describe('HPKE, RFC 9180', () => {
  test("opens the published vector's message for exactly our suite", async () => {
    expect(nodeCrypto.x25519PublicKey(vector.recipientSeed)).toEqual(vector.recipientKey);
    // The published ciphertext has an aad, ours never do: key and nonce are first shown to be the published ones.
    expect(encryptVector(vector.aad)).toEqual(vector.ciphertext);
    const sealed = concatBytes(suiteId, vector.enc, encryptVector(new Uint8Array(0)));
    expect(await hpkeRecipient(vector.recipientSeed).open(vector.info, sealed)).toEqual(vector.plaintext);
  });

  test('opens what it sealed, and names its suite in front', async () => {
    const seed = nodeRandom.bytes(32);
    const info = text('context');
    for (const length of [0, 1, 32, 4096]) {
      const plaintext = nodeRandom.bytes(length);
      const sealed = (await hpkeSeal(nodeCrypto.x25519PublicKey(seed), info, plaintext))!;
      expect(sealed.length).toBe(length + hpkeOverheadBytes);
      expect(toHex(sealed.subarray(0, 6))).toBe('002000010002');
      expect(await hpkeRecipient(seed).open(info, sealed)).toEqual(plaintext);
    }
  });

  test('seals the same message differently each time', async () => {
    const key = nodeCrypto.x25519PublicKey(nodeRandom.bytes(32));
    const [a, b] = [await hpkeSeal(key, text('i'), text('m')), await hpkeSeal(key, text('i'), text('m'))];
    expect(a).not.toEqual(b);
  });

  test('opens nothing that was altered at any byte, cut, or lengthened', async () => {
    const seed = nodeRandom.bytes(32);
    const sealed = (await hpkeSeal(nodeCrypto.x25519PublicKey(seed), text('i'), text('message')))!;
    for (let i = 0; i < sealed.length; i++) {
      // Bit 0, since RFC 7748 makes X25519 ignore the top bit of the last byte of enc; DHKEM hashes enc as received.
      const altered = new Uint8Array(sealed);
      altered[i]! ^= 1;
      expect(await hpkeRecipient(seed).open(text('i'), altered)).toBeUndefined();
      expect(await hpkeRecipient(seed).open(text('i'), sealed.subarray(0, i))).toBeUndefined();
    }
    expect(await hpkeRecipient(seed).open(text('i'), concatBytes(sealed, new Uint8Array(1)))).toBeUndefined();
    const ignoredBit = new Uint8Array(sealed);
    ignoredBit[6 + 31]! ^= 0x80;
    expect(await hpkeRecipient(seed).open(text('i'), ignoredBit)).toBeUndefined();
  });

  test('opens only for its recipient and under its info', async () => {
    const seed = nodeRandom.bytes(32);
    const sealed = (await hpkeSeal(nodeCrypto.x25519PublicKey(seed), text('i'), text('m')))!;
    expect(await hpkeRecipient(nodeRandom.bytes(32)).open(text('i'), sealed)).toBeUndefined();
    expect(await hpkeRecipient(seed).open(text('j'), sealed)).toBeUndefined();
  });

  test('seals to no key of low order or of another length', async () => {
    expect(await hpkeSeal(new Uint8Array(32), text('i'), text('m'))).toBeUndefined();
    expect(await hpkeSeal(new Uint8Array(31).fill(9), text('i'), text('m'))).toBeUndefined();
  });

  test('opens nothing whose encapsulated key is of low order', async () => {
    const seed = nodeRandom.bytes(32);
    const sealed = (await hpkeSeal(nodeCrypto.x25519PublicKey(seed), text('i'), text('m')))!;
    sealed.fill(0, suiteId.length, suiteId.length + 32);
    expect(await hpkeRecipient(seed).open(text('i'), sealed)).toBeUndefined();
  });

  test('agrees with another implementation, @hpke/core, either way', async () => {
    const suite = new CipherSuite({
      kem: new DhkemX25519HkdfSha256(),
      kdf: new HkdfSha256(),
      aead: new Aes256Gcm(),
    });
    const [seed, info] = [nodeRandom.bytes(32), nodeRandom.bytes(50)];
    const publicKey = nodeCrypto.x25519PublicKey(seed);
    const recipientPublicKey = await suite.kem.deserializePublicKey(publicKey.buffer);
    const recipientKey = await suite.kem.deserializePrivateKey(seed.buffer);
    const context = info.buffer;
    for (const length of [0, 1, 16, 97, 5000]) {
      const plaintext = nodeRandom.bytes(length);
      const theirs = await suite.seal({ recipientPublicKey, info: context }, plaintext.buffer);
      const sealed = concatBytes(suiteId, new Uint8Array(theirs.enc), new Uint8Array(theirs.ct));
      expect(await hpkeRecipient(seed).open(info, sealed)).toEqual(plaintext);
      const ours = (await hpkeSeal(publicKey, info, plaintext))!;
      const [enc, ciphertext] = [ours.slice(6, 38).buffer, ours.slice(38).buffer];
      const opened = await suite.open({ recipientKey, enc, info: context }, ciphertext);
      expect(new Uint8Array(opened)).toEqual(plaintext);
    }
  });
});
