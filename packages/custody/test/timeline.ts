/** Virtual time: what is due is done in order, one thing at a time, and takes no time itself. */
export type Timeline = {
  readonly nowMs: () => number;
  /** Does something after a while; of what is due at once, the earlier planned is done first. */
  readonly after: (delayMs: number, work: () => void | Promise<void>) => void;
  /** Does everything that is due up to a time, or all there is, and is at that time then. */
  readonly run: (untilMs?: number) => Promise<void>;
};

type Due = { readonly atMs: number; readonly work: () => void | Promise<void> };

/** A timeline that begins on a day in 2026. */
export function createTimeline(): Timeline {
  let nowMs = 1_790_000_000_000;
  const queue: Due[] = [];

  function plan(due: Due): void {
    const before = queue.findLastIndex(({ atMs }) => atMs <= due.atMs);
    queue.splice(before + 1, 0, due);
  }

  function takeNext(untilMs: number): Due | undefined {
    return queue[0] && queue[0].atMs <= untilMs ? queue.shift() : undefined;
  }

  return {
    nowMs: () => nowMs,
    after: (delayMs, work) => plan({ atMs: nowMs + delayMs, work }),
    run: async (untilMs = Number.POSITIVE_INFINITY) => {
      for (let due = takeNext(untilMs); due; due = takeNext(untilMs)) {
        nowMs = due.atMs;
        await due.work();
      }
      if (untilMs !== Number.POSITIVE_INFINITY) nowMs = untilMs;
    },
  };
}
