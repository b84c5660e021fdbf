import type { Clock } from '@skerry/base';
import { progressDelayMs, progressIntervalMs } from '../../parameters.ts';
import { columnsOf, type TerminalStream } from '../io.ts';
import { printable, truncate } from './text.ts';

/** A line on a terminal that says how far something is. */
export type Progress = {
  /** Shows the latest state: `describe` is called only when a line is due. */
  readonly show: (describe: (elapsedMs: number) => string) => void;
  /** Takes the line away; other output may follow. */
  readonly clear: () => void;
};

/** Where progress goes. */
type ProgressOptions = {
  /** Standard error; only a terminal gets a line. */
  readonly stream: TerminalStream;
  /** Whether to show nothing at all. */
  readonly quiet: boolean;
  readonly clock: Clock;
};

const eraseLine = '\r\u{1b}[2K';

/**
 * A progress line that appears when a thing takes more than `progressDelayMs`, and is redrawn at most every
 * `progressIntervalMs`. Nothing is written when quiet, or where the stream is not a terminal.
 */
export function createProgress({ stream, quiet, clock }: ProgressOptions): Progress {
  const silent = quiet || stream.isTTY !== true;
  const startMs = clock.nowMs();
  let dueMs = startMs + progressDelayMs;
  let shown = false;
  return {
    show(describe) {
      if (silent) return;
      const nowMs = clock.nowMs();
      if (nowMs < dueMs) return;
      dueMs = nowMs + progressIntervalMs;
      shown = true;
      stream.write(eraseLine + truncate(printable(describe(nowMs - startMs)), columnsOf(stream) - 1));
    },
    clear() {
      if (shown) stream.write(eraseLine);
      shown = false;
    },
  };
}
