/** What a requester's machine is made of: its state, what happens to it, and what it asks of the world. */
import type { ErrorCode, SkerryError } from '@skerry/base';
import type { Share } from '@skerry/sharing';
import type { RoundRequest } from '@skerry/wire';
import type { Contribution } from './holder-reply.ts';
import type { WrongSet } from './inspection.ts';
import type { RoundObservation } from './round-evidence.ts';
import type { AskedHolder, RoundOrder } from './round-order.ts';

/** One set S that is asked, and what came back. */
export type Attempt = {
  readonly id: number;
  /** Of its set. */
  readonly name: string;
  readonly request: RoundRequest;
  readonly contributions: ReadonlyMap<number, Contribution>;
  /**
   * `open` and in flight; `late` once its time is over, though its answers still count; `busy` until then, once a
   * member was; `void` once a member failed, or after `busy`; `wrong` once its sum was not what the core names; `right`
   * once it was.
   */
  readonly status: 'open' | 'late' | 'busy' | 'void' | 'wrong' | 'right';
};

/** The requester's machine. */
export type RequesterState = {
  readonly order: RoundOrder;
  readonly coreHash: Uint8Array;
  readonly roundId: Uint8Array;
  readonly attempts: readonly Attempt[];
  /** Why holders can't be asked any more, by x. */
  readonly failed: ReadonlyMap<number, ErrorCode>;
  /** Holders that let a set's time pass or said that they are busy, and why, by x; until they answer again. */
  readonly slow: ReadonlyMap<number, ErrorCode>;
  /** In how many sets with a wrong sum a holder was, by x. */
  readonly suspicion: ReadonlyMap<number, number>;
  readonly wrongSets: number;
  /** The quickest answer of each holder that gave one, refusals left out, in ms, by x. */
  readonly answeredInMs: ReadonlyMap<number, number>;
  readonly ended: boolean;
};

/** What happens to a round. Each `ask` is answered by one `answered`; a `wake` brings its event back. */
export type RequesterEvent =
  | {
      readonly type: 'answered';
      readonly attempt: number;
      readonly x: number;
      /** The opened answer, or why there is none. */
      readonly answer: Uint8Array | ErrorCode;
    }
  | { readonly type: 'hedge'; readonly attempt: number }
  | { readonly type: 'deadline' };

/** What the world is to do for a round; the last of it is a `RoundEnd`. */
export type RequesterEffect =
  | {
      readonly type: 'ask';
      readonly attempt: number;
      readonly holder: AskedHolder;
      readonly request: RoundRequest;
      readonly deadlineMs: number;
    }
  | { readonly type: 'wake'; readonly event: RequesterEvent; readonly afterMs: number }
  /** An open's end: the payload P, and the first set that gave another; both owned by whoever carries this out. */
  | {
      readonly type: 'done';
      readonly payload: Uint8Array;
      readonly wrong: WrongSet | null;
      readonly sets: number;
      readonly observations: readonly RoundObservation[];
    }
  /** An inspection's end: the share of the point, and the first set that gave another; both owned by who carries this out. */
  | {
      readonly type: 'inspected';
      readonly share: Share;
      readonly wrong: WrongSet | null;
      readonly observations: readonly RoundObservation[];
    }
  /** A repair's end: the share, owned by whoever carries this out. */
  | {
      readonly type: 'repaired';
      readonly share: Share;
      readonly observations: readonly RoundObservation[];
    }
  /** A drill's end: the set that gave the own share, if one did, and those that did not. The share is wiped. */
  | {
      readonly type: 'drilled';
      readonly right: readonly number[] | null;
      readonly wrong: readonly (readonly number[])[];
      readonly observations: readonly RoundObservation[];
    }
  | {
      readonly type: 'fail';
      readonly error: SkerryError;
      readonly observations: readonly RoundObservation[];
    };

/** The end of a round. */
export type RoundEnd = Exclude<RequesterEffect, { type: 'ask' | 'wake' }>;

/** A round after a step: its state, and what is to be done. */
export type RequesterStep = { readonly state: RequesterState; readonly effects: readonly RequesterEffect[] };
