import { at } from '@skerry/base';
import { describe, expect, it } from 'vitest';
import {
  type Candidate,
  certifySuccession,
  type PlacedKey,
  planPlacement,
  rankSuccessors,
  theftWithStrays,
  verifyCertificate,
} from '../index.ts';
import { spreadWorld } from './worlds.ts';

const candidates = spreadWorld(40, 40, 0.9);
const request = { candidates, risk: 'medium', profile: 'open', acceptReduced: false } as const;
const placement = planPlacement(request);
const { certificate, t, k } = placement;
const holders = placement.holders.map(({ nodeId }) => candidates.find(one => one.nodeId === nodeId)!);

/** The key as it was placed, with those that held its points before. */
function placed(former: Readonly<Record<number, readonly Candidate[]>> = {}): PlacedKey {
  const points = holders.map((holder, i) => ({ x: i + 1, holder, former: former[i + 1] ?? [] }));
  return { points, t, k, risk: 'medium', profile: 'open' };
}

const changed = (candidate: Candidate, changes: Partial<Candidate>): Candidate => {
  return { ...candidate, ...changes };
};
const stranger = candidates.find(({ nodeId }) => !holders.some(holder => holder.nodeId === nodeId))!;
const fits = (candidate: Candidate, key = placed()): boolean =>
  rankSuccessors(key, 1, [candidate]).length === 1;

describe('a successor', () => {
  it('is no holder of another point, nor the one that leaves', () => {
    const ranked = rankSuccessors(placed(), 1, candidates).map(({ nodeId }) => nodeId);
    expect(ranked.length).toBeGreaterThan(k);
    for (const { nodeId } of holders) expect(ranked).not.toContain(nodeId);
  });

  it('keeps the caps of operators and regions', () => {
    // t - 1 - R is 2: two points of an operator, and of a region, are allowed
    const [second, third] = [at(holders, 1), at(holders, 2)];
    const others = placed().points;
    const twoOf = (change: (holder: Candidate) => Candidate): PlacedKey => {
      const points = others.map(point => {
        const isOne = point.holder === second || point.holder === third;
        return isOne ? { ...point, holder: change(point.holder) } : point;
      });
      return { ...placed(), points };
    };
    expect(fits(changed(stranger, { operator: 'acme' }))).toBe(true);
    const acme = twoOf(holder => changed(holder, { operator: 'acme' }));
    expect(fits(changed(stranger, { operator: 'acme' }), acme)).toBe(false);
    expect(fits(changed(stranger, { operator: 'globex' }), acme)).toBe(true);
    const crowded = twoOf(holder => changed(holder, { place: { ...holder.place, region: 'r' } }));
    const inIt = changed(stranger, { place: { ...stranger.place, region: 'r' } });
    expect([fits(inIt), fits(inIt, crowded)]).toEqual([true, false]);
  });

  it('is of no operator whose nodes have held as many points as it may, since they may have copies', () => {
    const [one, two] = [candidates.at(-1)!, candidates.at(-2)!].map(node =>
      changed(node, { operator: 'acme' }),
    );
    const newcomer = changed(stranger, { operator: 'acme' });
    expect(fits(newcomer, placed({ 2: [one!] }))).toBe(true);
    expect(fits(newcomer, placed({ 2: [one!], 3: [two!] }))).toBe(false);
    // the same point twice is one, and its own point is no further one
    expect(fits(newcomer, placed({ 2: [one!, two!] }))).toBe(true);
    expect(fits(newcomer, placed({ 1: [one!], 2: [two!] }))).toBe(true);
    // and never one that has held another point itself
    expect(fits(stranger, placed({ 2: [stranger] }))).toBe(false);
    expect(fits(stranger, placed({ 1: [stranger] }))).toBe(true);
  });

  it('is a trusted one first, and of those the one that is farthest and trusted most', () => {
    const near = changed(stranger, { nodeId: 'near', trust: 0.9 });
    const doubted = changed(stranger, { nodeId: 'doubted', trust: 0.4 });
    const better = changed(stranger, { nodeId: 'better', trust: 0.95 });
    const ranked = rankSuccessors(placed(), 1, [doubted, near, better]).map(({ nodeId }) => nodeId);
    expect(ranked).toEqual(['better', 'near', 'doubted']);
  });
});

describe('the certificate of a succession', () => {
  it('names the successor, holds on its own, and says where targets are missed', () => {
    const leaving = at(holders, 0);
    const after = certifySuccession(certificate, leaving.nodeId, stranger, candidates);
    verifyCertificate(JSON.parse(JSON.stringify(after)));
    expect(after.holders.map(({ nodeId }) => nodeId)).toEqual([
      stranger.nodeId,
      ...holders.slice(1).map(({ nodeId }) => nodeId),
    ]);
    expect(after.reduced).toBe(false);
    const weak = certifySuccession(
      certificate,
      leaving.nodeId,
      changed(stranger, { trust: 0.1 }),
      candidates,
    );
    expect(weak.reduced).toBe(true);
    verifyCertificate(JSON.parse(JSON.stringify(weak)));
  });

  it('counts the copies of former holders for theft', () => {
    const [first, second] = holders as [Candidate, Candidate];
    const none = theftWithStrays(certificate, new Map());
    expect(none).toBeCloseTo(certificate.reached.pTheft, 12);
    const one = theftWithStrays(certificate, new Map([[first.nodeId, 1]]));
    const two = theftWithStrays(
      certificate,
      new Map([
        [first.nodeId, 1],
        [second.nodeId, 1],
      ]),
    );
    expect(one).toBeGreaterThan(none);
    expect(two).toBeGreaterThan(one);
  });
});
