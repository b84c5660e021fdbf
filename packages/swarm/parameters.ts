/** Nodes of a swarm in one process, at most: beyond, connections take hundreds of megabytes. */
export const nodesMax = 200;

/** Nodes of a swarm, at least: fewer cannot hold a key of two in three away from its dealer. */
export const nodesMin = 4;

/** Nodes up to which everybody is connected to everybody. */
export const meshMax = 60;

/** How long a swarm may take until all nodes know each other, in ms for each node. */
export const readyMsPerNode = 2000;

/** Shares that a node of a swarm is willing to hold. */
export const capacity = 100_000;

/** Milliseconds between two audits of one node when nothing is said: as a daemon's, a quarter of a day. */
export const auditMsDefault = 21_600_000;
