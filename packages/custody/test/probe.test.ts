import { equalBytes } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type HeldKey, type HolderStep, judgeProbe, openHeldShare, stepHolder } from '@skerry/custody';
import { provePossession, verifyPossession } from '@skerry/sharing';
import { type Core, coreHashOf, type Probe, probeAnswerPreimage, type RequestAnswer } from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Fault, holdOrder } from './faults.ts';
import { makeIdentity } from './identities.ts';
import { makeScene, refusalOf, type Scene } from './scenes.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await makeScene();
});

type Trial = ReturnType<typeof makeTrial>;
function makeTrial() {
  const { core } = scene.manifest;
  const coreHash = coreHashOf(nodeCrypto, core);
  const probe = { keyId: core.keyId, epoch: 1, coreHash, x: scene.x, nonce: nodeRandom.bytes(32) };
  return { held: scene.state('active') as HeldKey | null, probe };
}

function run({ held, probe }: Trial): HolderStep {
  return stepHolder(held, scene.env(), { type: 'probe', probe });
}

function answerTo(trial: Trial): RequestAnswer<'probe'> {
  const [effect] = run(trial).effects;
  if (effect?.type !== 'answer' || effect.answer.name !== 'probe') throw new Error('a probe is answered');
  return effect.answer.body;
}

type Point = Core['points'][number];
/** Spoils the point that the holder's stored core names. */
const spoilPoint =
  (spoil: (point: Point) => void) =>
  ({ held }: Trial): void => {
    for (const point of held?.active?.core.points ?? []) if (point.x === scene.x) spoil(point);
  };

/** Every way in which what is stored may be damaged. */
const damage: readonly Fault<Trial>[] = [
  ['finds a rotten ciphertext', 'SHARE_CORRUPT', ({ held }) => held?.active?.ciphertext.set([1, 2, 3], 5)],
  ['finds a rotten DEK', 'SHARE_CORRUPT', ({ held }) => held?.active?.dek.set([1, 2, 3], 5)],
  ['finds another verification key', 'SHARE_CORRUPT', spoilPoint(({ vk }) => void vk.fill(1))],
  ['finds another mask key', 'SHARE_CORRUPT', spoilPoint(({ mk }) => void mk.fill(1))],
];

describe('a probe', () => {
  const faults: readonly Fault<Trial>[] = [
    ['is for a key of which nothing is kept', 'KEY_UNKNOWN', trial => void (trial.held = null)],
    ['comes before the deposit', 'KEY_UNKNOWN', trial => void (trial.held = scene.state('offered'))],
    ['is for an epoch to come', 'KEY_UNKNOWN', ({ probe }) => void (probe.epoch = 2)],
    ["is for another holder's point", 'KEY_UNKNOWN', ({ probe }) => void (probe.x ^= 1)],
    ['is for another core', 'CORE_MISMATCH', ({ probe }) => void (probe.coreHash = nodeRandom.bytes(32))],
    ...damage,
  ];
  holdOrder(faults, makeTrial, run);

  it('for an epoch that the holder has left behind is not answered as one for a share that was lost', () => {
    const trial = makeTrial();
    (trial.held!.active as { core: Core }).core = { ...trial.held!.active!.core, epoch: 2 };
    expect(refusalOf(run(trial), trial.held)).toBe('EPOCH_MISMATCH');
  });

  it.each(['pending', 'active'] as const)('is answered with a proof that the %s share is there', stage => {
    const trial = { ...makeTrial(), held: scene.state(stage) };
    const { signature, nodeSignature } = answerTo(trial);
    const { vk } = scene.manifest.core.points.find(({ x }) => x === scene.x)!;
    expect(verifyPossession(nodeCrypto, vk, trial.probe, signature)).toBe(true);
    expect(verifyPossession(nodeCrypto, vk, { ...trial.probe, x: scene.x ^ 1 }, signature)).toBe(false);
    const signed = probeAnswerPreimage(trial.probe, signature);
    expect(nodeCrypto.ed25519Verify(scene.node.nodeKey, signed, nodeSignature)).toBe(true);
  });

  it('is never answered with a wrong proof: whatever byte of the share rots, the holder refuses', () => {
    const { length } = scene.state('active').active!.ciphertext;
    for (let at = 0; at < length; at++) {
      const trial = makeTrial();
      trial.held!.active!.ciphertext[at]! ^= 1;
      expect(refusalOf(run(trial), trial.held)).toBe('SHARE_CORRUPT');
    }
  });
});

describe('the judge of a probe', () => {
  type Case = { core: Core; probe: Probe; answer: RequestAnswer<'probe'> };
  function makeCase(): Case {
    const trial = makeTrial();
    return { core: scene.manifest.core, probe: trial.probe, answer: answerTo(trial) };
  }
  function judge({ core, probe, answer }: Case): string {
    return judgeProbe(nodeCrypto, { core, amendments: [] }, probe, answer);
  }
  /** An answer with a given proof, signed by a node. */
  function signedBy(nodeSeed: Uint8Array, probe: Probe, signature: Uint8Array): RequestAnswer<'probe'> {
    const nodeSignature = nodeCrypto.ed25519Sign(nodeSeed, probeAnswerPreimage(probe, signature));
    return { signature, nodeSignature };
  }

  it('finds a proof in what an honest holder answers', () => {
    expect(judge(makeCase())).toBe('proof');
  });

  it.each<[string, (probe: Probe) => Uint8Array]>([
    ['noise', () => nodeRandom.bytes(64)],
    ['nothing', () => new Uint8Array(64)],
    ['a proof for another nonce', probe => proofFor({ ...probe, nonce: nodeRandom.bytes(32) })],
    ['a proof for another epoch', probe => proofFor({ ...probe, epoch: 2 })],
  ])('finds cheating where the holder signs %s', (_, proof) => {
    const { core, probe } = makeCase();
    expect(judge({ core, probe, answer: signedBy(scene.node.nodeSeed, probe, proof(probe)) })).toBe(
      'proof-wrong',
    );
  });
  function proofFor(probe: Probe): Uint8Array {
    const { keys, close } = openHeldShare(nodeCrypto, scene.state('active').active!, 'SHARE_CORRUPT');
    const signature = provePossession(nodeCrypto, keys.signSeed, probe);
    close();
    return signature;
  }

  const other = (): Uint8Array => nodeRandom.bytes(32);
  it.each<[string, (given: Case) => void]>([
    [
      'of another node',
      given => {
        given.answer = signedBy(makeIdentity().nodeSeed, given.probe, nodeRandom.bytes(64));
      },
    ],
    ['with no signature', ({ answer }) => void (answer.nodeSignature = new Uint8Array(64))],
    ['replayed for another nonce', given => void (given.probe = { ...given.probe, nonce: other() })],
    ['replayed for another epoch', given => void (given.probe = { ...given.probe, epoch: 2 })],
    ['replayed for another point', given => void (given.probe = { ...given.probe, x: otherX() })],
    ['for a point that is not there', given => void (given.probe = { ...given.probe, x: strangeX() })],
    ['for another key', given => void (given.probe = { ...given.probe, keyId: other() })],
    ['for another core than is shown', given => void (given.probe = { ...given.probe, coreHash: other() })],
    ['of which the proof was exchanged', ({ answer }) => void (answer.signature = nodeRandom.bytes(64))],
  ])('finds nothing in an answer %s', (_, spoil) => {
    const given = makeCase();
    spoil(given);
    expect(judge(given)).toBe('unsigned');
  });
  function otherX(): number {
    return scene.manifest.core.points.find(({ x }) => x !== scene.x)!.x;
  }
  function strangeX(): number {
    const known = scene.manifest.core.points.map(({ x }) => x);
    return Array.from({ length: 255 }, (_, i) => i + 1).find(x => !known.includes(x))!;
  }

  it('is not led to blame a holder by an owner that shows a second core of the same epoch', () => {
    const { core, probe, answer } = makeCase();
    const points = core.points.map(point => (point.x === scene.x ? { ...point, vk: other() } : point));
    const second = { ...core, points };
    const coreHash = coreHashOf(nodeCrypto, second);
    // The owner has the honest answer about the first core, and asks again about the second.
    expect(judge({ core: second, probe, answer })).toBe('unsigned');
    expect(judge({ core: second, probe: { ...probe, coreHash }, answer })).toBe('unsigned');
    const trial = makeTrial();
    trial.probe.coreHash = coreHash;
    expect(refusalOf(run(trial), trial.held)).toBe('CORE_MISMATCH');
    expect(equalBytes(coreHash, probe.coreHash)).toBe(false);
  });
});
