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

/** What is between virtual nodes besides `paths`. */
export const ways = {
  /** Bytes that a frame has besides its request or answer: length, id, and Noise's tag, with TCP/IP's headers. */
  frameBytes: 80,
  /** Probability that a request comes twice, since its stream broke and it was sent once more. */
  duplicates: 0.005,
} as const;

/** What virtual nodes are like where nothing else is said. */
export const citizens = {
  /** Trust that others have in each, and its availability: of a network that has audited itself for some periods. */
  trust: 0.8,
  availability: 0.985,
  /** How much more than that a node is trusted, at most: each has its own part of it. */
  trustSpread: 0.1,
  /** Shares that each is willing to hold. */
  capacity: 1_000_000,
} as const;

/** Times of a node, as the daemon's parameters have them; ms unless the name says otherwise. */
export const deadlines = {
  auditMs: 10_000,
  noticeMs: 5_000,
  noticeWaitMs: 2_000,
  noticeWaitMaxMs: 3_600_000,
  formerHoldersMs: 30 * 86_400_000,
  successionMinMs: 2_000,
  successionMaxMs: 600_000,
  ownGrantS: 60,
  nomineesMax: 8,
  /** How long a node that lost a share is given none: what its trust needs to recover. */
  shunMs: 30 * 86_400_000,
} as const;

/** Lengths of time, and how nodes live. */
export const lifetimes = {
  dayMs: 86_400_000,
  /**
   * Part of the nodes that depart for good in a month, exponentially distributed: a node that was there for long leaves as
   * soon as another. Measured lives of volunteers' nodes have a longer tail (Stutzbach and Rejaie, IMC 2006), which is
   * milder to keys: who has stayed stays.
   */
  churnAMonth: 0.05,
  /** Mean days that a node is up at a time. */
  upDays: 30,
  /** Median hours that it is down, and the spread of the logarithm: one outage in a hundred is longer than a day. */
  downMedianHours: 1,
  downSpread: 1.35,
  /** Part of the times that a node comes back without its disk. */
  diskLoss: 0.002,
  /** Mean days between two outages of a country, and hours that each lasts. */
  regionDays: 60,
  regionDownHours: 6,
  /** Mean days between two partitions of the network, and hours that each lasts. */
  partitionDays: 90,
  partitionHours: 4,
  /** Mean days until the owner of a node that has departed is back with another. */
  ownerAwayDays: 3,
} as const;

/** How keys are kept. */
export const keepings = {
  /** Audits in the time that an absence is borne, as the daemon has it. */
  auditsPerGrace: 4,
  /** Ms between two looks of a node at what it has to heal, as the daemon's, which is a thirty-second of the grace. */
  lookMs: 2_700_000,
  /** Ms within which all keys are dealt at first, and until a deal that failed is tried again. */
  dealWithinMs: 21_600_000,
  dealAgainMs: 600_000,
} as const;

/** Operators that a network has, at least. */
export const operatorsMin = 12;

/** What is told of a kept world. */
export const chronicle = {
  /** Rows of its story, at most, and keys whose P(loss) and P(theft) are worked out for each. */
  rowsMax: 60,
  ratedKeysMax: 200,
  /** Ms within which the last open of each key ends. */
  lastOpenMs: 120_000,
  /** Nodes of the DHT that have a key's manifest, and so audit it too. */
  manifestCopies: 8,
} as const;

/** The scenario `churn`, where nothing else is asked for. */
export const churn = {
  nodeCount: 500,
  keyCount: 500,
  days: 60,
  /** Days after the last misfortune, for all to heal: as long as a margin may need. */
  quietDays: 4,
  /** Nodes for each operator. */
  nodesPerOperator: 24,
  /** Keys that one thread simulates at a time, at most. */
  keysPerPart: 2500,
  /** Nodes that each owner's node knows. */
  knownCount: 32,
  /** Mean days between two opens of a key, and days after which an epoch is dealt anew, as the daemon does. */
  openDays: 120,
  refreshDays: 90,
  /** Part of the nodes that are liars. */
  liars: 0.015,
} as const;

/** The scenario `durability`: nothing happens but that nodes leave, so fast that keys of three shares are lost. */
export const durability = {
  nodeCount: 6000,
  keyCount: 4000,
  /** Nodes that each owner's node knows: few, so that keys seldom have two holders in common, and are lost alone. */
  knownCount: 10,
  days: 45,
  churnAMonth: 0.2,
  /** States of the Markov chain at most, where it is held against the simulation and where years are worked out. */
  statesMax: 250,
  yearStatesMax: 500,
  /** Shares that open a key and shares of it, by level, at the trust and availability of `citizens`. */
  sizes: { low: [2, 3], medium: [4, 7], high: [5, 9] } as Readonly<Record<string, readonly [number, number]>>,
} as const;

/** What the scenario `churn` promises. */
export const healingPromises = {
  /**
   * Ms until a key whose holder is gone has all its shares again, while its owner's node is up: found within six hours,
   * borne for a day; and as long again where a successor goes too, or another holder, which some do in a year of a large
   * network. P99 of single points is a day and a half.
   */
  recoverMs: 7 * 86_400_000,
  /** Ms within which whatever began has ended: a deal of four attempts takes a minute at most, a heal a few. */
  operationMs: 1_800_000,
} as const;
