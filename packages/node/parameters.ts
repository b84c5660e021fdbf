/**
 * Every number that tunes a node, with its unit, its range and its reason.
 */
export const parameters = {
  /** Bytes of one custody frame, 1 KiB to 4 MiB: the largest manifest (512 KiB) with room to spare. */
  frameBytesMax: 1_048_576,
  /**
   * Receive window of one yamux stream in bytes, 256 KiB to 4 MiB. libp2p aborts a paused stream that holds over
   * 4 MiB unread, so the window stays below: a peer is slowed down and not cut off.
   */
  streamWindowBytesMax: 2_097_152,
  /** Bytes of waiting frames that are sent as one chunk, 4 KiB to 256 KiB: one encryption and one write for all. */
  batchBytes: 65_536,
  /** Requests of one peer that a node works on at once, 1 to 1,000; the next are not read until one is answered. */
  requestsServedPerPeerMax: 64,
  /** Requests to one peer that may wait for an answer, 1 to 10,000: then TOO_BUSY. */
  requestsInFlightPerPeerMax: 256,
  /** Responders of which round trips are remembered, 300 to 100,000; then those without a stream are forgotten. */
  respondersMax: 4_096,
  /** Keys of each kind (held, stored) that are looked at for audits, 100 to 100,000: some ms for each hundred. */
  auditKeysMax: 2_000,
  /** Audits under way at once, 1 to 50: one that is silent holds up no others. */
  auditsAtOnce: 8,
  /** Milliseconds for a proof, dialling included: then the holder is silent. */
  auditDeadlineMs: 10_000,
  /** Milliseconds between looks at which audits are due, at most. */
  auditLookMsMax: 60_000,
  /** Milliseconds without any answer after which absence of others may be this node's own. */
  isolationMs: 120_000,
  /** Audits of a node in one audit period, 2 to 24: two good answers are all that a period counts, and one may be lost. */
  auditsPerPeriod: 4,
  /** Milliseconds for which a verdict on a node stands before it is worked out anew, 100 to 60,000. */
  verdictMs: 2_000,
  /** Nodes of which evidence is kept, 300 to 1,000,000: half a KiB each, in memory and on disk. */
  evidenceNodesMax: 10_000,
  /** Lost shares that are remembered, so that each counts once, 1,000 to 1,000,000. */
  lostSharesMax: 20_000,
  /** Shares that are remembered as proved, 1,000 to 1,000,000: what a stranger's manifest says of others is not enough. */
  provedSharesMax: 50_000,
  /** Milliseconds until an observation is on disk, 0 to 60,000: what a crash may lose of evidence that comes again. */
  evidenceWriteMs: 5_000,
  /**
   * Milliseconds for which a least round trip is kept, 600,000 to 86,400,000: long enough for a quiet moment on a busy
   * machine, and a node that moved is measured anew within it.
   */
  leastRoundTripMs: 3_600_000,
  /** Round trips that are measured of a neighbour in each half of that window, 1 to 9, whatever else it is asked: the last after four minutes. */
  roundTripSamplesMin: 8,
  /** Milliseconds between looks at whose round trip is to be measured, half of the first wait between two of one neighbour, and for one measurement. */
  measureLookMs: 2_000,
  measureDeadlineMs: 5_000,
  /** Neighbours measured at once, 1 to 20: more would wait for each other, and so lengthen what they measure. */
  measuredAtOnce: 4,
  /** Largest step from one request's id to the next, 2^10 to 2^24: an answer sent in advance has to guess it. */
  requestIdGapMax: 1_048_576,
  /** Keys whose agreements between mask keys are remembered, 1 to 4,096: at most 8 KiB each. */
  agreementsKeptMax: 256,
  /** Grants whose signatures are remembered as verified, 1 to 65,536: some KiB each at most. */
  grantsKeptMax: 1_024,
  /** Keys of which the owner's own grant is kept, to be presented again, 1 to 4,096. */
  ownGrantsKeptMax: 256,
  /** A peer that has owed an answer for so many milliseconds counts as silent; less says little. */
  silentAfterMs: 1_000,
  /** Milliseconds for which it then counts as silent, before it is tried again; any answer ends it sooner. */
  silentMs: 15_000,

  /** Connections kept by dialling known peers, 0 to 100: up to here a full mesh is cheapest (0.3-0.5 MB each). */
  meshPeersMax: 60,
  /** Dials made at once by the keeper, 1 to 50: a dial costs 16-23 ms of CPU on either side. */
  dialsMax: 8,
  /** Milliseconds that the greater of two nodeIds waits before it dials, so that a pair rarely dials twice. */
  dialTieBreakMs: 3_000,
  /** Failed dials in a row after which a bootstrap peer's silence is a warning: seconds, as networks start together. */
  bootstrapFailuresTold: 4,
  /** First wait in milliseconds after a failed dial; it doubles up to the scale's `dialBackoffMsMax`. */
  dialBackoffMs: 250,
  /** Nodes that the keeper knows of, 60 to 100,000: the oldest are forgotten. */
  keeperTargetsMax: 2_000,
  /** Milliseconds between looks at who is not connected, 100 to 10,000. */
  keeperIntervalMs: 500,
  /** Addresses kept of one peer, 1 to 25 (libp2p dials at most 25 of one peer). */
  addressesPerPeerMax: 8,
  /** Nodes of which addresses are stored, 5,000 to 100,000: about a kB each. */
  peersStoredMax: 10_000,
  /** Milliseconds between looks at how many those are: a flood adds some thousand meanwhile. */
  peerStoreLookMs: 30_000,
  /** Milliseconds for which a learned address and a peer are kept: libp2p's 1 h and 6 h are too short for a daemon. */
  addressAgeMsMax: 7 * 86_400_000,
  /**
   * Milliseconds between pings of a connection, 10,000 or more. They only measure: on a busy machine a late pong
   * says nothing, and libp2p's default of ending the connection ended 67 live ones of 30 nodes in 35 s.
   */
  pingIntervalMs: 30_000,
  /** Streams of the ping protocol at once per connection: the monitor's and the DHT's pings collide at one. */
  pingStreamsMax: 32,
  /** Bytes of one gossip message, 1 KiB to 1 MiB: well over a directory entry. */
  gossipBytesMax: 65_536,

  /** Least milliseconds between two announcements of a node, and what each node in the directory adds to them. */
  announceMsMin: 10_000,
  announceMsPerNode: 500,
  /** Nodes in the directory, 100 to 100,000: some KiB each. */
  directoryEntriesMax: 5_000,
  /** Least milliseconds between two looks at what has expired in a full directory. */
  directorySweepMs: 1_000,
  /** Milliseconds for which an entry is kept at most, whatever it says, so that none outlives honest ones by claiming. */
  entryAgeMsMax: 3_600_000,
  /** How often a node may say something new: `burst` at once, then one in `everyMs`. */
  entriesPerNode: { burst: 5, everyMs: 4_000 },
  /** How many entries are looked at from one neighbour, who forwards everybody's; each costs 0.1-0.2 ms. */
  entriesPerSource: { burst: 1_000, everyMs: 20 },
  /** Neighbours whose allowance is remembered, 300 to 10,000; then whoever spoke longest ago is forgotten. */
  gossipSourcesMax: 1_000,
  /**
   * Broken promises of a peer that gossip overlooks, 1 to 20: a busy machine is late with one now and then, and each
   * costs its square times ten. They are forgotten at four fifths a second.
   */
  gossipSlipsMax: 6,
  /**
   * Points against a peer for each misbehaviour: a malformed message or frame, one beyond its rate, two directory
   * records of one sequence (which is for trust to judge: who brings them need not be who signed them).
   */
  strikePoints: { garbage: 10, flood: 0.02, equivocation: 0 },
  /** Points at which a peer is refused, 20 to 1,000: ten malformed messages, or 5,000 too many, within a short time. */
  strikePointsMax: 100,
  /** Milliseconds in which a point is forgiven, 100 to 60,000: 50 too many a second cost nothing, however long. */
  strikeForgivenMs: 1_000,
  /** Milliseconds for which a peer is then refused, 60,000 to 86,400,000. */
  barredMs: 600_000,
  /** Peers with points, 300 to 100,000; then those go that struck longest ago, the refused last. */
  strikesKeptMax: 4_096,
  /** Peers whose use of each libp2p service is counted, 300 to 100,000: some hundred bytes each. */
  meteredPeersMax: 2_048,
  /** Milliseconds by which the neighbours' clocks differ before the log says so, 1,000 to `clockSkewMs`. */
  clockSkewToldMs: 60_000,
  /** Neighbours whose clocks it takes for that, 1 to 20, and at most of how many the median is. */
  clockSkewNeighboursMin: 3,
  clockSkewNeighboursMax: 100,
  /** Milliseconds by which clocks may differ. */
  clockSkewMs: 120_000,

  /** Nodes that keep a copy of a DHT record, 4 to 20; also the size of a k-bucket. Fewer is faster: 20 costs 3 times 8. */
  recordReplicas: 8,
  /** Nodes that one lookup asks at once, 3 to 10. */
  lookupConcurrency: 4,
  /** Milliseconds between publications of a record, up to 24 h: nodes drop it 48 h after they last got it. */
  republishMs: 12 * 3_600_000,
  /** Milliseconds within which a new interest is first published again. */
  firstRepublishMs: 600_000,
  /**
   * Milliseconds within which a holder first publishes a new share's record, 10,000 to 600,000: ten holders that all put
   * theirs at once, upon a deal, took over 2 s of CPU for it (decision 6).
   */
  newShareMs: 30_000,
  /** Milliseconds between looks at which records are due. */
  republishLookMs: 5_000,
  /** Milliseconds for one republication. */
  republishDeadlineMs: 30_000,
  /** Milliseconds until the DHT first looks itself up, 10 to 1,000: until then it answers no lookup. */
  firstSelfLookupMs: 50,

  /** Manifests of others that a node keeps for the DHT, 1,000 to 1,000,000: about 4 kB each. */
  manifestsKeptMax: 20_000,
  /** Share records of others that a node keeps for the DHT, 1,000 to 1,000,000: about 1 kB each. */
  shareRecordsKeptMax: 100_000,
  /** Bytes of each kind of record that a node keeps for the DHT. */
  recordBytesKeptMax: 134_217_728,
  /** Milliseconds after a start before what is held is published again: a restart has dials to make first. */
  restartPublishMs: 10_000,
  /** Audit lines kept, 1,000 to 10,000,000: about 200 bytes each; the oldest of the key that has most go first. */
  auditLinesMax: 100_000,
  /** Offers of all dealers that wait for their deposit, 256 to 1,000,000: half a kB each, and gone in 90 s. */
  offersKeptMax: 4_096,
  /**
   * Bytes of a request that cost its peer one token of its rate, 256 to 65,536: an offer and a round take one or two,
   * an activation with 255 receipts, which takes 35 ms to check, takes 33.
   */
  requestBytesPerToken: 1_024,
  /** Tokens that a destruction costs its peer, 1 to 400: rewriting the files that have a share takes 40-90 ms. */
  erasureTokens: 40,
  /** Bytes of a directory page that cost one token, 1,024 to 65,536: a page of 100 usual entries takes eight. */
  answerBytesPerToken: 4_096,
  /** Milliseconds between looks at offers and deposits that are over their time. */
  expireLookMs: 30_000,
  /** Milliseconds for which a directory entry of this node is good: a node that is gone is forgotten after it. */
  entryLifeMs: 3_600_000,
  /** Milliseconds for putting a record into the DHT before it is left to its next republication. */
  publishDeadlineMs: 5_000,
  /** Manifests of deals being put into the DHT at once, 1 to 20: the next deal waits until one of them is there. */
  dealsPublishedAtOnce: 4,
  /** Records being put into the DHT at once besides those of deals, 1 to 20: a put costs some 30 messages. */
  publicationsAtOnce: 4,
  /** Records that wait for that, 0 to 100,000; over it, a record waits for its next republication. */
  publicationsWaitingMax: 1_000,
  /** Milliseconds between two looks of a store that failed at whether its disk has room again, 100 to 60,000. */
  storeRetryMs: 1_000,
  /** Bytes that a disk must have room for before that: LevelDB's log, 4 MiB at most, becomes a table, and some. */
  storeRoomBytes: 5_242_880,
  /** Bytes of an owner's notes about a key: a certificate with hundreds of candidates takes 100 kB. */
  keyNotesBytesMax: 1_048_576,
  /** Peers remembered over restarts, 10 to 10,000: some hundred bytes each, and one of them alive is enough. */
  peersKeptMax: 300,
  /** Milliseconds for which a peer is remembered that says nothing new. */
  peersKeptMs: 30 * 86_400_000,
  /** Milliseconds by which an entry is newer before it is written again with the same addresses. */
  peerRewriteMs: 86_400_000,
  /** Milliseconds between looks at which peers are to be remembered. */
  peersLookMs: 5_000,
  /** Milliseconds between looks at who is a new neighbour. */
  neighbourLookMs: 500,
  /** New neighbours asked for their directory at once, 1 to 20. */
  catchUpsAtOnce: 3,
  /** Milliseconds for asking a neighbour for one page of its directory, and for all of its pages. */
  directoryDeadlineMs: 3_000,
  catchUpDeadlineMs: 30_000,
  /**
   * Neighbours asked for their directory within a window of so many milliseconds: 5,000 entries take 0.7 s to check,
   * and a peer that comes under ever new names must not make this node do that all day.
   */
  catchUpsPerWindow: 64,
  catchUpWindowMs: 600_000,
  /** Milliseconds until a neighbour that failed to answer is asked again. */
  catchUpRetryMs: 5_000,
  /** Milliseconds for reading a manifest from the DHT. */
  manifestDeadlineMs: 5_000,

  /** Milliseconds that a holder has to take in what the owner of a key tells it. */
  noticeDeadlineMs: 5_000,
  /** Milliseconds between looks at which holders are still to be told something. */
  noticeLookMs: 1_000,
  /** First wait before a holder is told again, in milliseconds; it doubles up to the second while it refuses. */
  noticeWaitMsMin: 2_000,
  noticeWaitMsMax: 3_600_000,
  /** How often a neighbour may pass on a revocation: each costs up to 16 signatures to verify. */
  revocationsPerSource: { burst: 50, everyMs: 500 },
  /** Absent nodes, and lost shares, that are remembered over restarts, 300 to 100,000: some hundred bytes each. */
  healthEntriesMax: 10_000,
  /** Least milliseconds between looks at which keys are to be healed: each look decodes every owned key's manifest. */
  healLookMsMin: 1_000,
  /** Keys healed at once, 1 to 20. */
  healsAtOnce: 4,
  /** First wait in milliseconds after a remedy that failed; it doubles up to a quarter of the grace. */
  healWaitMsMin: 5_000,
  /** Milliseconds that a repair by command waits until a share is there, and between its looks. */
  repairWaitMs: 20_000,
  repairLookMs: 250,
  /** Keys that may be out of date here and wait to be looked up, 100 to 100,000. */
  outdatedKeysMax: 10_000,
  /** Milliseconds for which former holders of a key are told what became of it: as long as a share of a later epoch waits. */
  formerHoldersToldMs: 30 * 86_400_000,
  /** Nodes asked in turn whether they take a point, 1 to 100. */
  nomineesMax: 8,
  /** Milliseconds that an open takes before it is looked whether the key has gone on since its manifest was read. */
  lookAgainMs: 1_000,
  /** Milliseconds between looks at shares that are to be made again here, or to be let go. */
  successionLookMs: 1_000,
  /** Of those, so many at a look and so many at once, 1 to 1,000 and 1 to 20: each is a round. */
  successionsPerLook: 64,
  successionsAtOnce: 4,
  /** First wait before such a share is tried again, in milliseconds; it doubles up to the second. */
  successionWaitMsMin: 2_000,
  successionWaitMsMax: 600_000,
  /** Milliseconds after which a node that was away looks what became of a key before it answers for it. */
  behindAfterMs: 600_000,
  /** Co-holders asked what they know of a key beside the DHT, 1 to 20, and milliseconds for that. */
  holdersAskedMax: 3,
  holderRecordDeadlineMs: 3_000,
  /** Lapsed deposits looked up in the DHT between two looks, 1 to 1,000: a crashed dealer's activation may be there. */
  lookupsPerLook: 64,

  /** Bytes of a key file, 1,024 to 65,536: an armored age file of a key takes 450. */
  keyFileBytesMax: 4_096,
  /**
   * Scrypt work that guessing one passphrase costs, as log2 of N, 14 to 20: age's own 18 takes 256 MiB and about a
   * second for each of the two key files.
   */
  scryptWorkFactor: 18,
  /** Most work that a key file may ask for, 18 to 22: 20 takes 1 GiB and some seconds, and each more doubles both. */
  scryptWorkFactorMax: 20,

  /** Milliseconds that requests being answered, and then manifests being published, have to finish at a stop. */
  drainMs: 2_000,
  /** Milliseconds for a clean stop of the host, after which it is left to the process to end. */
  stopMs: 5_000,
} as const;

/** Version that directory entries show. */
export const softwareVersion = '0.1.0';

/**
 * How much of each libp2p service one peer may use; over it, its stream is aborted and counts as a misbehaviour. An
 * honest peer opens a stream for each DHT message: a put costs each of the nearest two or three, so that a hundred
 * records a second can be published by one node; a lookup costs this node 7 ms at worst. Identify runs once a
 * connection and once a change of addresses, ping every `pingIntervalMs` and when the DHT checks a peer.
 */
export const rates = {
  dht: { burst: 2_000, everyMs: 5, per: 'message' },
  gossip: { burst: 8_192, everyMs: 4, per: { bytes: 1_024 } },
  identify: { burst: 60, everyMs: 1_000, per: 'stream' },
  ping: { burst: 200, everyMs: 100, per: { bytes: 32 } },
} as const;

/** What differs between peers that share one machine or rack and peers across the internet. */
export const scales = {
  loopback: {
    /** Connections, both directions. */
    connectionsMax: 1_000,
    /** Inbound connections a second from one IP address: everybody has the same one. */
    inboundPerSecondMax: 1_000,
    /** Inbound connections in their handshake at once. */
    inboundPendingMax: 500,
    /** Milliseconds for a dial, with all addresses. */
    dialMs: 5_000,
    /** Milliseconds for one address of a dial. */
    addressDialMs: 3_000,
    /** Least and most milliseconds that the DHT waits for one node's answer; between them it adapts. */
    dhtAnswerMsMin: 1_000,
    dhtAnswerMsMax: 3_000,
    /** Longest wait in milliseconds between two dials of a peer that does not answer. */
    dialBackoffMsMax: 4_000,
  },
  internet: {
    connectionsMax: 300,
    inboundPerSecondMax: 20,
    inboundPendingMax: 50,
    dialMs: 10_000,
    addressDialMs: 6_000,
    dhtAnswerMsMin: 2_000,
    dhtAnswerMsMax: 5_000,
    dialBackoffMsMax: 60_000,
  },
} as const;

/** One of `scales`. */
export type Scale = keyof typeof scales;
