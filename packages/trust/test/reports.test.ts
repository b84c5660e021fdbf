import { expect, test } from 'vitest';
import { auditPeriodMs, findSlander, type Report } from '../index.ts';
import { type CountedReport, weighReports } from '../src/reports.ts';
import { periodsOf, provenFor, startMs } from './histories.ts';

const subject = { nodeId: 'subject', operator: 'auk' };

function report(reporter: string, more: Partial<Report> = {}): Report {
  return {
    reporter,
    reporterOperator: null,
    subject: 'subject',
    availability: { good: 10, bad: 0 },
    integrity: { good: 10, bad: 0 },
    atMs: startMs,
    ...more,
  };
}

function weigh(reports: readonly Report[], weight = 1): CountedReport[] {
  return weighReports(subject, reports, () => weight, startMs);
}

const bad = { integrity: { good: 0, bad: 10 } };

test('a report counts by the weight of its reporter, and what a newcomer says not at all', () => {
  expect(weigh([report('a')])[0]!.evidence.integrity).toEqual({ good: 0.5, bad: 0 });
  expect(weigh([report('a')], 0.5)[0]!.evidence.integrity).toEqual({ good: 0.25, bad: 0 });
  expect(weigh([report('a')], 7)[0]!.evidence.integrity).toEqual({ good: 0.5, bad: 0 });
  expect(weigh([report('a')], 0)).toEqual([]);
  expect(weigh([report('a')], Number.NaN)).toEqual([]);
});

test('little evidence is reported as little', () => {
  const little = report('a', { integrity: { good: 0.1, bad: 0.02 } });
  expect(weigh([little])[0]!.evidence.integrity).toEqual({ good: 0.1, bad: 0.02 });
});

test('what a node says of itself counts nothing, and nothing about others counts', () => {
  expect(weigh([report('subject'), report('subject', bad), report('a', { subject: 'b' })])).toEqual([]);
});

test("what the subject's own operator says for it counts nothing, and against it all", () => {
  const own = { reporterOperator: 'auk' };
  expect(weigh([report('a', own)])[0]!.evidence.integrity).toEqual({ good: 0, bad: 0 });
  expect(weigh([report('a', { ...own, ...bad })])[0]!.evidence.integrity).toEqual({ good: 0, bad: 0.5 });
  const nameless = weighReports({ nodeId: 'subject', operator: null }, [report('a')], () => 1, startMs);
  expect(nameless[0]!.evidence.integrity.good).toBe(0.5);
});

test('a hundred nodes of one operator say no more than two', () => {
  const hundred = Array.from({ length: 100 }, (_, index) =>
    report(`n${index}`, { reporterOperator: 'flock' }),
  );
  const sum = weigh(hundred).reduce((total, { evidence }) => total + evidence.integrity.good, 0);
  expect(sum).toBeCloseTo(1, 9);
  expect(weigh(hundred.slice(0, 2)).map(({ evidence }) => evidence.integrity.good)).toEqual([0.5, 0.5]);
});

test('of one reporter only the newest counts, in whatever order they come', () => {
  const old = report('a', { ...bad, atMs: startMs - 1 });
  for (const reports of [
    [old, report('a')],
    [report('a'), old],
  ]) {
    expect(weigh(reports).map(({ evidence }) => evidence.integrity)).toEqual([{ good: 0.5, bad: 0 }]);
  }
});

test('a report loses weight with age, and one from a clock that is ahead gains none', () => {
  const month = report('a', { atMs: startMs - 30 * auditPeriodMs });
  expect(weigh([month])[0]).toMatchObject({
    ageMs: 30 * auditPeriodMs,
    evidence: { integrity: { good: 0.25 } },
  });
  const ahead = weigh([report('a', { atMs: startMs + auditPeriodMs })])[0]!;
  expect(ahead).toMatchObject({ ageMs: 0, evidence: { integrity: { good: 0.5 } } });
});

test('a report with a mass that is none, negative or beyond belief is dropped', () => {
  for (const good of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e7]) {
    expect(weigh([report('a', { integrity: { good, bad: 0 } })])).toEqual([]);
    expect(weigh([report('a', { availability: { good: 0, bad: good } })])).toEqual([]);
  }
  expect(weigh([report('a', { atMs: Number.NaN })])).toEqual([]);
});

const proven = provenFor(10);
const nowMs = proven.period.startedAtMs;
const known = (operatorOf: (id: string) => string | null) => (id: string) => ({
  operator: operatorOf(id),
  own: proven,
});
const against = (...ids: string[]): Report[] => ids.map(id => report('liar', { ...bad, subject: id }));

test('calling nodes of three operators bad that were found good is slander', () => {
  expect(
    findSlander(
      against('a', 'b', 'c'),
      known(() => null),
      nowMs,
    ),
  ).toEqual(['a', 'b', 'c']);
  expect(
    findSlander(
      against('a', 'b', 'c'),
      known(id => id),
      nowMs,
    ),
  ).toEqual(['a', 'b', 'c']);
});

test('two operators, or many nodes of one, can not frame who tells the truth about them', () => {
  expect(
    findSlander(
      against('a', 'b'),
      known(() => null),
      nowMs,
    ),
  ).toEqual([]);
  expect(
    findSlander(
      against('a', 'b', 'c', 'd'),
      known(() => 'auk'),
      nowMs,
    ),
  ).toEqual([]);
});

test('only a contradiction to own evidence that is strong is slander', () => {
  const three = against('a', 'b', 'c');
  const knownAs = (own: typeof proven) => () => ({ operator: null, own });
  expect(findSlander(three, () => null, nowMs)).toEqual([]);
  expect(findSlander(three, knownAs(provenFor(2)), startMs + auditPeriodMs)).toEqual([]);
  expect(findSlander(three, knownAs(periodsOf(1, ['proof-wrong'], provenFor(100))), nowMs)).toEqual([]);
  expect(findSlander(three, knownAs(periodsOf(1, ['share-lost'], proven)), nowMs)).toEqual([]);
  const good = three.map(said => ({ ...said, integrity: { good: 9, bad: 1 } }));
  expect(
    findSlander(
      good,
      known(() => null),
      nowMs,
    ),
  ).toEqual([]);
});
