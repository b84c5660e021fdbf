import { at } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type HeldKey, type HolderStep, stepHolder } from '@skerry/custody';
import { activationPreimage, checkActivation, nodeIdOf } from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { pendingLifeMs } from '../parameters.ts';
import { type Fault, holdOrder } from './faults.ts';
import { makeScene, type Scene } from './scenes.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await makeScene();
});

describe('an activation', () => {
  type Trial = ReturnType<typeof makeTrial>;
  function makeTrial() {
    return {
      held: scene.state('pending') as HeldKey | null,
      activation: scene.request('activate').activation,
      signSeed: scene.world.dealer.nodeSeed,
      from: scene.world.dealer.nodeKey,
      env: scene.env(),
    };
  }
  function run({ held, activation, signSeed, env, from }: Trial): HolderStep {
    const signed = activationPreimage(activation.coreHash, activation.receipts);
    const signature = nodeCrypto.ed25519Sign(signSeed, signed);
    return stepHolder(held, env, { type: 'activate', from, activation: { ...activation, signature } });
  }
  const faults: readonly Fault<Trial>[] = [
    ['is for a key of which nothing is kept', 'KEY_UNKNOWN', trial => void (trial.held = null)],
    ['comes before the deposit', 'KEY_UNKNOWN', trial => void (trial.held = scene.state('offered'))],
    [
      'is of another core',
      'ACTIVATION_INVALID',
      ({ activation }) => void (activation.coreHash = nodeRandom.bytes(32)),
    ],
    ['has too few receipts', 'ACTIVATION_INVALID', ({ activation }) => void activation.receipts.splice(2)],
    [
      'has a false receipt',
      'ACTIVATION_INVALID',
      ({ activation }) => void (at(activation.receipts, 1).shareSignature = nodeRandom.bytes(64)),
    ],
    [
      'has a receipt twice',
      'ACTIVATION_INVALID',
      ({ activation }) => void (activation.receipts[1] = at(activation.receipts, 0)),
    ],
    [
      'is not signed by the dealer',
      'ACTIVATION_INVALID',
      trial => void (trial.signSeed = nodeRandom.bytes(32)),
    ],
  ];
  holdOrder(faults, makeTrial, run);

  it('makes the share serve once it is stored, and is then answered and published', () => {
    const { held, effects } = run(makeTrial());
    expect(effects.map(({ type }) => type)).toEqual(['store', 'audit', 'answer', 'publish']);
    expect(held?.pending).toBeNull();
    const { core, coreHash, activation } = held!.active!;
    expect(() => checkActivation(nodeCrypto, core, coreHash, activation!)).not.toThrow();
  });

  it('is good whoever brings it, since its dealer signed it', () => {
    const from = nodeRandom.bytes(32);
    const { held, effects } = run({ ...makeTrial(), from });
    expect(held?.active).not.toBeNull();
    const line = effects.find(({ type }) => type === 'audit');
    expect(line).toMatchObject({ fields: { from: nodeIdOf(from) } });
  });

  it('may be repeated', () => {
    const { held } = run(makeTrial());
    const again = run({ ...makeTrial(), held });
    expect(again.held).toBe(held);
    expect(again.effects).toEqual([{ type: 'answer', answer: { name: 'activate', body: {} } }]);
  });
});

describe('expiry', () => {
  function expire(held: HeldKey | null, nowMs: number): HolderStep {
    return stepHolder(held, { ...scene.env(), nowMs }, { type: 'expire' });
  }

  it('drops an offer when its time is over, and then the key of which nothing else is kept', () => {
    const held = scene.state('offered');
    const { expiresAtMs } = at(held.offers, 0);
    expect(expire(held, expiresAtMs - 1)).toEqual({ held, effects: [] });
    expect(expire(held, expiresAtMs)).toEqual({ held: null, effects: [{ type: 'store' }] });
  });

  it('drops a share that was not activated in time', () => {
    const held = scene.state('pending');
    const lapsesAtMs = held.pending!.depositedAtMs + pendingLifeMs;
    expect(expire(held, lapsesAtMs - 1).held).toBe(held);
    expect(expire(held, lapsesAtMs).held).toBeNull();
  });

  it('never drops an active share, and keeps what is remembered of a grant until it has expired', () => {
    const held = scene.state('active');
    held.uses.push({ jti: 'a-grant-', roundId: nodeRandom.bytes(16), expiresAtMs: 5000 });
    held.announcements.push({ jti: 'a-grant-', announcedAtMs: 0, expiresAtMs: 6000 });
    expect(expire(held, 4999).held).toBe(held);
    expect(expire(held, 5000).held).toMatchObject({ uses: [], announcements: [{ jti: 'a-grant-' }] });
    const late = expire(held, Number.MAX_SAFE_INTEGER).held;
    expect(late).toEqual({ ...held, uses: [], announcements: [] });
  });

  it('has nothing to do where nothing is kept', () => {
    expect(expire(null, 0)).toEqual({ held: null, effects: [] });
  });
});

describe('a holder', () => {
  it('has on its disk one state after another, and in its log what it took and from when on it serves', () => {
    const requests = scene.world.received.filter(({ holder }) => holder === scene.node.nodeId);
    expect(requests.map(({ request }) => request.name)).toEqual(['offer', 'deposit', 'activate']);
    expect(scene.node.history).toHaveLength(3);
    expect(scene.node.audit.map(({ event }) => event)).toEqual(['deposit', 'activate']);
  });
});
