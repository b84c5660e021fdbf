/**
 * The full windows of a stream. Sums are of `scaledTerm`s: a window's entropy falls as its sum rises. Both kinds call
 * back at every whole multiple of the window, with the sum of the window that ends there, whatever the chunks were.
 */
export type Windows = {
  /** Smallest sum of any full window so far; Infinity before the first. */
  readonly sumMin: number;
  /** Largest sum of any full window so far; -Infinity before the first. */
  readonly sumMax: number;
  /** Takes the next bytes of the stream. */
  update(chunk: Uint8Array): void;
  /** Histogram of the whole stream so far, 256 counts; a new array, the caller's. */
  histogram(): Float64Array;
};

/** Called with the sum of a full window. */
export type OnWindow = (sum: number) => void;
