import { describe, expect, it } from 'vitest';
import { earthRadiusKm, greatCircleKm } from '../src/geography.ts';

const reykjavik = { lat: 64.1355, lon: -21.8954 };
const sydney = { lat: -33.8688, lon: 151.2093 };

/** The angle between two points by their vectors (atan2 of cross and dot product): shares nothing with haversine. */
function vectorKm(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const [u, v] = [a, b].map(({ lat, lon }) => {
    const [phi, lambda] = [(lat * Math.PI) / 180, (lon * Math.PI) / 180];
    return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)] as const;
  }) as [readonly [number, number, number], readonly [number, number, number]];
  const cross = Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]);
  return earthRadiusKm * Math.atan2(cross, u[0] * v[0] + u[1] * v[1] + u[2] * v[2]);
}

describe('greatCircleKm', () => {
  it('is a quarter of the circumference from equator to pole and half of it between the poles', () => {
    const pole = { lat: 90, lon: 0 };
    expect(greatCircleKm({ lat: 0, lon: 123 }, pole)).toBeCloseTo((Math.PI / 2) * earthRadiusKm, 6);
    expect(greatCircleKm({ lat: -90, lon: 17 }, pole)).toBeCloseTo(20_015.1145, 3);
  });

  it('is 111.195 km for a degree of the equator and for a degree of any meridian', () => {
    expect(greatCircleKm({ lat: 0, lon: 179.5 }, { lat: 0, lon: -179.5 })).toBeCloseTo(111.19508, 4);
    expect(greatCircleKm({ lat: 44.5, lon: 9 }, { lat: 45.5, lon: 9 })).toBeCloseTo(111.19508, 4);
  });

  it("agrees with Rosetta Code's task: Nashville to Los Angeles, 2887.26 km on a sphere of 6372.8 km", () => {
    const kilometres = greatCircleKm({ lat: 36.12, lon: -86.67 }, { lat: 33.94, lon: -118.4 });
    expect(kilometres).toBeCloseTo((2887.259_950_607_111 * earthRadiusKm) / 6372.8, 6);
  });

  it('puts Reykjavik and Sydney 16,600 km apart, as the vectors say', () => {
    expect(greatCircleKm(reykjavik, sydney)).toBeCloseTo(vectorKm(reykjavik, sydney), 6);
    expect(Math.round(greatCircleKm(reykjavik, sydney) / 100)).toBe(166);
  });

  it.each([
    ['London to New York', { lat: 51.5074, lon: -0.1278 }, { lat: 40.7128, lon: -74.006 }],
    ['Tokyo to Lima, over the date line', { lat: 35.6895, lon: 139.6917 }, { lat: -12.0464, lon: -77.0428 }],
    ['Munich to Vienna', { lat: 48.1374, lon: 11.5755 }, { lat: 48.2085, lon: 16.3721 }],
    ['two houses of a street', { lat: 52.52, lon: 13.405 }, { lat: 52.5201, lon: 13.4052 }],
  ])('agrees with the vectors from %s', (_, a, b) => {
    expect(greatCircleKm(a, b)).toBeCloseTo(vectorKm(a, b), 6);
  });
});
