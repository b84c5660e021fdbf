import { at, type Random } from '@skerry/base';
import { setDrawsMax } from '../parameters.ts';

/** What the next set of holders to ask is chosen by. */
type SetSituation = {
  /** Points a set has. */
  readonly t: number;
  /** Points that can be asked, those to prefer first. */
  readonly usable: readonly number[];
  /** Those of them that are slow. */
  readonly isSlow: (x: number) => boolean;
  /** In how many sets with a wrong sum a point was. It steers and proves nothing. */
  readonly suspicion: ReadonlyMap<number, number>;
  /** Sets asked before, by `nameSet`. */
  readonly tried: ReadonlySet<string>;
};

/**
 * One name for one set.
 *
 * @param set points, ascending
 */
export function nameSet(set: readonly number[]): string {
  return set.join();
}

/**
 * A random order, all alike to 16 bits (Fisher and Yates).
 *
 * @param list stays as it is
 */
export function shuffle<T>(random: Random, list: readonly T[]): T[] {
  const shuffled = [...list];
  const entropy = random.bytes(2 * shuffled.length);
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = (at(entropy, 2 * i) * 256 + at(entropy, 2 * i + 1)) % (i + 1);
    [shuffled[i], shuffled[j]] = [at(shuffled, j), at(shuffled, i)];
  }
  return shuffled;
}

/** Every choice of `count` from a list, those that begin as the list does first. */
function* choicesOf(list: readonly number[], count: number, from = 0): Generator<number[]> {
  if (count === 0) return yield [];
  for (let i = from; i <= list.length - count; i++) {
    for (const rest of choicesOf(list, count - 1, i + 1)) yield [at(list, i), ...rest];
  }
}

/** The first set not tried yet: of the points as ranked, of random orders among equals, of all there are. */
function untriedOf(random: Random, situation: SetSituation, points: readonly number[]): number[] | null {
  const { t, isSlow, suspicion, tried } = situation;
  const rank = (x: number): number => (isSlow(x) ? 1e6 : 0) + (suspicion.get(x) ?? 0);
  let ranked: number[] = [];
  for (let draw = 0; draw < setDrawsMax; draw++) {
    ranked = (draw === 0 ? [...points] : shuffle(random, points)).sort((a, b) => rank(a) - rank(b));
    const set = ranked.slice(0, t).sort((a, b) => a - b);
    if (!tried.has(nameSet(set))) return set;
  }
  for (const choice of choicesOf(ranked, t)) {
    const set = choice.sort((a, b) => a - b);
    if (!tried.has(nameSet(set))) return set;
  }
  return null;
}

/**
 * The next set to ask: one that was not tried, without slow holders as long as there is one, and of those that were
 * in the fewest wrong sets. So liars are left out about as soon as by the luck of the draw, one liar at the second or
 * third set, and where there are few sets, no set is left out.
 *
 * @param random only for the order among equals
 * @param situation what is known so far
 * @returns t points, ascending, or null when every set was tried
 */
export function chooseSet(random: Random, situation: SetSituation): number[] | null {
  const { t, usable, isSlow } = situation;
  const prompt = usable.filter(x => !isSlow(x));
  const promptSet = prompt.length >= t ? untriedOf(random, situation, prompt) : null;
  return promptSet ?? (usable.length >= t ? untriedOf(random, situation, usable) : null);
}
