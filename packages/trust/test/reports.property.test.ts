import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Assessment, auditPeriodMs, type Report, trustGoals } from '../index.ts';
import { availabilityPrior, integrityPrior, reportMassMax } from '../parameters.ts';
import { weighReports } from '../src/reports.ts';
import { assessOwn, histories, provenFor, startMs } from './histories.ts';

const nowMs = startMs + 100 * auditPeriodMs;
const masses = fc.oneof(fc.double(), fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(1e6));
const tallies = fc.record({ good: masses, bad: masses });

/** Whatever somebody might say, as one of a few nodes of a few operators. */
function saidBy(prefix: string, operators: number): fc.Arbitrary<Report> {
  return fc
    .record({
      reporter: fc.integer({ min: 0, max: 2 * operators - 1 }),
      subject: fc.constantFrom('subject', 'subject', 'subject', 'another'),
      availability: tallies,
      integrity: tallies,
      atMs: fc.oneof(fc.integer({ min: startMs, max: nowMs + auditPeriodMs }), fc.double()),
    })
    .map(({ reporter, ...said }) => ({
      ...said,
      reporter: `${prefix}-${reporter}`,
      reporterOperator: `${prefix}-operator-${reporter % operators}`,
    }));
}

const honest = fc.array(saidBy('honest', 6), { maxLength: 12 });
const liars = fc.integer({ min: 1, max: 12 }).chain(operators =>
  fc.record({
    operators: fc.constant(operators),
    said: fc.array(saidBy('liar', operators), { maxLength: 40 }),
  }),
);

function massesOf({ parts }: Assessment): { availability: number; integrity: number } {
  let [availability, integrity] = [
    availabilityPrior.good + availabilityPrior.bad,
    integrityPrior.good + integrityPrior.bad,
  ];
  for (const { evidence } of parts) {
    availability += evidence.availability.good + evidence.availability.bad;
    integrity += evidence.integrity.good + evidence.integrity.bad;
  }
  return { availability, integrity };
}

test('m lying operators move a score by no more than the bound, whatever they say', () => {
  fc.assert(
    fc.property(histories, honest, liars, (own, true_, { operators, said }) => {
      fc.pre(own.cheatedAtMs === null);
      const without = assessOwn(own, { nowMs, reports: true_ });
      const lied = assessOwn(own, { nowMs, reports: [...said, ...true_] });
      const { availability, integrity } = massesOf(without);
      const keep = integrity / (integrity + operators * reportMassMax.integrity.operator);
      const keepUp = availability / (availability + operators * reportMassMax.availability.operator);
      expect(lied.trust).toBeGreaterThanOrEqual(without.trust * keep * keepUp - 1e-9);
      expect(1 - lied.integrity.mean).toBeGreaterThanOrEqual((1 - without.integrity.mean) * keep - 1e-9);
      expect(lied.availability).toBeGreaterThanOrEqual(without.availability * keepUp - 1e-9);
      expect(1 - lied.availability).toBeGreaterThanOrEqual((1 - without.availability) * keepUp - 1e-9);
    }),
    { numRuns: 500 },
  );
});

test('no number of reports gets past the caps of reporter, operator and all', () => {
  const subject = { nodeId: 'subject', operator: null };
  fc.assert(
    fc.property(fc.array(saidBy('any', 10), { maxLength: 60 }), reports => {
      const counted = weighReports(subject, reports, () => 1, nowMs);
      const operatorOf = new Map(
        reports.map(({ reporter, reporterOperator }) => [reporter, reporterOperator]),
      );
      for (const question of ['availability', 'integrity'] as const) {
        const caps = reportMassMax[question];
        const sums = new Map<string, number>();
        let [good, bad] = [0, 0];
        for (const { reporter, evidence } of counted) {
          const said = evidence[question];
          expect(said.good + said.bad).toBeLessThanOrEqual(caps.reporter + 1e-9);
          const operator = operatorOf.get(reporter)!;
          sums.set(operator, (sums.get(operator) ?? 0) + said.good + said.bad);
          good += said.good;
          bad += said.bad;
        }
        for (const sum of sums.values()) expect(sum).toBeLessThanOrEqual(caps.operator + 1e-9);
        expect(Math.max(good, bad)).toBeLessThanOrEqual(caps.all + 1e-9);
      }
    }),
  );
});

test('a good report never lowers a score, a bad one never raises it, and order makes no difference', () => {
  fc.assert(
    fc.property(histories, honest, fc.boolean(), (own, others, isGood) => {
      const reports = [...new Map(others.map(report => [report.reporter, report])).values()];
      const one: Report = {
        reporter: 'one',
        reporterOperator: 'honest-operator-0',
        subject: 'subject',
        availability: { good: isGood ? 5 : 0, bad: isGood ? 0 : 5 },
        integrity: { good: isGood ? 5 : 0, bad: isGood ? 0 : 5 },
        atMs: nowMs,
      };
      const before = assessOwn(own, { nowMs, reports });
      const after = assessOwn(own, { nowMs, reports: [one, ...reports] });
      expect((isGood ? 1 : -1) * (after.trust - before.trust)).toBeGreaterThanOrEqual(-1e-9);
      const turned = assessOwn(own, { nowMs, reports: reports.toReversed() });
      expect(turned.trust).toBeCloseTo(before.trust, 9);
    }),
  );
});

test('nothing that is reported makes a number that is none', () => {
  fc.assert(
    fc.property(fc.array(saidBy('any', 4)), masses, masses, (reports, weight, time) => {
      const { trust, availability, integrity } = assessOwn(null, {
        nowMs: time,
        reports,
        weightOf: () => weight,
      });
      for (const value of [trust, availability, integrity.mean]) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    }),
  );
});

function crowd(size: number, side: 'good' | 'bad'): Report[] {
  return Array.from({ length: size }, (_, index) => ({
    reporter: `crowd-${index}`,
    reporterOperator: null,
    subject: 'subject',
    availability: { good: 0, bad: 0, [side]: 1e6 },
    integrity: { good: 0, bad: 0, [side]: 1e6 },
    atMs: startMs,
  }));
}

test('no number of liars, trusted as they may be, takes a node proven for seventy periods below high', () => {
  const own = provenFor(70);
  const at = own.period.startedAtMs;
  const reports = crowd(1000, 'bad').map(report => ({ ...report, atMs: at }));
  expect(assessOwn(own, { reports, nowMs: at }).trust).toBeGreaterThanOrEqual(trustGoals.high);
});

test('no number of others makes a node fit for high risk that this node has not audited itself', () => {
  const { trust } = assessOwn(null, { reports: crowd(1000, 'good') });
  expect(trust).toBeGreaterThan(trustGoals.medium);
  expect(trust).toBeLessThan(trustGoals.high);
});
