import { at, SkerryError } from '@skerry/base';
import { hpkeRecipient, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, type HeldKey, type HolderEnv, type HolderStep, stepHolder } from '@skerry/custody';
import type { Counts } from '@skerry/placement';
import { type Manifest, nodeIdOf, type RequestBody, type RequestName } from '@skerry/wire';
import type { HolderNode } from './holder-node.ts';
import { createWorld, dealWell, nodeOf, orderDeal, type World } from './world.ts';

/** A dealt key, and one of its holders as it was at each stage of the deal. */
export type Scene = {
  readonly world: World;
  readonly manifest: Manifest;
  readonly node: HolderNode;
  /** The holder's point. */
  readonly x: number;
  /** The holder's state after its offer, its deposit and its activation; each call makes a fresh copy. */
  readonly state: (stage: 'offered' | 'pending' | 'active') => HeldKey;
  /** The request of that name that the holder got. */
  readonly request: <N extends RequestName>(name: N) => RequestBody<N>;
  /** What a step of this holder may use. */
  readonly env: () => HolderEnv;
  /** The DEK in the deposit that the holder got. */
  readonly dek: () => Promise<Uint8Array>;
};

/** Deals a key in a world of two more nodes than it needs. */
export async function makeScene(
  counts: Counts = { t: 2, n: 3, k: 4 },
  options: { readonly delayMs?: number } = {},
): Promise<Scene> {
  const world = createWorld(counts.k + 2);
  const manifest = await dealWell(world, orderDeal(world, counts, options));
  const { x, nodeKey } = at(manifest.core.holders, 0);
  const node = nodeOf(world, nodeIdOf(nodeKey));
  const stages = ['offered', 'pending', 'active'] as const;
  const state: Scene['state'] = stage => decodeHeldKey(at(node.history, stages.indexOf(stage))!);
  const request = <N extends RequestName>(name: N): RequestBody<N> => {
    const found = world.received.find(
      ({ holder, request }) => holder === node.nodeId && request.name === name,
    );
    return structuredClone(found?.request.body as RequestBody<N>);
  };
  return {
    world,
    manifest,
    node,
    x,
    state,
    request,
    env: () => ({
      crypto: nodeCrypto,
      random: nodeRandom,
      nowMs: world.timeline.nowMs(),
      nodeKey: node.nodeKey,
      nodeSeed: node.nodeSeed,
      load: { shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 },
      capacity: 10,
    }),
    dek: async () => {
      const [{ ekSeed }] = state('offered').offers as [HeldKey['offers'][number]];
      const step = stepHolder(
        state('offered'),
        { ...depositEnv() },
        { type: 'deposit', from: world.dealer.nodeKey, deposit: request('deposit') },
      );
      const [effect] = step.effects;
      if (effect?.type !== 'open-dek') throw new SkerryError('SHARE_MISMATCH');
      const dek = await hpkeRecipient(ekSeed).open(effect.info, effect.deposit.sealedDek);
      if (!dek) throw new SkerryError('SHARE_MISMATCH');
      return dek;
    },
  };

  function depositEnv(): HolderEnv {
    const [{ offer }] = state('offered').offers as [HeldKey['offers'][number]];
    return {
      crypto: nodeCrypto,
      random: nodeRandom,
      nowMs: offer.issuedAtMs,
      nodeKey: node.nodeKey,
      nodeSeed: node.nodeSeed,
      load: { shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 },
      capacity: 10,
    };
  }
}

/** The code that a step refused with, where it did nothing else: it kept the very state and stored nothing. */
export function refusalOf({ held, effects }: HolderStep, before: HeldKey | null): string {
  const [effect, ...others] = effects.filter(({ type }) => type !== 'audit');
  if (effect?.type !== 'refuse') return `no refusal: ${effects.map(({ type }) => type).join()}`;
  if (others.length > 0) return 'a refusal and more';
  return held === before ? effect.code : 'another state';
}
