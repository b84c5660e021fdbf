import { compareRisk, riskLevels } from '@skerry/base';
import { expect, test } from 'vitest';

test('risk levels are listed in ascending order', () => {
  for (const [i, a] of riskLevels.entries()) {
    for (const [j, b] of riskLevels.entries()) expect(Math.sign(compareRisk(a, b))).toBe(Math.sign(i - j));
  }
});
