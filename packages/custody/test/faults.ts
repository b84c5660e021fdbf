import { encodeHeldKey, type HeldKey, type HolderStep } from '@skerry/custody';
import { expect, it } from 'vitest';
import { refusalOf } from './scenes.ts';

/** One fault of a request: what it is, the code it is refused with, and how it spoils a trial. */
export type Fault<T> = readonly [name: string, code: string, spoil: (trial: T) => void];

/** Runs each fault alone, and each pair of faults, which stand in the order in which a holder finds them. */
export function holdOrder<T extends { held: HeldKey | null }>(
  faults: readonly Fault<T>[],
  makeTrial: () => T,
  run: (trial: T) => HolderStep,
): void {
  it('passes a request with no fault', () => {
    expect(run(makeTrial()).effects.map(({ type }) => type)).not.toContain('refuse');
  });

  it.each(faults)('refuses one that %s with %s and changes nothing', (_, code, spoil) => {
    const trial = makeTrial();
    spoil(trial);
    const before = trial.held && encodeHeldKey(trial.held);
    expect(refusalOf(run(trial), trial.held)).toBe(code);
    expect(trial.held && encodeHeldKey(trial.held)).toEqual(before);
  });

  it('finds faults in their order', () => {
    for (const [i, [, code, spoil]] of faults.entries()) {
      for (const [, , spoilLater] of faults.slice(i + 1)) {
        const trial = makeTrial();
        spoilLater(trial);
        spoil(trial);
        expect(refusalOf(run(trial), trial.held)).toBe(code);
      }
    }
  });
}
