import { SkerryError } from '@skerry/base';
import { describe, expect, test } from 'vitest';
import { type PlacementCertificate, planPlacement, verifyCertificate } from '../index.ts';
import { certify } from '../src/certificate.ts';
import { spreadWorld } from './worlds.ts';

const candidates = spreadWorld(24, 8, 0.9);
const request = { candidates, risk: 'high', profile: 'open', acceptReduced: false } as const;
const { certificate } = planPlacement(request);

/** A copy as it comes over a wire, with one leaf replaced. */
function altered(path: readonly (string | number)[], value: unknown): PlacementCertificate {
  const copy = JSON.parse(JSON.stringify(certificate));
  let target = copy;
  for (const name of path.slice(0, -1)) target = target[name];
  target[path.at(-1)!] = value;
  return copy;
}

/** Paths of every leaf. */
function leavesOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}

function leafAt(path: readonly (string | number)[]): unknown {
  let value: unknown = certificate;
  for (const name of path) value = (value as Record<string | number, unknown>)[name];
  return value;
}

const invalid = expect.objectContaining({ code: 'CERTIFICATE_INVALID', kind: 'corrupt' });

describe('a placement certificate', () => {
  test('verifies after a journey as JSON and is the same each time', () => {
    verifyCertificate(JSON.parse(JSON.stringify(certificate)));
    expect(JSON.stringify(planPlacement(request).certificate)).toBe(JSON.stringify(certificate));
  });

  test('gives the cheapest coalitions and what is survived, as counted by hand', () => {
    const holders = spreadWorld(7, 7).map((node, index) => ({
      ...node,
      operator: ['a', 'a', 'b', 'b', 'c', 'd', null][index]!,
      place: { ...node.place, region: ['r', 'r', 's', 's', 't', 't', 'u'][index]! },
    }));
    const made = certify({
      profile: 'local',
      risk: 'low',
      reduced: false,
      manual: true,
      simulated: false,
      t: 4,
      n: 5,
      k: 7,
      holders,
    });
    expect(made.cheapestCoalition).toEqual({
      operators: { count: 2, names: ['a', 'b'], shares: 4 },
      regions: { count: 2, names: ['r', 's'], shares: 4 },
    });
    expect(made.survives).toEqual({ nodes: 3, operators: 1, regions: 1, anyRegion: true });
    expect(made.constraints).toEqual([
      { name: 'trust of each holder', limit: 0.45, value: 0.5, slack: 0.5 - 0.45 },
      { name: 'shares of one operator', limit: 3, value: 2, slack: 1 },
      { name: 'shares of one region', limit: 3, value: 2, slack: 1 },
      { name: 'regions', limit: 3, value: 4, slack: 1 },
      { name: 'shares of the colluding operators', limit: 3, value: 2, slack: 1 },
      { name: 'shares lost with one region', limit: 3, value: 2, slack: 1 },
    ]);
    verifyCertificate(made);
  });

  test('says by a negative slack where a cap of 1 cannot promise what it is for', () => {
    const small = planPlacement({
      candidates: spreadWorld(4, 4),
      risk: 'high',
      profile: 'local',
      acceptReduced: true,
    });
    const { slack } = small.certificate.constraints.find(
      ({ name }) => name === 'shares of the colluding operators',
    )!;
    expect(slack).toBeLessThan(0);
    verifyCertificate(small.certificate);
  });

  /** Fields whose change goes unnoticed; a place's coordinates count for nothing beyond 3000 km from all others. */
  function unnoticed(changes: readonly (readonly [readonly (string | number)[], unknown])[]): string[] {
    const passed: string[] = [];
    for (const [path, value] of changes) {
      try {
        verifyCertificate(altered(path, value));
        passed.push(path.join('.'));
      } catch (error) {
        if (!(error instanceof SkerryError && error.code === 'CERTIFICATE_INVALID')) throw error;
      }
    }
    return passed;
  }

  test('fails when any of its figures is changed', () => {
    const figures = leavesOf(certificate).filter(
      path => typeof leafAt(path) === 'number' && path.at(-1) !== 'lat' && path.at(-1) !== 'lon',
    );
    expect(figures.length).toBeGreaterThan(60);
    const changes = figures.map(path => [path, (leafAt(path) as number) * 1.01 || 1] as const);
    expect(unnoticed(changes)).toEqual([]);
  });

  test('fails when a field is missing or too many', () => {
    expect(unnoticed(Object.keys(certificate).map(name => [[name], undefined]))).toEqual([]);
    expect(unnoticed([[['note'], 'trust me']])).toEqual([]);
    expect(unnoticed([[['holders', 0, 'note'], 'x']])).toEqual([]);
  });

  test.each([
    ['a holder of another operator', ['holders', 0, 'operator'], 'operator-7'],
    ['a holder in another region', ['holders', 0, 'place', 'region'], 'Atlantis'],
    ['a holder twice', ['holders', 0], certificate.holders[1]],
    ['too few holders', ['holders'], certificate.holders.slice(1)],
    ['another level', ['risk'], 'medium'],
    ['another profile', ['profile'], 'local'],
    ['no level', ['risk'], 'constructor'],
    ['a flag that is none', ['simulated'], 'no'],
    ['a coalition of others', ['cheapestCoalition', 'operators', 'names', 0], 'nobody'],
    ['reduced though it meets its targets', ['reduced'], true],
    ['trust that is none', ['holders', 0, 'trust'], null],
    ['holders that are none', ['holders'], { length: 3 }],
  ])('fails with %s', (_, path, value) => {
    expect(() => verifyCertificate(altered(path as string[], value))).toThrow(invalid);
  });

  test.each([null, undefined, 'certificate', 7, []])('fails when it is %s', value => {
    expect(() => verifyCertificate(value as unknown as PlacementCertificate)).toThrow(invalid);
  });

  const forged = {
    profile: 'local',
    risk: 'low',
    reduced: false,
    manual: false,
    simulated: false,
    t: 2,
    n: 2,
    k: 3,
  } as const;

  test('that follows from its inputs fails all the same when it breaks a hard cap', () => {
    const clustered = spreadWorld(3, 1);
    for (const flags of [{ reduced: true }, { manual: true }]) {
      expect(() => verifyCertificate(certify({ ...forged, ...flags, holders: clustered }))).toThrow(
        /hard cap: shares of one operator/,
      );
    }
  });

  test('that misses its targets and does not say so fails', () => {
    const holders = spreadWorld(3, 3, 0);
    expect(() => verifyCertificate(certify({ ...forged, holders }))).toThrow(/does not say so/);
    verifyCertificate(certify({ ...forged, reduced: true, holders }));
    verifyCertificate(certify({ ...forged, manual: true, holders }));
    expect(() => verifyCertificate(certify({ ...forged, manual: true, reduced: true, holders }))).toThrow(
      /not both/,
    );
  });
});
