import type { Clock, Log } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { decodeRevocation, encodeRevocation, type Revocation, revocationTopic } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { createJudge } from './gossip-judge.ts';
import type { Host } from './host.ts';

/** Revocations by gossip: they reach holders to which their owner has no way. */
export type RevocationGossip = {
  /** Says one to everybody. */
  readonly publish: (revocation: Revocation) => Promise<void>;
  /** Leaves the topic. */
  readonly close: () => Promise<void>;
};

type GossipOptions = {
  readonly host: Pick<Host, 'libp2p'>;
  /** Called with each that proves itself. */
  readonly onRevocation: (revocation: Revocation) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** Joins the topic of revocations. */
export function joinRevocations({ host, onRevocation, clock, log }: GossipOptions): RevocationGossip {
  const { gossip } = host.libp2p.services;
  const judge = createJudge({
    decode: bytes => decodeRevocation(nodeCrypto, bytes),
    take: revocation => {
      onRevocation(revocation);
      return true;
    },
    perSource: parameters.revocationsPerSource,
    clock,
    log,
  });
  gossip.topicValidators.set(revocationTopic, (peer, { data }) => judge(peer.toString(), data));
  gossip.subscribe(revocationTopic);
  return {
    publish: async revocation => {
      await gossip.publish(revocationTopic, encodeRevocation(revocation));
    },
    close: async () => {
      gossip.unsubscribe(revocationTopic);
      gossip.topicValidators.delete(revocationTopic);
    },
  };
}
