import { at } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Conduct, createDesk, type Desk, honest, lie, where } from './desk.ts';
import { subsets, xor } from './rounds.ts';

const counts = { t: 3, n: 5, k: 6 };
const everybody = [0, 1, 2, 3, 4, 5];
let desk: Desk;
beforeAll(async () => {
  desk = await createDesk(counts);
});

describe('an inspection', () => {
  it('takes one round with the subject in it where all is well, and blames nobody', async () => {
    for (const subject of everybody) {
      const { liars, rounds, observations } = await desk.inspect(subject, honest);
      const { x } = at(desk.manifest.core.holders, subject);
      expect(liars).toEqual([]);
      expect(rounds).toHaveLength(1);
      expect(at(rounds, 0)).toMatchObject({ asks: counts.t, end: { type: 'inspected', wrong: null } });
      expect(at(at(rounds, 0).requests, 0)).toMatchObject({ op: 'inspect' });
      expect(at(at(rounds, 0).requests, 0).set).toContain(x);
      expect(observations.map(({ kind }) => kind)).toEqual(Array(counts.t).fill('drill-right'));
    }
  });

  it('finds out who lies, whoever it is, and clears the others of its set', async () => {
    for (const liars of [...subsets(everybody, 1), ...subsets(everybody, 2)]) {
      for (const subject of liars) {
        const found = await desk.inspect(subject, where(liars, lie));
        expect(found.liars).toContain(subject);
        expect(found.liars.every(number => liars.includes(number))).toBe(true);
        const blamed = found.observations.filter(({ kind }) => kind === 'drill-wrong').map(({ x }) => x);
        const judged = at(found.rounds, 0).end;
        const members = judged.type === 'inspected' ? (judged.wrong?.request.set ?? []) : [];
        expect(blamed.filter(x => members.includes(x))).toEqual([]);
      }
    }
  });

  it('is not had by two whose errors cancel: no honest member of a set with one of them is blamed', async () => {
    const error = nodeRandom.bytes(64);
    const collude: Conduct = ({ contribution, signed }) => {
      const part = contribution();
      return { answer: signed(xor([part, error.subarray(0, part.length)])) };
    };
    let caught = 0;
    for (const subject of [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]) {
      const { liars } = await desk.inspect(subject, where([0, 1], collude));
      expect(liars.every(number => number < 2)).toBe(true);
      caught += liars.length;
    }
    expect(caught).toBeGreaterThan(0);
  });

  it('finds out by a set that was wrong in an open who lies to opens alone', async () => {
    let judged = 0;
    for (const liars of [...subsets(everybody, 1), [0, 1]]) {
      const { end } = await desk.open(where(liars, lie));
      if (end.type !== 'done') throw new Error('an open gives a payload');
      const { wrong } = end;
      if (!wrong) continue; // it was asked after others
      judged += 1;
      const members = wrong.request.set.map(x => desk.manifest.core.holders.findIndex(seat => seat.x === x));
      const found = await desk.judge(wrong, honest);
      expect(found.liars).toEqual(members.filter(number => liars.includes(number)).sort((a, b) => a - b));
      expect(found.rounds).toHaveLength(counts.t);
      for (const part of wrong.contributions.values()) expect(part.every(byte => byte === 0)).toBe(true);
    }
    expect(judged).toBeGreaterThan(counts.t);
  });

  it('takes a part that its node did not sign, or that is none, for a lie too', async () => {
    const unsigned: Conduct = ({ honest: answer }) => {
      const bytes = answer();
      bytes[bytes.length - 1]! ^= 1;
      bytes[8]! ^= 1;
      return { answer: bytes };
    };
    const noise: Conduct = () => ({ answer: nodeRandom.bytes(40) });
    for (const conduct of [unsigned, noise]) {
      expect((await desk.inspect(2, where([2], conduct))).liars).toEqual([2]);
    }
  });

  it('blames nobody for being away or refusing, and finds the liar among those that are left', async () => {
    const away: Conduct = ({ holder, ...asked }) =>
      holder === 4 ? { answer: 'PEER_UNREACHABLE' } : holder === 5 ? undefined : lie({ holder, ...asked });
    expect((await desk.inspect(1, where([1, 4], away))).liars).toEqual([1]);
    expect((await desk.inspect(5, where([4, 5], away))).liars).toEqual([]);
  });

  it('blames nobody where no set is right, so that nothing can be worked out', async () => {
    const { liars, rounds } = await desk.inspect(0, where([0, 1, 2, 3], lie));
    expect(liars).toEqual([]);
    expect(rounds).toHaveLength(1);
    expect(at(rounds, 0).end).toMatchObject({ type: 'fail', error: { code: 'KEY_CORRUPT' } });
  });

  it('asks none of those that are known to cheat, and nobody where too few are left', async () => {
    const { rounds } = await desk.inspect(0, honest, [1, 2]);
    const points = [1, 2].map(number => at(desk.manifest.core.holders, number).x);
    expect(at(at(rounds, 0).requests, 0).set.some(x => points.includes(x))).toBe(false);
    expect((await desk.inspect(0, honest, [1, 2, 3, 4])).rounds).toEqual([]);
  });

  it('leaves nothing behind of the shares that it works with', async () => {
    const { rounds } = await desk.inspect(0, where([0], lie));
    expect(rounds.length).toBeGreaterThan(1);
    for (const { end } of rounds) {
      if (end.type !== 'inspected') throw new Error('each round gives a share');
      expect(end.share.y.every(byte => byte === 0)).toBe(true);
      for (const part of end.wrong?.contributions.values() ?? []) {
        expect(part.every(byte => byte === 0)).toBe(true);
      }
    }
  });
});
