import { SkerryError } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  coreHashOf,
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestBytesMax,
  manifestPath,
} from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { coreShape } from '../src/core.ts';
import { checkManifestRecord, compareManifests, parseManifest } from '../src/manifest.ts';
import { activationOf, dealKey, fixedBytes, manifestOf, receiptFor, signByOwners, withCore } from './keys.ts';
import { codeOf, flipped, refusalOf } from './refusal.ts';

const key = dealKey();
const manifest = manifestOf(key);
const encoded = encodeManifest(manifest);
const path = manifestPath(key.core.keyId);

function decode(changes: Partial<Manifest>): Manifest {
  return decodeManifest(crypto, encodeManifest({ ...manifest, ...changes }));
}

describe('a manifest', () => {
  test('comes back as it was made, verified or not', () => {
    expect(decodeManifest(crypto, encoded)).toEqual(manifest);
    expect(checkManifestRecord(crypto, path, encoded)).toEqual(manifest);
    expect(parseManifest(encoded)).toEqual(manifest);
  });

  test('is refused for a core that breaks a rule', () => {
    const broken = manifestOf(withCore(key, { t: 4 }));
    expect(codeOf(() => decodeManifest(crypto, encodeManifest(broken)))).toBe('CORE_INVALID');
  });

  test('is refused without the signatures of its owners', () => {
    const { signatures } = manifest;
    const [first, second] = signatures as [(typeof signatures)[0], (typeof signatures)[0]];
    expect(codeOf(() => decode({ signatures: [first] }))).toBe('SIGNATURE_INVALID');
    expect(codeOf(() => decode({ signatures: [second, first] }))).toBe('SIGNATURE_INVALID');
    expect(codeOf(() => decode({ signatures: signByOwners(key, fixedBytes('other', 32)) }))).toBe(
      'SIGNATURE_INVALID',
    );
    expect(codeOf(() => decode({ signatures: [] }))).toBe('MESSAGE_MALFORMED');
  });

  test('is refused with an activation that does not hold', () => {
    const few = activationOf(key, [receiptFor(key, 3), receiptFor(key, 7)]);
    const foreign = activationOf(withCore(key, { createdAtMs: 1 }));
    for (const activation of [few, foreign])
      expect(codeOf(() => decode({ activation }))).toBe('ACTIVATION_INVALID');
  });

  test('cannot be remade by who passes it on: any byte changed is refused', () => {
    for (let at = 0; at < encoded.length; at++) {
      expect(() => decodeManifest(crypto, flipped(encoded, at))).toThrow(SkerryError);
    }
  });
});

describe('a manifest in the DHT', () => {
  const other = manifestPath(dealKey({ label: 'other' }).core.keyId);
  test.each([
    ['another key', other],
    ['a share', path.replace('/key/', '/share/')],
    ['capitals', path.toUpperCase()],
    ['capitals in the key id', `/skerry/key/${path.slice('/skerry/key/'.length).toUpperCase()}`],
    ['something after it', `${path}/`],
    ['something before it', `/skerry${path}`],
    ['half a key id', path.slice(0, -2)],
    ['nothing', ''],
  ])('is refused under a path that names %s', (_, wrong) => {
    expect(codeOf(() => checkManifestRecord(crypto, wrong, encoded))).toBe('RECORD_INVALID');
  });

  test('is held against its path before any signature is verified', () => {
    const unused = { ...crypto, ed25519Verify: () => expect.unreachable() };
    expect(codeOf(() => checkManifestRecord(unused, other, encoded))).toBe('RECORD_INVALID');
  });

  test('is refused by its size before it is read', () => {
    expect(codeOf(() => decodeManifest(crypto, new Uint8Array(manifestBytesMax + 1)))).toBe(
      'MESSAGE_TOO_LARGE',
    );
  });

  test('may have 255 points, 16 owners, 32 standbys and a key of 64 KiB, and fits', () => {
    const xs = Array.from({ length: 255 }, (_, i) => i + 1);
    const large = dealKey({ label: 'large', t: 100, n: 254, xs, owners: 16, needed: 16, standby: 32 });
    const boxed = withCore(large, { box: new Uint8Array(65_552).fill(7) });
    const bytes = encodeManifest(manifestOf(boxed));
    expect(bytes.length).toBeLessThanOrEqual(manifestBytesMax);
    expect(bytes.length).toBeGreaterThan(coreShape.bytesMax);
    let verifications = 0;
    const counting = { ...crypto, ed25519Verify: () => ++verifications > 0 };
    expect(decodeManifest(counting, bytes).core.k).toBe(255);
    expect(verifications).toBe(2 * 16 + 1 + 2 * 255);
  });

  test('is read anew, when it is ordered, without a verification', () => {
    expect(compareManifests(crypto, parseManifest(encoded), manifest)).toBe(0);
  });
});

describe('of two manifests of a key', () => {
  const later = manifestOf(withCore(key, { epoch: 2, previousHash: fixedBytes('previous', 32) }));
  const twin = manifestOf(withCore(key, { createdAtMs: key.core.createdAtMs + 1 }));
  const fewer = {
    ...manifest,
    activation: activationOf(
      key,
      [3, 7, 90].map(x => receiptFor(key, x)),
    ),
  };
  const all = [manifest, later, twin, fewer];

  test('the later epoch is newer, whatever the hashes', () => {
    for (const earlier of [manifest, twin, fewer]) {
      expect(compareManifests(crypto, later, earlier)).toBeGreaterThan(0);
      expect(compareManifests(crypto, earlier, later)).toBeLessThan(0);
    }
  });

  test('of one epoch the lower core hash is newer', () => {
    const [a, b] = [coreHashOf(crypto, manifest.core), coreHashOf(crypto, twin.core)];
    const lower = Buffer.compare(a, b) < 0 ? manifest : twin;
    const higher = lower === manifest ? twin : manifest;
    expect(compareManifests(crypto, lower, higher)).toBeGreaterThan(0);
  });

  test('of one core the lower bytes are newer, and only the same bytes are the same', () => {
    const ordered = [manifest, fewer].sort((a, b) => Buffer.compare(encodeManifest(a), encodeManifest(b)));
    expect(compareManifests(crypto, ordered[0]!, ordered[1]!)).toBeGreaterThan(0);
    expect(compareManifests(crypto, manifest, parseManifest(encoded))).toBe(0);
  });

  test('one is newer seen from either, and nodes agree on the newest in whatever order they come', () => {
    for (const a of all) {
      for (const b of all) {
        expect(Math.sign(compareManifests(crypto, a, b)) + Math.sign(compareManifests(crypto, b, a))).toBe(0);
        expect(compareManifests(crypto, a, b) === 0).toBe(a === b);
      }
    }
    const orders = [all, all.toReversed(), [twin, later, fewer, manifest]];
    const newest = orders.map(list => list.reduce((a, b) => (compareManifests(crypto, a, b) >= 0 ? a : b)));
    expect(new Set(newest)).toEqual(new Set([later]));
  });

  test('a broken rule is named in the refusal', () => {
    const broken = manifestOf(withCore(key, { originEpoch: 2 }));
    expect(refusalOf(() => decodeManifest(crypto, encodeManifest(broken)))).toBe(
      'CORE_INVALID: the origin epoch is later than the epoch',
    );
  });
});
