import { scaledTerm, termScale } from './plug-in.ts';
import { Totals } from './totals.ts';
import type { OnWindow, Windows } from './windows.ts';

const noWords = new Int32Array(0);

/**
 * Consecutive blocks of the window's length, each with a histogram of its own. Four histograms, one for each byte
 * of a 32-bit load, keep equal neighbours from waiting for each other's count. Keeps no bytes
 * of the stream. Memory: 8 bytes of table per window byte.
 */
export class BlockWindows implements Windows {
  sumMin = Infinity;
  sumMax = -Infinity;
  readonly #window: number;
  readonly #onWindow: OnWindow;
  /** The term of each count. */
  readonly #terms: Float64Array;
  readonly #lane0 = new Int32Array(256);
  readonly #lane1 = new Int32Array(256);
  readonly #lane2 = new Int32Array(256);
  readonly #lane3 = new Int32Array(256);
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
    for (const lane of [this.#lane0, this.#lane1, this.#lane2, this.#lane3]) {
      for (let i = 0; i < 256; i++) counts[i]! += lane[i]!;
    }
    return counts;
  }

  #countBytes(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#lane0[bytes[i]!]!++;
  }

  #countWords(words: Int32Array, from: number, to: number): void {
    const lane0 = this.#lane0;
    const lane1 = this.#lane1;
    const lane2 = this.#lane2;
    const lane3 = this.#lane3;
    const pairsTo = to - ((to - from) & 1);
    for (let i = from; i < pairsTo; i += 2) {
      const word = words[i]!;
      const next = words[i + 1]!;
      lane0[word & 255]!++;
      lane1[(word >>> 8) & 255]!++;
      lane2[(word >>> 16) & 255]!++;
      lane3[word >>> 24]!++;
      lane0[next & 255]!++;
      lane1[(next >>> 8) & 255]!++;
      lane2[(next >>> 16) & 255]!++;
      lane3[next >>> 24]!++;
    }
    if (pairsTo === to) return;
    const last = words[pairsTo]!;
    lane0[last & 255]!++;
    lane1[(last >>> 8) & 255]!++;
    lane2[(last >>> 16) & 255]!++;
    lane3[last >>> 24]!++;
  }

  /** Reports the block and begins the next. Two sums, in turn, so that one addition need not wait for the other. */
  #close(): void {
    const lane0 = this.#lane0;
    const lane1 = this.#lane1;
    const lane2 = this.#lane2;
    const lane3 = this.#lane3;
    const totals = this.#totals.recent;
    const terms = this.#terms;
    let even = terms[0]!; // 0, and a float64 to the compiler from the start: much faster than a literal
    let odd = terms[0]!;
    for (let i = 0; i < 256; i += 2) {
      const count = lane0[i]! + lane1[i]! + lane2[i]! + lane3[i]!;
      const next = lane0[i + 1]! + lane1[i + 1]! + lane2[i + 1]! + lane3[i + 1]!;
      totals[i]! += count;
      totals[i + 1]! += next;
      even += terms[count]!;
      odd += terms[next]!;
    }
    lane0.fill(0);
    lane1.fill(0);
    lane2.fill(0);
    lane3.fill(0);
    this.#totals.added(this.#window);
    this.#pending = 0;
    const sum = even + odd;
    if (sum < this.sumMin) this.sumMin = sum;
    if (sum > this.sumMax) this.sumMax = sum;
    this.#onWindow(sum);
  }
}
