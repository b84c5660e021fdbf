import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { earthRadiusKm, greatCircleKm } from '../src/geography.ts';

const point = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
});
/** A metre: what rounding may add near antipodes, where the arcsine is steep. */
const slackKm = 1e-3;

describe('greatCircleKm', () => {
  it('is the same both ways, within 0 to half the circumference', () => {
    fc.assert(
      fc.property(point, point, (a, b) => {
        const kilometres = greatCircleKm(a, b);
        expect(Math.abs(kilometres - greatCircleKm(b, a))).toBeLessThan(slackKm);
        expect(kilometres).toBeGreaterThanOrEqual(0);
        expect(kilometres).toBeLessThanOrEqual(Math.PI * earthRadiusKm);
      }),
    );
  });

  it('is 0 from a point to itself and half the circumference to its antipode', () => {
    fc.assert(
      fc.property(point, a => {
        expect(greatCircleKm(a, a)).toBe(0);
        const antipode = { lat: -a.lat, lon: a.lon > 0 ? a.lon - 180 : a.lon + 180 };
        expect(Math.PI * earthRadiusKm - greatCircleKm(a, antipode)).toBeLessThan(slackKm);
      }),
    );
  });

  it('is never longer than a detour', () => {
    fc.assert(
      fc.property(point, point, point, (a, b, c) => {
        expect(greatCircleKm(a, c)).toBeLessThanOrEqual(greatCircleKm(a, b) + greatCircleKm(b, c) + slackKm);
      }),
    );
  });

  it('does not change when both points turn about the axis', () => {
    fc.assert(
      fc.property(point, point, fc.double({ min: -180, max: 180, noNaN: true }), (a, b, by) => {
        const turned = greatCircleKm({ ...a, lon: a.lon + by }, { ...b, lon: b.lon + by });
        expect(Math.abs(turned - greatCircleKm(a, b))).toBeLessThan(slackKm);
      }),
    );
  });
});
