import { at, type ErrorCode } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import {
  type InspectionEffect,
  openHeldShare,
  type RoundOrder,
  roundContextOf,
  startInspection,
  startJudgement,
  stepInspection,
  type WrongSet,
} from '@skerry/custody';
import type { Counts } from '@skerry/placement';
import { challengeOf, contribute } from '@skerry/sharing';
import {
  contributionPreimage,
  contributionShape,
  encode,
  type Manifest,
  nodeIdOf,
  type RoundRequest,
} from '@skerry/wire';
import { type Identity, makeIdentity } from './identities.ts';
import { createTimeline } from './timeline.ts';
import {
  asOpen,
  carryRound,
  createWorld,
  dealWell,
  holdersOf,
  hopMs,
  nodeOf,
  type OpenOutcome,
  orderDeal,
  type RoundOutcome,
} from './world.ts';

/** What a holder does when it is asked, by its number in the manifest; undefined is silence. */
export type Conduct = (asked: {
  readonly holder: number;
  readonly x: number;
  readonly request: RoundRequest;
  /** How many answers this holder was asked for before. */
  readonly before: number;
  /** Sealed answers are left out of these opens: this is what the requester would find in one. */
  readonly honest: () => Uint8Array;
  /** An answer with another contribution, duly signed. */
  readonly signed: (contribution: Uint8Array) => Uint8Array;
  /** The honest contribution. */
  readonly contribution: () => Uint8Array;
}) =>
  | { readonly answer: Uint8Array | ErrorCode; readonly afterMs?: number; readonly copies?: number }
  | undefined;

/** Answers as it should. */
export const honest: Conduct = asked => ({ answer: asked.honest() });

/** Signs a part that is none of its share. */
export const lie: Conduct = ({ request, signed }) => ({ answer: signed(nodeRandom.bytes(request.length)) });

/** Some holders behave in one way, and the others well. */
export function where(bad: readonly number[], conduct: Conduct): Conduct {
  return asked => (bad.includes(asked.holder) ? conduct(asked) : honest(asked));
}

/** What an inspection found, by numbers in the manifest, and the rounds that it took. */
type Inspected = Pick<Extract<InspectionEffect, { type: 'end' }>, 'observations'> & {
  readonly liars: readonly number[];
  readonly rounds: readonly RoundOutcome[];
};

/** A dealt key and a requester, with holders that answer at once and as a test has it, without network or HPKE. */
export type Desk = {
  readonly manifest: Manifest;
  readonly key: Uint8Array;
  readonly by: Identity;
  readonly open: (conduct: Conduct, changes?: Partial<RoundOrder>) => Promise<OpenOutcome>;
  /** An inspection, the holder of that number first; `unfit` are numbers as well. */
  readonly inspect: (subject: number, conduct: Conduct, unfit?: readonly number[]) => Promise<Inspected>;
  /** An inspection of a set that was wrong in an open. */
  readonly judge: (wrong: WrongSet, conduct: Conduct) => Promise<Inspected>;
  /** A drill of the holder of that number in the manifest. */
  readonly drill: (driller: number, conduct: Conduct) => Promise<RoundOutcome>;
};

/** Deals a key and takes its shares out of its holders. */
export async function createDesk(counts: Counts): Promise<Desk> {
  const world = createWorld(counts.k);
  const deal = orderDeal(world, counts);
  const manifest = await dealWell(world, deal);
  const by = makeIdentity();
  const holders = manifest.core.holders.map(({ x, nodeKey }) => {
    const node = nodeOf(world, nodeIdOf(nodeKey));
    const { active } = node.held(manifest.core.keyId)!;
    const { share, keys } = openHeldShare(nodeCrypto, active!, 'SHARE_CORRUPT');
    return { x, node, share, keys };
  });

  async function drill(driller: number, conduct: Conduct): Promise<RoundOutcome> {
    const { x, node, keys } = at(holders, driller);
    const others = holdersOf(manifest).filter(holder => holder.x !== x);
    const aim = { op: 'drill', x, shareSeed: keys.signSeed } as const;
    return carry(conduct, { holders: others, aim, nodeKey: node.nodeKey });
  }

  async function carry(conduct: Conduct, changes: Partial<RoundOrder>): Promise<RoundOutcome> {
    const timeline = createTimeline();
    const asks = holders.map(() => 0);
    const order: RoundOrder = {
      manifest,
      holders: holdersOf(manifest),
      aim: { op: 'open', grant: nodeRandom.bytes(100), confirmationSeed: by.nodeSeed },
      recipientKey: nodeRandom.bytes(32),
      nodeKey: by.nodeKey,
      ...changes,
    };
    return carryRound(timeline, order, ({ holder: { x }, request }, deliver) => {
      const number = holders.findIndex(holder => holder.x === x);
      const { share, keys, node } = at(holders, number);
      const context = roundContextOf(nodeCrypto, request, 'gf256');
      const challenge = challengeOf(nodeCrypto, context);
      const contribution = (): Uint8Array =>
        contribute(nodeCrypto, { ctx: context, points: manifest.core.points, share, keys });
      const signed = (given: Uint8Array): Uint8Array => {
        const preimage = contributionPreimage(challenge, x, given);
        const signature = nodeCrypto.ed25519Sign(node.nodeSeed, preimage);
        return encode(contributionShape, { contribution: given, signature });
      };
      const honest = (): Uint8Array => signed(contribution());
      const before = asks[number]!++;
      const reply = conduct({ holder: number, x, request, before, honest, signed, contribution });
      if (!reply) return;
      const { answer, afterMs = 2 * hopMs, copies = 1 } = reply;
      for (let copy = 0; copy < copies; copy++) {
        timeline.after(afterMs + copy, () => deliver(typeof answer === 'string' ? answer : answer.slice()));
      }
    });
  }
  const known = new Map(holdersOf(manifest).map(holder => [holder.x, holder]));
  const carryWith =
    (conduct: Conduct) =>
    async ({ x, asked }: Extract<InspectionEffect, { type: 'inspect' }>): Promise<RoundOutcome> => {
      const aim = { op: 'inspect', x, grant: nodeRandom.bytes(100), confirmationSeed: by.nodeSeed } as const;
      return carry(conduct, { holders: asked.map(point => known.get(point)!), aim });
    };
  const pointAt = (number: number): number => at(holders, number).x;
  const inspect: Desk['inspect'] = async (subject, conduct, unfit = []) => {
    const begun = startInspection(nodeRandom, manifest, pointAt(subject), new Set(unfit.map(pointAt)));
    return inspectWith(manifest, begun, carryWith(conduct));
  };
  const judging = (wrong: WrongSet) => startJudgement(manifest, wrong, new Set());
  const judge: Desk['judge'] = async (wrong, conduct) =>
    inspectWith(manifest, judging(wrong), carryWith(conduct));
  const open: Desk['open'] = async (conduct, changes = {}) => asOpen(await carry(conduct, changes));
  return { manifest, key: deal.key, by, open, inspect, judge, drill };
}

/** Carries an inspection; who lied goes by numbers in the manifest. */
async function inspectWith(
  manifest: Manifest,
  { state, effect }: ReturnType<typeof startInspection>,
  carry: (effect: Extract<InspectionEffect, { type: 'inspect' }>) => Promise<RoundOutcome>,
): Promise<Inspected> {
  const points = manifest.core.holders.map(({ x }) => x);
  const rounds: RoundOutcome[] = [];
  while (effect.type === 'inspect') {
    const round = await carry(effect);
    rounds.push(round);
    const { end } = round;
    if (end.type !== 'inspected' && end.type !== 'fail') throw new Error('an inspection gives a share');
    const event = end.type === 'fail' ? { type: 'failed' as const, observations: end.observations } : end;
    ({ state, effect } = stepInspection(nodeCrypto, state, event));
  }
  const liars = [...effect.liars].map(x => points.indexOf(x)).sort((a, b) => a - b);
  return { liars, observations: effect.observations, rounds };
}
