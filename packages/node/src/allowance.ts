/** A token bucket: so much at once, and in the long run so much in a time. */
export type Allowance = {
  /** Takes a token, or says that there is none. */
  readonly take: (nowMs: number) => boolean;
};

/**
 * A full bucket.
 *
 * @param rate.burst tokens that it holds
 * @param rate.everyMs milliseconds until it has one more
 * @param startMs the time, in ms
 */
export function createAllowance(
  rate: { readonly burst: number; readonly everyMs: number },
  startMs: number,
): Allowance {
  const { burst, everyMs } = rate;
  let tokens = burst;
  let lastMs = startMs;
  return {
    take: nowMs => {
      tokens = Math.min(burst, tokens + Math.max(0, nowMs - lastMs) / everyMs);
      lastMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
