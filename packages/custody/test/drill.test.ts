import { at } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { startRound } from '@skerry/custody';
import { beforeAll, describe, expect, it } from 'vitest';
import { drillSetsMax, openDeadlineMs } from '../parameters.ts';
import { type Conduct, createDesk, type Desk, honest, lie, where } from './desk.ts';
import { subsets } from './rounds.ts';
import { holdersOf, hopMs, type RoundOutcome } from './world.ts';

const counts = { t: 3, n: 5, k: 6 };
let desk: Desk;
beforeAll(async () => {
  desk = await createDesk(counts);
});

function pointOf(number: number): number {
  return at(desk.manifest.core.holders, number).x;
}

type Drilled = Extract<RoundOutcome['end'], { type: 'drilled' }>;
function drilledIn({ end }: RoundOutcome): Drilled {
  if (end.type !== 'drilled') throw new Error(`no drill ended: ${JSON.stringify(end)}`);
  return end;
}

describe('a drill', () => {
  it('takes one set and one round trip where all is well, and asks the others', async () => {
    for (const driller of [0, 3, 5]) {
      const outcome = await desk.drill(driller, honest);
      const { right, wrong } = drilledIn(outcome);
      expect(outcome).toMatchObject({ asks: counts.t, tookMs: 2 * hopMs });
      expect(right).toHaveLength(counts.t);
      expect(right).not.toContain(pointOf(driller));
      expect(wrong).toEqual([]);
      expect(outcome.requests).toMatchObject([{ op: 'drill', x: pointOf(driller), set: right }]);
      expect(outcome.requests[0]?.grant).toHaveLength(0);
    }
  });

  it('hands the share to nobody: nothing of its end is one', async () => {
    const { end } = await desk.drill(0, honest);
    expect(Object.keys(end).sort()).toEqual(['observations', 'right', 'type', 'wrong']);
  });

  it('tells the sets that were wrong, and the one that was right', async () => {
    for (const liars of subsets([1, 2, 3, 4, 5], 1)) {
      const { right, wrong } = drilledIn(await desk.drill(0, where(liars, lie)));
      const points = liars.map(pointOf);
      expect(right?.some(x => points.includes(x))).toBe(false);
      for (const set of wrong) expect(set.some(x => points.includes(x))).toBe(true);
    }
  });

  it('says that no set was right where too many lie, after so many sets and not more', async () => {
    const outcome = await desk.drill(0, where([1, 2, 3], lie));
    const { right, wrong } = drilledIn(outcome);
    expect(right).toBeNull();
    expect(wrong).toHaveLength(10); // all 3 of 5
    const many = await createDesk({ t: 4, n: 9, k: 10 });
    const all = await many.drill(0, lie);
    expect(drilledIn(all).wrong).toHaveLength(drillSetsMax);
    expect(all.asks).toBe(4 * drillSetsMax);
  });

  it('gets past holders that are away, and fails with its reason where too few are there', async () => {
    const gone: Conduct = () => ({ answer: 'PEER_UNREACHABLE' });
    const { right } = drilledIn(await desk.drill(0, where([1, 2], gone)));
    expect(right).toEqual([3, 4, 5].map(pointOf).sort((a, b) => a - b));
    const { end } = await desk.drill(0, where([1, 2, 3], gone));
    expect(end).toMatchObject({ type: 'fail', error: { code: 'KEY_UNAVAILABLE' } });
    const silent = await desk.drill(
      0,
      where([1, 2, 3], () => undefined),
    );
    expect(silent.end).toMatchObject({ type: 'fail', error: { code: 'KEY_UNAVAILABLE' } });
    expect(silent.tookMs).toBeLessThanOrEqual(openDeadlineMs);
  });

  it('fails as refused where those asked refuse, so many that t are not left', async () => {
    const destroyed: Conduct = () => ({ answer: 'KEY_DESTROYED' });
    const { end } = await desk.drill(0, where([1, 2, 3], destroyed));
    expect(end).toMatchObject({ type: 'fail', error: { code: 'KEY_DESTROYED' } });
  });

  it('is of an own point alone, and does not ask its own holder', () => {
    const { manifest, by } = desk;
    const env = { crypto: nodeCrypto, random: nodeRandom, nowMs: 1_790_000_000_000 };
    const [mine, ...others] = holdersOf(manifest);
    const order = {
      manifest,
      holders: others,
      aim: { op: 'drill', x: mine!.x, shareSeed: nodeRandom.bytes(32) } as const,
      recipientKey: nodeRandom.bytes(32),
      nodeKey: at(manifest.core.holders, 0).nodeKey,
    };
    expect(startRound(env, order).state.ended).toBe(false);
    expect(() => startRound(env, { ...order, nodeKey: by.nodeKey })).toThrow(
      'a drill or repair is of an own point',
    );
    expect(() => startRound(env, { ...order, holders: [mine!, ...others] })).toThrow(
      'a drill or repair is of an own point',
    );
  });
});
