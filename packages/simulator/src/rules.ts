import { assess, judgePlace, observe } from '@skerry/trust';

/** The rules by which nodes judge each other: those of @skerry/trust, or in tests of the checkers, broken ones. */
export type Rules = {
  readonly observe: typeof observe;
  readonly assess: typeof assess;
  readonly judgePlace: typeof judgePlace;
};

/** The rules that daemons go by. */
export const trueRules: Rules = { observe, assess, judgePlace };
