import { nodeCrypto } from '@skerry/crypto';
import { describe, expect, it, test } from 'vitest';
import { type ChurnChanges, churnScenario, runChurn } from '../src/churn-scenario.ts';
import type { Lot } from '../src/fates.ts';
import type { ScenarioOptions } from '../src/scenario.ts';
import { bugs } from '../src/world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Some months' misfortunes in some days. */
const hard: Lot = {
  lifeMs: 50 * dayMs,
  upMs: 10 * dayMs,
  downMedianMs: 3 * hourMs,
  downSpread: 1.4,
  diskLoss: 0.01,
  regionMs: 20 * dayMs,
  regionDownMs: 6 * hourMs,
  partitionMs: 8 * dayMs,
  partitionDownMs: 6 * hourMs,
};
const size = { seed: 1, nodes: 150, keys: 40, days: 12 };
/** Enough for most bugs to show. */
const small = { seed: 1, nodes: 100, keys: 12, days: 8 };
const changes: ChurnChanges = { lot: hard, liars: 0, openMs: 3 * dayMs };

/** What the checkers found, without those that found nothing. */
function found(options: ScenarioOptions, planted: (typeof bugs)[number][]): Record<string, number> {
  const { checkers } = runChurn(options, { ...changes, planted: new Set(planted) });
  return Object.fromEntries(Object.entries(checkers).filter(([, count]) => count > 0));
}

describe('churn', () => {
  it('moves points, by owners and by votes, repairs them, and violates nothing', () => {
    expect(found(size, [])).toEqual({});
    expect(found(small, [])).toEqual({});
    const { ok, figures, violations } = churnScenario.run({ seed: 7, nodes: 200, keys: 60, days: 30 });
    expect({ ok, violations }).toEqual({ ok: true, violations: [] });
    expect(figures).toMatchObject({ nodes: 200, keys: 60, days: 30, keysLost: 0, opensFailed: 0 });
    expect(Number(figures['repaired'])).toBeGreaterThan(10);
    // an absence is borne for a day, and found within a period of six hours
    expect(Number(figures['repairHoursP50'])).toBeGreaterThan(24);
    expect(Number(figures['repairHoursP50'])).toBeLessThan(31);
  });

  it('gives the same report for the same seed, and another for another', () => {
    const run = (seed: number): string => JSON.stringify(runChurn({ ...size, seed, days: 4 }, changes));
    expect(run(2)).toBe(run(2));
    expect(run(3)).not.toBe(run(2));
  });

  it('gives one report of its parts, as a whole', () => {
    const options = { seed: 1, nodes: 100, keys: 2501, days: 1 };
    expect(churnScenario.parts(options)).toBe(2);
    expect(churnScenario.parts({ ...options, keys: 2500 })).toBe(1);
    expect(churnScenario.parts({ seed: 1 })).toBe(1);
  });

  it('has the same history with real cryptography as with the ideal', () => {
    const historyOf = (crypto?: ChurnChanges['crypto']): string[] => {
      const lines: string[] = [];
      const onHistory = (line: string): void => void lines.push(line);
      const real = crypto ? { crypto } : {};
      runChurn({ seed: 4, nodes: 80, keys: 4, days: 6 }, { ...changes, ...real, onHistory });
      return lines;
    };
    const ideal = historyOf();
    expect(ideal.some(line => line.includes('moved'))).toBe(true);
    expect(historyOf(nodeCrypto)).toEqual(ideal);
  });
});

describe('a planted bug', () => {
  const caughtBy: Readonly<Record<(typeof bugs)[number], string>> = {
    'ignore-caps': 'caps-broken',
    'another-key': 'not-open-in-the-end',
    'tamper-share': 'share-altered',
    'never-heal': 'margin-not-recovered',
    'open-for-ever': 'operation-not-ended',
    'volatile-disk': 'key-lost',
  };

  const sizes: Partial<Record<(typeof bugs)[number], ScenarioOptions>> = {
    'open-for-ever': { ...size, seed: 2 },
    'volatile-disk': size,
    'another-key': { ...small, keys: 6 },
  };

  test.each(bugs)('%s is caught', bug => {
    expect(found(sizes[bug] ?? small, [bug])).toHaveProperty(caughtBy[bug]);
  });
});
