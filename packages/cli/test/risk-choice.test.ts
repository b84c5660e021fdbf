import type { Risk } from '@skerry/base';
import { expect, test } from 'vitest';
import { chooseRisk } from '../src/risk-choice.ts';

const from = (value: Risk) => ({ value, source: 'config.toml' });

test('a level under the measured one is a downgrade, and one under the minimum is refused', () => {
  expect(chooseRisk('low', from('medium'))).toEqual({ risk: 'medium', downgraded: false });
  expect(chooseRisk('high', from('low'))).toEqual({ risk: 'high', downgraded: false });
  expect(chooseRisk('high', from('low'), 'medium')).toEqual({ risk: 'medium', downgraded: true });
  expect(chooseRisk('low', from('low'), 'high')).toEqual({ risk: 'high', downgraded: false });
  expect(() => chooseRisk('high', from('medium'), 'low')).toThrow(
    expect.objectContaining({
      code: 'RISK_BELOW_MINIMUM',
      metadata: { asked: 'low', minimum: 'medium', source: 'config.toml' },
    }),
  );
});
