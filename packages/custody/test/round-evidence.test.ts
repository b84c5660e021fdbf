import { at, type ErrorCode } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { nodeIdOf } from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { silentMs } from '../parameters.ts';
import { type Conduct, createDesk, type Desk, honest, lie, where } from './desk.ts';
import { holdersOf, hopMs, type RoundOutcome } from './world.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await createDesk({ t: 3, n: 4, k: 5 });
});

/** What a round showed of the holder of that number in the manifest. */
function kindsOf({ end }: RoundOutcome, number: number): string[] {
  const { x } = at(desk.manifest.core.holders, number);
  return end.observations.filter(seen => seen.x === x).map(({ kind }) => kind);
}

describe('what a round shows of its holders', () => {
  it('is that those of the right set contributed, by their names and in how long, and nothing of the rest', async () => {
    const { end } = await desk.open(honest);
    const asked = desk.manifest.core.holders.slice(0, 3);
    expect(end.observations).toEqual(
      asked.map(({ x, nodeKey }) => {
        return { x, nodeId: nodeIdOf(nodeKey), kind: 'contribution', answeredInMs: 2 * hopMs };
      }),
    );
  });

  it('of a drill is that it was right', async () => {
    const { end } = await desk.drill(4, honest);
    expect(end.observations.map(({ kind }) => kind)).toEqual(['drill-right', 'drill-right', 'drill-right']);
  });

  it.each<[ErrorCode, string]>([
    ['PEER_UNREACHABLE', 'unreachable'],
    ['STORE_FAILED', 'unreachable'],
    ['KEY_UNKNOWN', 'share-lost'],
    ['KEY_NOT_ACTIVE', 'refused'],
    ['SHARE_CORRUPT', 'share-lost'],
    ['STORE_CORRUPT', 'share-lost'],
    ['SIGNATURE_INVALID', 'contribution-wrong'],
    ['GRANT_EXPIRED', 'refused'],
    ['DELAY_PENDING', 'refused'],
    ['CORE_MISMATCH', 'refused'],
    ['TOO_BUSY', 'refused'],
    ['RATE_LIMITED', 'refused'],
    ['USAGE', 'refused'],
  ])('is, where one answers %s, that it is %s, and that took no time', async (code, kind) => {
    const outcome = await desk.open(where([1], () => ({ answer: code })));
    expect(outcome.end.type).toBe('done');
    expect(kindsOf(outcome, 1)).toEqual([kind]);
    const { x } = at(desk.manifest.core.holders, 1);
    expect(outcome.end.observations.find(seen => seen.x === x)?.answeredInMs).toBeNull();
  });

  it.each<[string, Conduct]>([
    ['noise', () => ({ answer: nodeRandom.bytes(120) })],
    [
      'a contribution of another length',
      ({ request, signed }) => ({ answer: signed(nodeRandom.bytes(request.length + 1)) }),
    ],
    [
      'a wrong contribution that it did not sign',
      ({ request, signed }) => ({ answer: signed(nodeRandom.bytes(request.length)).fill(0, -64) }),
    ],
  ])('is a wrong contribution where one sends %s, and nothing against the others', async (_, conduct) => {
    const outcome = await desk.open(where([0], conduct));
    expect(outcome.end.type).toBe('done');
    expect(kindsOf(outcome, 0)).toEqual(['contribution-wrong']);
    for (const other of [1, 2, 3, 4]) expect(kindsOf(outcome, other)).not.toContain('contribution-wrong');
  });

  it('is for every member of a wrong set the same, whoever of them was in the right one too', async () => {
    for (const [aim, wrong, right] of [
      ['open', 'sum-wrong', 'contribution'],
      ['drill', 'drill-wrong', 'drill-right'],
    ] as const) {
      const conduct = where([1], lie);
      const outcome = aim === 'open' ? await desk.open(conduct) : await desk.drill(4, conduct);
      const set = outcome.requests[0]!.set;
      const members = [0, 1, 2].filter(number => set.includes(at(desk.manifest.core.holders, number).x));
      expect(members).toHaveLength(3);
      for (const member of members) expect(kindsOf(outcome, member)).toContain(wrong);
      expect(kindsOf(outcome, 1)).toEqual([wrong]);
      const cleared = outcome.end.observations.filter(({ kind }) => kind === right);
      expect(cleared).toHaveLength(3);
    }
  });

  it('never is a wrong contribution of an honest holder, whoever colludes with errors that cancel', async () => {
    const d = nodeRandom.bytes(64);
    const shifted: Conduct = ({ contribution, signed }) => {
      return { answer: signed(contribution().map((byte, i) => byte ^ d[i]!)) };
    };
    const holders = holdersOf(desk.manifest);
    const order = [0, 2, 4, 1, 3].map(number => at(holders, number));
    const outcome = await desk.open(where([0, 1], shifted), { holders: order });
    expect(outcome.end.observations.some(({ kind }) => kind === 'contribution-wrong')).toBe(false);
    const against = outcome.end.observations.filter(({ kind }) => kind === 'sum-wrong').map(({ x }) => x);
    expect(against).toContain(at(holders, 0).x); // with those that were in its set
    expect(against.length).toBeGreaterThanOrEqual(3);
  });

  it('is silence only where nothing ever came, for as long as a set may take', async () => {
    const quick = await desk.open(where([1], () => undefined));
    expect(kindsOf(quick, 1)).toEqual([]); // the key was there before that time was over
    const failed = await desk.open(where([1, 3, 4], () => undefined));
    expect(failed.end.type).toBe('fail');
    expect(failed.tookMs).toBeGreaterThan(silentMs);
    expect([1, 3, 4].map(number => kindsOf(failed, number))).toEqual([['silent'], ['silent'], ['silent']]);
    for (const number of [0, 2]) expect(kindsOf(failed, number)).toEqual(['answered']);
  });

  it('is no silence where an answer came late, or once and then no more', async () => {
    const late: Conduct = asked => {
      if (asked.holder === 3 || asked.holder === 4) return { answer: 'PEER_UNREACHABLE' };
      return { ...honest(asked)!, afterMs: asked.holder === 1 ? 2 * silentMs : 2 * hopMs };
    };
    const outcome = await desk.open(late);
    expect(kindsOf(outcome, 1)).toEqual(['contribution']);
    expect(outcome.end.observations.find(({ kind }) => kind === 'contribution')?.answeredInMs).toBe(
      2 * hopMs,
    );
    const once = await desk.open(asked => {
      if (asked.holder === 1) return asked.before === 0 ? lie(asked) : undefined;
      return asked.holder > 2 ? undefined : honest(asked);
    });
    expect(kindsOf(once, 1)).not.toContain('silent');
  });

  it('names the quickest of several answers', async () => {
    const outcome = await desk.open(asked => {
      if (asked.holder === 3) return { answer: 'PEER_UNREACHABLE' };
      if (asked.holder === 1) return lie(asked);
      const [first, later] = asked.holder === 0 ? [100, 2 * hopMs] : [2 * hopMs, 60];
      return { ...honest(asked)!, afterMs: asked.before === 0 && asked.holder !== 4 ? first : later };
    });
    for (const number of [0, 2]) {
      const { x } = at(desk.manifest.core.holders, number);
      const seen = outcome.end.observations.filter(entry => entry.x === x);
      expect(new Set(seen.map(({ answeredInMs }) => answeredInMs))).toEqual(new Set([2 * hopMs]));
    }
  });
});
