import { toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { openHeldShare, stepHolder } from '@skerry/custody';
import { type GrantClaims, nodeIdOf } from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { usesPerKeyMax } from '../parameters.ts';
import { type Identity, makeIdentity, signGrant } from './identities.ts';
import {
  answerIn,
  claim,
  codeIn,
  delayed,
  delayMs,
  makeRoundTrial,
  runRound,
  setWith,
  type RoundTrial as Trial,
} from './round-trials.ts';
import { contributionOf, contributionsOf, makeRequest, subsets, xor } from './rounds.ts';
import { makeScene, refusalOf, type Scene } from './scenes.ts';
import { claimsFor, nodeOf } from './world.ts';

let scene: Scene;
let by: Identity;
beforeAll(async () => {
  scene = await makeScene({ t: 3, n: 4, k: 5 });
  by = makeIdentity();
});
const makeTrial = (): Trial => makeRoundTrial(scene, by);

describe('uses', () => {
  it('are stored before the answer, one for a round however often and with whatever set it is asked', () => {
    const trial = makeTrial();
    claim(() => ({ uses: 1 }))(trial);
    const first = runRound(trial);
    expect(first.effects.map(({ type }) => type)).toEqual(['store', 'audit', 'answer-sealed']);
    expect(first.held?.uses.map(({ jti }) => jti)).toEqual([(trial.claims as GrantClaims).jti]);
    const again = runRound({ ...trial, held: first.held });
    expect(again.held).toBe(first.held);
    expect(again.effects.map(({ type }) => type)).toEqual(['audit', 'answer-sealed']);
    const set = [scene.x, ...setWith(scene, false).slice(1)].sort((a, b) => a - b);
    const other = runRound({ ...trial, held: first.held, request: { ...trial.request, set } });
    expect(answerIn(other).plaintext).not.toEqual(answerIn(first).plaintext);
    expect(other.held).toBe(first.held);
  });

  it('of another round count again, up to the number in the grant', () => {
    const trial = makeTrial();
    claim(() => ({ uses: 2 }))(trial);
    for (const expected of [1, 2]) {
      trial.request = { ...trial.request, roundId: nodeRandom.bytes(16) };
      trial.held = runRound(trial).held;
      expect(trial.held?.uses).toHaveLength(expected);
    }
    trial.request = { ...trial.request, roundId: nodeRandom.bytes(16) };
    expect(refusalOf(runRound(trial), trial.held)).toBe('GRANT_USED_UP');
  });

  it('of a grant without a number are not remembered', () => {
    const trial = makeTrial();
    expect(runRound(trial).held).toBe(trial.held);
  });

  it('are not counted where the share is corrupt', () => {
    const trial = makeTrial();
    claim(() => ({ uses: 1 }))(trial);
    trial.held?.active?.dek.fill(0);
    expect(runRound(trial).held?.uses).toEqual([]);
  });
});

describe('a delay', () => {
  it('runs from the first time a grant is presented, is stored then, and ends by itself', () => {
    const trial = makeTrial();
    delayed(trial);
    const announced = runRound(trial);
    expect(announced.effects.map(({ type }) => type)).toEqual(['store', 'audit', 'refuse']);
    expect(announced.held?.announcements).toHaveLength(1);
    expect(codeIn(announced)).toBe('DELAY_PENDING');
    trial.held = announced.held;
    for (const [afterMs, code] of [
      [1, 'DELAY_PENDING'],
      [delayMs - 1, 'DELAY_PENDING'],
      [delayMs, undefined],
    ] as const) {
      const env = { ...trial.env, nowMs: trial.env.nowMs + afterMs };
      const step = runRound({ ...trial, env });
      expect(codeIn(step)).toBe(code);
      expect(step.held).toBe(announced.held);
    }
  });

  it('is each grant its own', () => {
    const trial = makeTrial();
    delayed(trial);
    trial.held = runRound(trial).held;
    claim(() => ({ jti: 'another-grant' }))(trial);
    const env = { ...trial.env, nowMs: trial.env.nowMs + delayMs };
    const second = runRound({ ...trial, env });
    expect(codeIn(second)).toBe('DELAY_PENDING');
    expect(second.held?.announcements).toHaveLength(2);
  });

  it('is refused where too many are remembered', () => {
    const trial = makeTrial();
    delayed(trial);
    const announcement = { jti: 'another-grant', announcedAtMs: 0, expiresAtMs: trial.env.nowMs + 1 };
    trial.held?.announcements.push(...Array.from({ length: usesPerKeyMax }, () => announcement));
    expect(refusalOf(runRound(trial), trial.held)).toBe('QUOTA_EXCEEDED');
  });
});

describe('contributions', () => {
  it('of any t holders give the payload, and those of fewer give nothing like it', async () => {
    const { world, manifest } = scene;
    const shares = manifest.core.points.map(({ x }) => x);
    const payloads = new Set<string>();
    for (const set of subsets(shares, 3)) {
      const contributions = await contributionsOf(world, manifest, makeRequest(world, manifest, set, by));
      payloads.add(toHex(xor([...contributions.values()])));
      for (const some of [...subsets(set, 1), ...subsets(set, 2)]) {
        const sum = xor(some.map(x => contributions.get(x)!));
        expect(payloads.has(toHex(sum))).toBe(false);
      }
    }
    expect(payloads.size).toBe(1);
  });

  it('are the same bytes for the same request', async () => {
    const { world, manifest } = scene;
    const asked = makeRequest(world, manifest, setWith(scene, true), by);
    const [first, second] = [
      await contributionOf(world, manifest, asked, scene.x),
      await contributionOf(world, manifest, asked, scene.x),
    ];
    expect(first).toBeInstanceOf(Uint8Array);
    expect(first).toEqual(second);
    const trial = makeTrial();
    expect(answerIn(runRound(trial)).plaintext).toEqual(answerIn(runRound(trial)).plaintext);
  });

  it('at a point of the key, under a grant to inspect, give the share of that point', async () => {
    const { world, manifest } = scene;
    const set = setWith(scene, true);
    const { x, nodeKey } = manifest.core.holders.find(holder => !set.includes(holder.x))!;
    const claims = { ...claimsFor(world, manifest, by), op: 'inspect' } as const;
    const grant = signGrant(world.owner, claims);
    const asked = makeRequest(world, manifest, set, by, { op: 'inspect', x, grant });
    const value = xor([...(await contributionsOf(world, manifest, asked)).values()]);
    const { active } = nodeOf(world, nodeIdOf(nodeKey)).held(manifest.core.keyId)!;
    expect(value).toEqual(openHeldShare(nodeCrypto, active!, 'SHARE_CORRUPT').share.y);
    const event = { type: 'grant-verified', request: asked.request, claims } as const;
    const { effects } = stepHolder(scene.state('active'), scene.env(), event);
    expect(effects).toContainEqual(expect.objectContaining({ type: 'audit', event: 'inspection' }));
  });
});
