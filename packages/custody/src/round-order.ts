import { assert, type Crypto, equalBytes, type Random } from '@skerry/base';
import { challengeOf } from '@skerry/sharing';
import { type Manifest, nodeIdOf, type RoundRequest, requestPreimage } from '@skerry/wire';
import { holderAt } from './holder-reply.ts';
import { roundContextOf } from './holder-round.ts';

/** A holder as the requester sees it. */
export type AskedHolder = {
  readonly x: number;
  readonly nodeId: string;
  /** How the holder is called in messages: its place and operator, say. */
  readonly label: string;
  /** The usual round trip to it, ms; undefined where none was measured. */
  readonly roundTripMs: number | undefined;
};

/** What a round is for, by what right, and the seed of the key that signs its requests, which stays the caller's. */
type RoundAim =
  /** To open the key by a grant, as it is presented; the grant's confirmation key signs. */
  | { readonly op: 'open'; readonly grant: Uint8Array; readonly confirmationSeed: Uint8Array }
  /** To have the share of any point made, by an owner's grant to inspect; the grant's confirmation key signs. */
  | {
      readonly op: 'inspect';
      readonly x: number;
      readonly grant: Uint8Array;
      readonly confirmationSeed: Uint8Array;
    }
  /** To have the share of an own point made again, which shows that the others have theirs; that share's key signs. */
  | { readonly op: 'drill'; readonly x: number; readonly shareSeed: Uint8Array }
  /** To have the share made that this node is to hold, by the last amendment of its point; the node's key signs. */
  | {
      readonly op: 'repair';
      readonly x: number;
      readonly proposalHash: Uint8Array;
      readonly nodeSeed: Uint8Array;
    };

/** What is to be opened, inspected, drilled or repaired, and by what right. */
export type RoundOrder = {
  readonly manifest: Manifest;
  /** Those to ask first come first. */
  readonly holders: readonly AskedHolder[];
  readonly aim: RoundAim;
  /** A fresh HPKE public key, 32 bytes, whose private half the caller keeps. */
  readonly recipientKey: Uint8Array;
  /** The requester's node key. */
  readonly nodeKey: Uint8Array;
};

/** What a requester's step may use of the world outside its state. */
export type RequesterEnv = { readonly crypto: Crypto; readonly random: Random; readonly nowMs: number };

/**
 * The points of those that an order asks. Others than the manifest's holders, twice the same, or the drilled point
 * among them, are bugs.
 */
export function checkOrder({ manifest, holders, aim, nodeKey }: RoundOrder): void {
  const points = new Set(holders.map(({ x }) => x));
  const known = holders.every(({ x, nodeId }) => nodeIdOf(holderAt(manifest, x).nodeKey) === nodeId);
  assert(known && points.size === holders.length, 'the holders asked are those of the manifest');
  if (aim.op === 'open') return;
  const isItsOwn = aim.op === 'inspect' || equalBytes(holderAt(manifest, aim.x).nodeKey, nodeKey);
  assert(isItsOwn && !points.has(aim.x), 'a drill or repair is of an own point, and none asks who holds it');
}

/** What a request shows of its right. */
function rightOf(aim: RoundAim): Uint8Array {
  if (aim.op === 'open' || aim.op === 'inspect') return aim.grant;
  return aim.op === 'repair' ? aim.proposalHash : new Uint8Array(0);
}

function seedOf(aim: RoundAim): Uint8Array {
  if (aim.op === 'open' || aim.op === 'inspect') return aim.confirmationSeed;
  return aim.op === 'repair' ? aim.nodeSeed : aim.shareSeed;
}

/**
 * A signed request for the contributions of one set.
 *
 * @param env crypto, and the time that the request says
 * @param order that it is for
 * @param coreHash of its core, 32 bytes
 * @param roundId 16 bytes, the same for all sets of a round
 * @param set t points, ascending
 */
export function requestFor(
  { crypto, nowMs }: RequesterEnv,
  { manifest: { core }, aim, nodeKey, recipientKey }: RoundOrder,
  { coreHash, roundId }: { readonly coreHash: Uint8Array; readonly roundId: Uint8Array },
  set: number[],
): RoundRequest {
  const unsigned: RoundRequest = {
    op: aim.op,
    keyId: core.keyId,
    epoch: core.epoch,
    coreHash,
    t: core.t,
    length: core.length,
    set,
    x: aim.op === 'open' ? 0 : aim.x,
    recipientId: nodeKey,
    recipientKey,
    grant: rightOf(aim),
    roundId,
    issuedAtMs: nowMs,
    signature: new Uint8Array(64),
  };
  const challenge = challengeOf(crypto, roundContextOf(crypto, unsigned, core.scheme));
  return { ...unsigned, signature: crypto.ed25519Sign(seedOf(aim), requestPreimage(challenge, nowMs)) };
}
