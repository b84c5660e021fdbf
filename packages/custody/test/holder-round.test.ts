import { at, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { encodeHeldKey } from '@skerry/custody';
import { beforeAll, describe, expect, it } from 'vitest';
import { clockSkewMs, grantLifeMaxMs, usesPerKeyMax } from '../parameters.ts';
import { type Identity, makeIdentity } from './identities.ts';
import {
  change,
  claim,
  codeIn,
  delayed,
  delayMs,
  makeRoundTrial,
  runRound,
  setWith,
  type RoundTrial as Trial,
  used,
} from './round-trials.ts';
import { makeScene, refusalOf, type Scene } from './scenes.ts';

let scene: Scene;
let by: Identity;
beforeAll(async () => {
  scene = await makeScene({ t: 3, n: 4, k: 5 });
  by = makeIdentity();
});
const makeTrial = (): Trial => makeRoundTrial(scene, by);

/** Every check of a round, in order: see docs/PROTOCOL.md. */
const faults: readonly (readonly [name: string, code: string, spoil: (trial: Trial) => void])[] = [
  ['is for a key of which nothing is kept', 'KEY_UNKNOWN', trial => void (trial.held = null)],
  ['is for a key that was only offered', 'KEY_UNKNOWN', trial => void (trial.held = scene.state('offered'))],
  ['is for another epoch', 'EPOCH_MISMATCH', change(() => ({ epoch: 2 }))],
  ['is for another core', 'CORE_MISMATCH', change(() => ({ coreHash: nodeRandom.bytes(32) }))],
  ['names a lower threshold', 'THRESHOLD_MISMATCH', change(() => ({ t: 2 }))],
  ['names another length', 'THRESHOLD_MISMATCH', change(() => ({ length: 33 }))],
  ['has a set of one', 'SET_INVALID', change(({ request }) => ({ set: request.set.slice(0, 1) }))],
  [
    'has a member twice',
    'SET_INVALID',
    change(({ request: { set } }) => ({ set: [at(set, 0), ...set.slice(0, 2)] })),
  ],
  [
    'has a set that does not ascend',
    'SET_INVALID',
    change(({ request }) => ({ set: request.set.toReversed() })),
  ],
  ['has a set with a stranger', 'SET_INVALID', change(({ request }) => ({ set: withStranger(request.set) }))],
  [
    'has a set without this holder',
    'NOT_IN_SET',
    change(() => ({ set: setWith(scene, false).sort((a, b) => a - b) })),
  ],
  ['opens at a point', 'OPERATION_REFUSED', change(() => ({ op: 'open', x: setWith(scene, false)[2]! }))],
  ['inspects at zero', 'OPERATION_REFUSED', change(() => ({ op: 'inspect', x: 0 }))],
  ['inspects a member of its own set', 'OPERATION_REFUSED', change(() => ({ op: 'inspect', x: scene.x }))],
  [
    'inspects a point that is not there',
    'OPERATION_REFUSED',
    change(() => ({ op: 'inspect', x: strangeX() })),
  ],
  ['would answer to another node', 'GRANT_INVALID', trial => void (trial.from = nodeRandom.bytes(32))],
  [
    'has a grant that the authority did not sign',
    'GRANT_INVALID',
    trial => void (trial.claims = 'GRANT_INVALID'),
  ],
  ['is for a share not activated yet', 'KEY_NOT_ACTIVE', trial => void (trial.held = scene.state('pending'))],
  ['has a grant for another key', 'GRANT_INVALID', claim(() => ({ keyId: toHex(nodeRandom.bytes(32)) }))],
  ['has a grant for another epoch', 'GRANT_INVALID', claim(() => ({ epoch: 2 }))],
  ['has a grant for another operation', 'GRANT_INVALID', claim(() => ({ op: 'inspect' }))],
  ['has a grant of another node', 'GRANT_INVALID', claim(() => ({ sub: makeIdentity().nodeId }))],
  ['has a grant for other holders', 'GRANT_INVALID', claim(() => ({ among: setWith(scene, false) }))],
  [
    'has a grant that lives too long',
    'GRANT_INVALID',
    claim(({ nbf }) => ({ exp: nbf + 1 + (delayMs + grantLifeMaxMs) / 1000 })),
  ],
  ['has a grant of yesterday', 'GRANT_EXPIRED', claim((_, { env }) => lifeFrom(env.nowMs - 86_400_000))],
  ['has a grant of tomorrow', 'GRANT_EXPIRED', claim((_, { env }) => lifeFrom(env.nowMs + 86_400_000))],
  [
    'is signed by another key',
    'REQUEST_SIGNATURE_INVALID',
    trial => void (trial.signSeed = nodeRandom.bytes(32)),
  ],
  ['is old', 'REQUEST_NOT_FRESH', change(({ env }) => ({ issuedAtMs: env.nowMs - clockSkewMs - 1 }))],
  [
    'is of the future',
    'REQUEST_NOT_FRESH',
    change(({ env }) => ({ issuedAtMs: env.nowMs + clockSkewMs + 1 })),
  ],
];

/** The checks after the delay. */
const lateFaults: typeof faults = [
  [
    'has a grant that is used up',
    'GRANT_USED_UP',
    trial => {
      claim(() => ({ uses: 2 }))(trial);
      used(2)(trial);
    },
  ],
  [
    'is counted where too much is remembered already',
    'QUOTA_EXCEEDED',
    trial => {
      claim(() => ({ uses: 2 }))(trial);
      used(usesPerKeyMax, 'another-grant')(trial);
    },
  ],
  [
    'finds a ciphertext that rotted',
    'SHARE_CORRUPT',
    ({ held }) => held?.active?.ciphertext.set([1, 2, 3], 5),
  ],
  ['finds a DEK that rotted', 'SHARE_CORRUPT', ({ held }) => held?.active?.dek.set([1, 2, 3], 5)],
  [
    'finds a share that is not the one of its point',
    'SHARE_CORRUPT',
    ({ held }) => held?.active?.core.points.find(({ x }) => x === scene.x)?.vk.fill(1),
  ],
];

/** A minute from a time on. */
function lifeFrom(ms: number): { nbf: number; exp: number } {
  return { nbf: Math.floor(ms / 1000), exp: Math.floor(ms / 1000) + 60 };
}

function strangeX(): number {
  const known = scene.manifest.core.points.map(({ x }) => x);
  return Array.from({ length: 255 }, (_, i) => i + 1).find(x => !known.includes(x))!;
}

function withStranger(set: readonly number[]): number[] {
  const others = set.filter(x => x !== scene.x).slice(1);
  return [scene.x, strangeX(), ...others].sort((a, b) => a - b);
}

describe('a round request', () => {
  it.each([...faults, ...lateFaults])('that %s is refused with %s and changes nothing', (_, code, spoil) => {
    const trial = makeTrial();
    spoil(trial);
    const before = trial.held && encodeHeldKey(trial.held);
    expect(refusalOf(runRound(trial), trial.held)).toBe(code);
    expect(trial.held && encodeHeldKey(trial.held)).toEqual(before);
  });

  it('with two faults is refused for the one that comes first in the protocol', () => {
    const ordered = [...faults, ...lateFaults];
    for (const [i, [name, code, spoil]] of ordered.entries()) {
      for (const [later, , spoilLater] of ordered.slice(i + 1)) {
        const trial = makeTrial();
        spoilLater(trial);
        spoil(trial);
        expect([name, later, codeIn(runRound(trial))]).toEqual([name, later, code]);
      }
    }
  });

  it('is told of the delay after every check of its authority and before its use is counted', () => {
    for (const [, code, spoil] of faults) {
      const trial = makeTrial();
      delayed(trial);
      spoil(trial);
      expect(codeIn(runRound(trial))).toBe(code);
    }
    for (const [, , spoil] of lateFaults) {
      const trial = makeTrial();
      delayed(trial);
      spoil(trial);
      expect(codeIn(runRound(trial))).toBe('DELAY_PENDING');
    }
  });

  it('is logged when it is refused, with who asked, where the key is served and nowhere else', () => {
    const [refused, unknown] = [makeTrial(), makeTrial()];
    refused.claims = 'GRANT_INVALID';
    unknown.held = null;
    const fields = { op: 'open', subject: by.nodeId, x: scene.x, code: 'GRANT_INVALID' };
    expect(runRound(refused).effects[0]).toEqual({ type: 'audit', event: 'round-refused', fields });
    expect(runRound(unknown).effects).toEqual([{ type: 'refuse', code: 'KEY_UNKNOWN' }]);
  });

  it('is logged before it is answered', () => {
    const { effects } = runRound(makeTrial());
    expect(effects.map(({ type }) => type)).toEqual(['audit', 'answer-sealed']);
  });
});

describe('times', () => {
  const edges: [string, string | undefined, (trial: Trial) => void][] = [
    [
      'the last millisecond of a grant',
      undefined,
      ({ env, claims }) => setNow(env, claims, 'exp', clockSkewMs - 1),
    ],
    ['the first after it', 'GRANT_EXPIRED', ({ env, claims }) => setNow(env, claims, 'exp', clockSkewMs)],
    [
      'the first millisecond of a grant',
      undefined,
      ({ env, claims }) => setNow(env, claims, 'nbf', -clockSkewMs),
    ],
    [
      'the last before it',
      'GRANT_EXPIRED',
      ({ env, claims }) => setNow(env, claims, 'nbf', -clockSkewMs - 1),
    ],
  ];
  function setNow(env: Trial['env'], claims: Trial['claims'], edge: 'nbf' | 'exp', ms: number): void {
    if (typeof claims !== 'string') (env as { nowMs: number }).nowMs = claims[edge] * 1000 + ms;
  }

  it.each(edges)('count with two minutes of slack: %s', (_, code, move) => {
    const trial = makeTrial();
    move(trial);
    trial.request = { ...trial.request, issuedAtMs: trial.env.nowMs };
    expect(codeIn(runRound(trial))).toBe(code);
  });

  it.each([-clockSkewMs, clockSkewMs])('of a request may be %d ms from the own clock', offsetMs => {
    const trial = makeTrial();
    trial.request = { ...trial.request, issuedAtMs: trial.env.nowMs + offsetMs };
    expect(codeIn(runRound(trial))).toBeUndefined();
  });

  it('of a grant may cover an hour, and the delay of its key besides', () => {
    const trial = makeTrial();
    claim(({ nbf }) => ({ exp: nbf + grantLifeMaxMs / 1000 }))(trial);
    expect(codeIn(runRound(trial))).toBeUndefined();
    delayed(trial);
    claim(({ exp }) => ({ exp: exp + delayMs / 1000 }))(trial);
    expect(codeIn(runRound(trial))).toBe('DELAY_PENDING');
    claim(({ exp }) => ({ exp: exp + 1 }))(trial);
    expect(codeIn(runRound(trial))).toBe('GRANT_INVALID');
  });
});
