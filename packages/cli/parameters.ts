/** Milliseconds before a progress line appears: what takes less needs none. */
export const progressDelayMs = 1000;

/** Milliseconds between redraws of a progress line, at least: ten a second read as smooth. */
export const progressIntervalMs = 100;

/** Columns of a terminal that does not say how many it has. */
export const terminalColumnsDefault = 80;

/** Columns of a map or plot, at most: wider shows nothing more of coastlines kept at 1:110 million. */
export const figureColumnsMax = 100;

/** Columns of a map or plot, at least: on a narrower terminal lines wrap rather than the figure lose its shape. */
export const figureColumnsMin = 40;

/** Rows of the entropy plot in a terminal, four dots each: 32 dots tell 0.25 bits apart. */
export const plotRows = 8;

/** Degrees of latitude that the map shows: all inhabited land; farther south only where a mark is there. */
export const mapLatitudes = { north: 84, south: -58, pole: -90 } as const;

/** Degrees of longitude in the middle of the map: the cut then runs through the Bering Strait, through no land. */
export const mapCentreLongitude = 11;

/** Bytes of a configuration file, at most: thousands of trust statements. */
export const configurationBytesMax = 1_048_576;

/** Bytes of a passphrase, at most: more than anyone types, and than a random one in a file has. */
export const passphraseBytesMax = 1024;

/** Bytes of a file with a short secret, at most: a passphrase, or a swarm key of 96. */
export const secretFileBytesMax = 4096;

/** Characters (UTF-16 units) of a path in the configuration, at most: what Linux takes. */
export const pathLengthMax = 4096;

/** Bytes of a grant, at most: what the daemon's socket takes as a secret. */
export const grantBytesMax = 65_536;

/** Bytes of a peers file, at most: `peersMax` entries as `peers ls --json` writes them. */
export const peersFileBytesMax = 16_777_216;

/** Peers of a peers file, at most: what a plan takes seconds for. */
export const peersMax = 10_000;

/** Different places given by name or coordinates in a peers file, at most: each costs milliseconds to look up. */
export const namedPlacesMax = 500;

/** Characters (UTF-16 units) of a node id, at most; libp2p's have 46 to 62. */
export const nodeIdLengthMax = 128;

/** Characters (UTF-16 units) of an operator's name, at most: what a node record takes. */
export const operatorLengthMax = 64;

/** Characters (UTF-16 units) of a key's alias, at most: what fits a line beside its id. */
export const aliasLengthMax = 64;

/** Hexadecimal digits of a key id that may stand for all 64, at least, where only one key begins so. */
export const keyIdPrefixMin = 8;

/** Addresses to listen on or to start from, at most. */
export const addressesMax = 64;

/** Characters of one multiaddr, at most: what a node record takes. */
export const addressLengthMax = 256;

/** Where a node listens when nothing is said: every interface, libp2p's customary port. */
export const listenDefault = ['/ip4/0.0.0.0/tcp/4001'] as const;

/** Shares that a node is willing to hold when nothing is said: some tens of megabytes of disk. */
export const capacityDefault = 10_000;

/** Minutes between two audits of one node when nothing is said: a quarter of a day finds a loss soon, and costs little. */
export const auditMinutesDefault = 360;

/** Days after which a key is dealt anew when nothing is said: who collects shares slowly begins again each quarter. */
export const refreshDaysDefault = 90;

/** Most that `refresh-days` may say: ten years. */
export const refreshDaysMax = 3_650;

/** Most that `audit-minutes` may say: four weeks, after which evidence is nearly half forgotten. */
export const auditMinutesMax = 40_320;

/** Most that `capacity` may say: an unsigned 32-bit count in a node record. */
export const capacityMax = 0xffff_ffff;

/** Nodes not chosen that a map still shows, at most: more would hide the coastlines and those that were. */
export const unchosenShownMax = 60;

/** Columns from which on a table of holders also has their node ids; places come first. */
export const nodeColumnFromWidth = 110;

/** Bytes free on a home's disk under which doctor warns: days of an ordinary store's growth. */
export const diskFreeBytesEnough = 1_073_741_824;

/** Bytes free under which doctor calls it bad: some times the 5 MiB without which a store writes nothing more. */
export const diskFreeBytesMin = 67_108_864;

/** Milliseconds by which a clock may be off before doctor warns: far more than one that is kept by NTP ever is. */
export const clockSkewEnoughMs = 10_000;

/** Milliseconds from which doctor calls it bad: half of what others allow before they refuse what this node signs. */
export const clockSkewMaxMs = 60_000;

/** Part of a node's capacity from which doctor warns that it fills up. */
export const capacityFullFrom = 0.9;

/** Milliseconds after a start in which nobody has to have connected to a node: others dial within minutes. */
export const inboundPatienceMs = 600_000;

/** Claims that a node's own round trips must contradict, at least, before it is the node's own place that looks wrong. */
export const contradictedClaimsMin = 2;

/** Reports that are shown on a terminal, at most; --json has all. */
export const reportsShownMax = 20;
