import { at } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import {
  type Audit,
  type AuditableKey,
  type AuditPace,
  emptyAuditHistory,
  planAudits,
} from '@skerry/custody';
import { describe, expect, it } from 'vitest';
import { auditPace } from '../parameters.ts';
import { type Done, runAudits } from './audit-runs.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** A key of some nodes, which are numbers; node 0 is the one that audits. */
function keyOf(keyId: string, why: AuditableKey['why'], nodes: readonly number[], t = 3): AuditableKey {
  return { keyId, why, t, holders: nodes.map((node, i) => ({ x: i + 1, nodeId: `${node}` })) };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function timesOf(done: readonly Done[], node: number): number[] {
  return done.filter(({ nodeId }) => nodeId === `${node}`).map(({ atMs }) => atMs);
}

describe('the plan of audits', () => {
  it('has each subject once in a period where the budget allows it, and never this node', () => {
    const keys = [keyOf('a', 'owner', range(1, 7)), keyOf('b', 'holder', [0, ...range(5, 12)])];
    const done = runAudits(keys, { hours: 60 });
    expect(timesOf(done, 0)).toEqual([]);
    for (const node of range(1, 12)) {
      const times = [0, ...timesOf(done, node)];
      const gaps = times.slice(1).map((time, i) => time - at(times, i));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(auditPace.periodMs + minuteMs);
      // Never sooner than the jitter lets it, so that it costs no more than was said.
      const least = auditPace.periodMs * (1 - auditPace.jitter);
      expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(least);
    }
  });

  it('counts subjects and not keys: a thousand keys in common with a node cost as much as one', () => {
    const one = runAudits([keyOf('a', 'owner', [1, 2])], { hours: 60 });
    const many = range(0, 1000).map(i => keyOf(`${i}`.padStart(4, '0'), 'owner', [1, 2]));
    const thousand = runAudits(many, { hours: 60 });
    const most = 2 * Math.ceil(60 / (6 * (1 - auditPace.jitter)));
    expect(one.length).toBeLessThanOrEqual(most);
    expect(thousand.length).toBeLessThanOrEqual(most);
    const proofs = thousand.filter(({ nodeId, kind }) => nodeId === '1' && kind === 'proof');
    expect(new Set(proofs.map(({ keyId }) => keyId)).size).toBe(proofs.length);
  });

  it('audits those in doubt before others: who was away after half a period, who lost a share after a sixteenth', () => {
    const { periodMs, doubtedParts, budgetPerHour } = auditPace;
    const keys = [keyOf('a', 'owner', range(1, 500))];
    const doubts = new Map([
      ['7', 'absent'],
      ['8', 'lost'],
    ] as const);
    const gapsOf = (node: number, done: readonly Done[]): number[] => {
      const times = timesOf(done, node);
      return times.slice(1).map((time, i) => time - at(times, i));
    };
    const done = runAudits(keys, { hours: 48, doubts });
    for (const [node, doubt] of doubts) {
      const gaps = gapsOf(Number(node), done);
      expect(gaps.length).toBeGreaterThan(3);
      const wanted = doubtedParts[doubt] * periodMs;
      for (const gap of gaps) expect(gap).toBeLessThanOrEqual(wanted + 10 * minuteMs);
      expect(Math.max(...gaps)).toBeGreaterThanOrEqual(wanted - minuteMs);
    }
    // with five hundred subjects the budget lets the others wait longer than a period
    expect(done.length).toBeLessThanOrEqual(48 * budgetPerHour);
    expect(Math.max(...gapsOf(9, done))).toBeGreaterThan(periodMs);
  });

  it('comes to every key in time, also where keys come and go', () => {
    const keys = range(0, 9).map(i => keyOf(`k${i}`, 'owner', [1]));
    const done = runAudits(keys, { hours: 9 * 6 + 6 });
    expect(new Set(done.map(({ keyId }) => keyId))).toEqual(new Set(keys.map(({ keyId }) => keyId)));
    const changed = runAudits(keys, {
      hours: 200,
      keysAt: hour => keys.filter((_, i) => i % 3 !== hour % 3),
    });
    expect(new Set(changed.map(({ keyId }) => keyId)).size).toBe(9);
  });

  it('finds an own key among any number of manifests of strangers that name the same holder', () => {
    const strangers = range(0, 500).map(i => keyOf(`s${i}`, 'server', [1]));
    const done = runAudits([keyOf('own', 'owner', [1]), ...strangers], { hours: 6 * 40 });
    expect(done.filter(({ keyId }) => keyId === 'own').length).toBeGreaterThan(done.length / 2);
  });

  it('has a drill after so many proofs of a subject, of a key that it owns or holds', () => {
    const keys = [keyOf('a', 'owner', [1]), keyOf('b', 'holder', [0, 1, 2])];
    const done = runAudits(keys, { hours: 6 * 40 });
    const kinds = done.filter(({ nodeId }) => nodeId === '1').map(({ kind }) => kind);
    const firsts = kinds.flatMap((kind, i) => (kind === 'drill' ? [i] : []));
    expect(firsts.length).toBeGreaterThan(2);
    expect(firsts).toEqual(firsts.map((_, i) => (i + 1) * (auditPace.proofsPerDrill + 1) - 1));
    const drilled = done.filter(({ kind }) => kind === 'drill').map(({ keyId }) => keyId);
    expect(new Set(drilled)).toEqual(new Set(['a', 'b']));
  });

  it('has no drill of a key whose manifest this node stores', () => {
    const done = runAudits([keyOf('c', 'server', [1])], { hours: 6 * 40 });
    expect(done.some(({ kind }) => kind === 'drill')).toBe(false);
  });

  it('names the point that the subject has of that key', () => {
    const keys = [keyOf('a', 'owner', [3, 1, 2]), keyOf('b', 'owner', [1, 2, 3])];
    for (const { keyId, nodeId, x } of runAudits(keys, { hours: 30 })) {
      const { holders } = keys.find(key => key.keyId === keyId)!;
      expect(holders.find(holder => holder.x === x)?.nodeId).toBe(nodeId);
    }
  });

  it('spreads audits over the period, at the start and after it', () => {
    const keys = range(0, 20).map(i => keyOf(`k${i}`, 'owner', range(1 + 9 * i, 10 + 9 * i)));
    const done = runAudits(keys, { hours: 48 });
    for (const hour of range(0, 48)) {
      const count = done.filter(({ atMs }) => Math.floor(atMs / hourMs) === hour).length;
      // 180 subjects in 4.5 hours are 40 an hour; in the first periods a few less.
      expect(count).toBeGreaterThan(8);
      expect(count).toBeLessThanOrEqual(auditPace.budgetPerHour);
    }
    const minutes = new Set(timesOf(done, 1).map(time => Math.floor(time / minuteMs) % 60));
    expect(minutes.size).toBeGreaterThan(3);
  });

  it('leaves nobody out where the budget is far too small, and takes those that wait longest first', () => {
    const keys = range(0, 60).map(i => keyOf(`k${i}`, 'owner', range(1 + 10 * i, 11 + 10 * i)));
    const done = runAudits(keys, { hours: 26, pace: { budgetPerHour: 30 } });
    expect(new Set(done.map(({ nodeId }) => nodeId)).size).toBe(600);
    expect(done.length).toBeLessThanOrEqual(26 * 30);
    const repeated = done.filter(({ nodeId }, i) =>
      done.slice(0, i).some(before => before.nodeId === nodeId),
    );
    expect(done.indexOf(at(repeated, 0))).toBeGreaterThanOrEqual(560);
  });

  it('shares the budget among reasons by their weights, and what one does not use goes to the others', () => {
    const own = keyOf('own', 'owner', range(1, 201));
    const held = keyOf('held', 'holder', [0, ...range(201, 401)]);
    const stored = range(0, 40).map(i => keyOf(`s${i}`, 'server', range(1000 + 50 * i, 1050 + 50 * i)));
    const done = runAudits([own, held, ...stored], { hours: 14, pace: { proofsPerDrill: 99 } });
    const counts = ['own', 'held', 's'].map(
      name => done.filter(({ keyId }) => keyId.startsWith(name)).length,
    );
    const [owner = 0, holder = 0, server = 0] = counts;
    const total = owner + holder + server;
    // The owner's 200 subjects have their share of 4 in 7 as soon as so many are due; strangers' 2,000 get the least.
    expect(owner / total).toBeGreaterThan(0.4);
    expect(holder / total).toBeGreaterThan(0.2);
    expect(server / total).toBeGreaterThan(0.05);
    const alone = runAudits(stored, { hours: 14 });
    expect(alone.length).toBeGreaterThan(0.9 * total);
  });

  it('goes on where it was after a restart, and when a clock that was wrong is mended', () => {
    const keys = [keyOf('a', 'owner', range(1, 5))];
    const future = runAudits(keys, { hours: 12, startMs: 1000 * hourMs });
    expect(future.length).toBeGreaterThan(3);
    let history = emptyAuditHistory(0);
    const audits: Audit[] = [];
    for (const nowMs of [900 * hourMs, 910 * hourMs, 10 * hourMs, 10 * hourMs + 30 * minuteMs]) {
      const plan = planAudits({ self: '0', keys, history, nowMs, random: nodeRandom });
      history = structuredClone(plan.history);
      if (nowMs < 100 * hourMs) audits.push(...plan.audits);
    }
    expect(new Set(audits.map(({ nodeId }) => nodeId)).size).toBe(4);
  });

  it('remembers no subject for long that it has no key in common with, and takes on no more than it may', () => {
    const pace: AuditPace = { ...auditPace, subjectsMax: 5 };
    const plan = (keys: readonly AuditableKey[], nowMs: number, history = emptyAuditHistory(0)) =>
      planAudits({ self: '0', keys, history, nowMs, random: nodeRandom, pace }).history;
    const stored = [keyOf('s', 'server', range(10, 20)), keyOf('own', 'owner', [1, 2, 3])];
    const first = plan(stored, 1000);
    expect([...first.subjects.keys()].sort()).toEqual(['1', '10', '11', '2', '3']);
    expect(plan([], pace.forgetMs + 999, first).subjects.size).toBe(5);
    expect(plan([], pace.forgetMs + 1000, first).subjects.size).toBe(0);
  });
});
