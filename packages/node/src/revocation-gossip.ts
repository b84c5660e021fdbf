import type { Clock, Log } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { grantLifeMaxMs } from '@skerry/custody';
import {
  decodeRevocation,
  delayMsMax,
  encodeRevocation,
  type Revocation,
  revocationTopic,
} from '@skerry/wire';
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
  readonly host: Pick<Host, 'libp2p' | 'onMisbehaviour'>;
  /** Called with each that proves itself. */
  readonly onRevocation: (revocation: Revocation) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** Whether every grant that a revocation ends has expired by itself: then it is nobody's business to pass it on. */
function hasExpired({ grant, issuedBefore }: Revocation, nowMs: number): boolean {
  const lastMs = grant ? grant.exp * 1000 : (issuedBefore ?? 0) * 1000 + grantLifeMaxMs + delayMsMax;
  return lastMs + parameters.clockSkewMs < nowMs;
}

/** Joins the topic of revocations. */
export function joinRevocations({ host, onRevocation, clock, log }: GossipOptions): RevocationGossip {
  const { gossip } = host.libp2p.services;
  const judge = createJudge({
    decode: bytes => decodeRevocation(nodeCrypto, bytes),
    take: revocation => {
      if (hasExpired(revocation, clock.nowMs())) return false;
      onRevocation(revocation);
      return true;
    },
    perSource: parameters.revocationsPerSource,
    onMisbehaviour: host.onMisbehaviour,
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
