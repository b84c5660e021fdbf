import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditPeriodMs, emptyReputation, evidenceOf, observe, parseReputation } from '../index.ts';
import { availabilityPerPeriod, halfLifePeriods, integrityGoodPerPeriod } from '../parameters.ts';
import { assessOwn, badKinds, goodKinds, histories, kinds, startMs, times } from './histories.ts';

const slack = 1e-12;

test('a good observation never lowers trust or availability, a bad one never raises them', () => {
  fc.assert(
    fc.property(histories, times, fc.constantFrom(...kinds), (before, atMs, kind) => {
      const nowMs = Number.isFinite(atMs) ? atMs : startMs;
      const old = assessOwn(before, { nowMs });
      const fresh = assessOwn(observe(before, { kind, atMs: nowMs }), { nowMs });
      const sign = goodKinds.includes(kind) ? 1 : -1;
      expect(sign * (fresh.trust - old.trust)).toBeGreaterThanOrEqual(-slack);
      expect(sign * (fresh.availability - old.availability)).toBeGreaterThanOrEqual(-slack);
      expect(sign * (fresh.integrity.mean - old.integrity.mean)).toBeGreaterThanOrEqual(-slack);
    }),
    { numRuns: 500 },
  );
});

test('within a period the order of observations makes no difference', () => {
  const within = fc.record({
    kind: fc.constantFrom(...kinds),
    atMs: fc.integer({ min: startMs, max: startMs + auditPeriodMs - 1 }),
  });
  const shuffles = fc
    .array(within, { maxLength: 12 })
    .chain(list =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
      ),
    );
  fc.assert(
    fc.property(histories, shuffles, (past, [list, shuffled]) => {
      const before = { ...past, period: { startedAtMs: startMs, counts: {} } };
      const one = list.reduce((sum, seen) => observe(sum, seen), before);
      const other = shuffled.reduce((sum, seen) => observe(sum, seen), before);
      expect(other).toEqual(one);
    }),
  );
});

test('whatever the clock does, every number is finite, no mass is negative and no time is in the future', () => {
  fc.assert(
    fc.property(histories, times, (reputation, nowMs) => {
      const { trust, availability, integrity, confidence, parts } = assessOwn(reputation, { nowMs });
      for (const value of [trust, availability, integrity.mean, confidence]) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
      for (const { evidence, ageMs, count } of parts) {
        const { availability: up, integrity: right } = evidence;
        for (const value of [up.good, up.bad, right.good, right.bad, ageMs, count]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThan(Number.POSITIVE_INFINITY);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('the longer ago it was, the nearer the evidence is to nothing, and to the prior in the end', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 400 }), (reputation, periods) => {
      const { startedAtMs } = reputation.period;
      const now = evidenceOf(reputation, startedAtMs);
      const later = evidenceOf(reputation, startedAtMs + periods * auditPeriodMs);
      for (const side of ['good', 'bad'] as const) {
        expect(later.availability[side]).toBeCloseTo(
          now.availability[side] * 2 ** (-periods / halfLifePeriods.availability),
          9,
        );
        expect(later.integrity[side]).toBeCloseTo(
          now.integrity[side] * 2 ** (-periods / halfLifePeriods.integrity),
          9,
        );
      }
      fc.pre(reputation.cheatedAtMs === null);
      const end = assessOwn(reputation, { nowMs: startedAtMs + 3000 * auditPeriodMs });
      expect(end.trust).toBeCloseTo(0.5, 9);
      expect(end.availability).toBeCloseTo(0.97, 9);
    }),
  );
});

test('no number of observations adds more in one period than its caps', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...kinds), { maxLength: 40 }),
      fc.integer({ min: 0, max: auditPeriodMs - 1 }),
      (list, offset) => {
        const seen = list.reduce(
          (past, kind) => observe(past, { kind, atMs: startMs + offset }),
          emptyReputation(startMs),
        );
        const { availability, integrity } = evidenceOf(seen, startMs);
        expect(availability.good + availability.bad).toBeLessThanOrEqual(availabilityPerPeriod + slack);
        expect(integrity.good).toBeLessThanOrEqual(integrityGoodPerPeriod + slack);
      },
    ),
  );
});

test('a clock that goes back and forth within a period buys no trust', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1 - auditPeriodMs, max: auditPeriodMs - 1 }), { maxLength: 40 }),
      offsets => {
        const seen = offsets.reduce(
          (past, offset) => observe(past, { kind: 'proof', atMs: startMs + offset }),
          emptyReputation(startMs),
        );
        expect(evidenceOf(seen, startMs).integrity.good).toBeLessThanOrEqual(integrityGoodPerPeriod);
      },
    ),
  );
});

test('a clock that is set back by years opens no period: the one under way goes on', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 2, max: 5000 }), { minLength: 1, maxLength: 20 }), backs => {
      let nowMs = startMs;
      let seen = observe(emptyReputation(nowMs), { kind: 'proof', atMs: nowMs });
      for (const back of backs) {
        nowMs = Math.max(0, nowMs - back * auditPeriodMs);
        seen = observe(seen, { kind: 'proof', atMs: nowMs });
      }
      expect(evidenceOf(seen, nowMs).integrity.good).toBeLessThanOrEqual(integrityGoodPerPeriod);
      expect(seen.seen.proof!.latestMs).toBeLessThanOrEqual(nowMs + auditPeriodMs);
    }),
  );
});

test('a stored reputation is read back as it was', () => {
  fc.assert(
    fc.property(histories, reputation => {
      const stored = JSON.stringify(reputation);
      expect(parseReputation(JSON.parse(stored))).toEqual(JSON.parse(stored));
    }),
  );
});

test('whatever stands in a stored reputation, it is refused or can be assessed', () => {
  const leaf = fc.oneof(fc.anything(), fc.double(), fc.integer(), fc.constant('__proto__'));
  fc.assert(
    fc.property(histories, fc.constantFrom(...kinds), leaf, fc.nat(6), (reputation, kind, value, where) => {
      const seen = { count: 3, latestMs: startMs, availability: 1, integrity: 1 };
      const { period, cheatedAtMs } = reputation;
      const fields = [
        { seen: value },
        { period: value },
        { cheatedAtMs: value },
        { period: { ...period, startedAtMs: value } },
        { period: { ...period, counts: { ...period.counts, [kind]: value } } },
        { seen: { ...reputation.seen, [kind]: { ...seen, integrity: value } } },
        { seen: { ...reputation.seen, [kind]: { ...seen, latestMs: value } } },
      ];
      const read = parseReputation({ seen: reputation.seen, period, cheatedAtMs, ...fields[where] });
      const { trust, availability } = assessOwn(read);
      expect(trust).toBeGreaterThanOrEqual(0);
      expect(trust).toBeLessThanOrEqual(1);
      expect(availability).toBeGreaterThanOrEqual(0);
      expect(availability).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1000 },
  );
});

test('every kind is good or bad, never both', () => {
  expect([...goodKinds, ...badKinds].toSorted()).toEqual(kinds.toSorted());
  expect(goodKinds).toEqual(['proof', 'contribution', 'drill-right']);
});
