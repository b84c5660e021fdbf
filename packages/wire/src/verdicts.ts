import type { Crypto } from '@skerry/base';

/** What was found valid, so that it is not worked out again for the same parts, which do not change. */
type Verdicts = {
  /**
   * Holds that parts are valid together.
   *
   * @param check throws where they are not: then nothing is kept
   */
  readonly once: (crypto: Crypto, one: object, other: object, check: () => void) => void;
};

/** Verdicts of one kind of check. They are kept for as long as `one` is. */
export function createVerdicts(): Verdicts {
  const valid = new WeakMap<object, { readonly crypto: Crypto; readonly other: object }>();
  return {
    once: (crypto, one, other, check) => {
      const known = valid.get(one);
      if (known?.crypto === crypto && known.other === other) return;
      check();
      valid.set(one, { crypto, other });
    },
  };
}
