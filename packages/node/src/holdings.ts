import { toHex } from '@skerry/base';
import type { HeldKey } from '@skerry/custody';

type Holding = { readonly dealers: string[]; readonly offers: { dealer: string; expiresAtMs: number }[] };

/** Counts of what this node holds, kept beside the store so that a quota costs no scan. */
export type Holdings = {
  /** Takes in a key's new state; null for a key that is gone. */
  readonly set: (keyId: string, held: HeldKey | null) => void;
  /** Shares in all, and shares and live offers of one dealer. */
  readonly load: (
    dealer: Uint8Array | null,
    nowMs: number,
  ) => { shares: number; offersOfDealer: number; sharesOfDealer: number };
  readonly shareCount: () => number;
  readonly keyIds: () => string[];
};

/** Makes empty counts. */
export function createHoldings(): Holdings {
  const holdings = new Map<string, Holding>();
  const shares = new Map<string, number>();
  const offering = new Map<string, Map<string, number>>();
  let shareCount = 0;

  function count(holding: Holding | undefined, sign: 1 | -1): void {
    for (const dealer of holding?.dealers ?? []) {
      shareCount += sign;
      shares.set(dealer, (shares.get(dealer) ?? 0) + sign);
      if (shares.get(dealer) === 0) shares.delete(dealer);
    }
  }

  function noteOffers(keyId: string, holding: Holding | undefined): void {
    for (const [dealer, byKey] of offering) {
      byKey.delete(keyId);
      if (byKey.size === 0) offering.delete(dealer);
    }
    for (const { dealer, expiresAtMs } of holding?.offers ?? []) {
      const byKey = offering.get(dealer) ?? new Map<string, number>();
      offering.set(dealer, byKey.set(keyId, expiresAtMs));
    }
  }

  return {
    set: (keyId, held) => {
      count(holdings.get(keyId), -1);
      if (held === null) holdings.delete(keyId);
      else {
        const epochs = [held.active, held.pending].filter(epoch => epoch !== null);
        const dealers = epochs.map(({ core }) => toHex(core.dealer));
        const offers = held.offers.map(({ offer, expiresAtMs }) => ({
          dealer: toHex(offer.dealer),
          expiresAtMs,
        }));
        holdings.set(keyId, { dealers, offers });
      }
      count(holdings.get(keyId), 1);
      noteOffers(keyId, holdings.get(keyId));
    },
    load: (dealer, nowMs) => {
      const name = dealer === null ? '' : toHex(dealer);
      const live = [...(offering.get(name)?.values() ?? [])].filter(expiresAtMs => expiresAtMs > nowMs);
      return { shares: shareCount, offersOfDealer: live.length, sharesOfDealer: shares.get(name) ?? 0 };
    },
    shareCount: () => shareCount,
    keyIds: () => [...holdings.keys()],
  };
}
