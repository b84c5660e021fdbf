/** How far two clocks may be apart, in ms: grants and requests are judged with this much slack on both sides. */
export const clockSkewMs = 120_000;

/** Longest life of a grant beyond its key's delay, in ms: a lost grant is soon worth nothing. */
export const grantLifeMaxMs = 3_600_000;

/**
 * How long an accepted offer waits for its deposit, in ms: a dealer deposits within seconds of its last attempt, so
 * more than `dealAttemptsMax` times `dealStepMs`.
 */
export const offerLifeMs = 60_000;

/** How long a deposited share waits for its activation, in ms: longer than any deal, shorter than a day's litter. */
export const pendingLifeMs = 900_000;

/**
 * The same for a later epoch of a key, in ms: 30 days. Holders that hear of its activation let go of the epoch before,
 * so that those that do not hear of it for long must still have their share when they do.
 */
export const laterPendingLifeMs = 2_592_000_000;

/** Bytes of all that a holder keeps of one key, at most: five manifests of half a MiB, and lists of what it remembers. */
export const heldKeyBytesMax = 4_194_304;

/** Live offers of one key that a holder keeps, at most: its dealer's, and room beside those of strangers. */
export const offersPerKeyMax = 4;

/**
 * How long a node keeps its word that it will hold a point, in ms: a day, since a quorum of holders may take hours to
 * come together. Whoever is late asks again, and is given the same key.
 */
export const nominationLifeMs = 86_400_000;

/** Points of one key that a node is ready to hold, at most: of the cores that an owner or a liar may have dealt. */
export const nominationsPerKeyMax = 4;

/**
 * How long a holder keeps an epoch that a later one took the place of, in ms: a quarter of an hour, as long as a share
 * waits for its activation. It is not served meanwhile.
 */
export const retiredLifeMs = 900_000;

/** Votes that a holder remembers of one key, at most: of a core eight can win, and owners overrule few. */
export const votesPerKeyMax = 64;

/** Shares of one key whose traces wait to be removed from the store's files, at most: each is dealt with at once. */
export const erasuresMax = 8;

/**
 * Uses, announcements and revoked grants that a holder remembers for one key, at most; beyond, grants that count are refused. They
 * are rewritten with each counted round, and 1024 take about 5 ms. Only subjects of the key's own authority add any.
 */
export const usesPerKeyMax = 1024;

/**
 * Drills that a holder answers to each other holder of a key in an hour, at most: each costs it a write to its disk.
 * Once in some days is the rule; the rest is for operators who look into something, and for restarts.
 */
export const drillsPerHourMax = 4;

/** Sets that one drill asks, at most: enough to get past a few holders that are away, few beside an open's. */
export const drillSetsMax = 16;

/**
 * How long a holder remembers that a key was destroyed, in ms, and keeps its tombstone in the DHT: 90 days, so that
 * other holders that come back within them learn of it with the owner away.
 */
export const graveLifeMs = 7_776_000_000;

/** How long a mover waits for each answer to a nomination or a ballot, in ms. */
export const moveStepMs = 5000;

/** Audits that found a node absent before it counts as failed, at least: one may be a network's hiccup. */
export const missesMin = 2;

/** Absent nodes that a node remembers, at most; the oldest is forgotten first. */
export const absencesMax = 10_000;

/** Lost shares that a node remembers, at most; the oldest is forgotten first. */
export const lossesMax = 10_000;

/** Shares that a holder keeps for one dealer, at most: a tenth of a modest disk's worth at 3 kB each. */
export const sharesPerDealerMax = 100_000;

/** Offers of one dealer waiting for their deposit, at most. */
export const offersPerDealerMax = 256;

/** How long a dealer waits for each answer to an offer, a deposit or an activation, in ms. */
export const dealStepMs = 5000;

/** Times a dealer places a key, at most: once, and again with other holders for those that failed. */
export const dealAttemptsMax = 4;

/** Times a dealer sends its activation to a holder that does not acknowledge it, at most. */
export const activationTriesMax = 3;

/** How long a requester works on one open, in ms; under the 10 s that the command line promises. */
export const openDeadlineMs = 8000;

/** The least time a requester gives a set before it asks another without the silent ones, in ms. */
export const hedgeMinMs = 150;

/** The most time a requester gives a set before it asks another, in ms: a few round trips around the world. */
export const hedgeMaxMs = 1500;

/** How long a holder that a round asked owes its answer before it counts as silent, in ms: as long as a set may get. */
export const silentMs = hedgeMaxMs;

/** A set is late after this many times its slowest member's usual round trip. */
export const hedgeFactor = 3;

/** What each further set in flight adds to the time that a set is given, in ms: opening its t answers takes as long. */
export const hedgePerSetMs = 10;

/**
 * Requests of one open over all its sets, at most. All sets of t among 12 holders take 5,544 whatever t is, so that
 * among 12 no liars hide, and no holder is asked more than 500 times, well within its `requestBurst`.
 */
export const asksMax = 6000;

/** Sets that a requester adds to those in flight after each wrong sum. */
export const setsPerWrongSum = 3;

/** Sets in flight at once, at most: no more than a holder works on for one peer. */
export const setsInFlightMax = 64;

/** Random choices of a set before all are gone through in order. */
export const setDrawsMax = 8;

/** Requests that a peer may make of a holder at once, before its rate counts. */
export const requestBurst = 2000;

/** Requests per second that a peer may make of a holder in the long run. */
export const requestsPerSecond = 400;

/** Peers whose rates a holder remembers, at most; the least recently seen is forgotten first. */
export const limitedPeersMax = 4096;

/** How often a node audits others, and how much of that it does. */
export const auditPace = {
  /**
   * Each subject is audited once in so many ms: six hours. A lost disk shows on the same day, and 100 nodes that all have
   * keys in common cost each 22 audits an hour.
   */
  periodMs: 6 * 3_600_000,
  /**
   * The part of a period after which a node is audited again that gave no answer, or has lost a share, 0 to 1: so the
   * one is seen several times within the grace of four periods, however many others are to be audited; and what else
   * the other has lost is found sixteen times sooner.
   */
  doubtedParts: { absent: 0.5, lost: 1 / 16 },
  /** The part of a period by which an audit may come early, at random, 0 to 1: nobody knows when. */
  jitter: 0.5,
  /** Requests for audits in an hour, at most, but for the rest of one drill; 6 or more: one a minute is nothing. */
  budgetPerHour: 60,
  /** Proofs of one subject for each drill, 1 or more: a drill costs t holders a round and a line in their logs. */
  proofsPerDrill: 8,
  /** Parts of the budget for the holders of owned keys, of keys held with them, and of stored manifests. */
  weights: { owner: 4, holder: 2, server: 1 },
  /** How long it is remembered when a subject was audited with which no key is shared any more, in ms: a week. */
  forgetMs: 7 * 86_400_000,
  /** Subjects at once, at most: a week's budget; and no stranger's manifests fill a node's memory. */
  subjectsMax: 10_000,
} as const;
