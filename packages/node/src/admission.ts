import { type Clock, SkerryError } from '@skerry/base';
import { createLimiter } from '@skerry/custody';
import { parameters } from '../parameters.ts';

/** Decides whether a peer's request is worked on. Peers pay by size, since what a request costs grows with it. */
type Admission = {
  /**
   * Charges a peer for a request, before anything of it is decoded.
   *
   * @param bytes of the request
   * @throws RATE_LIMITED
   */
  readonly request: (nodeId: string, bytes: number) => void;
  /**
   * Charges a peer for a request that has files rewritten (`Store.erase`).
   *
   * @throws RATE_LIMITED
   */
  readonly erasure: (nodeId: string) => void;
  /**
   * Charges a peer for a long answer to a short request.
   *
   * @param bytes of the answer
   * @throws RATE_LIMITED; the answer is then not sent
   */
  readonly answer: (nodeId: string, bytes: number) => void;
};

/** Everybody starts with the protocol's full burst (`requestBurst` of custody). */
export function createAdmission(clock: Clock): Admission {
  const limiter = createLimiter();
  const charge = (nodeId: string, bytes: number, bytesPerToken: number): void => {
    const nowMs = clock.nowMs();
    for (let paid = 0; paid < bytes; paid += bytesPerToken) {
      if (!limiter.admit(nodeId, nowMs)) throw new SkerryError('RATE_LIMITED');
    }
  };
  return {
    request: (nodeId, bytes) => charge(nodeId, Math.max(1, bytes), parameters.requestBytesPerToken),
    erasure: nodeId => charge(nodeId, parameters.erasureTokens, 1),
    answer: (nodeId, bytes) => charge(nodeId, bytes, parameters.answerBytesPerToken),
  };
}
