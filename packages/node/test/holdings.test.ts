import { nodeRandom } from '@skerry/crypto';
import type { HeldEpoch, HeldKey } from '@skerry/custody';
import { expect, test } from 'vitest';
import { createHoldings } from '../src/holdings.ts';

const none: HeldKey = {
  keyId: new Uint8Array(32),
  offers: [],
  pending: null,
  active: null,
  uses: [],
  announcements: [],
};

function offerOf(dealer: Uint8Array, expiresAtMs: number): HeldKey['offers'][number] {
  const offer = { dealer } as HeldKey['offers'][number]['offer'];
  return { offer, ek: nodeRandom.bytes(32), ekSeed: nodeRandom.bytes(32), expiresAtMs };
}

function epochOf(dealer: Uint8Array): HeldEpoch {
  return { core: { dealer } } as HeldEpoch;
}

const [dealer, other] = [nodeRandom.bytes(32), nodeRandom.bytes(32)];

test('shares and offers are counted by dealer and in all, and offers that lapsed not for their dealer', () => {
  const holdings = createHoldings();
  holdings.set('a', { ...none, active: epochOf(dealer), pending: epochOf(other) });
  holdings.set('b', { ...none, offers: [offerOf(dealer, 1_000), offerOf(other, 2_000)] });
  holdings.set('c', { ...none, offers: [offerOf(dealer, 2_000)] });
  expect(holdings.load(dealer, 999)).toEqual({ shares: 5, offersOfDealer: 2, sharesOfDealer: 1 });
  expect(holdings.load(dealer, 1_000)).toEqual({ shares: 5, offersOfDealer: 1, sharesOfDealer: 1 });
  expect(holdings.load(null, 0)).toEqual({ shares: 5, offersOfDealer: 0, sharesOfDealer: 0 });
  expect([holdings.shareCount(), holdings.offerCount()]).toEqual([2, 3]);
});

test('a key counts as it is now, whatever it was, and not once it is gone', () => {
  const holdings = createHoldings();
  holdings.set('a', { ...none, offers: [offerOf(dealer, 1_000)] });
  holdings.set('a', { ...none, pending: epochOf(dealer) });
  expect(holdings.load(dealer, 0)).toEqual({ shares: 1, offersOfDealer: 0, sharesOfDealer: 1 });
  holdings.set('a', { ...none, active: epochOf(dealer) });
  expect(holdings.load(dealer, 0)).toEqual({ shares: 1, offersOfDealer: 0, sharesOfDealer: 1 });
  holdings.set('a', null);
  expect(holdings.load(dealer, 0)).toEqual({ shares: 0, offersOfDealer: 0, sharesOfDealer: 0 });
  expect(holdings.keyIds()).toEqual([]);
});

test('a change taken back leaves the counts as they were', () => {
  const holdings = createHoldings();
  holdings.set('a', { ...none, active: epochOf(dealer), offers: [offerOf(other, 1_000)] });
  const before = [holdings.load(dealer, 0), holdings.load(other, 0), holdings.keyIds()];
  holdings.set('a', null)();
  holdings.set('a', { ...none, offers: [offerOf(dealer, 5)] })();
  holdings.set('new', { ...none, offers: [offerOf(dealer, 5)] })();
  expect([holdings.load(dealer, 0), holdings.load(other, 0), holdings.keyIds()]).toEqual(before);
});

test('a key with one active share and nothing that lapses is settled', () => {
  const holdings = createHoldings();
  const use = { jti: 'j', roundId: new Uint8Array(16), expiresAtMs: 1 };
  holdings.set('settled', { ...none, active: epochOf(dealer) });
  holdings.set('offered', { ...none, offers: [offerOf(dealer, 1)] });
  holdings.set('pending', { ...none, pending: epochOf(dealer) });
  holdings.set('used', { ...none, active: epochOf(dealer), uses: [use] });
  const announcements = [{ jti: 'j', announcedAtMs: 0, expiresAtMs: 1 }];
  holdings.set('announced', { ...none, active: epochOf(dealer), announcements });
  expect(holdings.unsettledKeyIds().sort()).toEqual(['announced', 'offered', 'pending', 'used']);
  expect(holdings.keyIds().length).toBe(5);
});
