import { expect, test } from 'vitest';
import { scaledTerm, termScale } from '../src/plug-in.ts';
import { RollingWindows } from '../src/rolling-windows.ts';
import { pseudorandomBytes } from './samples.ts';

test.each([64, 1001, 4096, 70_000])(
  'the running sum of a window of %i is to the last unit the sum of its counts, megabytes on',
  window => {
    const scale = termScale(window);
    const bytes = pseudorandomBytes(2 ** 21).map((byte, i) => byte % (1 + ((i >> 13) & 255)));
    const sums: number[] = [];
    const rolling = new RollingWindows(window, sum => sums.push(sum));
    rolling.update(bytes);
    expect(sums).toHaveLength(Math.floor(bytes.length / window));
    for (let i = 0; i < sums.length; i += Math.ceil(sums.length / 50)) {
      const counts = new Float64Array(256);
      for (const byte of bytes.subarray(i * window, (i + 1) * window)) counts[byte]! += 1;
      expect(sums[i]).toBe(counts.reduce((sum, count) => sum + scaledTerm(count, scale), 0));
    }
  },
);
