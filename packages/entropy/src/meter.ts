import { type Risk, SkerryError } from '@skerry/base';
import {
  estimateBytesMin,
  riskDefault,
  riskThresholdsDefault,
  windowBytesDefault,
  windowBytesMax,
  windowBytesMin,
} from '../parameters.ts';
import { BlockWindows } from './block-windows.ts';
import { mostCommonValueEstimate } from './min-entropy.ts';
import { expectedUniformEntropy, scaledTerm, shannonOf, termScale } from './plug-in.ts';
import { createRiskScale, type RiskThresholds } from './risk-scale.ts';
import { RollingWindows } from './rolling-windows.ts';
import { createSeries } from './series.ts';

/** How windows are laid over the stream: sliding by one byte, or end to end. */
export type MeterMode = 'rolling' | 'block';

/** What a meter may be told. */
export type MeterOptions = {
  /** Bytes in a window, an integer from 64 to 2^24. @default 4096 */
  readonly window?: number;
  /** `rolling` sees the extremes at every byte position; `block` is several times faster. @default 'rolling' */
  readonly mode?: MeterMode;
  /** Where normalised entropy changes its risk. @default riskThresholdsDefault */
  readonly riskThresholds?: RiskThresholds;
  /** Risk of a stream under 256 bytes. @default 'medium' */
  readonly riskDefault?: Risk;
};

/** Shannon entropy of a stream, bits per byte, 0 to 8. */
export type ShannonReport = {
  /** Mean over consecutive windows, end to end from the stream's start: the same in both modes. */
  readonly mean: number;
  /** Lowest of any full window: at every byte position when rolling, of the blocks otherwise. */
  readonly min: number;
  /** Highest of any full window, as `min`. */
  readonly max: number;
  /** Of the whole stream's byte frequencies at once: what `ent` prints. */
  readonly stream: number;
};

/** What a meter knows; null where there is no estimate (under 256 bytes). */
export type EntropyReport = {
  /** Length of the stream so far. */
  readonly bytes: number;
  /** Bytes in a window. */
  readonly window: number;
  /** Only full windows count; a stream shorter than one gives one value over what there is. */
  readonly shannon: ShannonReport | null;
  /** Most common value estimate (NIST SP 800-90B, 6.3.1) over the whole stream, bits per byte. */
  readonly minEntropy: number | null;
  /** `shannon.mean` over what it is for uniformly random bytes at that window, 0..1. */
  readonly normalized: number | null;
  /** Level of `normalized`; the configured default where that is null. */
  readonly risk: Risk;
  /** Entropy along the stream, bits per byte: means of equally many consecutive windows; at most 1024 points. */
  readonly series: number[];
};

/** Measures one stream in constant memory. */
export type Meter = {
  /** Risk of the stream's latest window, with hysteresis; the default before one, or under 256 bytes. */
  readonly risk: Risk;
  /** Takes the next bytes; any chunks give the same report. Rolling, the last window or so is copied; never kept otherwise. */
  update(chunk: Uint8Array): void;
  /** What is known so far; the stream may go on. The report is the caller's. */
  report(): EntropyReport;
};

/**
 * Makes a meter at the start of a stream.
 *
 * @param options see `MeterOptions`
 * @throws SkerryError WINDOW_INVALID unless the window is an integer from 64 to 2^24; RISK_SCALE_INVALID, see
 *   `createRiskScale`
 * @example
 * const meter = createMeter({ window: 4096 });
 * meter.update(new Uint8Array(8192));
 * meter.report().shannon?.mean; // 0
 */
export function createMeter(options: MeterOptions = {}): Meter {
  const window = options.window ?? windowBytesDefault;
  if (!Number.isInteger(window) || window < windowBytesMin || window > windowBytesMax) {
    throw new SkerryError('WINDOW_INVALID', '', { window });
  }
  const scale = createRiskScale(options.riskThresholds ?? riskThresholdsDefault);
  const unknown = options.riskDefault ?? riskDefault;
  const units = termScale(window);
  const constantSum = scaledTerm(window, units);
  const bitsOf = (sum: number) => (constantSum - sum) / (window * units);
  const expectedBits = expectedUniformEntropy(window);
  const series = createSeries();
  let bytes = 0;
  let windowCount = 0;
  let bitsSum = 0;
  let latestRisk: Risk | undefined;

  const onWindow = (sum: number) => {
    const bits = bitsOf(sum);
    const normalized = normalize(bits, expectedBits);
    windowCount += 1;
    bitsSum += bits;
    series.push(bits);
    latestRisk = latestRisk === undefined ? scale.levelOf(normalized) : scale.next(latestRisk, normalized);
  };
  const windows =
    options.mode === 'block' ? new BlockWindows(window, onWindow) : new RollingWindows(window, onWindow);

  return {
    get risk() {
      return bytes < estimateBytesMin ? unknown : (latestRisk ?? unknown);
    },
    update(chunk) {
      bytes += chunk.length;
      windows.update(chunk);
    },
    report() {
      if (bytes < estimateBytesMin) {
        return {
          bytes,
          window,
          shannon: null,
          minEntropy: null,
          normalized: null,
          risk: unknown,
          series: [],
        };
      }
      const counts = windows.histogram();
      const stream = shannonOf(counts);
      const short = windowCount === 0;
      const min = short ? stream : bitsOf(windows.sumMax);
      const max = short ? stream : bitsOf(windows.sumMin);
      const mean = short ? stream : Math.min(max, Math.max(min, bitsSum / windowCount));
      const normalized = normalize(mean, short ? expectedUniformEntropy(bytes) : expectedBits);
      return {
        bytes,
        window,
        shannon: { mean, min, max, stream },
        minEntropy: mostCommonValueEstimate(counts),
        normalized,
        risk: scale.levelOf(normalized),
        series: short ? [stream] : series.points(),
      };
    },
  };
}

/** Entropy over its expectation for uniform bytes; chance may carry it over 1, which says no more than 1. */
function normalize(bits: number, expectedBits: number): number {
  return Math.min(1, bits / expectedBits);
}
