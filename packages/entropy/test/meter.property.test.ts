import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMeter, expectedUniformEntropy, type MeterMode } from '../index.ts';
import { shannonOf } from '../src/plug-in.ts';
import { pseudorandomBytes } from './samples.ts';

const modes: MeterMode[] = ['rolling', 'block'];

/** Streams with runs, so that windows differ: a few pieces, each over its own few symbols. */
const streams = fc
  .array(fc.record({ length: fc.nat(1500), symbols: fc.integer({ min: 1, max: 256 }), seed: fc.integer() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map(pieces =>
    Uint8Array.from(
      pieces.flatMap(({ length, symbols, seed }) =>
        Array.from(pseudorandomBytes(length, seed), byte => byte % symbols),
      ),
    ),
  );
const windows = fc.integer({ min: 64, max: 1100 });

function entropyOf(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte]! += 1;
  return shannonOf(counts);
}

test.each(modes)('any chunking gives the same report (%s)', mode => {
  const cuts = fc.array(fc.nat(6000), { maxLength: 12 });
  fc.assert(
    fc.property(streams, windows, cuts, fc.nat(3), (bytes, window, cuts, misalignment) => {
      const whole = createMeter({ window, mode });
      whole.update(bytes);
      const parts = createMeter({ window, mode });
      const shifted = new Uint8Array(misalignment + bytes.length).subarray(misalignment);
      shifted.set(bytes);
      const ends = [...cuts.map(cut => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      let from = 0;
      for (const to of ends) {
        parts.update(shifted.subarray(from, to));
        from = to;
      }
      expect(parts.report()).toEqual(whole.report());
      expect(parts.risk).toBe(whole.risk);
    }),
  );
});

test('byte by byte gives the same report as at once', () => {
  const bytes = pseudorandomBytes(70_000).map((byte, i) => byte % (1 + (i >> 9)));
  for (const mode of modes) {
    for (const window of [64, 4093, 4096]) {
      const whole = createMeter({ window, mode });
      whole.update(bytes);
      const single = createMeter({ window, mode });
      for (let i = 0; i < bytes.length; i++) single.update(bytes.subarray(i, i + 1));
      expect(single.report()).toEqual(whole.report());
    }
  }
});

test.each(modes)('a report equals one computed from scratch (%s)', mode => {
  fc.assert(
    fc.property(streams, windows, (bytes, window) => {
      fc.pre(bytes.length >= Math.max(256, window));
      const meter = createMeter({ window, mode });
      meter.update(bytes);
      const report = meter.report();
      const blocks: number[] = [];
      let min = Infinity;
      let max = -Infinity;
      for (let from = 0; from + window <= bytes.length; from++) {
        const isBlock = from % window === 0;
        if (mode === 'block' && !isBlock) continue;
        const bits = entropyOf(bytes.subarray(from, from + window));
        if (isBlock) blocks.push(bits);
        min = Math.min(min, bits);
        max = Math.max(max, bits);
      }
      const mean = blocks.reduce((sum, bits) => sum + bits, 0) / blocks.length;
      expect(report.shannon!.mean).toBeCloseTo(mean, 10);
      expect(report.shannon!.min).toBeCloseTo(min, 10);
      expect(report.shannon!.max).toBeCloseTo(max, 10);
      expect(report.shannon!.stream).toBeCloseTo(entropyOf(bytes), 12);
      expect(report.normalized).toBeCloseTo(Math.min(1, mean / expectedUniformEntropy(window)), 10);
      expect(report.series).toHaveLength(blocks.length);
      report.series.forEach((point, i) => {
        expect(point).toBeCloseTo(blocks[i]!, 10);
      });
    }),
    { numRuns: mode === 'rolling' ? 20 : 100 },
  );
});
