import { parameters } from '../parameters.ts';

/** The least of the round trips to one peer that were measured lately: no distance over what light does in half of it. */
export type LeastRoundTrip = {
  /**
   * Takes a measurement in.
   *
   * @param sampleMs milliseconds from a request's sending to its answer, on a clock that never jumps
   * @param nowMs of that clock
   */
  readonly add: (sampleMs: number, nowMs: number) => void;
  /** The least, ms; undefined where nothing was measured within `parameters.leastRoundTripMs`. */
  readonly leastMs: (nowMs: number) => number | undefined;
  /** Measurements in the present half of that window. */
  readonly samples: (nowMs: number) => number;
};

type Half = { readonly number: number; leastMs: number; samples: number };

/**
 * Nothing measured yet. Two halves of the window are kept, so that what a peer had where it was before is forgotten
 * after half a window to a whole one.
 */
export function createLeastRoundTrip(): LeastRoundTrip {
  let present: Half | undefined;
  let before: Half | undefined;

  function turn(nowMs: number): void {
    const number = Math.floor(nowMs / (parameters.leastRoundTripMs / 2));
    if (present !== undefined && present.number < number) {
      before = present;
      present = undefined;
    }
    if (before !== undefined && before.number < number - 1) before = undefined;
  }

  return {
    add: (sampleMs, nowMs) => {
      turn(nowMs);
      const number = Math.floor(nowMs / (parameters.leastRoundTripMs / 2));
      present ??= { number, leastMs: sampleMs, samples: 0 };
      present.leastMs = Math.min(present.leastMs, sampleMs);
      present.samples++;
    },
    leastMs: nowMs => {
      turn(nowMs);
      const found = [present, before].flatMap(half => (half === undefined ? [] : [half.leastMs]));
      return found.length === 0 ? undefined : Math.min(...found);
    },
    samples: nowMs => {
      turn(nowMs);
      return present?.samples ?? 0;
    },
  };
}
