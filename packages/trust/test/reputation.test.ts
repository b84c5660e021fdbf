import { expect, test } from 'vitest';
import {
  auditPeriodMs,
  emptyReputation,
  evidenceOf,
  observationTable,
  observe,
  parseReputation,
} from '../index.ts';
import { evidenceByKind } from '../src/reputation.ts';
import { badKinds, kinds, periodsOf, provenFor, startMs } from './histories.ts';

const stored = JSON.parse(JSON.stringify(provenFor(3))) as {
  seen: { proof: Record<string, unknown> };
  period: { startedAtMs: unknown; counts: Record<string, unknown> };
  cheatedAtMs: unknown;
};

test('each kind weighs what the table says', () => {
  for (const kind of kinds) {
    const evidence = evidenceOf(observe(emptyReputation(startMs), { kind, atMs: startMs }), startMs);
    const { availability, integrity } = observationTable[kind];
    expect(evidence.availability.good - evidence.availability.bad).toBe(availability);
    expect(evidence.integrity.good - evidence.integrity.bad).toBe(integrity);
  }
});

test('silence weighs less than any wrong answer, and a drill gone wrong less than a proof', () => {
  const wrong = ['share-lost', 'proof-wrong', 'contribution-wrong'] as const;
  for (const kind of wrong) {
    expect(observationTable[kind].integrity).toBeLessThan(20 * observationTable.silent.integrity);
  }
  expect(-observationTable['drill-wrong'].integrity).toBeLessThan(observationTable.proof.integrity);
  for (const kind of badKinds) {
    const { integrity, integrityPerPeriod } = observationTable[kind];
    expect(integrityPerPeriod).toBeGreaterThanOrEqual(-integrity);
  }
});

test('offline half the time is an availability of a half, however often it was looked at', () => {
  for (const often of [1, 2, 10]) {
    const looks = Array.from({ length: often }, () => ['proof', 'unreachable'] as const).flat();
    const { good, bad } = evidenceOf(periodsOf(40, looks), startMs + 39 * auditPeriodMs).availability;
    expect(good / (good + bad)).toBeCloseTo(0.5, 9);
  }
});

test('a disk that lost ten shares in one period is one lost disk', () => {
  const one = periodsOf(1, ['share-lost']);
  const ten = periodsOf(
    1,
    Array.from({ length: 10 }, () => 'share-lost'),
  );
  expect(evidenceOf(ten, startMs).integrity).toEqual(evidenceOf(one, startMs).integrity);
  expect(ten.seen['share-lost']!.count).toBe(10);
});

test('evidence tells each kind, how often and how long ago', () => {
  const seen = observe(provenFor(2), { kind: 'silent', atMs: startMs + auditPeriodMs + 5 });
  const list = evidenceByKind(seen, startMs + auditPeriodMs + 1005);
  expect(list.map(({ kind, count, ageMs }) => [kind, count, ageMs])).toEqual([
    ['proof', 4, 1004],
    ['contribution', 2, 1004],
    ['drill-right', 2, 1004],
    ['silent', 1, 1000],
  ]);
});

test('the first proven cheating is remembered, and nothing else is cheating', () => {
  for (const kind of kinds) {
    const { cheatedAtMs } = observe(emptyReputation(startMs), { kind, atMs: startMs + 1 });
    expect(cheatedAtMs).toBe(kind === 'proof-wrong' ? startMs + 1 : null);
  }
  const twice = periodsOf(2, ['proof-wrong']);
  expect(twice.cheatedAtMs).toBe(startMs + 1);
});

test('a shorter period makes the same steps in less time', () => {
  const short = observe(emptyReputation(0), { kind: 'proof', atMs: 0 }, 1000);
  const long = observe(emptyReputation(0), { kind: 'proof', atMs: 0 });
  expect(evidenceOf(short, 5000, 1000)).toEqual(evidenceOf(long, 5 * auditPeriodMs));
  expect(() => evidenceOf(short, 0, 0)).toThrow('an audit period has a length');
});

test('stored kinds that this version does not know are left out', () => {
  const later = { ...stored, seen: { ...stored.seen, dream: 1 } };
  expect(parseReputation(later)).toEqual(provenFor(3));
});

test.each([
  ['null', null],
  ['a list', []],
  ['no observations', { ...stored, seen: null }],
  ['no period', { ...stored, period: 3 }],
  ['no start', { ...stored, period: { counts: {} } }],
  ['a start before time', { ...stored, period: { ...stored.period, startedAtMs: -1 } }],
  ['a start after time', { ...stored, period: { ...stored.period, startedAtMs: 1e17 } }],
  ['counts that are a list', { ...stored, period: { ...stored.period, counts: [] } }],
  ['half a count', { ...stored, period: { ...stored.period, counts: { proof: 0.5 } } }],
  ['more in the period than ever', { ...stored, period: { ...stored.period, counts: { proof: 99 } } }],
  ['a kind of no shape', { ...stored, seen: { proof: 'often' } }],
  [
    'a negative mass',
    { ...stored, seen: { ...stored.seen, proof: { ...stored.seen.proof, integrity: -1 } } },
  ],
  ['a mass that is text', { ...stored, seen: { proof: { ...stored.seen.proof, availability: '1' } } }],
  ['a kind never', { ...stored, seen: { proof: { ...stored.seen.proof, latestMs: null } } }],
  ['cheating at no time', { ...stored, cheatedAtMs: 'yes' }],
  ['cheating unsaid', { seen: stored.seen, period: stored.period }],
])('%s is no stored reputation', (_, value) => {
  expect(parseReputation(value)).toBeNull();
});

test('periods follow each other from the first on, whenever in them something is seen', () => {
  const days = [0, 1.9, 2.1].map(day => startMs + day * auditPeriodMs);
  const seen = days.reduce((past, atMs) => observe(past, { kind: 'proof', atMs }), emptyReputation(startMs));
  expect(seen.period).toEqual({ startedAtMs: startMs + 2 * auditPeriodMs, counts: { proof: 1 } });
});
