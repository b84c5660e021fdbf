import { toHex } from '@skerry/base';
import { type HeldKey, type HolderEnv, isSeated, lapseMs } from '@skerry/custody';

/**
 * What is counted of one key: the dealers of its shares, and of its offers with the time that each lapses. A point that
 * this node is ready to hold is an offer of who asked.
 */
type Holding = {
  readonly dealers: readonly string[];
  readonly offers: readonly { readonly dealer: string; readonly expiresAtMs: number }[];
  /** When the first of it lapses, Unix ms. */
  readonly lapseMs: number;
  readonly hasPending: boolean;
  readonly hasActive: boolean;
  readonly hasIncoming: boolean;
  readonly isLeaving: boolean;
  /** Whether the key was destroyed, and its tombstone is kept. */
  readonly isGrave: boolean;
};

/** Counts of what this node holds, kept beside the store so that a quota costs no scan. They hold no secret. */
type Holdings = {
  /** Takes in a key's new state, null for a key that is gone, and returns a function that takes that back. */
  readonly set: (keyId: string, held: HeldKey | null) => () => void;
  /**
   * What counts against the quotas.
   *
   * @param dealer whose shares and offers are wanted besides those of all
   * @param nowMs the holder's clock; a dealer's offers that lapsed before it do not count
   */
  readonly load: (dealer: Uint8Array | null, nowMs: number) => HolderEnv['load'];
  /** Offers kept of all dealers, those lapsed but not yet dropped among them. */
  readonly offerCount: () => number;
  /** Shares kept, active or pending. */
  readonly shareCount: () => number;
  readonly keyIds: () => string[];
  /** Whether anything of a key is kept. */
  readonly has: (keyId: string) => boolean;
  /** Whether a deposit of it waits for its activation. */
  readonly hasPending: (keyId: string) => boolean;
  /** Whether a share of it is served. */
  readonly isServed: (keyId: string) => boolean;
  /** Keys of which a share is to be made again here. */
  readonly incomingKeyIds: () => string[];
  /** Keys of which a share is served here whose point has moved. */
  readonly leavingKeyIds: () => string[];
  /** Keys of which something has lapsed. */
  readonly lapsedKeyIds: (nowMs: number) => string[];
};

function holdingOf(held: HeldKey, nodeKey: Uint8Array): Holding {
  const { active, pending, retired, incoming, offers, nominations } = held;
  const cores = [active?.core, pending?.core, retired?.epoch.core, incoming?.manifest.core];
  return {
    dealers: cores.flatMap(core => (core ? [toHex(core.dealer)] : [])),
    offers: [
      ...offers.map(({ offer, expiresAtMs }) => ({ dealer: toHex(offer.dealer), expiresAtMs })),
      ...nominations.map(({ asker, expiresAtMs }) => ({ dealer: toHex(asker), expiresAtMs })),
    ],
    lapseMs: lapseMs(held),
    hasPending: pending !== null,
    hasActive: active !== null,
    hasIncoming: incoming !== null,
    isLeaving: active !== null && !isSeated(active, nodeKey),
    isGrave: held.grave !== null,
  };
}

/**
 * Makes empty counts.
 *
 * @param nodeKey of this node
 */
export function createHoldings(nodeKey: Uint8Array): Holdings {
  const holdings = new Map<string, Holding>();
  const sharesOf = new Map<string, number>();
  const offersOf = new Map<string, Map<string, number>>();
  let shareCount = 0;
  let offerCount = 0;
  let graveCount = 0;

  function countShares(dealers: readonly string[], sign: 1 | -1): void {
    shareCount += sign * dealers.length;
    for (const dealer of dealers) {
      const count = (sharesOf.get(dealer) ?? 0) + sign;
      if (count === 0) sharesOf.delete(dealer);
      else sharesOf.set(dealer, count);
    }
  }

  function replace(keyId: string, next: Holding | undefined): Holding | undefined {
    const last = holdings.get(keyId);
    if (next === undefined) holdings.delete(keyId);
    else holdings.set(keyId, next);
    countShares(last?.dealers ?? [], -1);
    countShares(next?.dealers ?? [], 1);
    offerCount += (next?.offers.length ?? 0) - (last?.offers.length ?? 0);
    graveCount += Number(next?.isGrave === true) - Number(last?.isGrave === true);
    for (const { dealer } of last?.offers ?? []) {
      const byKey = offersOf.get(dealer);
      byKey?.delete(keyId);
      if (byKey?.size === 0) offersOf.delete(dealer);
    }
    for (const { dealer, expiresAtMs } of next?.offers ?? []) {
      offersOf.set(dealer, (offersOf.get(dealer) ?? new Map<string, number>()).set(keyId, expiresAtMs));
    }
    return last;
  }

  const keysThat = (isSo: (holding: Holding) => boolean): string[] =>
    [...holdings].filter(([, holding]) => isSo(holding)).map(([keyId]) => keyId);
  return {
    set: (keyId, held) => {
      const last = replace(keyId, held === null ? undefined : holdingOf(held, nodeKey));
      return () => void replace(keyId, last);
    },
    load: (dealer, nowMs) => {
      const name = dealer === null ? '' : toHex(dealer);
      const live = [...(offersOf.get(name)?.values() ?? [])].filter(expiresAtMs => expiresAtMs > nowMs);
      return {
        shares: shareCount + offerCount,
        offersOfDealer: live.length,
        sharesOfDealer: sharesOf.get(name) ?? 0,
        graves: graveCount,
      };
    },
    offerCount: () => offerCount,
    shareCount: () => shareCount,
    keyIds: () => [...holdings.keys()],
    has: keyId => holdings.has(keyId),
    hasPending: keyId => holdings.get(keyId)?.hasPending === true,
    isServed: keyId => holdings.get(keyId)?.hasActive === true,
    incomingKeyIds: () => keysThat(({ hasIncoming }) => hasIncoming),
    leavingKeyIds: () => keysThat(({ isLeaving }) => isLeaving),
    lapsedKeyIds: nowMs => keysThat(holding => holding.lapseMs <= nowMs),
  };
}
