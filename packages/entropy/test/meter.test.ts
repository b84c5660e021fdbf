import { type Risk, riskLevels } from '@skerry/base';
import { expect, test } from 'vitest';
import { createMeter, type EntropyReport, type MeterMode, type MeterOptions } from '../index.ts';
import { englishBytes, pseudorandomBytes } from './samples.ts';

const modes: MeterMode[] = ['rolling', 'block'];

function reportOf(bytes: Uint8Array, options: MeterOptions): EntropyReport {
  const meter = createMeter(options);
  meter.update(bytes);
  return meter.report();
}

test.each(modes)('a constant stream has exactly no entropy and low risk (%s)', mode => {
  const report = reportOf(new Uint8Array(10_000).fill(7), { mode });
  expect(report).toEqual({
    bytes: 10_000,
    window: 4096,
    shannon: { mean: 0, min: 0, max: 0, stream: 0 },
    minEntropy: 0,
    normalized: 0,
    risk: 'low',
    series: [0, 0],
  });
});

test.each(modes)('two symbols in turn have one bit (%s)', mode => {
  const { shannon, minEntropy } = reportOf(
    new Uint8Array(8192).map((_, i) => i & 1),
    { mode },
  );
  expect(shannon?.mean).toBeCloseTo(1, 12);
  expect(shannon?.min).toBeCloseTo(1, 12);
  expect(shannon?.max).toBeCloseTo(1, 12);
  expect(shannon?.stream).toBe(1);
  expect(minEntropy).toBeCloseTo(-Math.log2(0.5 + 2.576 * Math.sqrt(0.25 / 8191)), 12);
});

test.each(modes)('every byte equally often has eight bits, and reads no more than 1 (%s)', mode => {
  const { shannon, normalized } = reportOf(
    new Uint8Array(65_536).map((_, i) => i),
    { mode },
  );
  expect(shannon?.mean).toBeCloseTo(8, 12);
  expect(shannon?.min).toBeCloseTo(8, 12);
  expect(shannon?.stream).toBe(8);
  expect(normalized).toBe(1);
});

test.each(modes)('English text is low (%s)', mode => {
  const { shannon, normalized, risk } = reportOf(englishBytes(100_000), { mode });
  expect(shannon?.mean).toBeGreaterThan(4);
  expect(shannon?.mean).toBeLessThan(4.6);
  expect(normalized).toBeLessThan(0.6);
  expect(risk).toBe('low');
});

test.each([64, 100, 256, 1000, 4096, 65_536, 2 ** 20])(
  'random bytes read 1 within .02 and are high at a window of %i',
  window => {
    for (const mode of modes) {
      const { normalized, risk } = reportOf(pseudorandomBytes(2 ** 20), { mode, window });
      expect(normalized).toBeGreaterThan(0.98);
      expect(risk).toBe('high');
    }
  },
);

test('both modes agree on the mean, the series, the stream and the risk to the last bit', () => {
  const bytes = englishBytes(50_000);
  bytes.set(pseudorandomBytes(20_000), 10_000);
  for (const window of [64, 1000, 4096]) {
    const rolling = reportOf(bytes, { window, mode: 'rolling' });
    const block = reportOf(bytes, { window, mode: 'block' });
    expect(rolling.series).toEqual(block.series);
    expect(rolling.shannon?.stream).toBe(block.shannon?.stream);
    expect({ ...rolling, shannon: block.shannon }).toEqual(block);
    expect(rolling.shannon!.min).toBeLessThanOrEqual(block.shannon!.min);
    expect(rolling.shannon!.max).toBeGreaterThanOrEqual(block.shannon!.max);
  }
});

test('rolling sees a burst that straddles two blocks whole', () => {
  const bytes = new Uint8Array(4096 * 3);
  bytes.set(
    new Uint8Array(4096).map((_, i) => i),
    2048,
  );
  expect(reportOf(bytes, { mode: 'rolling' }).shannon?.max).toBeCloseTo(8, 12);
  expect(reportOf(bytes, { mode: 'block' }).shannon?.max).toBeLessThan(5.1);
});

test.each(modes)('only full windows count (%s)', mode => {
  const bytes = new Uint8Array(4096 + 4095).map((_, i) => (i < 4096 ? i & 3 : 9));
  const report = reportOf(bytes, { mode });
  expect(report.series).toHaveLength(1);
  expect(report.shannon?.mean).toBeCloseTo(2, 12);
});

test.each(modes)('a stream shorter than the window gives one value over what there is (%s)', mode => {
  const report = reportOf(pseudorandomBytes(1000), { mode });
  const { stream } = report.shannon!;
  expect(report.shannon).toEqual({ mean: stream, min: stream, max: stream, stream });
  expect(report.series).toEqual([stream]);
  expect(report.normalized).toBeGreaterThan(0.98);
  expect(report.risk).toBe('high');
});

test.each(modes)('under 256 bytes there is no estimate and the risk is the configured one (%s)', mode => {
  for (const length of [0, 1, 255]) {
    for (const risk of riskLevels) {
      expect(reportOf(pseudorandomBytes(length), { mode, window: 64, riskDefault: risk })).toEqual({
        bytes: length,
        window: 64,
        shannon: null,
        minEntropy: null,
        normalized: null,
        risk,
        series: [],
      });
    }
  }
  expect(reportOf(pseudorandomBytes(255), { mode }).risk).toBe('medium');
  expect(reportOf(pseudorandomBytes(256), { mode }).risk).toBe('high');
});

test.each(modes)('the live risk follows the latest window (%s)', mode => {
  const meter = createMeter({ mode, window: 1000 });
  const after = (bytes: Uint8Array): Risk => {
    meter.update(bytes);
    return meter.risk;
  };
  expect(meter.risk).toBe('medium');
  expect(after(pseudorandomBytes(999))).toBe('medium');
  expect(after(pseudorandomBytes(1))).toBe('high');
  expect(after(englishBytes(999))).toBe('high');
  expect(after(englishBytes(1))).toBe('low');
});

test('the live risk has hysteresis', () => {
  const riskThresholds = { medium: 0.25, high: 0.3, hysteresis: 0.02 };
  const symbols = (count: number) => new Uint8Array(1024).map((_, i) => i % count);
  const meter = createMeter({ mode: 'block', window: 1024, riskThresholds });
  const risks = [5, 4, 3, 4, 5].map(count => {
    meter.update(symbols(count));
    return meter.risk;
  });
  // 5 symbols read .298, 4 read .257 and 3 read .203.
  expect(risks).toEqual(['medium', 'medium', 'low', 'medium', 'medium']);
  const strict = createMeter({
    mode: 'block',
    window: 1024,
    riskThresholds: { ...riskThresholds, medium: 0.27 },
  });
  const strictRisks = [5, 4, 3, 4, 5].map(count => {
    strict.update(symbols(count));
    return strict.risk;
  });
  expect(strictRisks).toEqual(['medium', 'medium', 'low', 'low', 'medium']);
});

test('a report is a snapshot: the stream goes on', () => {
  const meter = createMeter({ window: 64 });
  meter.update(new Uint8Array(1000));
  const first = meter.report();
  meter.update(pseudorandomBytes(1000));
  expect(first.bytes).toBe(1000);
  expect(first.shannon?.max).toBe(0);
  expect(meter.report().shannon?.max).toBeGreaterThan(5);
});

test('after random megabytes a constant window reads exactly 0: nothing drifts', () => {
  const meter = createMeter({ window: 1000 });
  for (let seed = 1; seed <= 4; seed++) meter.update(pseudorandomBytes(2 ** 20, seed));
  meter.update(new Uint8Array(1000));
  meter.update(new Uint8Array(1000).map((_, i) => i % 250));
  const { min, max } = meter.report().shannon!;
  expect(min).toBe(0);
  expect(max).toBeCloseTo(Math.log2(250), 12);
});

test('whole-stream counts stay exact past a mebibyte and with a long window', () => {
  const chunk = new Uint8Array(2 ** 20).map((_, i) => (i & 3 ? 1 : 0));
  for (const [window, mode] of [
    [64, 'block'],
    [4096, 'rolling'],
    [2 ** 22, 'block'],
  ] as const) {
    const meter = createMeter({ window, mode });
    for (let i = 0; i < 5; i++) meter.update(chunk);
    expect(meter.report().shannon?.stream).toBeCloseTo(2 - 0.75 * Math.log2(3), 14);
    expect(meter.report().shannon?.mean).toBeCloseTo(2 - 0.75 * Math.log2(3), 11);
  }
});

test('a window that is not a whole number of 64 to 2^24 bytes is refused', () => {
  for (const window of [0, 63, 64.5, -4096, 2 ** 24 + 1, Number.NaN, Infinity]) {
    expect(() => createMeter({ window })).toThrow(expect.objectContaining({ code: 'WINDOW_INVALID' }));
  }
});
