import type { Profile, Risk } from '@skerry/base';
import { describe, expect, test } from 'vitest';
import { type Candidate, type Placement, planPlacement, verifyCertificate } from '../index.ts';
import { randomWorld, spreadWorld } from './worlds.ts';

function plan(candidates: Candidate[], risk: Risk, profile: Profile, acceptReduced = false): Placement {
  return planPlacement({ candidates, risk, profile, acceptReduced });
}

function refusal(run: () => unknown): { code: string; message: string; metadata: Record<string, unknown> } {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string; metadata: Record<string, unknown> };
  }
  throw new Error('nothing was refused');
}

describe('profile local, nodes at neutral trust', () => {
  test.each([
    [10, 7],
    [11, 7],
    [12, 7],
    [10, 10],
    [12, 12],
  ])('%d nodes of %d operators give 2 of 3, 3 of 5 and 4 of 7', (size, operatorCount) => {
    const world = spreadWorld(size, operatorCount);
    const counts = (['low', 'medium', 'high'] as const).map(risk => {
      const { t, n, k, reduced } = plan(world, risk, 'local');
      return { t, n, k, reduced };
    });
    expect(counts).toEqual([
      { t: 2, n: 2, k: 3, reduced: false },
      { t: 3, n: 4, k: 5, reduced: false },
      { t: 4, n: 5, k: 7, reduced: false },
    ]);
  });

  test('five nodes, the dealer and four candidates, reach low and miss medium and high', () => {
    const others = spreadWorld(4, 4);
    expect(plan(others, 'low', 'local')).toMatchObject({ t: 2, k: 3, reduced: false });
    expect(refusal(() => plan(others, 'medium', 'local')).metadata).toMatchObject({
      candidates: 4,
      operators: 4,
      regions: 4,
      eligible: 4,
      bestT: 2,
      bestK: 4,
    });
    expect(refusal(() => plan(others, 'high', 'local')).code).toBe('PLACEMENT_INFEASIBLE');
    for (const risk of ['medium', 'high'] as const) {
      const placement = plan(others, risk, 'local', true);
      expect(placement).toMatchObject({ k: 4, reduced: true });
      verifyCertificate(placement.certificate);
    }
  });

  test('seven nodes of seven operators in four regions reach high with two nodes in a region', () => {
    const places = spreadWorld(4, 4).map(({ place }) => place);
    const world = spreadWorld(7, 7).map((node, index) => ({ ...node, place: places[index % 4]! }));
    expect(plan(world, 'high', 'local')).toMatchObject({ t: 4, k: 7, reduced: false });
  });
});

describe('profile open', () => {
  test('twelve unknown nodes are refused at high with the figures and what would help', () => {
    const error = refusal(() => plan(spreadWorld(12, 12), 'high', 'open'));
    expect(error.code).toBe('PLACEMENT_INFEASIBLE');
    expect(error.metadata).toMatchObject({
      risk: 'high',
      profile: 'open',
      candidates: 12,
      operators: 12,
      regions: 12,
      eligible: 0,
      trustFloor: 0.75,
      pLossTarget: 1e-6,
      pTheftTarget: 1e-8,
      bestT: 7,
      bestK: 12,
    });
    expect(error.metadata['bestPLoss']).toBeCloseTo(6.9e-7, 8);
    expect(error.metadata['bestPTheft']).toBeCloseTo(4.4e-9, 10);
    expect(error.metadata['help']).toContain('11 more nodes');
    expect(error.message).toContain('--accept-reduced');
    expect(error.message).toContain('What would help');
  });

  test('they are taken when reduced is accepted, with what was asked and what was reached', () => {
    const placement = plan(spreadWorld(12, 12), 'high', 'open', true);
    expect(placement).toMatchObject({ t: 7, k: 12, reduced: true, manual: false, standby: [] });
    expect(placement.certificate.targets).toEqual({
      pLoss: 1e-6,
      pTheft: 1e-8,
      trustFloor: 0.75,
      firstWave: 0.99,
    });
    expect(placement.certificate.reached.trustFloor).toBe(0.5);
    verifyCertificate(placement.certificate);
  });

  test('thirty nodes at the floor of high give 6 of 11 under its targets', () => {
    expect(plan(spreadWorld(30, 30, 0.75), 'high', 'open')).toMatchObject({ t: 6, k: 11, reduced: false });
  });

  test('reduced keeps to trusted nodes as far as that misses no more', () => {
    const trusted = spreadWorld(24, 24, 0.7);
    const doubtful = spreadWorld(24, 24, 0.1).map((node, index) => ({
      ...node,
      nodeId: `doubtful-${index}`,
    }));
    const { holders } = plan([...trusted, ...doubtful], 'high', 'open', true);
    expect(Math.min(...holders.map(({ trust }) => trust))).toBe(0.7);
  });
});

describe('what is refused even reduced', () => {
  test('two nodes', () => {
    const error = refusal(() => plan(spreadWorld(2, 2), 'low', 'local', true));
    expect(error.code).toBe('PLACEMENT_INFEASIBLE');
    expect(error.message).toContain('1 more node');
  });

  test('no node at all', () => {
    expect(refusal(() => plan([], 'low', 'open', true)).metadata).toMatchObject({
      candidates: 0,
      regions: 0,
    });
  });

  test('two regions', () => {
    const places = spreadWorld(2, 2).map(({ place }) => place);
    const world = spreadWorld(20, 20, 0.9).map((node, index) => ({ ...node, place: places[index % 2]! }));
    const error = refusal(() => plan(world, 'low', 'local', true));
    expect(error.code).toBe('PLACEMENT_INFEASIBLE');
    expect(error.metadata).toMatchObject({ regions: 2, help: expect.stringContaining('1 more region') });
  });

  test('one operator', () => {
    expect(refusal(() => plan(spreadWorld(12, 1), 'low', 'local', true)).code).toBe('PLACEMENT_INFEASIBLE');
  });
});

test('a higher level whose caps fit only on less than a lower level has is refused, and the refusal says so', () => {
  // Three operators of two nodes each: at high none may have a second share before t is 6.
  const world = spreadWorld(6, 3).map(node => ({ ...node, availability: 0.85 }));
  const medium = plan(world, 'medium', 'local', true);
  expect(medium.k).toBeGreaterThan(3);
  const error = refusal(() => plan(world, 'high', 'local', true));
  expect(error.message).toContain(`${medium.t} of ${medium.k} that a lower level has here`);
});

describe('explicit counts', () => {
  const counts = { t: 3, n: 5, k: 6 };

  test('skip the targets and the trust floor and are marked manual', () => {
    const placement = planPlacement({
      candidates: spreadWorld(12, 12, 0.1),
      risk: 'low',
      profile: 'open',
      acceptReduced: false,
      counts,
    });
    expect(placement).toMatchObject({ ...counts, manual: true, reduced: false });
    expect(placement.certificate.manual).toBe(true);
    expect(placement.certificate.reached.pTheft).toBeGreaterThan(placement.certificate.targets.pTheft);
    verifyCertificate(placement.certificate);
  });

  test('never skip the hard caps of the level', () => {
    const request = {
      candidates: spreadWorld(12, 5),
      profile: 'local',
      acceptReduced: true,
      counts,
    } as const;
    expect(planPlacement({ ...request, risk: 'low' }).k).toBe(6);
    const error = refusal(() => planPlacement({ ...request, risk: 'high' }));
    expect(error.code).toBe('PLACEMENT_INFEASIBLE');
    expect(error.metadata).toMatchObject({ sharesPerOperatorMax: 1, operators: 5, help: '1 more operator' });
  });

  test('are refused where the caps fit each by itself and not together', () => {
    const places = spreadWorld(4, 4).map(({ place }) => place);
    const world = spreadWorld(12, 4).map((node, index) => ({
      ...node,
      place: places[index < 3 ? index + 1 : 0]!,
      operator: `operator-${index < 3 ? 0 : index % 4}`,
    }));
    const run = () =>
      planPlacement({
        candidates: world,
        risk: 'low',
        profile: 'local',
        acceptReduced: false,
        counts: { t: 2, n: 2, k: 3 },
      });
    expect(refusal(run).metadata).toMatchObject({ help: 'nodes of other operators in other regions' });
  });

  test('are refused when they break 2 <= t <= n < k <= 255', () => {
    const run = () =>
      planPlacement({
        candidates: spreadWorld(12, 12),
        risk: 'low',
        profile: 'local',
        acceptReduced: false,
        counts: { t: 3, n: 5, k: 5 },
      });
    expect(refusal(run).code).toBe('SHARE_COUNTS_INVALID');
  });
});

describe('hostile candidates', () => {
  const world = spreadWorld(12, 12);
  const first = world[0]!;
  test.each([
    ['trust is not a number', 'SIZING_INVALID', { ...first, trust: Number.NaN }],
    ['trust is over 1', 'SIZING_INVALID', { ...first, trust: 1.01 }],
    ['availability is below 0', 'SIZING_INVALID', { ...first, availability: -0.1 }],
    ['availability is a string', 'SIZING_INVALID', { ...first, availability: '0.9' }],
    ['the node id is empty', 'SIZING_INVALID', { ...first, nodeId: '' }],
    ['the node id is there twice', 'SIZING_INVALID', { ...first, nodeId: world[1]!.nodeId }],
    ['the operator is empty', 'SIZING_INVALID', { ...first, operator: '' }],
    ['the operator is missing', 'SIZING_INVALID', { ...first, operator: undefined }],
    ['there is no place', 'SIZING_INVALID', { ...first, place: null }],
    ['the region is empty', 'SIZING_INVALID', { ...first, place: { ...first.place, region: '' } }],
    ['the place has no name', 'SIZING_INVALID', { ...first, place: { ...first.place, name: 1 } }],
    ['the latitude is out of range', 'PLACE_INVALID', { ...first, place: { ...first.place, lat: 90.1 } }],
    ['the longitude is infinite', 'PLACE_INVALID', { ...first, place: { ...first.place, lon: Infinity } }],
    ['it is null', 'SIZING_INVALID', null],
  ])('are refused where %s', (_, code, candidate) => {
    const candidates = [candidate as Candidate, ...world.slice(1)];
    expect(refusal(() => plan(candidates, 'low', 'local')).code).toBe(code);
  });

  test('are refused where there are more than 100,000', () => {
    const many = Array.from({ length: 100_001 }, () => first);
    expect(refusal(() => plan(many, 'low', 'local')).code).toBe('SIZING_INVALID');
  });

  test('an operator named after a node id is not that node', () => {
    const named = spreadWorld(3, 3).map((node, index) => ({
      ...node,
      operator: index === 0 ? null : `operator-${index}`,
    }));
    const sly = { ...named[1]!, operator: named[0]!.nodeId };
    expect(plan([named[0]!, sly, named[2]!], 'low', 'local').k).toBe(3);
  });
});

describe('a placement', () => {
  test('of ten thousand nodes keeps its caps and targets', () => {
    const world = randomWorld(7, {
      size: 10_000,
      operatorCount: 500,
      regionCount: 22,
      trustMin: 0,
      availabilityMin: 0.9,
    });
    const placement = plan(world, 'high', 'open');
    expect(placement.reduced).toBe(false);
    expect(placement.certificate.score.objective).toBeGreaterThan(0.95);
    verifyCertificate(placement.certificate);
  });

  test('says that places are simulated when the caller says so', () => {
    const request = {
      candidates: spreadWorld(12, 12),
      risk: 'low',
      profile: 'local',
      acceptReduced: false,
    } as const;
    expect(planPlacement(request).certificate.simulated).toBe(false);
    expect(planPlacement({ ...request, simulated: true }).certificate.simulated).toBe(true);
  });

  test('begins with holders far apart: the first three are in three regions of three operators', () => {
    const { holders } = plan(spreadWorld(24, 8, 0.9), 'high', 'open');
    expect(new Set(holders.slice(0, 3).map(({ place }) => place.region)).size).toBe(3);
    expect(new Set(holders.slice(0, 3).map(({ operator }) => operator)).size).toBe(3);
  });

  test('weighs distance more at a higher risk: far and less trusted nodes come in', () => {
    const near = spreadWorld(12, 12, 0.95).map((node, index) => ({
      ...node,
      nodeId: `near-${index}`,
      operator: `near-${index}`,
      place: { ...node.place, lat: 47 + index / 100, lon: 8, region: `part ${index % 4} of Europe` },
    }));
    const far = spreadWorld(12, 12, 0.76);
    const count = (risk: Risk) => {
      const { holders } = plan([...near, ...far], risk, 'open');
      return holders.filter(({ nodeId }) => nodeId.startsWith('node')).length / holders.length;
    };
    expect(count('high')).toBeGreaterThan(count('low'));
  });
});
