/** Bytes after which recent counts are settled: often enough that they stay far under 2^31. */
const settleBytes = 2 ** 20;

/**
 * The histogram of a whole stream: integers that the windows add to quickly, settled now and then into float64
 * counts, exact to 2^53 bytes.
 */
export class Totals {
  /** Counts to add to. */
  readonly recent = new Int32Array(256);
  readonly #settled = new Float64Array(256);
  #recentBytes = 0;

  /** Tells of as many bytes added to `recent`, 2^24 at most. */
  added(bytes: number): void {
    this.#recentBytes += bytes;
    if (this.#recentBytes < settleBytes) return;
    for (let i = 0; i < 256; i++) this.#settled[i]! += this.recent[i]!;
    this.recent.fill(0);
    this.#recentBytes = 0;
  }

  /** All counts so far; a new array, the caller's. */
  histogram(): Float64Array {
    return this.#settled.map((count, i) => count + this.recent[i]!);
  }
}
