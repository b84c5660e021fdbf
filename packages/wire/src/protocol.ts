/** Custody requests: offers, deposits, rounds, probes, and what owners have to say. */
export const custodyProtocol = '/skerry/custody/1.0.0';

/** The DHT's own protocol, apart from every other network's. */
export const dhtProtocol = '/skerry/kad/1.0.0';

/** The gossipsub topic of directory entries. */
export const directoryTopic = '/skerry/directory/1';

/** The gossipsub topic of revocations. */
export const revocationTopic = '/skerry/revocations/1';
