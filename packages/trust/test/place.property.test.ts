import { greatCircleKm } from '@skerry/placement';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundKm, judgePlace, type PlaceBound } from '../index.ts';
import { witnessingOperatorsMin, witnessWeightMin } from '../parameters.ts';

const points = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
});
const weights = fc.double({ min: 0, max: 1, noNaN: true });

/** Honest observers of a node that is where it says: no round trip is shorter than light takes. */
const honestScenes = points.chain(home =>
  fc.record({
    home: fc.constant(home),
    honest: fc.array(
      fc
        .record({ at: points, detour: fc.double({ min: 1, max: 5, noNaN: true }), weight: weights })
        .map(({ at, detour, weight }): PlaceBound => {
          const claimedKm = greatCircleKm(at, home);
          const roundTripMs = (detour * claimedKm) / boundKm(1);
          return {
            observer: `${at.lat},${at.lon}`,
            operator: null,
            isSelf: false,
            weight,
            roundTripMs,
            claimedKm,
          };
        }),
      { maxLength: 10 },
    ),
  }),
);

/** Anything that nodes of a few operators might report, mostly with malice: near by the round trip, far by the claim. */
function lies(operators: number): fc.Arbitrary<PlaceBound[]> {
  return fc.array(
    fc.record({
      observer: fc.string(),
      operator: fc.integer({ min: 1, max: operators }).map(index => `liar-${index}`),
      isSelf: fc.constant(false),
      weight: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double()),
      roundTripMs: fc.oneof(
        { weight: 4, arbitrary: fc.double({ min: 0, max: 5, noNaN: true }) },
        fc.double(),
      ),
      claimedKm: fc.oneof(
        { weight: 4, arbitrary: fc.double({ min: 2000, max: 20_015, noNaN: true }) },
        fc.double(),
      ),
    }),
    { maxLength: 30 },
  );
}

test('fewer lying operators than it takes refute no true claim, whatever they report', () => {
  fc.assert(
    fc.property(honestScenes, lies(witnessingOperatorsMin - 1), ({ honest }, said) => {
      const bounds = [...said, ...honest];
      const { verdict } = judgePlace({ nodeId: 'subject', operator: null, bounds, isVerified: true });
      expect(verdict).not.toBe('refuted');
    }),
    { numRuns: 500 },
  );
});

test('any number of liars of too little weight refute nothing', () => {
  fc.assert(
    fc.property(honestScenes, lies(20), ({ honest }, said) => {
      const light = said.map(bound => ({
        ...bound,
        weight: Math.min(bound.weight, witnessWeightMin - 0.01),
      }));
      const bounds = [...honest, ...light];
      const { verdict } = judgePlace({ nodeId: 'subject', operator: null, bounds, isVerified: true });
      expect(verdict).not.toBe('refuted');
    }),
  );
});

test('one observer alone never refutes a claim that is nearer to it than the truth, and the truth near it settles it', () => {
  fc.assert(
    fc.property(
      points,
      points,
      points,
      fc.double({ min: 1, max: 3, noNaN: true }),
      (at, truth, claim, detour) => {
        const [trueKm, claimedKm] = [greatCircleKm(at, truth), greatCircleKm(at, claim)];
        fc.pre(claimedKm < trueKm);
        const self = { operator: null, isSelf: true, weight: 1 };
        const far: PlaceBound = {
          ...self,
          observer: 'far',
          roundTripMs: (detour * trueKm) / boundKm(1),
          claimedKm,
        };
        const judge = (bounds: PlaceBound[]) =>
          judgePlace({ nodeId: 'subject', operator: null, bounds, isVerified: true }).verdict;
        expect(judge([far])).not.toBe('refuted');
        const near: PlaceBound = {
          ...self,
          observer: 'near',
          roundTripMs: 0,
          claimedKm: greatCircleKm(truth, claim),
        };
        fc.pre(near.claimedKm > 200);
        expect(judge([far, near])).toBe('refuted');
      },
    ),
  );
});

test('without a measurement of its own a node believes three operators, be they honest or not', () => {
  fc.assert(
    fc.property(honestScenes, ({ honest }) => {
      const three = [1, 2, 3].map(index => ({
        observer: `liar-${index}`,
        operator: `liar-${index}`,
        isSelf: false,
        weight: 1,
        roundTripMs: 1,
        claimedKm: 9000,
      }));
      const bounds = [...honest, ...three];
      expect(judgePlace({ nodeId: 'subject', operator: null, bounds, isVerified: true }).verdict).toBe(
        'refuted',
      );
    }),
  );
});

test('fewer lying operators than it takes make no false claim consistent', () => {
  const fair = lies(witnessingOperatorsMin - 1).map(said =>
    said.map(bound => ({ ...bound, claimedKm: bound.claimedKm / 100 })),
  );
  fc.assert(
    fc.property(fair, bounds => {
      const { verdict } = judgePlace({ nodeId: 'subject', operator: null, bounds, isVerified: true });
      expect(verdict).toBe('unverifiable');
    }),
  );
});
