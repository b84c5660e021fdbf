import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import {
  type Answer,
  commitPayload,
  contribute,
  deriveShareKeys,
  type Operation,
  packKey,
  type RoundContext,
  splitPayload,
} from '@skerry/sharing';

/** A dealt key in one hand, for tests: what holders have and what the public sees. */
export async function dealKey({ t, k, keyBytes = 32, epoch = 1 }: DealInputs) {
  const keyId = nodeRandom.bytes(32);
  const key = nodeRandom.bytes(keyBytes);
  const { payload, box } = packKey({ crypto: nodeCrypto, random: nodeRandom, key, keyId });
  const length = payload.length;
  const shares = (await splitPayload(payload, k, t)).sort((a, b) => a.x - b.x);
  const holders = shares.map(share => ({
    x: share.x,
    share,
    ...deriveShareKeys(nodeCrypto, { share, keyId, epoch, length }),
  }));
  const commitment = commitPayload(nodeCrypto, { keyId, originEpoch: epoch, payload });
  return { keyId, key, payload, box, length, t, epoch, holders, commitment };
}

type DealInputs = {
  readonly t: number;
  readonly k: number;
  readonly keyBytes?: number;
  readonly epoch?: number;
};

/** What `dealKey` makes. */
export type DealtKey = Awaited<ReturnType<typeof dealKey>>;

/** One holder of a dealt key. */
type Holder = DealtKey['holders'][number];

/** The context of a fresh round of a dealt key. */
export function makeContext(dealt: DealtKey, op: Operation, x: number, set: readonly number[]): RoundContext {
  return {
    scheme: 'gf256',
    op,
    keyId: dealt.keyId,
    epoch: dealt.epoch,
    coreHash: nodeRandom.bytes(32),
    t: dealt.t,
    length: dealt.length,
    set,
    x,
    recipientId: nodeRandom.bytes(32),
    recipientKey: nodeRandom.bytes(32),
    authHash: nodeRandom.bytes(32),
    roundId: nodeRandom.bytes(16),
  };
}

/** The answer that an honest holder gives. */
export function answerOf(dealt: DealtKey, ctx: RoundContext, { x, share, ...keys }: Holder): Answer {
  return { x, contribution: contribute(nodeCrypto, { ctx, points: dealt.holders, share, keys }) };
}

/** The holders of some points, in their order. */
export function holdersAt(dealt: DealtKey, points: readonly number[]): Holder[] {
  return points.map(x => dealt.holders.find(holder => holder.x === x)!);
}

/** The answers of all of S, all honest. */
export function answersOf(dealt: DealtKey, ctx: RoundContext): Answer[] {
  return holdersAt(dealt, ctx.set).map(holder => answerOf(dealt, ctx, holder));
}

/** Every subset of `size` of a list, in order. */
export function subsets<T>(list: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return list.flatMap((first, i) => subsets(list.slice(i + 1), size - 1).map(rest => [first, ...rest]));
}
