/** The same misfortunes befall a key of real peers and one in virtual time, and the same comes of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, equalBytes, type Log, type Risk } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { calm, runChurn } from '@skerry/simulator';
import { type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarm, type Swarm } from '../index.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What befalls a key: which of its holders go for good, by their places in it, and whether its owner is away then. */
type Misfortune = { readonly gone: readonly number[]; readonly isOwnerAway: boolean };

/** What came of it. */
type Outcome = {
  /** Places in the key whose points were moved, why, and whether by votes. */
  readonly moves: readonly { readonly place: number; readonly reason: string; readonly isVoted: boolean }[];
  readonly epoch: number;
  /** Whether each point has its share, proved or as the checkers have it. */
  readonly isFull: boolean;
  readonly opens: boolean;
};

/**
 * The first move of each point that was moved, in the order of their places. A real node that is slow to have its share
 * made, in seconds that stand for days, may lose the point to another: that is a second move.
 */
function movesOf({ core, amendments }: Manifest): Outcome['moves'] {
  const placeOf = (x: number): number => core.holders.findIndex(holder => holder.x === x);
  const firsts = amendments.filter(
    ({ proposal: { x } }, i) => amendments.findIndex(one => one.proposal.x === x) === i,
  );
  return firsts
    .map(({ proposal: { x, reason }, votes }) => ({ place: placeOf(x), reason, isVoted: votes.length > 0 }))
    .sort((a, b) => a.place - b.place);
}

/** Long enough that a drill which waits for an absent holder takes no whole grace, on a busy machine too. */
const auditMs = 1_200;
const graceMs = 4 * auditMs;

/** How long a repair took, in graces. */
type Timed = { readonly outcome: Outcome; readonly graces: number };

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 150_000;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > endMs) throw new Error('a key did not heal in time');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function befallPeers(swarm: Swarm, risk: Risk, { gone, isOwnerAway }: Misfortune): Promise<Timed> {
  const owner = at(swarm.nodes, 0);
  const [slot, key] = [owner.peer().reserveKey(), nodeRandom.bytes(32)];
  await owner.peer().deal(slot, key.slice(), { risk, acceptReduced: false });
  const manifestNow = (): Manifest => owner.peer().keys.get(slot.keyId)!.manifest;
  const first = manifestNow();
  const victims = gone.map(place => nodeIdOf(first.core.holders[place]!.nodeKey));
  const startMs = performance.now();
  if (isOwnerAway) await swarm.crash(owner.index);
  for (const id of victims) await swarm.crash(swarm.nodes.findIndex(({ nodeId }) => nodeId === id));
  const isMoved = (manifest: Manifest | undefined): boolean =>
    manifest !== undefined && seatsOf(manifest).every(({ nodeKey }) => !victims.includes(nodeIdOf(nodeKey)));
  const witness = swarm.nodes.find(
    ({ nodeId }) =>
      !victims.includes(nodeId) && first.core.holders.some(({ nodeKey }) => nodeIdOf(nodeKey) === nodeId),
  )!;
  const keyId = Buffer.from(slot.keyId).toString('hex');
  await until(async () => isMoved(witness.peer().network.custody.manifestOf(keyId)));
  const graces = (performance.now() - startMs) / graceMs;
  if (isOwnerAway) await swarm.start(owner.index);
  await until(async () => isMoved(manifestNow()));
  await until(async () =>
    seatsOf(manifestNow()).every(({ nodeKey }) => {
      const node = swarm.nodes.find(({ nodeId }) => nodeId === nodeIdOf(nodeKey))!;
      return node.peer().network.custody.servedKeyIds().includes(keyId);
    }),
  );
  const opened = await owner.peer().open(slot.keyId);
  const manifest = manifestNow();
  const outcome = {
    moves: movesOf(manifest),
    epoch: manifest.core.epoch,
    isFull: true,
    opens: equalBytes(opened.key, key),
  };
  for (const node of swarm.nodes) if (!node.isUp()) await swarm.start(node.index);
  return { outcome, graces };
}

const dayMs = 86_400_000;

function befallVirtual(risk: Risk, { gone, isOwnerAway }: Misfortune): Timed {
  let manifestNow: (() => Manifest | null) | undefined;
  const { figures, violations } = runChurn(
    { seed: 1, nodes: 64, keys: 1, days: 7 },
    {
      lot: calm,
      liars: 0,
      openMs: 0,
      risks: [risk],
      profile: 'local',
      onDealt: ({ world, keys }, { goDown, depart }) => {
        const key = at(keys, 0);
        manifestNow = () => key.manifest;
        const holders = key.manifest!.core.holders.map(({ nodeKey }) => world.nodeOf(nodeKey)!);
        if (isOwnerAway) goDown(key.owner, 5 * dayMs);
        for (const place of gone) depart(holders[place]!);
      },
    },
  );
  const manifest = manifestNow?.();
  expect(violations).toEqual([]);
  const outcome = {
    moves: movesOf(manifest!),
    epoch: manifest!.core.epoch,
    isFull: figures['keysLost'] === 0,
    opens: figures['opensFailed'] === 0,
  };
  return { outcome, graces: (Number(figures['repairHoursP99']) * 3_600_000) / dayMs };
}

describe('a key of real peers, and the same in virtual time', () => {
  let root: string;
  let swarm: Swarm;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-swarm-'));
    swarm = await createSwarm({ nodeCount: 16, home: root, auditMs, transport: 'memory', log: quiet });
    await swarm.ready();
  }, 60_000);
  afterAll(async () => {
    await swarm.close();
    await rm(root, { recursive: true, force: true });
  });

  const misfortunes: readonly (readonly [string, Misfortune, least: number])[] = [
    ['two holders go', { gone: [1, 3], isOwnerAway: false }, 1],
    ['a holder goes while the owner is away', { gone: [2], isOwnerAway: true }, 2],
  ];
  test.each(misfortunes)(
    '%s: the same points move, for the same reasons, by the same hands',
    async (_, misfortune, least) => {
      const real = await befallPeers(swarm, 'high', misfortune);
      const virtual = befallVirtual('high', misfortune);
      expect(real.outcome).toEqual(virtual.outcome);
      // neither acts before the absence was borne; how long the real one takes besides is the machine's affair
      expect(Math.min(real.graces, virtual.graces)).toBeGreaterThan(least);
      expect(virtual.graces).toBeLessThan(2 * least);
    },
    240_000,
  );
});
