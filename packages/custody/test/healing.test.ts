import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import {
  doubtsOf,
  emptyHealth,
  type Failure,
  failureOf,
  type Health,
  isExposed,
  marginOf,
  noteSight,
  type OwnedCase,
  proposalOf,
  remediesFor,
  type Sight,
} from '@skerry/custody';
import type { Manifest } from '@skerry/wire';
import { describe, expect, it } from 'vitest';
import { absencesMax, lossesMax } from '../parameters.ts';

const graceMs = 1_000;
const hourMs = 3_600_000;
const sight = (kind: Sight['kind'], atMs: number, changes: Partial<Sight> = {}): Sight => {
  return { keyId: 'k', x: 7, nodeId: 'node', kind, atMs, ...changes };
};
const note = (health: Health, one: Sight): Health => noteSight(health, one, graceMs);
const share = { keyId: 'k', x: 7, nodeId: 'node' };
const after = (...sights: Sight[]): Health => sights.reduce(note, emptyHealth);

describe('health', () => {
  it('takes a node for failed that gave no answer for the grace, by several audits', () => {
    const health = after(sight('absent', 0), sight('absent', 900, { keyId: 'other', x: 1 }));
    expect(failureOf(health, share, graceMs - 1, graceMs)).toBeNull();
    expect(failureOf(health, share, graceMs, graceMs)).toEqual({ reason: 'absent', sinceMs: 0 });
    expect(failureOf(after(sight('absent', 0)), share, hourMs, graceMs)).toBeNull();
  });

  it('forgets an absence by any answer, whatever key it was about', () => {
    for (const kind of ['well', 'there', 'lost'] as const) {
      const back = sight(kind, 2_000, { keyId: 'other', x: 1 });
      const health = after(sight('absent', 0), sight('absent', 900), back, sight('absent', 3_000));
      expect(failureOf(health, share, 3_999, graceMs)).toBeNull();
    }
  });

  it('takes a share for lost that its holder says it has not, after a quarter of the grace, until it proves it', () => {
    const health = after(sight('lost', 0));
    expect(failureOf(health, share, 249, graceMs)).toBeNull();
    expect(failureOf(health, share, 250, graceMs)).toEqual({ reason: 'lost', sinceMs: 0 });
    expect(failureOf(after(sight('lost', 0), sight('lost', 200)), share, 250, graceMs)?.sinceMs).toBe(0);
    expect(failureOf(health, { ...share, x: 8 }, 250, graceMs)).toBeNull();
    expect(failureOf(health, { ...share, nodeId: 'successor' }, 250, graceMs)).toBeNull();
    const other = note(health, sight('well', 300, { keyId: 'other' }));
    expect(failureOf(other, share, 400, graceMs)?.reason).toBe('lost');
    expect(failureOf(note(other, sight('well', 500)), share, hourMs, graceMs)).toBeNull();
  });

  it('gives who is to have a share made the time anew, also where it is the one that lost it', () => {
    const moved = after(sight('lost', 0), sight('moved', 250));
    expect(failureOf(moved, share, hourMs, graceMs)).toBeNull();
    const again = note(moved, sight('lost', 1_000));
    expect(failureOf(again, share, 1_249, graceMs)).toBeNull();
    expect(failureOf(again, share, 1_250, graceMs)).toEqual({ reason: 'lost', sinceMs: 1_000 });
  });

  it('begins anew where nobody looked for the grace', () => {
    const health = after(sight('absent', 0), sight('absent', 1_000));
    expect(failureOf(health, share, 1_000, graceMs)).toBeNull();
    const again = note(health, sight('absent', 1_500));
    expect(failureOf(again, share, 1_999, graceMs)).toBeNull();
    expect(failureOf(again, share, 2_000, graceMs)).toEqual({ reason: 'absent', sinceMs: 1_000 });
  });

  it('does not change where nothing is new, and has a bound', () => {
    const health = after(sight('lost', 0));
    expect(note(health, sight('lost', 9))).toBe(health);
    expect(note(health, sight('well', 9, { nodeId: 'other' }))).toBe(health);
    const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
    const absence = { sinceMs: 0, latestMs: 0, misses: 1 };
    const full = {
      absences: new Map(names(absencesMax).map(name => [name, absence])),
      losses: new Map(names(lossesMax).map(name => [name, { nodeId: name, sinceMs: 0 }])),
    };
    const { absences } = note(full, sight('absent', 5, { nodeId: 'new' }));
    expect([absences.size, absences.has('0'), absences.has('new')]).toEqual([absencesMax, false, true]);
    const { losses } = note(full, sight('lost', 5));
    expect([losses.size, losses.has('0'), losses.has('k/7')]).toEqual([lossesMax, false, true]);
  });
});

it('doubts those that were away, and those that lost a share', () => {
  const health = after(sight('lost', 0), sight('absent', 0, { nodeId: 'other' }));
  expect([...doubtsOf(health)]).toEqual([
    ['node', 'lost'],
    ['other', 'absent'],
  ]);
  expect(doubtsOf(after(sight('lost', 0), sight('well', 1))).size).toBe(0);
});

describe('the margin of a key', () => {
  it.each([
    [7, 'full', 3],
    [6, 'thin', 2],
    [5, 'thin', 1],
    [4, 'critical', 0],
    [3, 'lost', -1],
  ] as const)('with %i of 4 of 7 shares live is %s', (live, level, margin) => {
    expect(marginOf({ t: 4, k: 7, repairBudget: 1 }, live)).toEqual({ live, margin, level });
  });
});

const holders = Array.from({ length: 7 }, (_, i) => {
  const nodeKey = nodeCrypto.ed25519PublicKey(nodeRandom.bytes(32));
  return { x: i + 1, nodeKey, ek: nodeRandom.bytes(32) };
});
const policy = { risk: 'medium', delayMs: 0, reduced: false, manual: false, simulated: false } as const;
const core = {
  t: 4,
  n: 5,
  k: 7,
  repairBudget: 1,
  createdAtMs: 0,
  policy,
  holders,
} as unknown as Manifest['core'];
const manifest = { core, amendments: [], successor: null } as unknown as Manifest;
const failure = (sinceMs: number): Failure => ({ reason: 'absent', sinceMs });
const failures = (...points: [number, number][]): Map<number, Failure> =>
  new Map(points.map(([x, sinceMs]) => [x, failure(sinceMs)]));

function caseOf(changes: Partial<OwnedCase> = {}): OwnedCase {
  return {
    manifest,
    failures: new Map(),
    suspects: new Map(),
    isTheftOver: false,
    raisedTo: 'medium',
    canLift: false,
    ...changes,
  };
}

/** A manifest with points that were moved for a reason. */
function withMoves(reason: string, points: readonly number[], votes: readonly object[] = []): Manifest {
  const amendments = points.map(x => ({ proposal: { x, reason, nodeKey: nodeRandom.bytes(32) }, votes }));
  return { ...manifest, amendments } as unknown as Manifest;
}

describe('the remedy for a key', () => {
  const remedies = (changes: Partial<OwnedCase>, nowMs = hourMs, refreshMs = 0) =>
    remediesFor(caseOf(changes), nowMs, refreshMs);
  const remedy = (...asked: Parameters<typeof remedies>) => remedies(...asked)[0] ?? null;

  it('is none where all is well', () => {
    expect(remedy({})).toBeNull();
    expect(remedy({}, hourMs, 2 * hourMs)).toBeNull();
  });

  it('is to move the point whose holder failed first', () => {
    expect(remedy({ failures: failures([2, 500], [5, 100]) })).toEqual({
      type: 'move',
      x: 5,
      reason: 'absent',
    });
  });

  it('is to move a suspect before those that failed', () => {
    const suspects = new Map([[3, 'cheated']] as const);
    expect(remedy({ failures: failures([5, 100]), suspects })).toEqual({
      type: 'move',
      x: 3,
      reason: 'cheated',
    });
  });

  it('is to wait where fewer than t are left', () => {
    const gone = failures([1, 0], [2, 0], [3, 0], [4, 0]);
    expect(remedy({ failures: gone, isTheftOver: true, raisedTo: 'high' })).toBeNull();
    expect(remedy({ failures: failures([1, 0], [2, 0], [3, 0]) })).toMatchObject({ type: 'move' });
  });

  it.each<[string, string, Partial<OwnedCase>, number, number]>([
    [
      't-1-R points may have leaked',
      'leak',
      {
        suspects: new Map([
          [1, 'denied'],
          [2, 'cheated'],
        ]),
      },
      0,
      0,
    ],
    ['points were moved from suspects', 'leak', { manifest: withMoves('cheated', [1, 2]) }, 0, 0],
    ['too many copies are about', 'leak', { isTheftOver: true }, 0, 0],
    ['it protects more than it was made for', 'risk', { raisedTo: 'high' }, 0, 0],
    [
      'it may have what it was promised',
      'reduced',
      { manifest: { ...manifest, core: { ...core, policy: { ...policy, reduced: true } } }, canLift: true },
      0,
      0,
    ],
    ['its time has come', 'schedule', {}, hourMs, hourMs],
    ['its chain is at its end', 'chain', { manifest: withMoves('absent', Array(14).fill(1)) }, 0, 0],
  ])('is a new epoch where %s', (_, why, changes, nowMs, refreshMs) => {
    expect(remedy(changes, nowMs, refreshMs)).toEqual({ type: 'refresh', why });
  });

  it('is a move after all where the new epoch can not be had', () => {
    expect(remedies({ raisedTo: 'high', failures: failures([5, 100]) })).toEqual([
      { type: 'refresh', why: 'risk' },
      { type: 'move', x: 5, reason: 'absent' },
    ]);
  });

  it('is no new epoch for fewer suspects, a lower level, or before its time', () => {
    const suspects = new Map([[3, 'cheated']] as const);
    expect(remedy({ suspects })).toMatchObject({ type: 'move' });
    expect(remedy({ raisedTo: 'low' })).toBeNull();
    expect(remedy({}, hourMs - 1, hourMs)).toBeNull();
    expect(remedy({ canLift: true })).toBeNull();
    expect(remedy({ manifest: withMoves('absent', [1, 2, 3]) })).toBeNull();
  });

  it('is a new key where t points may have leaked, and not a new epoch', () => {
    const exposed = {
      manifest: withMoves('denied', [1, 2, 3]),
      suspects: new Map([[4, 'cheated']] as const),
    };
    expect(isExposed(exposed)).toBe(true);
    expect(remedy(exposed)).toEqual({ type: 'move', x: 4, reason: 'cheated' });
    expect(isExposed({ ...exposed, suspects: new Map() })).toBe(false);
    // the same point twice is one
    expect(isExposed({ ...exposed, suspects: new Map([[3, 'cheated']]) })).toBe(false);
  });
});

describe("a holder's proposal", () => {
  const propose = (
    nowMs: number,
    changes: { failures?: Map<number, Failure>; manifest?: Manifest; i?: number } = {},
  ) => {
    const { i = 0, ...rest } = changes;
    const { nodeKey } = holders[i]!;
    return proposalOf({ manifest, nodeKey, failures: failures([7, 0]), ...rest }, nowMs, graceMs);
  };

  it('comes after twice the grace, from the first holder first and from the others in turn', () => {
    expect(propose(1_999)).toBeNull();
    expect(propose(2_000)).toEqual({ type: 'move', x: 7, reason: 'absent' });
    expect(propose(2_249, { i: 1 })).toBeNull();
    expect(propose(2_250, { i: 1 })).toMatchObject({ x: 7 });
    // who has failed is passed over
    expect(propose(2_000, { i: 1, failures: failures([1, 0]) })).toMatchObject({ x: 1 });
  });

  it('is of the point whose holder failed first, of those at once the lowest', () => {
    expect(propose(9_000, { failures: failures([6, 5]) })).toMatchObject({ x: 6 });
    const two = withBudget(2);
    const nine = { ...two, core: { ...two.core, k: 9, t: 3 } };
    expect(propose(9_000, { failures: failures([6, 5], [2, 5], [7, 9]), manifest: nine })).toMatchObject({
      x: 2,
    });
  });

  const withBudget = (repairBudget: number): Manifest => ({ ...manifest, core: { ...core, repairBudget } });
  it('does not come where it can not win, or not be allowed', () => {
    expect(propose(9_000, { failures: failures([6, 0], [7, 0]) })).toBeNull();
    expect(propose(9_000, { manifest: withBudget(0) })).toBeNull();
    expect(propose(9_000, { manifest: withMoves('absent', [2], [{}]) })).toBeNull();
    expect(propose(9_000, { manifest: withMoves('absent', [2]) })).toMatchObject({ x: 7 });
    expect(propose(9_000, { failures: new Map() })).toBeNull();
    expect(propose(9_000, { i: 6 })).toBeNull();
  });
});
