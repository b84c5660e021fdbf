import { limitedPeersMax, requestBurst, requestsPerSecond } from '../parameters.ts';

type Bucket = { tokens: number; atMs: number };

/** Decides per peer whether one more request is admitted: a token bucket each, bounded in number. */
export type Limiter = {
  /**
   * @param peer who asks
   * @param nowMs the holder's clock
   * @returns whether the request is admitted; it then counts
   */
  readonly admit: (peer: string, nowMs: number) => boolean;
};

/** Makes a limiter with the protocol's burst and rate. It keeps its buckets and nothing else. */
export function createLimiter(): Limiter {
  const buckets = new Map<string, Bucket>();
  return {
    admit: (peer, nowMs) => {
      const bucket = buckets.get(peer) ?? { tokens: requestBurst, atMs: nowMs };
      const elapsedS = Math.max(0, nowMs - bucket.atMs) / 1000;
      const tokens = Math.min(requestBurst, bucket.tokens + elapsedS * requestsPerSecond);
      const admitted = tokens >= 1;
      buckets.delete(peer); // a map keeps insertion order: the front is the least recently seen
      buckets.set(peer, { tokens: admitted ? tokens - 1 : tokens, atMs: nowMs });
      if (buckets.size > limitedPeersMax) buckets.delete(buckets.keys().next().value as string);
      return admitted;
    },
  };
}
