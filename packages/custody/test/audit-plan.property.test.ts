import type { AuditableKey } from '@skerry/custody';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditPace } from '../parameters.ts';
import { runAudits } from './audit-runs.ts';

const hourMs = 3_600_000;

/** Any keys among so many nodes; node 0 holds a share of all that it has a share in, and of none that it owns. */
function keysAmong(nodesMax: number, keysMax: number): fc.Arbitrary<AuditableKey[]> {
  const key = fc.record({
    why: fc.constantFrom<AuditableKey['why']>('owner', 'holder', 'server'),
    nodes: fc.uniqueArray(fc.integer({ min: 1, max: nodesMax }), { minLength: 2, maxLength: 9 }),
    t: fc.integer({ min: 2, max: 6 }),
  });
  return fc.array(key, { maxLength: keysMax }).map(list =>
    list.map(({ why, nodes, t }, i) => {
      const all = why === 'holder' ? [0, ...nodes] : nodes;
      return { keyId: `k${i}`, why, t, holders: all.map((node, j) => ({ x: j + 1, nodeId: `${node}` })) };
    }),
  );
}

describe('whatever a node owns, holds and stores', () => {
  it('its budget holds in every hour, but for the rest of one drill, and it never audits itself', () => {
    fc.assert(
      fc.property(
        keysAmong(300, 60),
        fc.integer({ min: 6, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        (keys, budgetPerHour, proofsPerDrill) => {
          const pace = { budgetPerHour, proofsPerDrill, periodMs: 2 * hourMs };
          const done = runAudits(keys, { hours: 12, everyMs: 300_000, pace });
          const costs = done.map(({ kind, keyId }) => {
            return kind === 'drill' ? keys.find(key => key.keyId === keyId)!.t : 1;
          });
          for (const [first, { atMs }] of done.entries()) {
            const within = costs.filter((_, i) => i >= first && done[i]!.atMs < atMs + hourMs);
            expect(within.length).toBeLessThanOrEqual(budgetPerHour);
            const cost = within.reduce((sum, each) => sum + each, 0);
            expect(cost).toBeLessThanOrEqual(budgetPerHour + 5);
          }
          expect(done.some(({ nodeId }) => nodeId === '0')).toBe(false);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('every subject has its turn: in time where the budget allows it, and else as often as the others', () => {
    fc.assert(
      fc.property(keysAmong(80, 30), fc.integer({ min: 6, max: 60 }), (keys, budgetPerHour) => {
        const pace = { budgetPerHour, proofsPerDrill: 1000 };
        const subjects = new Set(keys.flatMap(({ holders }) => holders.map(({ nodeId }) => nodeId)));
        subjects.delete('0');
        // The first come within a period of the start; in the worst case all wait for the class with the least part.
        const hours = 6 + Math.ceil((7 * subjects.size) / (budgetPerHour * (5 / 6))) + 1;
        const done = runAudits(keys, { hours, everyMs: 300_000, pace });
        expect(new Set(done.map(({ nodeId }) => nodeId))).toEqual(subjects);
      }),
      { numRuns: 40 },
    );
  });

  it.each([100, 10_000, 1_000_000])('its cost is bounded in a network of %d nodes', nodes => {
    const keys: AuditableKey[] = Array.from({ length: 400 }, (_, i) => {
      const holders = Array.from({ length: 12 }, (_, j) => {
        return { x: j + 1, nodeId: `${1 + ((i * 7919 + j * 104_729 + i * j) % (nodes - 1))}` };
      });
      return { keyId: `k${i}`, why: i % 2 === 0 ? 'owner' : 'server', t: 6, holders };
    });
    const done = runAudits(keys, { hours: 12, everyMs: 600_000 });
    const perHour = done.filter(({ atMs }) => atMs >= 6 * hourMs).length / 6;
    const subjects = new Set(keys.flatMap(({ holders }) => holders.map(({ nodeId }) => nodeId))).size;
    expect(perHour).toBeLessThanOrEqual(auditPace.budgetPerHour);
    expect(perHour).toBeLessThanOrEqual((1.3 * subjects) / 4.5);
    expect(perHour).toBeGreaterThan(0.7 * Math.min(subjects / 4.5, auditPace.budgetPerHour));
  });
});
