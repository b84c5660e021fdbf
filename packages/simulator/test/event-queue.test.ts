import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventQueue } from '../src/event-queue.ts';

describe('an event queue', () => {
  it('lets things happen at their times, and in the order of asking where two have one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 50 }), { maxLength: 200 }), delays => {
        const queue = createEventQueue(1_000);
        const happened: { atMs: number; number: number }[] = [];
        for (const [number, delayMs] of delays.entries()) {
          queue.after(delayMs, () => happened.push({ atMs: queue.nowMs(), number }));
        }
        expect(queue.run(10_000)).toBe(delays.length);
        const wanted = delays
          .map((delayMs, number) => ({ atMs: 1_000 + Math.max(0, delayMs), number }))
          .sort((a, b) => a.atMs - b.atMs || a.number - b.number);
        expect(happened).toEqual(wanted);
        expect(queue.nowMs()).toBe(10_000);
      }),
    );
  });

  it('stops at its end, and goes on from there', () => {
    const queue = createEventQueue(0);
    const ticks: number[] = [];
    const tick = (): void => {
      ticks.push(queue.nowMs());
      queue.after(10, tick);
    };
    queue.after(0, tick);
    expect([queue.run(25), queue.run(30)]).toEqual([3, 1]);
    expect(ticks).toEqual([0, 10, 20, 30]);
  });
});
