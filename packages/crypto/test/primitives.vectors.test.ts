import { fromHex, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { describe, expect, test } from 'vitest';
import wycheproof from './vectors/wycheproof.json' with { type: 'json' };

const hex = (text: string) => fromHex(text.replaceAll(/\s/g, ''))!;
const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

describe('SHA-256, FIPS 180-4', () => {
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ])('hashes the example message %#', (message, digest) => {
    expect(toHex(nodeCrypto.sha256(ascii(message)))).toBe(digest);
  });
});

describe('HKDF-SHA256, RFC 5869', () => {
  const range = (first: number, last: number) =>
    Uint8Array.from({ length: last - first + 1 }, (_, i) => first + i);

  test('derives appendix A.1', () => {
    const okm = nodeCrypto.hkdf(new Uint8Array(22).fill(0x0b), range(0, 12), range(0xf0, 0xf9), 42);
    expect(toHex(okm)).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  test('derives appendix A.2, with longer inputs', () => {
    const okm = nodeCrypto.hkdf(range(0, 0x4f), range(0x60, 0xaf), range(0xb0, 0xff), 82);
    expect(okm).toEqual(
      hex(`b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
        da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87`),
    );
  });

  test('derives appendix A.3, without salt and info', () => {
    const none = new Uint8Array(0);
    const okm = nodeCrypto.hkdf(new Uint8Array(22).fill(0x0b), none, none, 42);
    expect(toHex(okm)).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  test('derives the vectors of Wycheproof', () => {
    for (const [id, ikm, salt, info, size, okm] of wycheproof.hkdf as [
      number,
      string,
      string,
      string,
      number,
      string,
    ][]) {
      expect([id, toHex(nodeCrypto.hkdf(hex(ikm), hex(salt), hex(info), size))]).toEqual([id, okm]);
    }
    expect(wycheproof.hkdf.length).toBeGreaterThan(50);
  });
});

describe('X25519, RFC 7748', () => {
  test.each([
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
  ])('multiplies as in section 5.2, example %#', (scalar, u, product) => {
    expect(toHex(nodeCrypto.x25519(hex(scalar), hex(u))!)).toBe(product);
  });

  test('multiplies a thousand times as in section 5.2', () => {
    let k = hex(`09${'00'.repeat(31)}`);
    let u = k;
    const iterate = (times: number) => {
      for (let i = 0; i < times; i++) [k, u] = [nodeCrypto.x25519(k, u)!, k];
      return toHex(k);
    };
    expect(iterate(1)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079');
    expect(iterate(999)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51');
  });

  test('agrees on a secret as in section 6.1', () => {
    const alice = hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const bob = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    expect(toHex(nodeCrypto.x25519PublicKey(alice))).toBe(
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    );
    expect(toHex(nodeCrypto.x25519PublicKey(bob))).toBe(
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    );
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(toHex(nodeCrypto.x25519(alice, nodeCrypto.x25519PublicKey(bob))!)).toBe(shared);
    expect(toHex(nodeCrypto.x25519(bob, nodeCrypto.x25519PublicKey(alice))!)).toBe(shared);
  });

  test('gives the shared secrets of Wycheproof, and nothing where they are all zero', () => {
    let refused = 0;
    for (const [id, seed, key, shared] of wycheproof.x25519 as [number, string, string, string][]) {
      const secret = nodeCrypto.x25519(hex(seed), hex(key));
      const expected = /^0+$/.test(shared) ? undefined : shared;
      expect([id, secret && toHex(secret)]).toEqual([id, expected]);
      if (expected === undefined) refused++;
    }
    expect(refused).toBeGreaterThan(20);
  });

  test('refuses public keys of another length', () => {
    const seed = new Uint8Array(32).fill(3);
    expect(nodeCrypto.x25519(seed, new Uint8Array(31).fill(9))).toBeUndefined();
    expect(nodeCrypto.x25519(seed, new Uint8Array(33).fill(9))).toBeUndefined();
  });
});

describe('Ed25519, RFC 8032', () => {
  const tests = [
    {
      seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      message: '',
      signature: `e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b
        d25bf5f0595bbe24655141438e7a100b`,
    },
    {
      seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature: `92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c
        387b2eaeb4302aeeb00d291612bb0c00`,
    },
    {
      seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      message: 'af82',
      signature: `6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659
        4a7c15e9716ed28dc027beceea1ec40a`,
    },
    {
      seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
      key: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
      message: `ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd
        454d4423643ce80e2a9ac94fa54ca49f`,
      signature: `dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030
        3dca179c138ac17ad9bef1177331a704`,
    },
  ];

  test.each(tests)('signs and verifies section 7.1, test %#', ({ seed, key, message, signature }) => {
    expect(toHex(nodeCrypto.ed25519PublicKey(hex(seed)))).toBe(key);
    expect(nodeCrypto.ed25519Sign(hex(seed), hex(message))).toEqual(hex(signature));
    expect(nodeCrypto.ed25519Verify(hex(key), hex(message), hex(signature))).toBe(true);
  });

  test('verifies what Wycheproof calls valid and nothing else', () => {
    let invalid = 0;
    for (const [id, key, message, signature, valid] of wycheproof.ed25519 as [
      number,
      string,
      string,
      string,
      boolean,
    ][]) {
      expect([id, nodeCrypto.ed25519Verify(hex(key), hex(message), hex(signature))]).toEqual([id, valid]);
      if (!valid) invalid++;
    }
    expect(invalid).toBeGreaterThan(50);
  });
});

describe('AES-256-GCM with the zero nonce, McGrew and Viega 2005, appendix B', () => {
  const key = new Uint8Array(32);
  const none = new Uint8Array(0);

  test('seals test case 13, the empty message', () => {
    expect(toHex(nodeCrypto.aeadSeal(key, none, none))).toBe('530f8afbc74536b9a963b4f1c4cb738b');
  });

  test('seals test case 14, one block of zeros', () => {
    expect(toHex(nodeCrypto.aeadSeal(key, new Uint8Array(16), none))).toBe(
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    );
  });
});
