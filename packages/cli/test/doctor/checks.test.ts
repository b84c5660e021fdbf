import { describe, expect, it } from 'vitest';
import {
  clockSkewEnoughMs,
  clockSkewMaxMs,
  diskFreeBytesEnough,
  diskFreeBytesMin,
  inboundPatienceMs,
} from '../../parameters.ts';
import { checksOf } from '../../src/doctor/checks.ts';
import type { DoctorFacts } from '../../src/doctor/facts.ts';
import { renderDoctor } from '../../src/render/doctor-text.ts';
import { createPaint } from '../../src/render/text.ts';

const report = (integrity: { good: number; bad: number }, weight = 0.5) => ({
  nodeId: '12D3KooWReporter',
  location: 'Oslo',
  operator: 'globex',
  weight,
  says: { availability: { good: 1, bad: 0 }, integrity },
  adds: null,
  ageMs: 60_000,
});
const well = report({ good: 2, bad: 0 });
const ill = report({ good: 0, bad: 16 }, 0);

const standing: DoctorFacts['standing'] = {
  trust: 0.62,
  standing: 'evidence',
  availability: 0.97,
  integrity: 0.62,
  confidence: 0.4,
  place: { verdict: 'consistent', by: [], withinKm: null },
  reports: [well],
  periodsTo: { medium: 0, high: 8 },
  auditPeriodMs: 86_400_000,
  next: '0.6 is reached',
};

/** A node with which nothing is wrong. */
const healthy: DoctorFacts = {
  profile: 'open',
  standing,
  clockSkewMs: 12,
  listen: ['/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWSelf'],
  connections: { open: 9, inbound: 4 },
  uptimeMs: 2 * inboundPatienceMs,
  peers: { known: 12, alive: 11 },
  diskFreeBytes: 2 * diskFreeBytesEnough,
  shares: 10,
  capacity: 100,
  backupAdvice: null,
  keys: [{ keyId: 'aa'.repeat(32), alias: null, t: 3, k: 7, live: 7, exposed: false, reduced: false }],
  auditMs: 21_600_000,
  isPlaceVerified: true,
  roundTrips: { measured: 9, contradicting: 1 },
};

const checkOf = (name: string, facts: Partial<DoctorFacts>) =>
  checksOf({ ...healthy, ...facts }).find(check => check.name === name)!;
const verdictOf = (name: string, facts: Partial<DoctorFacts>) => checkOf(name, facts).verdict;

const key = (live: number, t = 3, k = 7) => {
  return { keyId: 'ab'.repeat(32), alias: 'mine', t, k, live, exposed: false, reduced: false };
};
const placed = (place: Partial<DoctorFacts['standing']['place']>) => ({
  standing: { ...standing, place: { ...standing.place, ...place } },
});
const contradiction = {
  observer: '12D3KooWObserver',
  location: null,
  roundTripMs: 5,
  atMostKm: 510,
  claimedKm: 9_340,
};

describe('the checks of doctor', () => {
  it('find nothing wrong with a node that is well', () => {
    const checks = checksOf(healthy);
    expect(checks.map(({ verdict }) => verdict)).toEqual(checks.map(() => 'ok'));
    expect(checks).toHaveLength(11);
  });

  it.each<[string, string, Partial<DoctorFacts>]>([
    ['standing', 'ok', { standing: { ...standing, reports: [], trust: 0.5 } }],
    ['standing', 'warn', { standing: { ...standing, reports: [well, ill, ill] } }],
    ['standing', 'bad', { standing: { ...standing, trust: 0.44 } }],
    ['place', 'ok', placed({ verdict: 'unverifiable' })],
    ['place', 'warn', placed({ verdict: 'unverifiable', by: [contradiction] })],
    ['place', 'bad', placed({ verdict: 'refuted', by: [contradiction] })],
    ['place', 'bad', { roundTrips: { measured: 9, contradicting: 5 } }],
    ['place', 'ok', { roundTrips: { measured: 1, contradicting: 1 } }],
    ['place', 'ok', { ...placed({ verdict: 'unchecked' }), isPlaceVerified: false }],
    ['clock', 'ok', { clockSkewMs: null }],
    ['clock', 'warn', { clockSkewMs: -clockSkewEnoughMs }],
    ['clock', 'bad', { clockSkewMs: clockSkewMaxMs }],
    ['listening', 'bad', { listen: [] }],
    ['listening', 'warn', { listen: ['/ip4/127.0.0.1/tcp/4001'] }],
    ['listening', 'ok', { listen: ['/ip4/127.0.0.1/tcp/4001'], profile: 'local' }],
    ['listening', 'warn', { connections: { open: 4, inbound: 0 } }],
    ['listening', 'ok', { connections: { open: 4, inbound: 0 }, uptimeMs: inboundPatienceMs - 1 }],
    ['peers', 'warn', { peers: { known: 0, alive: 0 } }],
    ['peers', 'bad', { peers: { known: 3, alive: 0 } }],
    ['peers', 'warn', { peers: { known: 3, alive: 1 } }],
    ['disk', 'ok', { diskFreeBytes: null }],
    ['disk', 'warn', { diskFreeBytes: diskFreeBytesEnough - 1 }],
    ['disk', 'bad', { diskFreeBytes: diskFreeBytesMin - 1 }],
    ['shares', 'ok', { shares: 0, capacity: 0 }],
    ['shares', 'warn', { shares: 90, capacity: 100 }],
    ['backup', 'warn', { backupAdvice: 'copy it' }],
    ['keys', 'ok', { keys: [key(5)] }],
    ['keys', 'warn', { keys: [key(4)] }],
    ['keys', 'warn', { keys: [key(3)] }],
    ['keys', 'bad', { keys: [key(4), key(2)] }],
    ['keys', 'ok', { keys: [key(4, 4, 4)] }],
    ['keys', 'bad', { keys: [{ ...key(7), exposed: true }] }],
    ['keys', 'warn', { keys: [{ ...key(7), reduced: true }] }],
    ['audits', 'warn', { auditMs: 0 }],
    ['verify-place', 'warn', { isPlaceVerified: false }],
    ['verify-place', 'ok', { isPlaceVerified: false, profile: 'local' }],
  ])('%s is %s with %j', (name, verdict, facts) => {
    const check = checkOf(name, facts);
    expect(check).toMatchObject({ verdict });
    expect(verdict === 'ok' || (check.advice ?? '') !== '').toBe(true);
  });

  it('name the keys, and the round trip that refutes this node', () => {
    expect(checkOf('keys', { keys: [key(2)] }).finding).toBe(
      '1 owned, 1 below threshold, 0 below margin: mine',
    );
    expect(checkOf('keys', { keys: [{ ...key(7), exposed: true, reduced: true }] }).finding).toBe(
      '1 owned, 0 below threshold, 0 below margin, 1 exposed, 1 reduced: mine',
    );
    expect(checkOf('place', placed({ verdict: 'refuted', by: [contradiction] })).finding).toBe(
      'refuted by 1: ..server measures 5.0 ms, so at most 510 km, and by the claim it is 9340 km',
    );
    expect(verdictOf('place', { isPlaceVerified: false })).toBe('ok');
    expect(checkOf('standing', { standing: { ...standing, reports: [ill] } }).advice).toContain('disk');
  });
});

describe('doctor for a terminal', () => {
  it('has each check with what to do under it, what others say, and a sum', () => {
    const facts: DoctorFacts = { ...healthy, diskFreeBytes: 0, auditMs: 0 };
    const document = { ok: false, checks: checksOf(facts), standing };
    const text = renderDoctor(document, { tableWidth: 80, paint: createPaint(false) });
    expect(text).toMatch(/\nbad +disk +0 B free\n +-> make room: /);
    expect(text).toMatch(/\nwarn +audits +off: /);
    expect(text).toContain('\n9 ok, 1 to look at, 1 bad.\n');
    expect(text).toContain('\n  Oslo ..porter (globex), 1 min ago, weight 0.50:');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const painted = renderDoctor(document, { tableWidth: 80, paint: createPaint(true) });
    expect(painted).toContain('\u001b[31mbad');
  });
});
