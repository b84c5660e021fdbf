import { type Coordinates, greatCircleKm } from '@skerry/placement';
import { expect, test } from 'vitest';
import { boundKm, judgePlace, type PlaceBound, type PlaceVerdict } from '../index.ts';

const cities = {
  frankfurt: { lat: 50.11, lon: 8.68 },
  tokyo: { lat: 35.69, lon: 139.69 },
  sydney: { lat: -33.87, lon: 151.21 },
  singapore: { lat: 1.29, lon: 103.85 },
  mumbai: { lat: 19.07, lon: 72.88 },
  nairobi: { lat: -1.28, lon: 36.82 },
  reykjavik: { lat: 64.14, lon: -21.9 },
  toronto: { lat: 43.7, lon: -79.42 },
  'sao paulo': { lat: -23.55, lon: -46.64 },
  madrid: { lat: 40.42, lon: -3.7 },
} satisfies Record<string, Coordinates>;

type City = keyof typeof cities;

/** The round trip of a straight fibre that is half as long again as the great circle, and 2 ms for machines. */
function tripMs(from: City, to: City): number {
  return (greatCircleKm(cities[from], cities[to]) * 1.5) / boundKm(1) + 2;
}

function bound(at: City, truth: City, claimed: City, more: Partial<PlaceBound> = {}): PlaceBound {
  return {
    observer: at,
    operator: null,
    isSelf: false,
    weight: 1,
    roundTripMs: tripMs(at, truth),
    claimedKm: greatCircleKm(cities[at], cities[claimed]),
    ...more,
  };
}

function judge(bounds: readonly PlaceBound[]): PlaceVerdict {
  return judgePlace({ nodeId: 'subject', operator: 'auk', bounds, isVerified: true });
}

test('light in fibre makes 1021 km of 10 ms there and back', () => {
  expect(boundKm(10)).toBeCloseTo(1021.1, 1);
});

test('who claims Tokyo and is 5 ms from Frankfurt is refuted, with the figures', () => {
  const near = bound('frankfurt', 'frankfurt', 'tokyo', { isSelf: true, roundTripMs: 5 });
  const { verdict, by } = judge([near]);
  expect(verdict).toBe('refuted');
  expect(by).toEqual([
    {
      observer: 'frankfurt',
      roundTripMs: 5,
      atMostKm: boundKm(5),
      claimedKm: greatCircleKm(cities.frankfurt, cities.tokyo),
    },
  ]);
});

test('honest nodes in ten cities are refuted by nobody', () => {
  const names = Object.keys(cities) as City[];
  for (const home of names) {
    for (const self of names) {
      const bounds = names.map(at => bound(at, home, home, { isSelf: at === self }));
      const { verdict, by } = judge(bounds);
      expect(by).toEqual([]);
      expect(verdict).not.toBe('refuted');
    }
    expect(judge([bound(home, home, home, { isSelf: true })]).verdict).toBe('consistent');
  }
});

test('a claim that is nearer than the truth is refuted by no single observer, and by two it is', () => {
  // the truth is Sydney; the claim is Madrid, near to the observer in Frankfurt
  const far = bound('frankfurt', 'sydney', 'madrid', { isSelf: true });
  expect(judge([far]).verdict).not.toBe('refuted');
  const near = bound('singapore', 'sydney', 'madrid', { isSelf: true });
  expect(judge([far, near]).verdict).toBe('refuted');
});

test('who delays its answers looks farther to everybody: nobody refutes it, and nobody finds it consistent', () => {
  const delayed = (Object.keys(cities) as City[]).map(at =>
    bound(at, 'frankfurt', 'tokyo', { roundTripMs: tripMs(at, 'tokyo') + tripMs(at, 'frankfurt') }),
  );
  expect(judge(delayed)).toMatchObject({ verdict: 'unverifiable', by: [] });
});

test('others refute by three operators of enough weight, not by fewer, lighter or the same', () => {
  const three = [
    bound('frankfurt', 'frankfurt', 'tokyo'),
    bound('madrid', 'frankfurt', 'tokyo'),
    bound('reykjavik', 'frankfurt', 'tokyo'),
  ];
  expect(judge(three).verdict).toBe('refuted');
  expect(judge(three).by.map(({ observer }) => observer)).toHaveLength(3);
  expect(judge(three.slice(1)).verdict).not.toBe('refuted');
  expect(judge(three.slice(1)).by).toHaveLength(2);
  expect(judge(three.map(one => ({ ...one, operator: 'gannet' }))).verdict).not.toBe('refuted');
  expect(judge(three.map((one, index) => ({ ...one, weight: index / 4 }))).verdict).not.toBe('refuted');
  expect(judge(three.map(one => ({ ...one, weight: Number.NaN }))).verdict).not.toBe('refuted');
});

test('what others measured against what this node measured itself counts nothing', () => {
  const lies = (['frankfurt', 'madrid', 'reykjavik', 'toronto'] as const).map(at =>
    bound(at, 'frankfurt', 'tokyo', { roundTripMs: 1 }),
  );
  const own = bound('tokyo', 'tokyo', 'tokyo', { isSelf: true });
  expect(judge([own, ...lies])).toMatchObject({ verdict: 'consistent', by: [] });
  expect(judge([own]).withinKm).toBeCloseTo(boundKm(2), 6);
  expect(judge(lies).withinKm).toBeNull();
});

test('a node does not speak for itself, and its operator neither, though against it', () => {
  const fair = [1, 2, 3].map(index => bound('tokyo', 'tokyo', 'tokyo', { observer: `tokyo-${index}` }));
  expect(judge(fair).verdict).toBe('consistent');
  expect(judge(fair.slice(1)).verdict).toBe('unverifiable');
  expect(judge([{ ...fair[0]!, observer: 'subject' }, ...fair.slice(1)]).verdict).toBe('unverifiable');
  expect(judge([{ ...fair[0]!, operator: 'auk' }, ...fair.slice(1)]).verdict).toBe('unverifiable');
  const against = (['frankfurt', 'madrid', 'reykjavik'] as const).map((at, index) =>
    bound(at, 'frankfurt', 'tokyo', { operator: index === 0 ? 'auk' : null }),
  );
  expect(judge(against).verdict).toBe('refuted');
});

test('a measurement that the claim breaks does not speak for it, near as it may be', () => {
  const near = [1, 2, 3].map(index => bound('madrid', 'madrid', 'madrid', { observer: `madrid-${index}` }));
  const broken = { ...near[0]!, roundTripMs: 1, claimedKm: 1000 };
  expect(judge([broken, ...near.slice(1)])).toMatchObject({
    verdict: 'unverifiable',
    by: [{ claimedKm: 1000 }],
  });
});

test('the widest gap is told first', () => {
  const three = [3000, 9000, 6000].map((claimedKm, index) =>
    bound('madrid', 'madrid', 'madrid', { observer: `madrid-${index}`, roundTripMs: 1, claimedKm }),
  );
  expect(judge(three).by.map(({ claimedKm }) => claimedKm)).toEqual([9000, 6000, 3000]);
});

test('what nobody measured, or only from half the world away, is unverifiable', () => {
  expect(judge([])).toEqual({ verdict: 'unverifiable', by: [], withinKm: null });
  expect(judge([bound('sydney', 'madrid', 'madrid', { isSelf: true })]).verdict).toBe('unverifiable');
});

test('a network that does not verify places checks none', () => {
  const lan = bound('frankfurt', 'frankfurt', 'tokyo', { isSelf: true, roundTripMs: 0 });
  const verdict = judgePlace({ nodeId: 'subject', operator: null, bounds: [lan], isVerified: false });
  expect(verdict).toEqual({ verdict: 'unchecked', by: [], withinKm: null });
  expect(judge([lan]).verdict).toBe('refuted');
});

test('cities are no points: a hundred km more than light allows is not held against a claim', () => {
  const self = { isSelf: true, roundTripMs: 1 };
  const claimedKm = (boundKm(1) + 100) / 0.994;
  expect(judge([bound('madrid', 'madrid', 'madrid', { ...self, claimedKm: claimedKm - 1 })]).verdict).toBe(
    'consistent',
  );
  expect(judge([bound('madrid', 'madrid', 'madrid', { ...self, claimedKm: claimedKm + 1 })]).verdict).toBe(
    'refuted',
  );
});

test('malformed measurements are left out', () => {
  for (const nonsense of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    const bounds = [
      bound('frankfurt', 'frankfurt', 'tokyo', { isSelf: true, roundTripMs: nonsense }),
      bound('frankfurt', 'frankfurt', 'tokyo', { isSelf: true, claimedKm: nonsense }),
    ];
    expect(judge(bounds)).toEqual({ verdict: 'unverifiable', by: [], withinKm: null });
  }
});
