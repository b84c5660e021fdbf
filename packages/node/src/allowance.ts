/** A token bucket: so much at once, and in the long run so much in a time. */
export type Allowance = {
  /** Takes tokens, one by default, or says that there are not so many and takes none. */
  readonly take: (nowMs: number, count?: number) => boolean;
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
    take: (nowMs, count = 1) => {
      tokens = Math.min(burst, tokens + Math.max(0, nowMs - lastMs) / everyMs);
      lastMs = nowMs;
      if (tokens < count) return false;
      tokens -= count;
      return true;
    },
  };
}
