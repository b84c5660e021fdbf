import { nodeRandom } from '@skerry/crypto';
import { type HeldEpoch, type HeldKey, pendingLifeMs } from '@skerry/custody';
import { expect, test } from 'vitest';
import { createHoldings } from '../src/holdings.ts';

const self = nodeRandom.bytes(32);
const none: HeldKey = {
  keyId: new Uint8Array(32),
  offers: [],
  pending: null,
  active: null,
  retired: null,
  nominations: [],
  incoming: null,
  votes: [],
  left: null,
  erasures: [],
  uses: [],
  announcements: [],
  revocations: [],
  revokedBefore: null,
  drills: [],
  grave: null,
};

function offerOf(dealer: Uint8Array, expiresAtMs: number): HeldKey['offers'][number] {
  const offer = { dealer } as HeldKey['offers'][number]['offer'];
  return { offer, ek: nodeRandom.bytes(32), ekSeed: nodeRandom.bytes(32), expiresAtMs };
}

function epochOf(dealer: Uint8Array): HeldEpoch {
  return {
    core: { dealer, epoch: 1, holders: [] as object[] },
    amendments: [] as object[],
    depositedAtMs: 0,
  } as HeldEpoch;
}

const grave: NonNullable<HeldKey['grave']> = {
  tombstone: {} as NonNullable<HeldKey['grave']>['tombstone'],
  deletedAtMs: 0,
  isErased: true,
};
const [dealer, other] = [nodeRandom.bytes(32), nodeRandom.bytes(32)];

test('shares and offers are counted by dealer and in all, and offers that lapsed not for their dealer', () => {
  const holdings = createHoldings(self);
  holdings.set('a', { ...none, active: epochOf(dealer), pending: epochOf(other) });
  holdings.set('b', { ...none, offers: [offerOf(dealer, 1_000), offerOf(other, 2_000)] });
  holdings.set('c', { ...none, offers: [offerOf(dealer, 2_000)] });
  expect(holdings.load(dealer, 999)).toEqual({ shares: 5, offersOfDealer: 2, sharesOfDealer: 1, graves: 0 });
  expect(holdings.load(dealer, 1_000)).toEqual({
    shares: 5,
    offersOfDealer: 1,
    sharesOfDealer: 1,
    graves: 0,
  });
  expect(holdings.load(null, 0)).toEqual({ shares: 5, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 });
  expect([holdings.shareCount(), holdings.offerCount()]).toEqual([2, 3]);
});

test('a key counts as it is now, whatever it was, and not once it is gone', () => {
  const holdings = createHoldings(self);
  holdings.set('a', { ...none, offers: [offerOf(dealer, 1_000)] });
  holdings.set('a', { ...none, pending: epochOf(dealer) });
  expect(holdings.load(dealer, 0)).toEqual({ shares: 1, offersOfDealer: 0, sharesOfDealer: 1, graves: 0 });
  holdings.set('a', { ...none, active: epochOf(dealer) });
  expect(holdings.load(dealer, 0)).toEqual({ shares: 1, offersOfDealer: 0, sharesOfDealer: 1, graves: 0 });
  holdings.set('a', null);
  expect(holdings.load(dealer, 0)).toEqual({ shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 });
  expect(holdings.keyIds()).toEqual([]);
});

test('a change taken back leaves the counts as they were', () => {
  const holdings = createHoldings(self);
  holdings.set('a', { ...none, active: epochOf(dealer), offers: [offerOf(other, 1_000)] });
  const before = [holdings.load(dealer, 0), holdings.load(other, 0), holdings.keyIds()];
  holdings.set('a', null)();
  holdings.set('a', { ...none, offers: [offerOf(dealer, 5)] })();
  holdings.set('new', { ...none, offers: [offerOf(dealer, 5)] })();
  expect([holdings.load(dealer, 0), holdings.load(other, 0), holdings.keyIds()]).toEqual(before);
});

test('a key has lapsed once the first of what it has for a time is over, and one active share never', () => {
  const holdings = createHoldings(self);
  const use = { jti: 'j', roundId: new Uint8Array(16), expiresAtMs: 5 };
  const announcements = [{ jti: 'j', announcedAtMs: 0, expiresAtMs: 6 }];
  const revocations = [{ jti: 'j', expiresAtMs: 7 }];
  const active = epochOf(dealer);
  holdings.set('settled', { ...none, active });
  holdings.set('offered', { ...none, offers: [offerOf(dealer, 4), offerOf(dealer, 9)] });
  holdings.set('pending', { ...none, pending: { ...epochOf(dealer), depositedAtMs: 10 } });
  holdings.set('used', { ...none, active, uses: [use] });
  holdings.set('announced', { ...none, active, announcements });
  holdings.set('revoked', { ...none, active, revocations });
  holdings.set('buried', { ...none, grave: { ...grave, deletedAtMs: 11 } });
  expect(holdings.lapsedKeyIds(3)).toEqual([]);
  expect(holdings.lapsedKeyIds(5)).toEqual(['offered', 'used']);
  expect(holdings.lapsedKeyIds(7)).toEqual(['offered', 'used', 'announced', 'revoked']);
  expect(holdings.lapsedKeyIds(10 + pendingLifeMs)).toEqual([
    'offered',
    'pending',
    'used',
    'announced',
    'revoked',
  ]);
  expect(holdings.lapsedKeyIds(Number.MAX_SAFE_INTEGER)).toContain('buried');
  expect(holdings.lapsedKeyIds(Number.MAX_SAFE_INTEGER)).not.toContain('settled');
  expect(holdings.keyIds().length).toBe(7);
});

test('a destroyed key counts as a grave, and as no share', () => {
  const holdings = createHoldings(self);
  holdings.set('a', { ...none, active: epochOf(dealer) });
  expect([holdings.has('a'), holdings.isServed('a'), holdings.hasPending('a')]).toEqual([true, true, false]);
  holdings.set('a', { ...none, grave });
  expect(holdings.load(dealer, 0)).toEqual({ shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 1 });
  expect([holdings.has('a'), holdings.isServed('a')]).toEqual([true, false]);
  holdings.set('a', null);
  expect(holdings.load(dealer, 0).graves).toBe(0);
  expect(holdings.has('a')).toBe(false);
});
