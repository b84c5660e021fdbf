/** The inspection of a key by its owner: who answers rounds wrongly is found out, though any sum blames a whole set. */
import { assert, at, type Crypto, equalBytes, type Random, wipe } from '@skerry/base';
import { contribute, matchShare, type Share } from '@skerry/sharing';
import { type Manifest, type RoundRequest, seatsOf } from '@skerry/wire';
import { roundContextOf } from './holder-round.ts';
import type { RoundObservation } from './round-evidence.ts';
import { shuffle } from './set-choice.ts';

/** A set whose sum was wrong: what was asked, and what each member's node signed, by its point. */
export type WrongSet = {
  readonly request: RoundRequest;
  readonly contributions: ReadonlyMap<number, Uint8Array>;
};

/** The machine of one inspection. */
type InspectionState = {
  readonly manifest: Manifest;
  /** Points whose holders are asked. */
  readonly usable: readonly number[];
  /** The set that is looked into, once there is one; what it holds is wiped at the end. */
  readonly wrong: WrongSet | null;
  /** Its members that are still to be judged, the one under way first. */
  readonly waiting: readonly number[];
  /** Whose parts were right in it, and whose were not, by point. */
  readonly verdicts: ReadonlyMap<number, 'right' | 'wrong'>;
  /** What the first round showed of each holder asked. */
  readonly observations: readonly RoundObservation[];
};

/** What happens to an inspection; each `inspect` is answered by one event. */
export type InspectionEvent =
  /** The share of the point, which is wiped here; and the first set that gave another one, if any did. */
  | {
      readonly type: 'inspected';
      readonly share: Share;
      readonly wrong: WrongSet | null;
      readonly observations: readonly RoundObservation[];
    }
  /** No set gave the share of the point. */
  | { readonly type: 'failed'; readonly observations: readonly RoundObservation[] };

/** What the world is to do for an inspection; the last of it is `end`. */
export type InspectionEffect =
  /** Has the share of a point made by the holders of others, those to ask first come first. */
  | { readonly type: 'inspect'; readonly x: number; readonly asked: readonly number[] }
  /** Points whose holders answered with a wrong part, or one that they did not sign; and what else was seen of whom. */
  | {
      readonly type: 'end';
      readonly liars: ReadonlySet<number>;
      readonly observations: readonly RoundObservation[];
    };

/** An inspection after a step: its state, and what is to be done. */
type InspectionStep = { readonly state: InspectionState; readonly effect: InspectionEffect };

function end(state: InspectionState): InspectionStep {
  wipeWrongSet(state.wrong);
  const { verdicts } = state;
  const liars = new Set([...verdicts].filter(([, verdict]) => verdict === 'wrong').map(([x]) => x));
  // a verdict says more of a member than that the sum of its set was wrong
  const observations = state.observations.filter(({ x, kind }) => kind !== 'drill-wrong' || !verdicts.has(x));
  return { state: { ...state, waiting: [] }, effect: { type: 'end', liars, observations } };
}

/** Judges the next member of the wrong set, by its share as others make it: those outside the set are asked first. */
function judgeNext(state: InspectionState): InspectionStep {
  const [x] = state.waiting;
  const { t } = state.manifest.core;
  const others = state.usable.filter(other => other !== x);
  if (x === undefined || others.length < t) return end(state);
  const isSuspect = (other: number): boolean => state.wrong?.contributions.has(other) === true;
  const isWrong = (other: number): boolean => state.verdicts.get(other) === 'wrong';
  const asked = others
    .filter(other => !isWrong(other))
    .sort((a, b) => Number(isSuspect(a)) - Number(isSuspect(b)));
  const enough = asked.length >= t ? asked : others;
  return { state, effect: { type: 'inspect', x, asked: enough } };
}

/** Whether a member's part in a set is what its share gives: that is a function of the share and the round alone. */
function isRight(
  crypto: Crypto,
  { core }: Manifest,
  { request, contributions }: WrongSet,
  share: Share,
): boolean {
  const context = roundContextOf(crypto, request, core.scheme);
  const points = core.points.filter(({ x }) => request.set.includes(x));
  const point = points.find(({ x }) => x === share.x);
  const signed = contributions.get(share.x);
  assert(point !== undefined && signed !== undefined, 'who is judged is a member of the set');
  const keys = matchShare(crypto, { ...context, share }, point);
  const right = contribute(crypto, { ctx: context, points, share, keys });
  wipe(keys.signSeed, keys.maskSeed);
  const isSame = equalBytes(right, signed);
  wipe(right);
  return isSame;
}

/**
 * Begins an inspection (docs/PROTOCOL.md, inspections): the share of some point is to be made by t of the others, the
 * subject among them. Where a sum is wrong, each member of that set is judged: its own share is made by others, and shows
 * what its part should have been. So colluders, whose errors may cancel, cannot have an honest member blamed.
 *
 * @param random for the point, and for whom to ask with the subject
 * @param manifest of the key
 * @param subject the point whose holder is to be asked first; another than the manifest's is a bug
 * @param unfit points whose holders are not asked, as they are known to cheat
 */
export function startInspection(
  random: Random,
  manifest: Manifest,
  subject: number,
  unfit: ReadonlySet<number>,
): InspectionStep {
  const points = seatsOf(manifest).map(({ x }) => x);
  assert(points.includes(subject), 'the subject is a point of the key');
  const others = shuffle(
    random,
    points.filter(x => x !== subject),
  );
  const x = at(others, 0);
  const usable = [subject, ...others].filter(point => !unfit.has(point));
  const state = { manifest, usable, wrong: null, waiting: [], verdicts: new Map(), observations: [] };
  const asked = usable.filter(point => point !== x);
  if (asked.length < manifest.core.t) return end(state);
  return { state, effect: { type: 'inspect', x, asked } };
}

/**
 * Begins an inspection of a set whose sum was wrong when its owner opened the key: a liar may answer inspections rightly.
 *
 * @param manifest of the key
 * @param wrong the set; wiped at the end
 * @param unfit points whose holders are not asked, as they are known to cheat
 */
export function startJudgement(
  manifest: Manifest,
  wrong: WrongSet,
  unfit: ReadonlySet<number>,
): InspectionStep {
  const points = seatsOf(manifest).map(({ x }) => x);
  const usable = points.filter(x => !unfit.has(x));
  const waiting = [...wrong.request.set];
  return judgeNext({ manifest, usable, wrong, waiting, verdicts: new Map(), observations: [] });
}

/**
 * Wipes what a set holds.
 *
 * @param wrong a set that nobody is to look into, or null
 */
export function wipeWrongSet(wrong: WrongSet | null): void {
  for (const contribution of wrong?.contributions.values() ?? []) wipe(contribution);
}

/**
 * One step of an inspection. It ends after as many rounds as a set has members, and one.
 *
 * @param crypto of the key's shares
 * @param state as the last step returned it
 * @param event what came of the round
 */
export function stepInspection(
  crypto: Crypto,
  state: InspectionState,
  event: InspectionEvent,
): InspectionStep {
  const { observations } = event;
  const isFirst = state.wrong === null;
  const verdicts = new Map(state.verdicts);
  for (const { x, kind } of observations) if (kind === 'contribution-wrong') verdicts.set(x, 'wrong');
  const next = { ...state, verdicts, ...(isFirst && { observations }) };
  const [judged, ...waiting] = state.waiting;
  if (event.type === 'failed') return judgeNext({ ...next, waiting });
  const { share, wrong } = event;
  try {
    if (isFirst) return judgeNext({ ...next, wrong, waiting: wrong ? [...wrong.request.set] : [] });
    wipeWrongSet(wrong);
    assert(state.wrong !== null && share.x === judged, 'the share is the one of who is judged');
    verdicts.set(judged, isRight(crypto, state.manifest, state.wrong, share) ? 'right' : 'wrong');
    return judgeNext({ ...next, waiting });
  } finally {
    wipe(share.y);
  }
}
