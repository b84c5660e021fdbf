import type { ErrorCode } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { type HeldKey, type HolderEffect, type HolderStep, stepHolder } from '@skerry/custody';
import type { GrantClaims, RoundRequest } from '@skerry/wire';
import type { Identity } from './identities.ts';
import { makeRequest, signRequest } from './rounds.ts';
import type { Scene } from './scenes.ts';
import { claimsFor } from './world.ts';

/** A set of t points with the holder's own, and one without. */
export function setWith(scene: Scene, includesOwn: boolean): number[] {
  const others = scene.manifest.core.points.map(({ x }) => x).filter(x => x !== scene.x);
  const { t } = scene.manifest.core;
  return includesOwn ? [scene.x, ...others.slice(0, t - 1)] : others.slice(0, t);
}

/** A request that a holder of a scene answers, with all that its answer hangs on; tests spoil it. */
export function makeRoundTrial(scene: Scene, by: Identity) {
  const { world, manifest } = scene;
  return {
    scene,
    held: scene.state('active') as HeldKey | null,
    from: by.nodeKey,
    request: makeRequest(world, manifest, setWith(scene, true), by).request,
    signSeed: by.nodeSeed,
    claims: claimsFor(world, manifest, by) as
      | { -readonly [K in keyof GrantClaims]: GrantClaims[K] }
      | ErrorCode,
    env: scene.env(),
  };
}
/** What `makeRoundTrial` makes. */
export type RoundTrial = ReturnType<typeof makeRoundTrial>;

/** Signs the request and takes it through both of its steps. */
export function runRound(trial: RoundTrial): HolderStep {
  const { env, from, signSeed, claims } = trial;
  const request = signRequest(trial.request, signSeed);
  const step = stepHolder(trial.held, env, { type: 'round', from, request });
  if (step.effects[0]?.type !== 'verify-grant') return step;
  return stepHolder(step.held, env, { type: 'grant-verified', request, claims });
}

/** The sealed answer of a step. */
export function answerIn({ effects }: HolderStep): Extract<HolderEffect, { type: 'answer-sealed' }> {
  const effect = effects.find(({ type }) => type === 'answer-sealed');
  if (effect?.type !== 'answer-sealed') throw new Error(`no answer: ${JSON.stringify(effects)}`);
  return effect;
}

/** The code that a step refused with, if it did. */
export function codeIn({ effects }: HolderStep): string | undefined {
  const effect = effects.at(-1);
  return effect?.type === 'refuse' ? effect.code : undefined;
}

/** Spoils a trial by changing its request. */
export const change =
  (changes: (trial: RoundTrial) => Partial<RoundRequest>) =>
  (trial: RoundTrial): void => {
    trial.request = { ...trial.request, ...changes(trial) };
  };
/** Spoils a trial by changing its grant. */
export const claim =
  (changes: (claims: GrantClaims, trial: RoundTrial) => Partial<GrantClaims>) =>
  (trial: RoundTrial): void => {
    if (typeof trial.claims !== 'string') Object.assign(trial.claims, changes(trial.claims, trial));
  };
/** Spoils a trial by uses that the holder remembers, of its own grant or another. */
export const used = (count: number, jti?: string) => (trial: RoundTrial) => {
  const name = jti ?? (typeof trial.claims === 'string' ? '' : trial.claims.jti);
  const uses = Array.from({ length: count }, () => {
    return { jti: name, roundId: nodeRandom.bytes(16), expiresAtMs: trial.env.nowMs + 1 };
  });
  if (trial.held) trial.held = { ...trial.held, uses: [...trial.held.uses, ...uses] };
};
/** The delay of `delayed` trials. */
export const delayMs = 60_000;

/** Gives a trial's key a delay. */
export const delayed = (trial: RoundTrial): void => {
  const active = trial.held?.active;
  if (active) active.core.policy.delayMs = delayMs;
};
