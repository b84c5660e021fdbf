/** When virtual time begins, ms since 1970: any date will do, and always the same. */
export const beginningMs = 1_800_000_000_000;

/** The ways between nodes. */
export const paths = {
  /** How much longer than the great circle a way is, as between the network namespaces of the netlab tests. Range 1 to 3. */
  detour: 1.5,
  /** Milliseconds from a node to its network, one way. */
  accessMs: 1,
  /** Mean of what queues add to a round trip, ms, exponentially distributed. */
  jitterMs: 4,
  /** Probability that a request or its answer is lost and sent again, 0 to 1. */
  loss: 0.01,
  /** Wait for what was lost, ms; it doubles each time (RFC 6298). */
  resendMs: 1000,
  /** Kilometres that a node may be off the centre of its city: half of what a claim of place is allowed. */
  suburbKm: 25,
} as const;

/** What nodes do in virtual time; where the daemon has a number of its own, that one, or coarser where it says so. */
export const conduct = {
  /** Milliseconds between looks at which audits are due: the daemon's minute, coarser; audits come once in hours. */
  lookMs: 2_700_000,
  /**
   * Milliseconds between announcements: the daemon's are some ten seconds apart. Only the newest counts, and what it
   * says changes with audits, which come once in hours.
   */
  announceMs: 28_800_000,
  /** Milliseconds after which an entry is forgotten: two announcements, so that one may be late. */
  entryLifeMs: 72_000_000,
  /** Milliseconds for a proof, as the daemon's. */
  auditDeadlineMs: 10_000,
  /** Sets that one drill asks, at most, as a requester's. */
  drillSets: 16,
  /** How long honest nodes are up and down at a time, in the mean, ms: up for 99 %. The time itself is half to 1.5 times that. */
  honest: { upMs: 99 * 1_800_000, downMs: 1_800_000 },
  /** The same of a node that is offline half of the time. */
  flaky: { upMs: 3 * 3_600_000, downMs: 3 * 3_600_000 },
  /** Milliseconds between two floods of one node, and nodes that each of them hits. */
  flood: { everyMs: 3_600_000, victims: 3 },
  /** Mass that liars report: any number, as reports are capped. */
  lieMass: 600,
} as const;

/** What the scenario `trust` promises, in audit periods; docs/TRUST.md has the table. */
export const promises = {
  /** From the start until every good node is at the floor of high risk with every honest node that has evidence on it. */
  risePeriods: 10,
  /** From the day on which a node is bad until every honest node has it below that floor. */
  fallPeriods: 14,
  /** From nothing to that floor, by own evidence alone, at the earliest. */
  ownRisePeriods: 10,
} as const;

/** The networks in which nodes are good, or bad in one of six ways. */
export const misbehaviour = {
  nodeCount: 30,
  operatorCount: 12,
  keyCount: 40,
  /** Audit periods in which nodes are bad. */
  days: 14,
  /** Audit periods for which they behave before, in the second network. */
  behavedPeriods: 10,
} as const;

/** The sweep over colluders: operators of their own, that behave, earn weight, and then lie together. */
export const collusion = {
  nodeCount: 20,
  keyCount: 16,
  behavedPeriods: 12,
  lyingPeriods: 2,
  /** Parts of the nodes that collude. */
  parts: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
} as const;

/** The operator that brings many new nodes. */
export const sybils = {
  /** Nodes that are there before, each of its own operator, keys dealt among them, and their periods alone. */
  residentCount: 12,
  residentKeyCount: 12,
  alonePeriods: 12,
  /** Nodes that come, keys dealt among all then, and the periods after which they are looked at. */
  sybilCount: 100,
  keyCount: 60,
  looksAtPeriods: [1, 3, 6, 9, 11],
} as const;

/** What audits cost. */
export const auditCost = {
  /** Keys that each node owns, holders of each, how many of them open it, and copies of its manifest. */
  keysPerNode: 10,
  holderCount: 9,
  threshold: 5,
  manifestCopies: 8,
  /** Sizes of network whose cost is worked out, and those of them that are counted too. */
  sizes: [100, 1000, 10_000, 1_000_000] as readonly number[],
  countedSizes: [100, 1000] as readonly number[],
  /** Nodes whose audits are counted, ms between their looks, hours before the count, and hours counted: eight proofs and a drill of each. */
  countedNodes: 2,
  lookMs: 600_000,
  settledHours: 42,
  countedHours: 42,
  /** Part by which a count may differ from what is worked out. */
  tolerance: 0.15,
} as const;
