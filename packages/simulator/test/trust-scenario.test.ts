import { assess, judgePlace, observationTable, observe } from '@skerry/trust';
import { describe, expect, it } from 'vitest';
import { type Rules, trueRules } from '../src/rules.ts';
import type { ScenarioReport } from '../src/scenario.ts';
import { runTrust, type Trial } from '../src/trust-scenario.ts';

const small = { seed: 5, nodes: 16, days: 14, keys: 20 };

function run(only: Trial['only'] & {}, broken: Partial<Rules> = {}): ScenarioReport {
  return runTrust(small, {
    rules: { ...trueRules, ...broken },
    only,
    colludingParts: [0, 0.5],
    sybilCount: 20,
  });
}

describe('the scenario trust', () => {
  it('finds nothing where the true rules decide, and tells the same to the byte for the same seed', () => {
    const report = run(['early']);
    expect(report).toMatchObject({ scenario: 'trust', seed: 5, ok: true, violations: [] });
    expect(Object.values(report.checkers)).toEqual(Object.values(report.checkers).map(() => 0));
    expect(JSON.stringify(run(['early']))).toBe(JSON.stringify(report));
  });

  it('is another history for another seed', () => {
    const costs = (seed: number) => JSON.stringify(runTrust({ ...small, seed }, { only: ['costs'] }).figures);
    expect(costs(5)).not.toBe(costs(6));
  });

  it('keeps colluders within the bound, and sybils from high risk, and audits cost what is stated', () => {
    const { violations, figures } = run(['colluders', 'sybils', 'costs']);
    expect(violations).toEqual([]);
    const rows = figures['colluders'] as { part: number; honestWorst: number }[];
    expect(rows.map(({ part }) => part)).toEqual([0, 0.5]);
    expect(rows[0]?.honestWorst).toBe(0);
    expect(rows.at(-1)?.honestWorst).toBeGreaterThan(0.05);
    expect(rows.at(-1)?.honestWorst).toBeLessThan(0.25);
    const shares = figures['sybilShares'] as { risk: string; ofSybils: number }[];
    expect(shares).toContainEqual(expect.objectContaining({ risk: 'high', ofSybils: 0 }));
  });
});

/** Each of these is a bug that somebody might write, and the checker that finds it. */
describe('a checker finds', () => {
  it('a word about oneself that counts', () => {
    const { checkers } = run(['early'], {
      assess: input =>
        assess({
          ...input,
          reports: input.reports.map(report =>
            report.reporter === input.nodeId
              ? { ...report, reporter: 'somebody', reporterOperator: null }
              : report,
          ),
          weightOf: reporter => (reporter === 'somebody' ? 1 : input.weightOf(reporter)),
        }),
    });
    expect(checkers['own-word-counted']).toBeGreaterThan(0);
  });

  it('a place that is never refuted, so that its liar stays trusted', () => {
    const { checkers } = run(['early'], {
      judgePlace: claim => judgePlace({ ...claim, isVerified: false }),
    });
    expect(checkers['liar-place-not-refuted']).toBeGreaterThan(0);
    expect(checkers['bad-above-floor']).toBeGreaterThan(0);
  });

  it('a bound on distance that forgets half of the way', () => {
    const { checkers } = run(['early'], {
      judgePlace: claim =>
        judgePlace({
          ...claim,
          bounds: claim.bounds.map(bound => ({ ...bound, roundTripMs: bound.roundTripMs / 2 })),
        }),
    });
    expect(checkers['honest-place-refuted']).toBeGreaterThan(0);
  });

  it('proven cheating that is forgotten, and a lost disk that weighs nothing', () => {
    const { checkers } = run(['early'], {
      observe: (reputation, { kind, atMs }, periodMs) =>
        observe(
          reputation,
          { kind: kind === 'proof-wrong' || kind === 'share-lost' ? 'proof' : kind, atMs },
          periodMs,
        ),
    });
    expect(checkers['bad-above-floor']).toBeGreaterThan(0);
  });

  it('good deeds that are not seen', () => {
    const { checkers } = run(['early'], {
      observe: (reputation, observation, periodMs) =>
        observation.kind === 'proof' ? reputation : observe(reputation, observation, periodMs),
    });
    expect(checkers['good-below-floor']).toBeGreaterThan(0);
  });

  it('a cap on the good of one period that is switched off', () => {
    const { checkers } = run(['sybils'], {
      observe: (reputation, observation, periodMs) => {
        const { seen, ...rest } = observe(reputation, observation, periodMs);
        const { availability, integrity } = observationTable[observation.kind];
        const one = seen[observation.kind];
        if (one === undefined || integrity <= 0) return { ...rest, seen };
        const uncapped = {
          ...one,
          availability: one.availability + availability,
          integrity: one.integrity + integrity,
        };
        return { ...rest, seen: { ...seen, [observation.kind]: uncapped } };
      },
    });
    expect(checkers['sybil-too-soon']).toBeGreaterThan(0);
  });

  it('caps on reports that are switched off, and numbers that are none', () => {
    const { checkers } = run(['colluders'], {
      assess: input => {
        const made = assess(input);
        const bad = input.reports.filter(({ integrity }) => integrity.bad > integrity.good).length;
        return { ...made, trust: made.trust / (1 + bad) };
      },
    });
    expect(checkers['bound-exceeded']).toBeGreaterThan(0);
    const broken = run(['early'], { assess: input => ({ ...assess(input), trust: Number.NaN }) });
    expect(broken.ok).toBe(false);
    expect(broken.checkers['nan-or-out-of-range']).toBeGreaterThan(0);
  });
});
