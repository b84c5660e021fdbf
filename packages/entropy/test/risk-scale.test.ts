import { expect, test } from 'vitest';
import { createRiskScale, riskThresholdsDefault } from '../index.ts';

const scale = createRiskScale({ medium: 0.6, high: 0.9, hysteresis: 0.05 });

test('a level begins at its threshold', () => {
  expect([0, 0.599, 0.6, 0.899, 0.9, 1].map(value => scale.levelOf(value))).toEqual([
    'low',
    'low',
    'medium',
    'medium',
    'high',
    'high',
  ]);
});

test('a level rises at once, by as many steps as the value does', () => {
  expect(scale.next('low', 0.6)).toBe('medium');
  expect(scale.next('low', 0.95)).toBe('high');
  expect(scale.next('medium', 0.9)).toBe('high');
});

test('a level falls only by more than the hysteresis', () => {
  expect(scale.next('high', 0.86)).toBe('high');
  expect(scale.next('high', 0.84)).toBe('medium');
  expect(scale.next('medium', 0.56)).toBe('medium');
  expect(scale.next('medium', 0.54)).toBe('low');
  expect(scale.next('high', 0.56)).toBe('medium');
  expect(scale.next('high', 0.1)).toBe('low');
});

test('a value that swings within the hysteresis does not flap', () => {
  let risk = scale.levelOf(0.91);
  for (const value of [0.89, 0.91, 0.86, 0.9, 0.88]) {
    risk = scale.next(risk, value);
    expect(risk).toBe('high');
  }
});

test('thresholds that are not ascending within 0 to 1 are refused', () => {
  const wrong = [
    { medium: 0 },
    { medium: 0.9 },
    { high: 1.01 },
    { high: 0.5 },
    { medium: Number.NaN },
    { high: Number.NaN },
    { hysteresis: -0.01 },
    { hysteresis: 0.25 },
    { hysteresis: Number.NaN },
  ];
  for (const change of wrong) {
    const make = () => createRiskScale({ ...riskThresholdsDefault, ...change });
    expect(make).toThrow(expect.objectContaining({ code: 'RISK_SCALE_INVALID' }));
  }
});
