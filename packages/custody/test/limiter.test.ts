import { createLimiter } from '@skerry/custody';
import { describe, expect, it } from 'vitest';
import { limitedPeersMax, requestBurst, requestsPerSecond } from '../parameters.ts';

/** How many of `count` requests at one time are admitted. */
function admitted(
  limiter: ReturnType<typeof createLimiter>,
  peer: string,
  count: number,
  nowMs: number,
): number {
  return Array.from({ length: count }, () => limiter.admit(peer, nowMs)).filter(Boolean).length;
}

describe('a limiter', () => {
  it('admits a burst, and then as many as its rate gives', () => {
    const limiter = createLimiter();
    expect(admitted(limiter, 'a', requestBurst + 10, 0)).toBe(requestBurst);
    expect(admitted(limiter, 'a', 1000, 1000)).toBe(requestsPerSecond);
    expect(admitted(limiter, 'a', 10, 1000)).toBe(0);
    expect(admitted(limiter, 'a', 2 * requestBurst, 3_600_000)).toBe(requestBurst);
  });

  it('counts each peer apart', () => {
    const limiter = createLimiter();
    admitted(limiter, 'a', requestBurst, 0);
    expect(limiter.admit('a', 0)).toBe(false);
    expect(limiter.admit('b', 0)).toBe(true);
  });

  it('gives nothing for a clock that is set back', () => {
    const limiter = createLimiter();
    admitted(limiter, 'a', requestBurst, 3_600_000);
    expect(limiter.admit('a', 0)).toBe(false);
    expect(limiter.admit('a', 1)).toBe(false);
  });

  it('forgets who was not seen for longest, and no other, when there are too many', () => {
    const limiter = createLimiter();
    admitted(limiter, 'first', requestBurst, 0);
    admitted(limiter, 'second', requestBurst, 0);
    for (let i = 0; i < limitedPeersMax - 2; i++) limiter.admit(`peer ${i}`, 0);
    expect(limiter.admit('first', 0)).toBe(false);
    limiter.admit('one too many', 0);
    expect(limiter.admit('first', 0)).toBe(false);
    expect(limiter.admit('second', 0)).toBe(true);
  });
});
