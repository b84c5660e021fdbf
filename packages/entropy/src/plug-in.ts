/**
 * The integer that one full-window sum of `scaledTerm`s is measured in: the largest power of two for which every
 * such sum stays under 2^53, where a float64 holds every integer, so that adding and subtracting terms is exact.
 *
 * sum(c log2 c) is at most W log2 W for counts c that add up to W; each of the 256 terms is rounded by at most 1/2.
 *
 * @param window bytes in the window, 2 to 2^24
 * @returns units per bit-and-byte, a power of two
 */
export function termScale(window: number): number {
  return 2 ** (52 - Math.ceil(Math.log2(window * Math.log2(window))));
}

/**
 * The term round(c log2 c * scale) that one symbol gives to a window's sum, an integer.
 *
 * @param count occurrences of the symbol in the window, 0 upwards
 * @param scale from `termScale`
 */
export function scaledTerm(count: number, scale: number): number {
  return count === 0 ? 0 : Math.round(count * Math.log2(count) * scale);
}

/**
 * The Shannon entropy of a byte histogram, by the plug-in estimate: the entropy of the observed frequencies.
 *
 * @param counts 256 counts, at least one of them not 0; stays the caller's
 * @returns bits per byte, 0 to 8
 */
export function shannonOf(counts: Float64Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let bits = 0;
  for (const count of counts) if (count > 0) bits += (count / total) * Math.log2(total / count);
  return bits;
}

/**
 * What the plug-in estimate gives on average for that many uniformly random bytes, exactly (to rounding). It falls
 * short of 8 bits, by 255 / (2 n ln 2) for large n (Miller 1955; Paninski, "Estimation of entropy and mutual
 * information", Neural Computation 15, 2003), and no n under 256 can show more than log2 n. Dividing by it makes
 * random data read 1 at every window.
 *
 * E[H] = log2 n - (256 / n) E[C log2 C] with C ~ Binomial(n, 1/256); as c P(C = c) = (n / 256) P(X = c - 1) with
 * X ~ Binomial(n - 1, 1/256), that is log2 n - E[log2(1 + X)]. The distribution is walked from its mode outwards
 * by the ratio of neighbours and divided by what was walked, so that nothing overflows and nothing is lost.
 *
 * @param byteCount bytes observed, 1 or more
 * @returns bits per byte, 0 to 8
 */
export function expectedUniformEntropy(byteCount: number): number {
  const trials = byteCount - 1;
  const mode = Math.floor(byteCount / 256);
  let weights = 1;
  let weighted = Math.log2(1 + mode);
  for (let x = mode, weight = 1; x < trials && weight > Number.EPSILON / 256; x++) {
    weight *= (trials - x) / (255 * (x + 1));
    weights += weight;
    weighted += weight * Math.log2(2 + x);
  }
  for (let x = mode, weight = 1; x > 0 && weight > Number.EPSILON / 256; x--) {
    weight *= (255 * x) / (trials - x + 1);
    weights += weight;
    weighted += weight * Math.log2(x);
  }
  return Math.log2(byteCount) - weighted / weights;
}
