import { availabilityDefault, targetsOf, trustNeutral } from '@skerry/placement';
import { expect, test } from 'vitest';
import {
  auditPeriodMs,
  availabilityPrior,
  emptyReputation,
  type ObservationKind,
  observe,
  type PlaceVerdict,
  reporterWeight,
  trustGoals,
} from '../index.ts';
import { noEvidence } from '../src/observation.ts';
import { assessOwn, periodsOf, provenFor, startMs } from './histories.ts';

const refuted: PlaceVerdict = {
  verdict: 'refuted',
  by: [{ observer: 'observer-frankfurt', roundTripMs: 5, atMostKm: 510, claimedKm: 9300 }],
  withinKm: 9810,
};
const lowFloor = targetsOf('open', 'low').trustFloor;

test('the priors and the goals are those that placement plans with', () => {
  const { good, bad } = availabilityPrior;
  expect(good / (good + bad)).toBe(availabilityDefault);
  expect(trustGoals.medium).toBe(targetsOf('open', 'medium').trustFloor);
  expect(trustGoals.high).toBe(targetsOf('open', 'high').trustFloor);
});

test('without evidence trust is neutral exactly, and says that it rests on nothing', () => {
  for (const own of [null, emptyReputation(startMs)]) {
    const stranger = assessOwn(own);
    expect(stranger).toMatchObject({ trust: trustNeutral, standing: 'newcomer', confidence: 0, parts: [] });
    expect(stranger.availability).toBe(availabilityDefault);
    expect(stranger.periodsTo).toEqual({ medium: 3, high: 10 });
    expect(stranger.next).toBe(
      '3 more audit periods of good answers to 0.6, 10 more audit periods of good answers to 0.75',
    );
  }
});

test('three full audit periods are enough for medium and ten for high, and not one less', () => {
  const { medium, high } = trustGoals;
  expect(assessOwn(provenFor(2)).trust).toBeLessThan(medium);
  expect(assessOwn(provenFor(3)).trust).toBeGreaterThanOrEqual(medium);
  expect(assessOwn(provenFor(9)).trust).toBeLessThan(high);
  expect(assessOwn(provenFor(10)).trust).toBeGreaterThanOrEqual(high);
  expect(assessOwn(provenFor(4)).periodsTo).toEqual({ medium: 0, high: 6 });
  expect(assessOwn(provenFor(9)).next).toBe('0.6 is reached, 1 more audit period of good answers to 0.75');
});

test('the way up that is told is the way up that is gone', () => {
  const lost = periodsOf(1, ['share-lost'], provenFor(5));
  // the way begins with the next period
  const nextMs = lost.period.startedAtMs + auditPeriodMs;
  const good = ['proof', 'proof', 'proof', 'proof'] as const;
  const next = observe(lost, { kind: 'proof', atMs: nextMs });
  const { medium, high } = assessOwn(lost).periodsTo;
  for (const [goal, periods] of [
    [trustGoals.medium, medium!],
    [trustGoals.high, high!],
  ] as const) {
    expect(assessOwn(periodsOf(periods, good, next)).trust).toBeGreaterThanOrEqual(goal);
    expect(assessOwn(periodsOf(periods - 1, good, next)).trust).toBeLessThan(goal);
  }
});

test('a node that is offline half of the time stays below medium, however long it is known', () => {
  for (const periods of [10, 40, 200]) {
    const half = assessOwn(periodsOf(periods, ['proof', 'unreachable', 'proof', 'unreachable']));
    expect(half.trust).toBeLessThan(trustGoals.medium);
  }
});

test('one silence of a stranger leaves it fit for low risk, two do not, and two answers bring it back', () => {
  const once = periodsOf(1, ['silent']);
  expect(assessOwn(once).trust).toBeGreaterThanOrEqual(lowFloor);
  const twice = periodsOf(1, ['silent', 'silent']);
  expect(assessOwn(twice).trust).toBeLessThan(lowFloor);
  expect(assessOwn(periodsOf(1, ['proof', 'proof'], twice)).trust).toBeGreaterThanOrEqual(lowFloor);
});

test('silence weighs less than a wrong answer and more than being unreachable', () => {
  const after = (kind: 'unreachable' | 'silent' | 'contribution-wrong') =>
    assessOwn(periodsOf(1, [kind], provenFor(10))).trust;
  expect(after('unreachable')).toBeGreaterThan(after('silent'));
  expect(after('silent')).toBeGreaterThan(after('contribution-wrong'));
});

test('a node that was always good and stops answering is below high in five periods, below low in thirteen', () => {
  const goneFor = (periods: number, age: number) =>
    assessOwn(periodsOf(periods, ['silent', 'silent', 'silent', 'silent'], provenFor(age))).trust;
  expect(goneFor(4, 300)).toBeGreaterThanOrEqual(trustGoals.high);
  expect(goneFor(5, 300)).toBeLessThan(trustGoals.high);
  expect(goneFor(12, 300)).toBeGreaterThanOrEqual(lowFloor);
  expect(goneFor(13, 300)).toBeLessThan(lowFloor);
  expect(goneFor(1, 0)).toBeLessThan(lowFloor);
});

test('the way up is the one in docs/TRUST.md', () => {
  const row = [0, 1, 2, 3, 5, 10, 20, 30, 60, 1000].map(age => assessOwn(provenFor(age)).trust.toFixed(2));
  expect(row).toEqual('0.50 0.55 0.59 0.62 0.68 0.75 0.82 0.86 0.89 0.92'.split(' '));
});

test('the way back is the one in docs/TRUST.md', () => {
  const backAfter = (kind: ObservationKind, age: number) =>
    assessOwn(periodsOf(1, [kind], provenFor(age))).periodsTo.high;
  expect([300, 30, 10].map(age => backAfter('share-lost', age))).toEqual([14, 30, 38]);
  expect([10, 30].map(age => backAfter('contribution-wrong', age))).toEqual([13, 0]);
  expect([10, 30].map(age => backAfter('flood', age))).toEqual([7, 0]);
});

test('of several things that pull down the heaviest is told', () => {
  for (const seen of [['silent', 'flood'] as const, ['flood', 'silent'] as const]) {
    expect(assessOwn(periodsOf(1, seen)).next).toContain(
      'held down most by: sent what is malformed, or more than its limits allow (1)',
    );
  }
  const quiet = assessOwn(periodsOf(5, ['silent', 'silent', 'silent', 'silent', 'drill-wrong']));
  expect(quiet.next).toContain('held down most by: was connected and did not answer (20)');
});

test('a lost disk takes a node of any age below high at once, and it comes back in time', () => {
  for (const age of [0, 10, 300]) {
    const lost = periodsOf(1, ['share-lost', 'share-lost'], provenFor(age));
    const { trust, next, periodsTo } = assessOwn(lost);
    expect(trust).toBeLessThan(trustGoals.high);
    expect(next).toContain('held down most by: said that it has no share of a key that it holds (2)');
    expect(periodsTo.high).toBeGreaterThan(0);
    expect(periodsTo.high).toBeLessThan(60);
  }
});

test.each(['flood', 'slander', 'contribution-wrong'] as const)(
  'a node that goes on with %s stays below high beside any number of good answers',
  kind => {
    for (const periods of [10, 50, 300]) {
      const seen = periodsOf(periods, ['proof', 'proof', 'proof', 'proof', kind]);
      expect(assessOwn(seen).trust).toBeLessThan(0.6);
    }
  },
);

test('proven cheating is trust 0 for good, and only a statement changes that', () => {
  const cheat = periodsOf(1, ['proof-wrong'], provenFor(100));
  const much = { nowMs: cheat.period.startedAtMs + 5000 * auditPeriodMs };
  const caught = assessOwn(cheat, much);
  expect(caught).toMatchObject({ trust: 0, earned: 0, standing: 'cheated' });
  expect(caught.periodsTo).toEqual({ medium: null, high: null });
  const when = new Date(cheat.cheatedAtMs!).toISOString();
  expect(caught.next).toBe(`nothing: it was caught cheating at ${when}; only a statement changes that`);
  expect(assessOwn(cheat, { stated: 0.8 })).toMatchObject({ trust: 0.8, earned: 0, standing: 'stated' });
});

test('a refuted place is below every floor, and who refutes it is told', () => {
  const lies = assessOwn(provenFor(100), { place: refuted });
  expect(lies.trust).toBeLessThan(lowFloor);
  expect(lies.standing).toBe('place-refuted');
  expect(lies.next).toContain('refuted by ..nkfurt');
  expect(lies.parts).toContainEqual({
    source: 'place',
    kind: 'refuted',
    count: 1,
    evidence: noEvidence,
    ageMs: null,
  });
  const bad = periodsOf(3, ['silent', 'silent', 'silent', 'silent']);
  expect(assessOwn(bad, { place: refuted }).trust).toBeLessThanOrEqual(assessOwn(bad).trust);
});

test("the operator's statement overrides everything and hides nothing", () => {
  const allowed = assessOwn(periodsOf(1, ['share-lost']), { stated: 0.9, place: refuted });
  expect(allowed).toMatchObject({ trust: 0.9, standing: 'stated', periodsTo: { medium: 0, high: 0 } });
  expect(allowed.earned).toBeLessThan(0.45);
  expect(allowed.parts.map(({ source, kind }) => `${source} ${kind}`)).toEqual([
    'statement allow',
    'place refuted',
    'own share-lost',
  ]);
  expect(allowed.next).toContain('evidence alone would give');
  const denied = assessOwn(provenFor(50), { stated: 0 });
  expect(denied).toMatchObject({ trust: 0, standing: 'denied', periodsTo: { medium: null, high: null } });
  expect(denied.parts[0]).toMatchObject({ source: 'statement', kind: 'deny' });
  expect(assessOwn(null, { stated: Number.NaN }).trust).toBe(trustNeutral);
});

test('a node that can not be reached at all is told that its goals are out of reach while that lasts', () => {
  const { next, periodsTo } = assessOwn(periodsOf(60, ['unreachable', 'unreachable']));
  expect(next).toContain('held down most by: could not be reached (120)');
  expect(periodsTo.high).toBeGreaterThan(10);
});

test("a newcomer's word weighs nothing, a proven node's more with time, a cheat's and a misplaced one's nothing", () => {
  const of = (own: ReturnType<typeof provenFor>, more = {}) =>
    reporterWeight({
      nodeId: 'r',
      operator: null,
      own,
      stated: null,
      place: null,
      nowMs: own.period.startedAtMs,
      ...more,
    });
  expect(of(emptyReputation(startMs))).toBe(0);
  expect(of(provenFor(10))).toBeCloseTo(0.5, 1);
  expect(of(provenFor(100))).toBeGreaterThan(of(provenFor(10)));
  expect(of(periodsOf(1, ['proof-wrong'], provenFor(100)))).toBe(0);
  expect(of(provenFor(100), { place: refuted })).toBe(0);
  expect(of(provenFor(0), { stated: 1 })).toBe(1);
});
