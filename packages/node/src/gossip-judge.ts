import { TopicValidatorResult } from '@libp2p/gossipsub';
import { type Clock, type Log, SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import { type Allowance, createAllowance } from './allowance.ts';
import { createRecent } from './recent.ts';
import type { Misbehaviour } from './strikes.ts';

type JudgeOptions<T> = {
  /** What a peer sent, or a SkerryError where it is malformed, wrongly signed or too large. */
  readonly decode: (bytes: Uint8Array) => T;
  /** Takes it in; false where it is old or too frequent, and not to be passed on. */
  readonly take: (value: T, source: string) => boolean;
  /** How much is looked at from one neighbour. */
  readonly perSource: { readonly burst: number; readonly everyMs: number };
  /** Told of each message that is malformed. */
  readonly onMisbehaviour: (source: string, kind: Misbehaviour) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * The verdict on a message that a peer gossips. `Reject` costs the peer its standing, so it is for what no honest
 * node forwards: messages that do not decode. What is old or too frequent is passed over.
 *
 * @param options how a topic's messages are read
 * @returns the judge, of a peer's node id and a message
 */
export function createJudge<T>(
  options: JudgeOptions<T>,
): (source: string, bytes: Uint8Array) => TopicValidatorResult {
  const { decode, take, perSource, onMisbehaviour, clock, log } = options;
  const sources = createRecent<Allowance>(parameters.gossipSourcesMax);
  return (source, bytes) => {
    const nowMs = clock.nowMs();
    const allowance = sources.get(source, () => createAllowance(perSource, nowMs));
    // No misbehaviour: who forwards what many make has more than this from an attacker of many names. What a neighbour
    // may send in bytes is metered below (`rates.gossip`).
    if (!allowance.take(nowMs)) return TopicValidatorResult.Ignore;
    try {
      return take(decode(bytes), source) ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore;
    } catch (error) {
      if (!(error instanceof SkerryError)) throw error;
      log.debug('a peer gossiped what is not valid', { source, code: error.code });
      onMisbehaviour(source, 'garbage');
      return TopicValidatorResult.Reject;
    }
  };
}
