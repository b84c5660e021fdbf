import { at } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, encodeHeldKey, type HeldEpoch, type HeldKey, wipeHeldKey } from '@skerry/custody';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  drillsPerHourMax,
  erasuresMax,
  heldKeyBytesMax,
  nominationsPerKeyMax,
  offersPerKeyMax,
  usesPerKeyMax,
} from '../parameters.ts';
import { makeScene, type Scene } from './scenes.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await makeScene();
});

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** The largest key that a holder can come to hold: every list full, every number and text at its longest. */
function largest(): HeldKey {
  const { active } = scene.state('active');
  const offer = scene.request('offer');
  if (!active?.activation) throw new Error('the key is active');
  const latestMs = 253_402_300_799_999;
  const authority = { keys: times(16, () => nodeRandom.bytes(32)), needed: 16 };
  const signatures = times(16, index => ({ index, signature: nodeRandom.bytes(64) }));
  const epoch: HeldEpoch = {
    ...active,
    core: {
      ...active.core,
      authority,
      epoch: 0xffff_ffff,
      previousHash: nodeRandom.bytes(32),
      points: times(255, i => ({ x: i + 1, vk: nodeRandom.bytes(32), mk: nodeRandom.bytes(32) })),
      holders: times(255, i => ({ x: i + 1, nodeKey: nodeRandom.bytes(32), ek: nodeRandom.bytes(32) })),
      standby: times(32, () => nodeRandom.bytes(32)),
      createdAtMs: latestMs,
      box: nodeRandom.bytes(65_536 + 16),
    },
    signatures,
    pointsSignatures: signatures,
    ciphertext: nodeRandom.bytes(113),
    depositedAtMs: latestMs,
    activation: {
      ...active.activation,
      receipts: times(255, i => {
        return { x: i + 1, nodeSignature: nodeRandom.bytes(64), shareSignature: nodeRandom.bytes(64) };
      }),
    },
  };
  const jti = 'j'.repeat(64);
  return {
    keyId: nodeRandom.bytes(32),
    offers: times(offersPerKeyMax, () => {
      const [ek, ekSeed] = [nodeRandom.bytes(32), nodeRandom.bytes(32)];
      return { offer: { ...offer, authority }, ek, ekSeed, expiresAtMs: latestMs };
    }),
    pending: { ...epoch, activation: null },
    active: epoch,
    retired: { epoch, retiredAtMs: latestMs },
    nominations: times(nominationsPerKeyMax, () => {
      const [ek, ekSeed, asker] = [nodeRandom.bytes(32), nodeRandom.bytes(32), nodeRandom.bytes(32)];
      return { epoch: 1, coreHash: nodeRandom.bytes(32), x: 1, ek, ekSeed, asker, expiresAtMs: latestMs };
    }),
    incoming: null,
    votes: [],
    left: null,
    erasures: times(erasuresMax, i => ({ epoch: i + 1, x: 255 })),
    uses: times(usesPerKeyMax, () => ({ jti, roundId: nodeRandom.bytes(16), expiresAtMs: latestMs })),
    announcements: times(usesPerKeyMax, () => ({ jti, announcedAtMs: latestMs, expiresAtMs: latestMs })),
    revocations: times(usesPerKeyMax, () => ({ jti, expiresAtMs: latestMs })),
    revokedBefore: 253_402_300_800,
    drills: times(255 * drillsPerHourMax, i => {
      return { x: (i % 255) + 1, roundId: nodeRandom.bytes(16), expiresAtMs: latestMs };
    }),
    grave: null,
  };
}

describe('a held key', () => {
  it('comes back from the disk as it went there, the largest too', () => {
    for (const held of [scene.state('offered'), scene.state('pending'), scene.state('active'), largest()]) {
      const stored = encodeHeldKey(held);
      expect(stored.length).toBeLessThan(1_048_576);
      expect(decodeHeldKey(stored)).toEqual(held);
    }
  });

  it('is not read from anything else', () => {
    const stored = encodeHeldKey(scene.state('active'));
    expect(() => decodeHeldKey(stored.subarray(1))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    );
    const tooLarge = new Uint8Array(heldKeyBytesMax + 1);
    expect(() => decodeHeldKey(tooLarge)).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
  });

  it('loses every secret when it is wiped', () => {
    const held = { ...scene.state('active'), pending: scene.state('pending').pending };
    held.offers = scene.state('offered').offers;
    const secrets = [held.active!.dek, held.pending!.dek, at(held.offers, 0).ekSeed];
    for (const secret of secrets) expect(secret.some(byte => byte !== 0)).toBe(true);
    wipeHeldKey(held);
    for (const secret of secrets) expect(secret).toEqual(new Uint8Array(32));
    expect(() => wipeHeldKey({ ...held, active: null, pending: null })).not.toThrow();
  });
});
