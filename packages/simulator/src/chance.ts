import { assert, type Random } from '@skerry/base';

/** Chance that a seed decides: the same seed gives the same history. Never for keys. */
export type Chance = Random & {
  /** 0 up to, not including, 1. */
  readonly unit: () => number;
  /** A whole number from 0 up to, not including, `count`. */
  readonly below: (count: number) => number;
  /** So many different things of a list, in chance's order. */
  readonly pick: <T>(list: readonly T[], count: number) => T[];
  /** Another chance, which draws on this one does not move. */
  readonly fork: (name: string) => Chance;
};

/** FNV-1a (Fowler, Noll, Vo), 32 bits: spreads a seed's text over the state. */
function hashOf(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * Chance from a seed, by sfc32 (Chris Doty-Humphrey's small fast counter generator, PractRand 2010): it passes
 * PractRand and BigCrush, and costs some nanoseconds.
 *
 * @param seed any text
 */
export function createChance(seed: string): Chance {
  let a = hashOf(seed, 0x811c9dc5);
  let b = hashOf(seed, 0x9e3779b9);
  let c = hashOf(seed, 0x85ebca6b);
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }
  for (let i = 0; i < 12; i++) next();

  const unit = (): number => next() / 2 ** 32;
  const below = (count: number): number => Math.floor(unit() * count);
  return {
    unit,
    below,
    pick: (list, count) => {
      assert(count <= list.length, 'no more are picked than there are');
      const rest = [...list];
      for (let i = 0; i < count; i++) {
        const j = i + below(rest.length - i);
        [rest[i], rest[j]] = [rest[j]!, rest[i]!];
      }
      return rest.slice(0, count);
    },
    bytes: length => Uint8Array.from({ length }, () => next() & 0xff),
    fork: name => createChance(`${seed}/${name}`),
  };
}
