import { at, concatBytes } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { encodeHeldKey, type HeldKey, type HolderStep, stepHolder } from '@skerry/custody';

import {
  acceptPreimage,
  coreHashOf,
  type Deposit,
  type Offer,
  offerPreimage,
  pointsHashOf,
  verifyReceipt,
} from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  clockSkewMs,
  offerLifeMs,
  offersPerDealerMax,
  offersPerKeyMax,
  pendingLifeMs,
  sharesPerDealerMax,
} from '../parameters.ts';
import { shareAad } from '../src/held-share.ts';
import { type Fault, holdOrder } from './faults.ts';
import { makeScene, refusalOf, type Scene } from './scenes.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await makeScene();
});

describe('an offer', () => {
  type Trial = ReturnType<typeof makeTrial>;
  function makeTrial() {
    const { signature: _, ...offer } = scene.request('offer');
    const env = { ...scene.env(), nowMs: offer.issuedAtMs };
    return {
      held: null as HeldKey | null,
      from: scene.world.dealer.nodeKey,
      signSeed: scene.world.dealer.nodeSeed,
      offer,
      env,
    };
  }
  function offered({ offer, signSeed }: Trial): Offer {
    return { ...offer, signature: nodeCrypto.ed25519Sign(signSeed, offerPreimage(offer)) };
  }
  function run(trial: Trial): HolderStep {
    return stepHolder(trial.held, trial.env, { type: 'offer', from: trial.from, offer: offered(trial) });
  }
  function waitingOffers(count: number): HeldKey['offers'] {
    const [waiting] = scene.state('offered').offers as [HeldKey['offers'][number]];
    return Array.from({ length: count }, () => {
      const [dealer, signature] = [nodeRandom.bytes(32), nodeRandom.bytes(64)];
      return { ...waiting, offer: { ...waiting.offer, dealer, signature } };
    });
  }

  const faults: readonly Fault<Trial>[] = [
    [
      'comes from another node than its dealer',
      'DEALER_REFUSED',
      trial => void (trial.from = nodeRandom.bytes(32)),
    ],
    ['is for another holder', 'DEALER_REFUSED', ({ offer }) => void (offer.holder = nodeRandom.bytes(32))],
    [
      'is the own one',
      'DEALER_REFUSED',
      trial => {
        trial.offer.dealer = trial.env.nodeKey;
        trial.from = trial.env.nodeKey;
        trial.signSeed = trial.env.nodeSeed;
      },
    ],
    ['is signed by another key', 'SIGNATURE_INVALID', trial => void (trial.signSeed = nodeRandom.bytes(32))],
    [
      "squats on another authority's key id",
      'CORE_INVALID',
      ({ offer }) => void (offer.nonce = nodeRandom.bytes(16)),
    ],
    [
      'was made long ago',
      'REQUEST_NOT_FRESH',
      trial => void (trial.offer.issuedAtMs = trial.env.nowMs - clockSkewMs - 1),
    ],
    [
      'is made in the future',
      'REQUEST_NOT_FRESH',
      trial => void (trial.offer.issuedAtMs = trial.env.nowMs + clockSkewMs + 1),
    ],
    [
      'has expired',
      'REQUEST_NOT_FRESH',
      trial => void (trial.offer.expiresAtMs = trial.env.nowMs - clockSkewMs),
    ],
    [
      'is for an epoch that is served already',
      'EPOCH_MISMATCH',
      trial => void (trial.held = scene.state('active')),
    ],
    ['finds no room', 'QUOTA_EXCEEDED', trial => void (trial.env.capacity = 0)],
    [
      'is of a dealer with too many shares',
      'QUOTA_EXCEEDED',
      ({ env }) => void (env.load = { ...env.load, sharesOfDealer: sharesPerDealerMax }),
    ],
    [
      'is of a dealer with too many offers',
      'QUOTA_EXCEEDED',
      ({ env }) => void (env.load = { ...env.load, offersOfDealer: offersPerDealerMax }),
    ],
    [
      'is for a key with too many offers',
      'QUOTA_EXCEEDED',
      trial => void (trial.held = { ...scene.state('offered'), offers: waitingOffers(offersPerKeyMax) }),
    ],
  ];
  holdOrder(faults, makeTrial, run);

  it('is answered with a fresh key that the node signed for this very offer', () => {
    const trial = makeTrial();
    const [first, second] = [run(trial), run(trial)];
    const accepts = [first, second].map(({ effects }) => {
      expect(effects.map(({ type }) => type)).toEqual(['store', 'answer']);
      const [, effect] = effects;
      if (effect?.type !== 'answer' || effect.answer.name !== 'offer')
        throw new Error('an offer is answered');
      return effect.answer.body;
    });
    for (const { ek, expiresAtMs, signature } of accepts) {
      const signed = acceptPreimage(offered(trial), ek, expiresAtMs);
      expect(nodeCrypto.ed25519Verify(scene.node.nodeKey, signed, signature)).toBe(true);
      expect(expiresAtMs).toBe(trial.env.nowMs + offerLifeMs);
    }
    expect(at(accepts, 0).ek).not.toEqual(at(accepts, 1).ek);
  });

  it('may be repeated: it gets the same key', () => {
    const trial = makeTrial();
    const { held, effects } = run(trial);
    const again = run({ ...trial, held });
    expect(again.held).toBe(held);
    expect(again.effects).toEqual(effects.slice(1));
  });

  it("replaces its dealer's former one, keeps those of others, and clears out expired ones", () => {
    const trial = makeTrial();
    trial.offer.issuedAtMs++;
    const others = waitingOffers(offersPerKeyMax);
    at(others, 0).expiresAtMs = trial.env.nowMs;
    trial.held = {
      ...scene.state('offered'),
      offers: [...others.slice(0, 2), ...scene.state('offered').offers],
    };
    const { held } = run(trial);
    expect(held?.offers).toHaveLength(2);
    expect(held?.offers[0]).toBe(others[1]);
    expect(held?.offers[1]?.offer).toEqual(offered(trial));
    trial.held = { ...scene.state('offered'), offers: others };
    expect(run(trial).held?.offers).toHaveLength(offersPerKeyMax);
  });
});

describe('a deposit', () => {
  let dek: Uint8Array;
  beforeAll(async () => {
    dek = await scene.dek();
  });

  type Trial = ReturnType<typeof makeTrial>;
  function makeTrial() {
    const deposit: Deposit = scene.request('deposit');
    const env = { ...scene.env(), nowMs: scene.request('offer').issuedAtMs + 1000 };
    return {
      held: scene.state('offered') as HeldKey | null,
      from: scene.world.dealer.nodeKey,
      deposit,
      env,
      dek: new Uint8Array(dek) as Uint8Array | undefined,
      signsCore: true,
      signsPoints: true,
    };
  }
  function signed({ deposit, signsCore, signsPoints }: Trial): Deposit {
    const { core } = deposit;
    const { sign } = scene.world.owner;
    const elsewhere = nodeRandom.bytes(32);
    return {
      ...deposit,
      signatures: sign(signsCore ? coreHashOf(nodeCrypto, core) : elsewhere),
      pointsSignatures: sign(
        signsPoints ? pointsHashOf(nodeCrypto, core.keyId, core.epoch, core.points) : elsewhere,
      ),
    };
  }
  function run(trial: Trial): HolderStep {
    const { env, from } = trial;
    const deposit = signed(trial);
    const step = stepHolder(trial.held, env, { type: 'deposit', from, deposit });
    if (step.effects[0]?.type !== 'open-dek') return step;
    return stepHolder(step.held, env, { type: 'dek-opened', deposit, dek: trial.dek });
  }
  /** The state with an active key of that epoch beside the offer. */
  function serving(trial: Trial, epoch: number): void {
    const { active } = scene.state('active');
    if (active && trial.held)
      trial.held = { ...trial.held, active: { ...active, core: { ...active.core, epoch } } };
  }
  const mine = ({ deposit }: Trial) => deposit.core.holders.find(({ x }) => x === deposit.x)!;

  const faults: readonly Fault<Trial>[] = [
    [
      'comes from another node than its dealer',
      'DEALER_REFUSED',
      trial => void (trial.from = nodeRandom.bytes(32)),
    ],
    ['was never offered', 'OFFER_UNKNOWN', trial => void (trial.held = null)],
    ['comes after its offer expired', 'OFFER_UNKNOWN', ({ env }) => void (env.nowMs += offerLifeMs)],
    [
      'is sealed to a key of another offer',
      'OFFER_UNKNOWN',
      trial => void (mine(trial).ek = nodeRandom.bytes(32)),
    ],
    ['is longer than was offered', 'OFFER_UNKNOWN', ({ deposit }) => void deposit.core.length++],
    ['has counts that break a rule', 'CORE_INVALID', ({ deposit }) => void (deposit.core.n = deposit.core.k)],
    [
      'has a mask key of low order',
      'CORE_INVALID',
      ({ deposit }) => void (at(deposit.core.points, 0).mk = new Uint8Array(32)),
    ],
    ['is not signed by the authority', 'SIGNATURE_INVALID', trial => void (trial.signsCore = false)],
    ["is another holder's", 'CORE_INVALID', trial => void (mine(trial).nodeKey = nodeRandom.bytes(32))],
    ['has points that are not signed', 'SIGNATURE_INVALID', trial => void (trial.signsPoints = false)],
    ['is of an epoch that is served already', 'EPOCH_MISMATCH', trial => serving(trial, 99)],
    [
      'does not follow the epoch that is served',
      'CORE_MISMATCH',
      trial => {
        serving(trial, 1);
        trial.deposit.core.epoch = 2;
        trial.deposit.core.previousHash = nodeRandom.bytes(32);
        for (const { offer } of trial.held?.offers ?? []) offer.epoch = 2;
      },
    ],
    [
      'would replace the pending share of another dealer',
      'DEALER_REFUSED',
      trial => {
        const { pending } = scene.state('pending');
        const core = pending && { ...pending.core, dealer: nodeRandom.bytes(32) };
        const coreHash = nodeRandom.bytes(32);
        if (core && trial.held) trial.held = { ...trial.held, pending: { ...pending, core, coreHash } };
      },
    ],
    ['has a DEK that does not open', 'SHARE_MISMATCH', trial => void (trial.dek = undefined)],
    ['has another DEK', 'SHARE_MISMATCH', trial => void (trial.dek = nodeRandom.bytes(32))],
    [
      'has a ciphertext that was altered',
      'SHARE_MISMATCH',
      ({ deposit }) =>
        void (deposit.ciphertext = deposit.ciphertext.map((byte, i) => byte ^ Number(i === 40))),
    ],
    [
      'holds a share that says it is of another point',
      'SHARE_MISMATCH',
      ({ deposit }) => {
        const aad = shareAad(deposit.core.keyId, 1, deposit.x);
        const plaintext = nodeCrypto.aeadOpen(dek, deposit.ciphertext, aad)!;
        plaintext[plaintext.length - 1]! ^= 1;
        deposit.ciphertext = nodeCrypto.aeadSeal(dek, plaintext, aad);
      },
    ],
    [
      'holds a share that does not give the verification key named for it',
      'SHARE_MISMATCH',
      ({ deposit }) => void (deposit.core.points.find(({ x }) => x === deposit.x)!.vk = nodeRandom.bytes(32)),
    ],
    [
      'holds a share that does not give the mask key named for it',
      'SHARE_MISMATCH',
      ({ deposit }) =>
        void (deposit.core.points.find(({ x }) => x === deposit.x)!.mk = nodeCrypto.x25519PublicKey(dek)),
    ],
  ];
  holdOrder(faults, makeTrial, run);

  it('is answered with a receipt once it is stored, and used up its offer and the key that was made for it', () => {
    const { held, effects } = run(makeTrial());
    expect(effects.map(({ type }) => type)).toEqual(['store', 'audit', 'answer']);
    const [, , effect] = effects;
    if (effect?.type !== 'answer' || effect.answer.name !== 'deposit')
      throw new Error('a deposit is answered');
    const { core } = scene.manifest;
    expect(verifyReceipt(nodeCrypto, core, coreHashOf(nodeCrypto, core), effect.answer.body)).toBe(true);
    expect(held?.offers).toEqual([]);
    expect(held?.pending?.activation).toBeNull();
    const stored = encodeHeldKey(held!);
    const { ekSeed } = at(scene.state('offered').offers, 0);
    expect(Buffer.from(stored).includes(ekSeed)).toBe(false);
  });

  it('may be repeated: it gets the same receipt', () => {
    const { held, effects } = run(makeTrial());
    const again = run({ ...makeTrial(), held });
    expect(again.held).toBe(held);
    expect(again.effects).toEqual(effects.slice(2));
  });

  it('wipes the DEK of a share that it refuses, and takes no DEK of another length', () => {
    const trial = makeTrial();
    trial.dek = nodeRandom.bytes(32);
    run(trial);
    expect(trial.dek).toEqual(new Uint8Array(32));
    const long = { ...makeTrial(), dek: concatBytes(dek, dek) };
    expect(refusalOf(run(long), long.held)).toBe('SHARE_MISMATCH');
  });

  it('of a second core of the same dealer replaces the pending one, whose activation is then refused', () => {
    const trial = {
      ...makeTrial(),
      held: { ...scene.state('pending'), offers: scene.state('offered').offers },
    };
    trial.deposit.core.createdAtMs++;
    const { held } = run(trial);
    expect(held?.pending?.core.createdAtMs).toBe(trial.deposit.core.createdAtMs);
    const { activation } = scene.request('activate');
    const step = stepHolder(held, trial.env, { type: 'activate', from: trial.from, activation });
    expect(refusalOf(step, held)).toBe('ACTIVATION_INVALID');
  });

  it('of another dealer may follow once the pending one has lapsed', () => {
    const trial = makeTrial();
    const { pending } = scene.state('pending');
    if (!pending || !trial.held) throw new Error('a share is pending');
    const depositedAtMs = trial.env.nowMs - pendingLifeMs;
    const core = { ...pending.core, dealer: nodeRandom.bytes(32) };
    const coreHash = nodeRandom.bytes(32);
    trial.held = { ...trial.held, pending: { ...pending, core, coreHash, depositedAtMs } };
    expect(run(trial).held?.pending?.core.dealer).toEqual(trial.from);
  });
});
