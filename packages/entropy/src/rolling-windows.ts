import { scaledTerm, termScale } from './plug-in.ts';
import { Totals } from './totals.ts';
import type { OnWindow, Windows } from './windows.ts';

/** Bytes of stream kept beyond the window before the window is moved back to the buffer's start. */
const slackBytesMin = 65_536;

/** Four bytes are taken from one load in stream order only where the low byte comes first. */
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * A window that slides by one byte: `sumMin` and `sumMax` are over every position. A byte costs two counts and
 * two looked-up increments; as these are integers and the sum stays under 2^53, it is exact for ever: no drift.
 *
 * The buffer holds the last window and what arrives after it, so the byte that leaves stands `window` before the
 * byte that arrives. Memory: twice the window (or the window and 64 KiB), and 8 bytes of table per window byte.
 */
export class RollingWindows implements Windows {
  sumMin = Infinity;
  sumMax = -Infinity;
  #sum = 0;
  /** Histogram of the window. */
  readonly #counts = new Int32Array(256);
  /** Of the stream up to the last callback. */
  readonly #totals = new Totals();
  readonly #window: number;
  readonly #onWindow: OnWindow;
  /** What a count adds to the sum by growing from its index to one more. */
  readonly #increments: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  /** End of the stream so far within `#bytes`. */
  #end = 0;
  /** Bytes since the last callback. */
  #pending = 0;
  #full = false;

  constructor(window: number, onWindow: OnWindow) {
    this.#window = window;
    this.#onWindow = onWindow;
    const scale = termScale(window);
    this.#increments = new Float64Array(window);
    for (let count = 0, term = 0; count < window; count++) {
      const next = scaledTerm(count + 1, scale);
      this.#increments[count] = next - term;
      term = next;
    }
    const wordCount = Math.ceil((window + Math.max(window, slackBytesMin)) / 4);
    this.#words = new Int32Array(wordCount);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  update(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length; ) {
      if (this.#end === this.#bytes.length) {
        this.#bytes.copyWithin(0, this.#end - this.#window, this.#end);
        this.#end = this.#window;
      }
      const taken = Math.min(chunk.length - offset, this.#bytes.length - this.#end);
      this.#bytes.set(chunk.subarray(offset, offset + taken), this.#end);
      offset += taken;
      this.#advance(this.#end + taken);
    }
  }

  histogram(): Float64Array {
    const counts = this.#totals.histogram();
    for (let i = this.#end - this.#pending; i < this.#end; i++) counts[this.#bytes[i]!]!++;
    return counts;
  }

  /** Takes the buffered bytes up to `end` into the window, with a callback at each multiple of the window. */
  #advance(end: number): void {
    while (this.#end < end) {
      const to = Math.min(end, this.#end + this.#window - this.#pending);
      if (this.#full) this.#slide(this.#end, to);
      else this.#fill(this.#end, to);
      this.#pending += to - this.#end;
      this.#end = to;
      if (this.#pending < this.#window) return;
      this.#pending = 0;
      if (!this.#full) {
        this.#full = true;
        this.sumMin = this.#sum;
        this.sumMax = this.#sum;
      }
      this.#addTotals();
      this.#onWindow(this.#sum);
    }
  }

  #addTotals(): void {
    const counts = this.#counts;
    const { recent } = this.#totals;
    for (let i = 0; i < 256; i++) recent[i]! += counts[i]!;
    this.#totals.added(this.#window);
  }

  /** Takes the first window's bytes, which drive none out. */
  #fill(from: number, to: number): void {
    const counts = this.#counts;
    for (let i = from; i < to; i++) this.#sum += this.#increments[counts[this.#bytes[i]!]!++]!;
  }

  #slide(from: number, to: number): void {
    const wordsFrom = Math.min((from + 3) & ~3, to);
    const wordsTo = Math.max(to & ~3, wordsFrom);
    if (!littleEndian || this.#window % 4 !== 0) return this.#slideByBytes(from, to);
    this.#slideByBytes(from, wordsFrom);
    this.#slideByWords(wordsFrom, wordsTo);
    this.#slideByBytes(wordsTo, to);
  }

  #slideByBytes(from: number, to: number): void {
    const counts = this.#counts;
    const bytes = this.#bytes;
    const increments = this.#increments;
    const window = this.#window;
    let sum = this.#sum;
    let min = this.sumMin;
    let max = this.sumMax;
    for (let i = from; i < to; i++) {
      const loss = increments[--counts[bytes[i - window]!]!]!;
      sum += increments[counts[bytes[i]!]!++]! - loss;
      if (sum < min) min = sum;
      if (sum > max) max = sum;
    }
    this.#sum = sum;
    this.sumMin = min;
    this.sumMax = max;
  }

  /** The same four bytes at a time, from and to multiples of 4: loads and bounds checks are what the loop costs. */
  #slideByWords(from: number, to: number): void {
    const counts = this.#counts;
    const words = this.#words;
    const increments = this.#increments;
    const distance = this.#window >> 2;
    const end = to >> 2;
    let sum = this.#sum;
    let min = this.sumMin;
    let max = this.sumMax;
    for (let i = from >> 2; i < end; i++) {
      const leaving = words[i - distance]!;
      const arriving = words[i]!;
      const loss0 = increments[--counts[leaving & 255]!]!;
      sum += increments[counts[arriving & 255]!++]! - loss0;
      if (sum < min) min = sum;
      if (sum > max) max = sum;
      const loss1 = increments[--counts[(leaving >>> 8) & 255]!]!;
      sum += increments[counts[(arriving >>> 8) & 255]!++]! - loss1;
      if (sum < min) min = sum;
      if (sum > max) max = sum;
      const loss2 = increments[--counts[(leaving >>> 16) & 255]!]!;
      sum += increments[counts[(arriving >>> 16) & 255]!++]! - loss2;
      if (sum < min) min = sum;
      if (sum > max) max = sum;
      const loss3 = increments[--counts[leaving >>> 24]!]!;
      sum += increments[counts[arriving >>> 24]!++]! - loss3;
      if (sum < min) min = sum;
      if (sum > max) max = sum;
    }
    this.#sum = sum;
    this.sumMin = min;
    this.sumMax = max;
  }
}
