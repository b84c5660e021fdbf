import { at } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type HeldKey, type HolderStep, openHeldShare, roundContextOf, stepHolder } from '@skerry/custody';
import { type Manifest, nodeIdOf, type RoundRequest } from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { clockSkewMs, drillsPerHourMax } from '../parameters.ts';
import { type Fault, holdOrder } from './faults.ts';
import { makeIdentity, signGrant } from './identities.ts';
import { codeIn } from './round-trials.ts';
import { contributionsOf, makeRequest, signRequest, xor } from './rounds.ts';
import { makeScene, refusalOf, type Scene } from './scenes.ts';
import { claimsFor, nodeOf } from './world.ts';

const hourMs = 3_600_000;
let scene: Scene;
/** The holder that drills, and the seed of its share's key. */
let driller: { x: number; nodeKey: Uint8Array; nodeSeed: Uint8Array; shareSeed: Uint8Array };
beforeAll(async () => {
  scene = await makeScene({ t: 3, n: 4, k: 5 });
  driller = drillerAt(1);
});

/** The holder of that number in the manifest, as one that drills. */
function drillerAt(number: number): typeof driller {
  const { core } = scene.manifest;
  const { x, nodeKey } = at(core.holders, number);
  const { nodeSeed, held } = nodeOf(scene.world, nodeIdOf(nodeKey));
  const { keys } = openHeldShare(nodeCrypto, held(core.keyId)!.active!, 'SHARE_CORRUPT');
  return { x, nodeKey, nodeSeed, shareSeed: keys.signSeed };
}

/** A set with the asked holder and without the one that drills. */
function setOf(manifest: Manifest): number[] {
  const others = manifest.core.holders.map(({ x }) => x).filter(x => x !== driller.x && x !== scene.x);
  return [scene.x, ...others.slice(0, 2)].sort((a, b) => a - b);
}

function makeTrial() {
  const { world, manifest } = scene;
  const { x, nodeKey, shareSeed } = driller;
  const grant = new Uint8Array(0);
  const changes: Partial<RoundRequest> = { op: 'drill', x, grant };
  const by = { nodeId: nodeIdOf(nodeKey), nodeKey, nodeSeed: shareSeed };
  return {
    held: scene.state('active') as HeldKey | null,
    from: nodeKey,
    request: makeRequest(world, manifest, setOf(manifest), by, changes).request,
    signSeed: shareSeed,
    env: scene.env(),
  };
}
type Trial = ReturnType<typeof makeTrial>;

function run({ held, env, from, request, signSeed }: Trial): HolderStep {
  return stepHolder(held, env, { type: 'round', from, request: signRequest(request, signSeed) });
}

const change =
  (changes: (trial: Trial) => Partial<RoundRequest>) =>
  (trial: Trial): void => {
    trial.request = { ...trial.request, ...changes(trial) };
  };

/** Spoils a trial by drills that the holder remembers. */
function drilled(trial: Trial, x: number, count: number, expiresAtMs = trial.env.nowMs + 1): void {
  const drills = Array.from({ length: count }, () => ({ x, roundId: nodeRandom.bytes(16), expiresAtMs }));
  if (trial.held) trial.held = { ...trial.held, drills: [...trial.held.drills, ...drills] };
}

const pointsOutside = (): number[] => {
  const set = setOf(scene.manifest);
  return scene.manifest.core.points.map(({ x }) => x).filter(x => !set.includes(x));
};

describe('a drill', () => {
  const faults: readonly Fault<Trial>[] = [
    ['is for a key of which nothing is kept', 'KEY_UNKNOWN', trial => void (trial.held = null)],
    ['is for another epoch', 'EPOCH_MISMATCH', change(() => ({ epoch: 2 }))],
    ['is for another core', 'CORE_MISMATCH', change(() => ({ coreHash: nodeRandom.bytes(32) }))],
    ['names a lower threshold', 'THRESHOLD_MISMATCH', change(() => ({ t: 2 }))],
    ['has a set of two', 'SET_INVALID', change(({ request }) => ({ set: request.set.slice(0, 2) }))],
    [
      'has a set without this holder',
      'NOT_IN_SET',
      change(() => {
        const others = scene.manifest.core.points.map(({ x }) => x).filter(x => x !== scene.x);
        return { set: others.slice(0, 3) };
      }),
    ],
    ['is at zero, where the key is', 'OPERATION_REFUSED', change(() => ({ x: 0 }))],
    ['is at a member of its own set', 'OPERATION_REFUSED', change(() => ({ x: scene.x }))],
    [
      'is for a share not activated yet',
      'KEY_NOT_ACTIVE',
      trial => void (trial.held = scene.state('pending')),
    ],
    [
      "is of another's share",
      'OPERATION_REFUSED',
      change(() => ({ x: pointsOutside().find(x => x !== driller.x)! })),
    ],
    ['comes from another node', 'OPERATION_REFUSED', trial => void (trial.from = makeIdentity().nodeKey)],
    [
      'would answer to another node',
      'OPERATION_REFUSED',
      change(() => ({ recipientId: makeIdentity().nodeKey })),
    ],
    [
      "is signed by the node's key, which a thief may have without the share",
      'REQUEST_SIGNATURE_INVALID',
      trial => void (trial.signSeed = driller.nodeSeed),
    ],
    [
      'is signed with the share of another',
      'REQUEST_SIGNATURE_INVALID',
      trial => void (trial.signSeed = drillerAt(2).shareSeed),
    ],
    ['is old', 'REQUEST_NOT_FRESH', change(({ env }) => ({ issuedAtMs: env.nowMs - clockSkewMs - 1 }))],
    [
      'is of the future',
      'REQUEST_NOT_FRESH',
      change(({ env }) => ({ issuedAtMs: env.nowMs + clockSkewMs + 1 })),
    ],
    [
      'comes after as many as there may be in an hour',
      'RATE_LIMITED',
      trial => drilled(trial, driller.x, drillsPerHourMax),
    ],
    ['finds a rotten share', 'SHARE_CORRUPT', ({ held }) => held?.active?.ciphertext.set([1, 2, 3], 5)],
  ];
  holdOrder(faults, makeTrial, run);

  it('is stored and logged before it is answered, with who drilled which point', () => {
    const { effects, held } = run(makeTrial());
    const subject = nodeIdOf(driller.nodeKey);
    const fields = { subject, point: driller.x, x: scene.x };
    expect(effects.slice(0, 2)).toEqual([{ type: 'store' }, { type: 'audit', event: 'drill', fields }]);
    expect(effects.map(({ type }) => type)).toEqual(['store', 'audit', 'answer-sealed']);
    expect(held?.drills.map(({ x }) => x)).toEqual([driller.x]);
  });

  it('is one drill however often and with whatever set it is asked, and costs no second write', () => {
    const trial = makeTrial();
    trial.held = run(trial).held;
    const others = pointsOutside().filter(x => x !== driller.x);
    const set = [...setOf(scene.manifest).filter(x => x !== scene.x), ...others].slice(1);
    const again = [trial.request.set, [...set, scene.x].sort((a, b) => a - b)].map(asked =>
      run({ ...trial, request: { ...trial.request, set: asked } }),
    );
    for (const step of again) {
      expect(step.held).toBe(trial.held);
      expect(step.effects.map(({ type }) => type)).toEqual(['answer-sealed']);
    }
  });

  it('may come so many times in an hour for each other holder, and again after it', () => {
    const trial = makeTrial();
    for (let i = 0; i < drillsPerHourMax; i++) {
      trial.request = { ...trial.request, roundId: nodeRandom.bytes(16) };
      trial.held = run(trial).held;
      expect(trial.held?.drills).toHaveLength(i + 1);
    }
    const next = { ...trial, request: { ...trial.request, roundId: nodeRandom.bytes(16) } };
    const refused = run(next);
    expect(refused.held).toBe(trial.held);
    expect(refused.effects).toEqual([{ type: 'refuse', code: 'RATE_LIMITED' }]); // and no line: that is a write
    const later = { ...next.env, nowMs: trial.env.nowMs + hourMs };
    const request = { ...next.request, issuedAtMs: later.nowMs };
    expect(codeIn(run({ ...next, env: { ...later, nowMs: later.nowMs - 1 }, request }))).toBe('RATE_LIMITED');
    expect(run({ ...next, env: later, request }).held?.drills).toHaveLength(1);
  });

  it('of one holder does not count for another', () => {
    const trial = makeTrial();
    drilled(trial, pointsOutside().find(x => x !== driller.x)!, drillsPerHourMax);
    expect(codeIn(run(trial))).toBeUndefined();
  });

  it('that is remembered does not have the store written to when its time is over', () => {
    const trial = makeTrial();
    const { held } = run(trial);
    const nowMs = trial.env.nowMs + 2 * hourMs;
    expect(stepHolder(held, { ...trial.env, nowMs }, { type: 'expire' })).toEqual({ held, effects: [] });
    drilled(trial, 1, 3, nowMs);
    const grant = { jti: 'a-grant-', roundId: nodeRandom.bytes(16), expiresAtMs: nowMs };
    const both = { ...trial.held!, uses: [grant] };
    const expired = stepHolder(both, { ...trial.env, nowMs }, { type: 'expire' });
    expect(expired.held).toMatchObject({ uses: [], drills: [] });
  });

  it('needs no delay: it gives its holder nothing that it has not', () => {
    const trial = makeTrial();
    trial.held!.active!.core.policy.delayMs = 60_000;
    expect(codeIn(run(trial))).toBeUndefined();
  });

  it('gives the share of its point, byte for byte', async () => {
    const { world, manifest } = scene;
    const { x, nodeKey, shareSeed } = driller;
    const by = { nodeId: nodeIdOf(nodeKey), nodeKey, nodeSeed: shareSeed };
    const changes: Partial<RoundRequest> = { op: 'drill', x, grant: new Uint8Array(0) };
    const asked = makeRequest(world, manifest, setOf(manifest), by, changes);
    const value = xor([...(await contributionsOf(world, manifest, asked)).values()]);
    const { active } = nodeOf(world, nodeIdOf(nodeKey)).held(manifest.core.keyId)!;
    expect(value).toEqual(openHeldShare(nodeCrypto, active!, 'SHARE_CORRUPT').share.y);
  });

  it('is authorised by the core, and its context is not that of any grant', () => {
    const { request } = makeTrial();
    const context = roundContextOf(nodeCrypto, request, 'gf256');
    expect(context.authHash).toEqual(request.coreHash);
    const opening = roundContextOf(nodeCrypto, { ...request, op: 'inspect' }, 'gf256');
    expect(opening.authHash).not.toEqual(request.coreHash);
  });

  it('is not opened up by a grant: who may open the key may not drill', () => {
    const { world, manifest } = scene;
    const thief = makeIdentity();
    const trial = makeTrial();
    trial.from = thief.nodeKey;
    trial.signSeed = thief.nodeSeed;
    const grant = signGrant(world.owner, claimsFor(world, manifest, thief));
    trial.request = { ...trial.request, recipientId: thief.nodeKey, grant };
    expect(refusalOf(run(trial), trial.held)).toBe('OPERATION_REFUSED');
  });
});
