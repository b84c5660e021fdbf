/**
 * Bytes that look random and are the same every time (mulberry32, one byte of each output).
 *
 * @param seed 32 bits
 */
export function pseudorandomBytes(length: number, seed = 1): Uint8Array {
  let state = seed;
  return new Uint8Array(length).map(() => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 24;
  });
}

const words = `it was the best of times, it was the worst of times, it was the age of wisdom, it was the age
of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the
season of Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had
nothing before us, we were all going direct to Heaven, we were all going direct the other way - in short, the period
was so far like the present period, that some of its noisiest authorities insisted on its being received, for good or
for evil, in the superlative degree of comparison only. There were a king with a large jaw and a queen with a plain
face, on the throne of England; there were a king with a large jaw and a queen with a fair face, on the throne of
France.`.split(/\s+/);

/** English words in shuffled order: about 4.3 bits per byte. */
export function englishBytes(length: number, seed = 1): Uint8Array {
  const order = pseudorandomBytes(length, seed);
  let text = '';
  for (let i = 0; text.length < length; i++) text += `${words[order[i]! % words.length]!} `;
  return new TextEncoder().encode(text).subarray(0, length);
}
