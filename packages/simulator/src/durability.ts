/** How durable a key is, by a Markov chain in continuous time: worked out apart from everything that is simulated. */
import { assert } from '@skerry/base';

/** A key whose holders leave for good and are replaced. */
type DurabilityCase = {
  readonly t: number;
  readonly k: number;
  /** Mean ms until a holder leaves, exponentially distributed. */
  readonly lifeMs: number;
  /** Ms from then until another holder has its share: mean and standard deviation. */
  readonly repairMs: { readonly mean: number; readonly deviation: number };
};

/** The stages of the missing shares: how many are in each of them. */
type State = { readonly stages: readonly number[]; readonly missing: number };

/** Stages of an Erlang distribution with the mean and deviation of repairs, or as many as the states allow. */
function stagesFor({ t, k, repairMs }: DurabilityCase, statesMax: number): number {
  const wanted = Math.max(1, Math.round((repairMs.mean / repairMs.deviation) ** 2));
  const statesOf = (stages: number): number => {
    let states = 1;
    for (let i = 1; i <= k - t; i++) states = (states * (stages + i)) / i;
    return states;
  };
  let stages = wanted;
  while (stages > 1 && statesOf(stages) > statesMax) stages -= 1;
  return stages;
}

/** Every way in which up to so many missing shares are spread over stages. */
function statesOf(stageCount: number, missingMax: number): State[] {
  const states: State[] = [];
  const extend = (stages: number[], missing: number): void => {
    if (stages.length === stageCount) return void states.push({ stages, missing });
    for (let here = 0; missing + here <= missingMax; here++) extend([...stages, here], missing + here);
  };
  extend([], 0);
  return states;
}

type Transition = { readonly from: number; readonly to: number; readonly rate: number };

/** Departures of holders, and missing shares that come one stage closer to being there again; -1 is the loss. */
function transitionsOf(one: DurabilityCase, states: readonly State[], stageCount: number): Transition[] {
  const indices = new Map(states.map(({ stages }, index) => [stages.join(), index]));
  const perStage = stageCount / one.repairMs.mean;
  return states.flatMap(({ stages, missing }, from) => {
    const first = stages.with(0, stages[0]! + 1);
    const leave = { from, to: indices.get(first.join()) ?? -1, rate: (one.k - missing) / one.lifeMs };
    const advances = stages.flatMap((count, stage) => {
      if (count === 0) return [];
      const next = stages.with(stage, count - 1);
      if (stage + 1 < stageCount) next[stage + 1] = next[stage + 1]! + 1;
      return [{ from, to: indices.get(next.join())!, rate: count * perStage }];
    });
    return [leave, ...advances];
  });
}

/**
 * Probability that a key is lost within a time: that at one moment fewer than t of its shares are left, where holders
 * leave independently, exponentially distributed, and each missing share is there again after a time of the Erlang
 * distribution with the mean and deviation given (a chain by its stages, solved by uniformisation: Jensen 1953).
 *
 * @param one the key
 * @param overMs the time
 * @param statesMax states of the chain at most: fewer make the repair time vary more than it does, which errs to losses
 * @returns 0 to 1
 */
export function lossWithin(one: DurabilityCase, overMs: number, statesMax: number): number {
  assert(one.k > one.t && one.repairMs.deviation > 0, 'a key has shares to spare, and repairs take time');
  const stageCount = stagesFor(one, statesMax);
  const states = statesOf(stageCount, one.k - one.t);
  const transitions = transitionsOf(one, states, stageCount);
  const out = new Float64Array(states.length);
  for (const { from, rate } of transitions) out[from]! += rate;
  const fastest = out.reduce((most, rate) => Math.max(most, rate), 0);
  const empty = states.findIndex(({ missing }) => missing === 0);
  let now = new Float64Array(states.length);
  now[empty] = 1;
  let lost = 0;
  // as many jumps as are expected in the time: by their number's own spread, of a thousandth, losses differ by no more
  const jumps = Math.ceil(overMs * fastest);
  for (let jump = 0; jump < jumps; jump++) {
    const next = Float64Array.from(now, (weight, index) => weight * (1 - out[index]! / fastest));
    for (const { from, to, rate } of transitions) {
      const moved = (now[from]! * rate) / fastest;
      if (to < 0) lost += moved;
      else next[to]! += moved;
    }
    now = next;
  }
  return lost;
}

/**
 * What the mean of a count may be, 99 times in 100, where each comes alone (Poisson; the approximation of Wilson and
 * Hilferty 1931).
 *
 * @param count as it was counted
 */
export function meanBounds(count: number): [least: number, most: number] {
  const z = 2.576;
  const edge = (of: number, sign: number): number =>
    of === 0 ? 0 : of * (1 - 1 / (9 * of) + (sign * z) / (3 * Math.sqrt(of))) ** 3;
  return [edge(count, -1), edge(count + 1, 1)];
}
