import { scaledTerm, termScale } from './plug-in.ts';
import { Totals } from './totals.ts';
import type { OnWindow, Windows } from './windows.ts';

const noWords = new Int32Array(0);

/**
 * Consecutive blocks of the window's length, each with a histogram of its own, counted by 32-bit loads. (Four
 * histograms, one for each byte of a load, were slower, also on constant data: processors forward a count that was
 * just stored, and four take their time to add up.) Keeps no bytes of the stream. Memory: 8 bytes of table per window
 * byte.
 */
export class BlockWindows implements Windows {
  sumMin = Infinity;
  sumMax = -Infinity;
  readonly #window: number;
  readonly #onWindow: OnWindow;
  /** The term of each count. */
  readonly #terms: Float64Array;
  /** Histogram of the block so far. */
  readonly #counts = new Int32Array(256);
  /** Of the blocks that are closed. */
  readonly #totals = new Totals();
  /** Bytes since the last callback. */
  #pending = 0;

  constructor(window: number, onWindow: OnWindow) {
    this.#window = window;
    this.#onWindow = onWindow;
    const scale = termScale(window);
    this.#terms = new Float64Array(window + 1).map((_, count) => scaledTerm(count, scale));
  }

  update(chunk: Uint8Array): void {
    const skew = -chunk.byteOffset & 3;
    const words =
      chunk.length < 8
        ? noWords
        : new Int32Array(chunk.buffer, chunk.byteOffset + skew, (chunk.length - skew) >> 2);
    for (let from = 0; from < chunk.length; ) {
      const to = Math.min(chunk.length, from + this.#window - this.#pending);
      const wordFrom = (from - skew + 3) >> 2;
      const wordTo = Math.min((to - skew) >> 2, words.length);
      if (wordFrom < wordTo) {
        this.#countBytes(chunk, from, 4 * wordFrom + skew);
        this.#countWords(words, wordFrom, wordTo);
        this.#countBytes(chunk, 4 * wordTo + skew, to);
      } else this.#countBytes(chunk, from, to);
      this.#pending += to - from;
      from = to;
      if (this.#pending === this.#window) this.#close();
    }
  }

  histogram(): Float64Array {
    const counts = this.#totals.histogram();
    for (let i = 0; i < 256; i++) counts[i]! += this.#counts[i]!;
    return counts;
  }

  #countBytes(bytes: Uint8Array, from: number, to: number): void {
    const counts = this.#counts;
    for (let i = from; i < to; i++) counts[bytes[i]!]!++;
  }

  /** Two words at a time, and one more where their number is odd. */
  #countWords(words: Int32Array, from: number, to: number): void {
    const counts = this.#counts;
    for (let i = from + ((to - from) & 1); i < to; i += 2) {
      const word = words[i]!;
      const next = words[i + 1]!;
      counts[word & 255]!++;
      counts[(word >>> 8) & 255]!++;
      counts[(word >>> 16) & 255]!++;
      counts[word >>> 24]!++;
      counts[next & 255]!++;
      counts[(next >>> 8) & 255]!++;
      counts[(next >>> 16) & 255]!++;
      counts[next >>> 24]!++;
    }
    if (((to - from) & 1) === 0) return;
    const first = words[from]!;
    counts[first & 255]!++;
    counts[(first >>> 8) & 255]!++;
    counts[(first >>> 16) & 255]!++;
    counts[first >>> 24]!++;
  }

  /** Reports the block and begins the next. Two sums, in turn, so that one addition need not wait for the other. */
  #close(): void {
    const counts = this.#counts;
    const totals = this.#totals.recent;
    const terms = this.#terms;
    let even = terms[0]!; // 0, and a float64 to the compiler from the start: much faster than a literal
    let odd = terms[0]!;
    for (let i = 0; i < 256; i += 2) {
      const count = counts[i]!;
      const next = counts[i + 1]!;
      totals[i]! += count;
      totals[i + 1]! += next;
      even += terms[count]!;
      odd += terms[next]!;
    }
    counts.fill(0);
    this.#totals.added(this.#window);
    this.#pending = 0;
    const sum = even + odd;
    if (sum < this.sumMin) this.sumMin = sum;
    if (sum > this.sumMax) this.sumMax = sum;
    this.#onWindow(sum);
  }
}
