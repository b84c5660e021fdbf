import { describe, expect, it } from 'vitest';
import { reportsShownMax } from '../../parameters.ts';
import { mainEvidence } from '../../src/daemon/key-evidence.ts';
import type { PeerDocument } from '../../src/daemon/peer-documents.ts';
import { renderThenAndNow } from '../../src/render/explain-text.ts';
import { renderPeer, renderPeers } from '../../src/render/peer-text.ts';
import { cellWidth } from '../../src/render/text.ts';

const nodeId = '12D3KooWSubject';
const observer = '12D3KooWObserver';
const none = { good: 0, bad: 0 };

const newcomer: PeerDocument = {
  nodeId,
  location: { name: 'Tokyo', lat: 35.69, lon: 139.69, country: 'JP', region: '030' },
  countsAs: null,
  placeVerdict: 'unverifiable',
  operator: 'acme',
  trust: 0.5,
  earned: 0.5,
  standing: 'newcomer',
  availability: 0.97,
  integrity: 0.5,
  confidence: 0,
  alive: true,
  roundTripMs: 5.2,
  leastRoundTripMs: null,
  integrityEvidence: none,
  statement: null,
  seen: [],
  reports: [],
  place: { verdict: 'unverifiable', by: [], withinKm: null },
  periodsTo: { medium: 3, high: 10 },
  auditPeriodMs: 86_400_000,
  next: '3 more audit periods of good answers to 0.6, 10 more audit periods of good answers to 0.75',
};

const contradiction = {
  observer,
  location: 'Frankfurt',
  roundTripMs: 5,
  atMostKm: 510.5,
  claimedKm: 9_340,
};

const refuted: PeerDocument = {
  ...newcomer,
  standing: 'place-refuted',
  trust: 0.25,
  earned: 0.25,
  placeVerdict: 'refuted',
  countsAs: { lat: 50.12, lon: 8.68, region: 'refuted' },
  place: { verdict: 'refuted', by: [contradiction], withinKm: 510.5 },
};

const proof = {
  kind: 'proof',
  meaning: 'proved that it has its share',
  count: 12,
  adds: { availability: { good: 2, bad: 0 }, integrity: { good: 1, bad: 0 } },
  ageMs: 7_500_000,
} as const;

const loss = {
  kind: 'share-lost',
  meaning: 'said that it has no share of a key that it holds',
  count: 1,
  adds: { availability: { good: 0, bad: 0.5 }, integrity: { good: 0, bad: 16 } },
  ageMs: 60_000,
} as const;

const report = {
  nodeId: observer,
  location: 'Oslo',
  operator: 'globex',
  weight: 0.24,
  says: { availability: { good: 3, bad: 0 }, integrity: { good: 2, bad: 0.5 } },
  adds: { availability: { good: 0.06, bad: 0 }, integrity: { good: 0.1, bad: 0.02 } },
  ageMs: 120_000,
};

const flat = (text: string): string => text.replace(/\s+/g, ' ');

describe('peers as a table', () => {
  it.each([
    ['denied', 0, '0.00 denied'],
    ['stated', 0.8, '0.80 stated'],
    ['cheated', 0, '0.00 cheated'],
    ['place-refuted', 0.25, '0.25 refuted'],
    ['newcomer', 0.5, '0.50 newcomer'],
    ['evidence', 0.62, '0.62  '],
  ] as const)('a trust that is %s says so', (standing, trust, shown) => {
    const text = renderPeers([{ ...newcomer, standing, trust }], { tableWidth: undefined, color: false });
    expect(text).toContain(` ${shown}`);
  });

  it('shows the claim of a refuted node with the verdict beside it', () => {
    const text = renderPeers([refuted], { tableWidth: 80, color: false });
    expect(text).toMatch(
      /\nTokyo, JP +refuted +acme +0\.25 refuted +0\.97 +yes +5 ms\n {2}12D3KooWSubject\n$/,
    );
  });
});

describe('a peer with its evidence', () => {
  it('says of each kind of observation what it means, how often, how lately, and what it adds', () => {
    const text = renderPeer({ ...newcomer, standing: 'evidence', seen: [proof, loss] }, 80);
    expect(text).toContain(
      '\n  proved that it has its share\n    12 times, last 2 h 5 min ago; availability +2.00,',
    );
    expect(flat(text)).toContain('1 time, last 1 min ago; availability -0.50, integrity -16.00');
    expect(flat(text)).toContain('10 more audit periods of good answers to 0.75 (an audit period is 1 d)');
  });

  it('says who reported what, how lately, by what weight and to what effect, and what counts nothing', () => {
    const unheard = { ...report, location: null, operator: null, weight: 0, adds: null };
    const text = flat(renderPeer({ ...newcomer, reports: [report, unheard] }, 80));
    expect(text).toContain(
      'Oslo ..server (globex), 2 min ago, weight 0.24: answers 3.0:0.0, is right 2.0:0.5; availability +0.06, integrity +0.10, integrity -0.02',
    );
    expect(text).toContain(
      '..server, 2 min ago, weight 0.00: answers 3.0:0.0, is right 2.0:0.5; counts nothing here',
    );
  });

  it('says who refutes a place by which round trip, and where placement takes the node to be', () => {
    const text = flat(renderPeer(refuted, 80));
    expect(text).toContain('place Tokyo, JP (35.69, 139.69): its claim, refuted');
    expect(text).toContain(
      'Frankfurt ..server measures 5.0 ms: at most 511 km; by the claim it would be 9,340 km',
    );
    expect(text).toContain('placement takes it to be at 50.12, 8.68');
    const doubted: PeerDocument = { ...refuted, placeVerdict: 'unverifiable', countsAs: null };
    const few = renderPeer({ ...doubted, place: { ...refuted.place, verdict: 'unverifiable' } }, 80);
    expect(few).toContain('too few, or of too little weight, to refute it');
    expect(few).not.toContain('placement takes it');
  });

  it('shows a statement, and beside the trust that it gives what was earned', () => {
    const text = renderPeer({ ...refuted, standing: 'stated', trust: 0.8, statement: 'vouch' }, 80);
    expect(text).toMatch(/\ntrust +0\.80 stated; 0\.25 earned\n/);
    expect(text).toContain('Stated by this operator\n  vouch, which overrides the evidence\n');
  });

  it('fits a terminal 80 wide, shows so many reports, and lets nothing from outside act', () => {
    const evil = `\u001b[2J${'x'.repeat(10)} \u202e\n`;
    const noisy: PeerDocument = {
      ...refuted,
      operator: evil,
      location: { ...refuted.location, name: evil },
      seen: [proof, loss],
      reports: Array.from({ length: reportsShownMax + 3 }, () => ({
        ...report,
        operator: evil,
        location: evil,
      })),
      place: { ...refuted.place, by: [{ ...contradiction, location: evil }] },
    };
    const text = renderPeer(noisy, 80);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}]/u);
    for (const line of text.split('\n')) expect(cellWidth(line)).toBeLessThanOrEqual(80);
    expect(text).toContain('and 3 more; --json has all');
  });
});

describe('the main evidence', () => {
  it('is what overrides the rest, else what adds most', () => {
    const seen = [proof, loss];
    expect(mainEvidence(newcomer).source).toBe('nothing');
    expect(mainEvidence({ ...newcomer, seen, reports: [report] })).toMatchObject({ kind: 'share-lost' });
    expect(mainEvidence({ ...newcomer, reports: [report] })).toMatchObject({
      source: 'report',
      kind: observer,
      ageMs: 120_000,
    });
    expect(mainEvidence({ ...refuted, seen })).toMatchObject({ source: 'place', kind: observer });
    const wrong = { ...proof, kind: 'proof-wrong' };
    expect(mainEvidence({ ...newcomer, standing: 'cheated', seen: [wrong, loss] })).toMatchObject({
      kind: 'proof-wrong',
    });
    expect(mainEvidence({ ...refuted, seen, statement: 0.3 })).toMatchObject({
      source: 'statement',
      meaning: 'stated by this operator: 0.3',
    });
  });

  it('stands under each holder of a key, with its age, beside what was believed when it was dealt', () => {
    const { location, operator } = newcomer;
    const holder = { nodeId, location, operator, role: 'primary', live: true };
    const dealt = { trust: 0.5, availability: 0.97, compromise: 0.06, place: 'as claimed' } as const;
    const now = { ...refuted, main: mainEvidence({ ...newcomer, seen: [loss] }) };
    const gone = { ...holder, dealt: null, now: null };
    const text = renderThenAndNow([{ ...holder, dealt, now }, gone], { tableWidth: 80, color: false });
    expect(text).toMatch(/\nTokyo, JP +0\.50 +0\.25 refuted +0\.97 +0\.97 +as claimed +refuted\n/);
    expect(text).toContain('\n  said that it has no share of a key that it holds, 1 min ago\n');
    expect(text).toMatch(/\nTokyo, JP\n {2}now in the directory no more\n$/);
  });
});
