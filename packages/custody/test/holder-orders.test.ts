import { assert, at, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import {
  encodeHeldKey,
  type HeldKey,
  type HolderEnv,
  type HolderStep,
  lapseMs,
  stepHolder,
} from '@skerry/custody';
import {
  deletionPreimage,
  type GrantClaims,
  type Revocation,
  revocationHashOf,
  type Tombstone,
  tombstoneHashOf,
} from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { clockSkewMs, graveLifeMs, usesPerKeyMax } from '../parameters.ts';
import { type Identity, makeIdentity, makeSigner } from './identities.ts';
import { claim, codeIn, makeRoundTrial, runRound } from './round-trials.ts';
import { makeScene, refusalOf, type Scene } from './scenes.ts';

let scene: Scene;
let by: Identity;
beforeAll(async () => {
  scene = await makeScene({ t: 3, n: 4, k: 5 });
  by = makeIdentity();
});

const stranger = makeIdentity();
const nowSeconds = (): number => Math.floor(scene.world.timeline.nowMs() / 1000);

function revocation(terms: Partial<Revocation>, signer = scene.world.owner): Revocation {
  const { keyId, authority, nonce } = scene.manifest.core;
  const unsigned = { keyId, authority, nonce, grant: null, issuedBefore: null, ...terms };
  return { ...unsigned, signatures: signer.sign(revocationHashOf(nodeCrypto, unsigned)) };
}

const ofGrant = (jti: string, exp = nowSeconds() + 60): Revocation => revocation({ grant: { jti, exp } });
const ofAllBefore = (issuedBefore: number): Revocation => revocation({ issuedBefore });

function revoke(held: HeldKey | null, order: Revocation, env: HolderEnv = scene.env()): HolderStep {
  return stepHolder(held, env, { type: 'revoke', revocation: order });
}

/** How a round with changed claims ends at a holder in this state. */
function roundAt(held: HeldKey | null, claims: Partial<GrantClaims> = {}): string {
  const trial = makeRoundTrial(scene, by);
  claim(() => claims)(trial);
  return codeIn(runRound({ ...trial, held })) ?? 'answered';
}

describe('a revocation', () => {
  it('ends the grant that it names, and no other', () => {
    const { held } = revoke(scene.state('active'), ofGrant('grantNumber1'));
    expect(roundAt(held, { jti: 'grantNumber1' })).toBe('GRANT_REVOKED');
    expect(roundAt(held, { jti: 'grantNumber2' })).toBe('answered');
  });

  it('ends all grants that began before a time, and none that begins then', () => {
    const { held } = revoke(scene.state('active'), ofAllBefore(nowSeconds()));
    expect(roundAt(held, { nbf: nowSeconds() - 1, exp: nowSeconds() + 60 })).toBe('GRANT_REVOKED');
    expect(roundAt(held, { nbf: nowSeconds(), exp: nowSeconds() + 60 })).toBe('answered');
  });

  it('is never undone by an older one, nor by one that comes again', () => {
    const first = revoke(scene.state('active'), ofAllBefore(nowSeconds()));
    const older = revoke(first.held, ofAllBefore(nowSeconds() - 100));
    expect(older.held).toBe(first.held);
    const again = revoke(first.held, ofAllBefore(nowSeconds()));
    for (const { effects } of [older, again]) {
      expect(effects).toEqual([{ type: 'answer', answer: { name: 'revoke', body: {} } }]);
    }
    const order = ofGrant('grantNumber1');
    const one = revoke(scene.state('active'), order).held;
    expect(revoke(one, order).held).toBe(one);
    expect(one?.revocations).toHaveLength(1);
  });

  it('that says later when its grant expires takes the place of one that says sooner', () => {
    const exp = nowSeconds() + 60;
    const sooner = revoke(scene.state('active'), ofGrant('grantNumber1', 1)).held;
    const { held } = revoke(sooner, ofGrant('grantNumber1', exp));
    expect(held?.revocations).toEqual([{ jti: 'grantNumber1', expiresAtMs: exp * 1000 + clockSkewMs }]);
    expect(revoke(held, ofGrant('grantNumber1', 1)).held).toBe(held);
  });

  it('is on the disk before it is acknowledged', () => {
    const { effects } = revoke(scene.state('active'), ofGrant('grantNumber1'));
    expect(effects.map(({ type }) => type)).toEqual(['store', 'audit', 'answer']);
  });

  it('counts for a share that is not activated yet', () => {
    const { held } = revoke(scene.state('pending'), ofGrant('grantNumber1'));
    const activation = scene.request('activate').activation;
    const from = scene.world.dealer.nodeKey;
    const activated = stepHolder(held, scene.env(), { type: 'activate', from, activation }).held;
    expect(roundAt(activated, { jti: 'grantNumber1' })).toBe('GRANT_REVOKED');
  });

  it('of one grant is forgotten once that has expired by itself, of all never', () => {
    const exp = nowSeconds() + 60;
    const { held } = revoke(revoke(scene.state('active'), ofGrant('grantNumber1', exp)).held, ofAllBefore(7));
    const endMs = exp * 1000 + clockSkewMs;
    expect(held && lapseMs(held)).toBe(endMs);
    const at = (nowMs: number): HeldKey | null =>
      stepHolder(held, { ...scene.env(), nowMs }, { type: 'expire' }).held;
    expect(at(endMs - 1)).toBe(held);
    expect(at(endMs)).toMatchObject({ revocations: [], revokedBefore: 7 });
  });

  it('is refused for a key that is not here, from another authority, and without room for it', () => {
    const state = scene.state('active');
    expect(refusalOf(revoke(null, ofGrant('grantNumber1')), null)).toBe('KEY_UNKNOWN');
    const foreign = revocation({ issuedBefore: 1 }, makeSigner());
    expect(refusalOf(revoke(state, foreign), state)).toBe('SIGNATURE_INVALID');
    const renamed = { ...ofAllBefore(1), authority: makeSigner().authority };
    expect(refusalOf(revoke(state, renamed), state)).toBe('RECORD_INVALID');
    const revocations = Array.from({ length: usesPerKeyMax }, (_, i) => {
      return { jti: `grantNumber${i}`, expiresAtMs: Number.MAX_SAFE_INTEGER };
    });
    const full = { ...state, revocations };
    expect(refusalOf(revoke(full, ofGrant('oneGrantMore')), full)).toBe('QUOTA_EXCEEDED');
    expect(revoke(full, ofAllBefore(5)).held?.revokedBefore).toBe(5);
  });
});

function tombstone(signer = scene.world.owner): Tombstone {
  const { keyId, authority, nonce } = scene.manifest.core;
  const destroyedAtMs = scene.world.timeline.nowMs();
  const signatures = signer.sign(tombstoneHashOf(nodeCrypto, { keyId, destroyedAtMs }));
  return { keyId, authority, nonce, destroyedAtMs, signatures };
}

function destroy(held: HeldKey | null, order: Tombstone, env: HolderEnv = scene.env()): HolderStep {
  return stepHolder(held, env, { type: 'destroy', from: stranger.nodeKey, tombstone: order });
}

/** The holder's state once the key is destroyed and the store's files are rewritten. */
function buried(held: HeldKey | null, order: Tombstone): HolderStep {
  return stepHolder(destroy(held, order).held, scene.env(), { type: 'erased', tombstone: order });
}

describe('a destroyed key', () => {
  it.each(['offered', 'pending', 'active'] as const)('leaves nothing secret of an %s share', async stage => {
    const dek = toHex(await scene.dek());
    const before = scene.state(stage);
    const secrets = [dek, ...before.offers.map(({ ekSeed }) => toHex(ekSeed))];
    expect(secrets.some(secret => toHex(encodeHeldKey(before)).includes(secret))).toBe(true);
    const { held } = destroy(before, tombstone());
    const after = held ? toHex(encodeHeldKey(held)) : '';
    expect(secrets.filter(secret => after.includes(secret))).toEqual([]);
    expect(held === null).toBe(stage === 'offered');
  });

  it('is erased on the disk before its files are rewritten, and they before the deletion is signed', () => {
    const order = tombstone();
    const first = destroy(scene.state('active'), order);
    expect(first.effects.map(({ type }) => type)).toEqual(['store', 'audit', 'erase']);
    const { effects } = stepHolder(first.held, scene.env(), { type: 'erased', tombstone: order });
    expect(effects.map(({ type }) => type)).toEqual(['store', 'answer']);
    const answer = at(effects, 1);
    assert(answer.type === 'answer' && answer.answer.name === 'destroy', 'a deletion is answered');
    const { nodeKey } = scene.env();
    const signed = deletionPreimage(tombstoneHashOf(nodeCrypto, order), nodeKey);
    expect(nodeCrypto.ed25519Verify(nodeKey, signed, answer.answer.body.signature)).toBe(true);
  });

  it('has its files rewritten again where a crash came between, and else only once', () => {
    const order = tombstone();
    const crashed = destroy(scene.state('active'), order).held;
    expect(destroy(crashed, order).effects.map(({ type }) => type)).toEqual(['erase']);
    const { held } = buried(scene.state('active'), order);
    expect(destroy(held, order).effects.map(({ type }) => type)).toEqual(['answer']);
    expect(destroy(held, order).held).toBe(held);
  });

  it('is never served, offered, deposited, activated, probed or revoked again', () => {
    const { held } = buried(scene.state('active'), tombstone());
    const env = scene.env();
    const from = scene.world.dealer.nodeKey;
    expect(roundAt(held)).toBe('KEY_DESTROYED');
    const steps = [
      stepHolder(held, env, { type: 'offer', from, offer: scene.request('offer') }),
      stepHolder(held, env, { type: 'deposit', from, deposit: scene.request('deposit') }),
      stepHolder(held, env, { type: 'activate', from, activation: scene.request('activate').activation }),
      stepHolder(held, env, {
        type: 'probe',
        probe: {
          keyId: scene.manifest.core.keyId,
          epoch: 1,
          coreHash: nodeRandom.bytes(32),
          x: scene.x,
          nonce: nodeRandom.bytes(32),
        },
      }),
      revoke(held, ofAllBefore(1)),
    ];
    for (const step of steps) expect(refusalOf(step, held)).toBe('KEY_DESTROYED');
  });

  it('is destroyed by its authority alone, and only where it is', () => {
    const state = scene.state('active');
    expect(refusalOf(destroy(state, tombstone(makeSigner())), state)).toBe('SIGNATURE_INVALID');
    const renamed = { ...tombstone(), authority: makeSigner().authority };
    expect(refusalOf(destroy(state, renamed), state)).toBe('RECORD_INVALID');
    expect(refusalOf(destroy(null, tombstone()), null)).toBe('KEY_UNKNOWN');
  });

  it('is remembered for its time, unless there are too many, and signed for either way', () => {
    const order = tombstone();
    const { held } = buried(scene.state('active'), order);
    const env = scene.env();
    const later = (ms: number): HeldKey | null =>
      stepHolder(held, { ...env, nowMs: env.nowMs + ms }, { type: 'expire' }).held;
    expect(later(graveLifeMs - 1)).toBe(held);
    expect(later(graveLifeMs)).toBeNull();
    const full = { ...env, load: { ...env.load, graves: env.capacity } };
    const forgotten = destroy(scene.state('active'), order, full);
    expect(forgotten.held).toBeNull();
    const signed = stepHolder(null, full, { type: 'erased', tombstone: order });
    expect(signed.effects.map(({ type }) => type)).toEqual(['answer']);
    expect(signed.held).toBeNull();
  });
});
