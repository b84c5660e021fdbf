/** How far two clocks may be apart, in ms: grants and requests are judged with this much slack on both sides. */
export const clockSkewMs = 120_000;

/** Longest life of a grant beyond its key's delay, in ms: a lost grant is soon worth nothing. */
export const grantLifeMaxMs = 3_600_000;

/** How long an accepted offer waits for its deposit, in ms: a dealer deposits within seconds. */
export const offerLifeMs = 60_000;

/** How long a deposited share waits for its activation, in ms: longer than any deal, shorter than a day's litter. */
export const pendingLifeMs = 900_000;

/** Live offers of one key that a holder keeps, at most: the dealer's own and a few that it retried. */
export const offersPerKeyMax = 4;

/** Uses and announcements that a holder remembers for one key, at most; beyond, grants with counts are refused. */
export const usesPerKeyMax = 4096;

/** Shares that a holder keeps for one dealer, at most: a tenth of a modest disk's worth at 3 kB each. */
export const sharesPerDealerMax = 100_000;

/** Offers of one dealer waiting for their deposit, at most. */
export const offersPerDealerMax = 256;

/** How long a dealer waits for answers to offers, deposits and activations, in ms each. */
export const dealStepMs = 5000;

/** Times a dealer starts over with other holders before it gives up. */
export const dealAttemptsMax = 4;

/** How long a requester works on one open, in ms; under the 10 s that the command line promises. */
export const openDeadlineMs = 8000;

/** How long a requester waits for a set before it asks another without the silent ones, in ms, at least and at most. */
export const hedgeMinMs = 150;
export const hedgeMaxMs = 1500;

/** A set is late after this many times its slowest member's usual round trip. */
export const hedgeFactor = 3;

/** Sets that a requester tries in one open, at most. */
export const setsMax = 48;

/** Sets that a requester tries at once after a set gave a wrong key. */
export const setsAtOnce = 3;

/** Requests a peer may make of a holder: burst, and sustained rate per second. */
export const requestBurst = 2000;
export const requestsPerSecond = 400;

/** Peers whose rates a holder remembers, at most; the least recently seen is forgotten first. */
export const limitedPeersMax = 4096;
