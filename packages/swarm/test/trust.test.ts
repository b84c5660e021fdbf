import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, type Log } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { greatCircleKm } from '@skerry/placement';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarm, type Swarm, type SwarmNode } from '../index.ts';
import { type Badness, comeAndGo, conductsOf, flood, frankfurt, loseDisk } from './bad-nodes.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** `npm run trust` takes thirty nodes and ten audit periods, and everything else only what shows in four. */
const isLong = process.env['SKERRY_TRUST'] === 'all';

const nodeCount = isLong ? 30 : 12;
const auditMs = isLong ? 3_000 : 700;
/** Four audits make a period (`auditsPerPeriod` of node's parameters). */
const periodMs = 4 * auditMs;
const periods = isLong ? 14 : 3;
const bad = new Map<number, Badness>(
  isLong
    ? [
        [2, 'offline'],
        [7, 'lost-disk'],
        [11, 'wrong-proofs'],
        [18, 'elsewhere'], // in Auckland: what a busy machine adds to round trips must not hide that it is not there
        [19, 'slander'],
        [23, 'flood'],
      ]
    : [
        [3, 'lost-disk'],
        [6, 'wrong-proofs'],
        [9, 'elsewhere'],
      ],
);

/** The floors of trust that docs/PROTOCOL.md sets for high and low risk on the open internet. */
const floors = { high: 0.75, low: 0.45 };

/** For so long a node's verdict may be an old one, ms (`verdictMs` of node's parameters). */
const verdictMs = 2_100;

/** What a busy machine may add to a round trip, 50 ms, as km. */
const slackKm = 5_000;

// In order: a node that was started again has measured nobody yet.
describe('a swarm in which some nodes are bad', { shuffle: false }, () => {
  let root: string;
  let swarm: Swarm;
  const ending = new AbortController();
  const work: Promise<void>[] = [];
  const statements = Array.from({ length: nodeCount }, (): Record<string, 'deny'> => ({}));

  const indexOf = (badness: Badness): number | undefined =>
    [...bad].find(([, candidate]) => candidate === badness)?.[0];
  const honest = () => swarm.nodes.filter(({ index }) => !bad.has(index));

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-trust-'));
    const conduct = conductsOf(bad);
    const trust = (index: number) => at(statements, index);
    swarm = await createSwarm({
      nodeCount,
      home: root,
      auditMs,
      isPlaceVerified: true,
      conduct,
      trust,
      log: quiet,
    });
    for (const round of isLong ? [0, 1] : [0]) await dealAll(round);
    await sleep(periodMs); // each share is proved to somebody meanwhile
    const [diskless, comer, flooder] = (['lost-disk', 'offline', 'flood'] as const).map(indexOf);
    if (diskless !== undefined) await loseDisk(swarm, diskless);
    if (comer !== undefined) work.push(comeAndGo(swarm, comer, periodMs / 2, ending.signal));
    if (flooder !== undefined) work.push(flood(at(swarm.nodes, flooder), honest(), ending.signal));
    await sleep((periods + 1) * periodMs);
  }, 900_000);

  afterAll(async () => {
    ending.abort();
    await Promise.all(work);
    await swarm.close();
    await rm(root, { recursive: true });
  }, 60_000);

  /**
   * Has some nodes deal a key each. Left alone all would choose the same holders, those farthest apart; so among many
   * each denies all but some for as long as it deals.
   */
  async function dealAll(round: number): Promise<void> {
    const owners = honest().slice(0, isLong ? 15 : 4);
    for (const [i, { index }] of owners.entries()) {
      if (!isLong) continue;
      // Seven apart, so that in the end nearly all have keys in common.
      const some = new Set(Array.from({ length: 11 }, (_, j) => (i * 2 + round + 7 * j) % nodeCount));
      for (const node of swarm.nodes) if (!some.has(node.index)) at(statements, index)[node.nodeId] = 'deny';
    }
    await sleep(verdictMs);
    const protection = {
      risk: 'low',
      acceptReduced: true,
      counts: { t: 3, n: 5, k: isLong ? 9 : 10 },
    } as const;
    await Promise.all(
      owners.map(async ({ index, peer }) => {
        await peer().deal(peer().reserveKey(), nodeRandom.bytes(32), protection);
        for (const nodeId of Object.keys(at(statements, index))) delete at(statements, index)[nodeId];
      }),
    );
  }

  /** Trust of one node by each honest node that has seen anything of it. */
  function trustIn(index: number): { readonly trust: number; readonly why: string }[] {
    const { nodeId } = at(swarm.nodes, index);
    return honest()
      .filter(node => node.nodeId !== nodeId)
      .flatMap(({ peer }) => {
        const { evidence, assessor } = peer().network;
        const verdict = evidence.of(nodeId) && assessor.verdictOn(nodeId);
        if (!verdict) return [];
        const { trust, availability, next, parts } = verdict.assessment;
        const own = parts
          .filter(({ source }) => source === 'own')
          .map(({ kind, count }) => `${kind} ${count}`);
        return [{ trust, why: `${index}: ${own.join()}; availability ${availability}; ${next}` }];
      })
      .sort((a, b) => a.trust - b.trust);
  }

  /** Whether an observer is near enough to Frankfurt, and far enough from the claim, to refute it by itself. */
  function canRefute({ place }: SwarmNode): boolean {
    const claim = at(swarm.nodes, indexOf('elsewhere')!).place;
    return 1.5 * greatCircleKm(place, frankfurt) + slackKm < greatCircleKm(place, claim);
  }

  test('every bad one is under the floor of high risk to all who have seen it, and those proven bad under every floor', () => {
    const floorOf = (badness: Badness): number =>
      badness === 'lost-disk' || badness === 'wrong-proofs' ? floors.low : floors.high;
    // Who is elsewhere is looked at below.
    const others = [...bad].filter(([, badness]) => isLong || badness !== 'elsewhere');
    const worst = others.map(([index, badness]) => {
      const highest = trustIn(index).at(-1);
      return { badness, highest, isUnder: highest !== undefined && highest.trust < floorOf(badness) };
    });
    expect(worst.filter(({ isUnder }) => !isUnder)).toEqual([]);
  });

  test('every good one rises, and after ten periods is over the floor of high risk to all who audit it', () => {
    const least = honest().flatMap(({ index }) => trustIn(index).slice(0, 1));
    expect(least).toHaveLength(honest().length);
    expect(least.filter(({ trust }) => trust < (isLong ? floors.high : 0.5))).toEqual([]);
  });

  test('nobody honest is refuted, and who claims to be elsewhere is', () => {
    const { nodeId: liar } = at(swarm.nodes, indexOf('elsewhere')!);
    for (const { peer, nodeId } of honest()) {
      for (const other of honest()) {
        if (other.nodeId === nodeId) continue;
        expect(peer().network.assessor.verdictOn(other.nodeId)?.place.verdict).not.toBe('refuted');
      }
    }
    // From afar it takes three witnesses with standing, whom ten periods give to who audits them.
    const hasSeen = ({ peer }: SwarmNode): boolean => peer().network.evidence.of(liar) !== undefined;
    const judges = honest().filter(node => (isLong && hasSeen(node)) || canRefute(node));
    expect(judges.length).toBeGreaterThan(1);
    const believers = judges.flatMap(({ index, peer }) => {
      const { assessor, streams } = peer().network;
      const verdict = assessor.verdictOn(liar);
      const isSeenThrough =
        verdict?.place.verdict === 'refuted' &&
        verdict.assessment.standing === 'place-refuted' &&
        verdict.assessment.trust < floors.low;
      return isSeenThrough ? [] : [{ index, place: verdict?.place, ownMs: streams.leastRoundTripMs(liar) }];
    });
    expect(believers).toEqual([]);
  });

  test('evidence is there again after a restart', async () => {
    const observer = at(honest(), 0);
    const cheat = at(swarm.nodes, indexOf('wrong-proofs')!);
    const before = observer.peer().network.evidence.nodeIds().length;
    await swarm.stop(observer.index);
    await swarm.start(observer.index);
    const { evidence } = observer.peer().network;
    expect(evidence.nodeIds().length).toBeGreaterThanOrEqual(before);
    expect(evidence.of(cheat.nodeId)?.cheatedAtMs).not.toBeNull();
  });
});
