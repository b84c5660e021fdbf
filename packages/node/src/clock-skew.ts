import type { Log } from '@skerry/base';
import { parameters } from '../parameters.ts';
import { createRecent } from './recent.ts';

/** How far this node's clock is from its neighbours', as far as their own records tell. */
type ClockSkew = {
  /**
   * Takes in when a neighbour says that it signed what has just come from it.
   *
   * @param issuedAtMs by the neighbour's clock
   * @param nowMs by this node's
   */
  readonly hear: (nodeId: string, issuedAtMs: number, nowMs: number) => void;
  /** Milliseconds by which others' clocks are ahead of this one: the median over neighbours; null without any. */
  readonly estimateMs: () => number | null;
};

/**
 * Nobody heard yet. An announcement is sent as it is signed, so its time is the neighbour's clock less the way here.
 * The median holds while fewer than half of the neighbours lie. Once it is over `parameters.clockSkewToldMs` for
 * `parameters.clockSkewNeighboursMin` neighbours or more, the log has a warning, until it is well again.
 */
export function createClockSkew(log: Log): ClockSkew {
  const ahead = createRecent<{ ms: number }>(parameters.clockSkewNeighboursMax);
  let isTold = false;

  function estimateMs(): number | null {
    const sorted = ahead
      .values()
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
    return middle.length === 0 ? null : middle.reduce((sum, ms) => sum + ms, 0) / middle.length;
  }

  return {
    hear: (nodeId, issuedAtMs, nowMs) => {
      ahead.get(nodeId, () => ({ ms: 0 })).ms = issuedAtMs - nowMs;
      const skewMs = estimateMs() ?? 0;
      const neighbours = ahead.values().length;
      const isOff =
        Math.abs(skewMs) > parameters.clockSkewToldMs && neighbours >= parameters.clockSkewNeighboursMin;
      if (isOff && !isTold) {
        const message =
          "this node's clock differs from its neighbours'; set it, or others will refuse its word";
        log.warn(message, { code: 'CLOCK_SKEWED', othersAheadMs: Math.round(skewMs), neighbours });
      }
      isTold = isOff;
    },
    estimateMs,
  };
}
