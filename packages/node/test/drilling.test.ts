import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeClock, nodeRandom } from '@skerry/crypto';
import { nodeIdOf } from '@skerry/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { drillKey, openKey } from '../src/opening.ts';
import {
  dealTo,
  grantTo,
  type Holder,
  keysIn,
  makeOwner,
  makeParty,
  restartHolder,
  startHolders,
  streamsTo,
} from './holders.ts';

const owner = makeOwner();
let directory: string;
let holders: Holder[];
let manifest: Awaited<ReturnType<typeof dealTo>>;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  holders = await startHolders(directory, 4);
  manifest = await dealTo(holders, owner, nodeRandom.bytes(32));
});
afterEach(async () => {
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(directory, { recursive: true });
});

type Streams = Parameters<typeof drillKey>[0]['streams'];
type Seen = Parameters<NonNullable<Parameters<typeof drillKey>[0]['onObserved']>>[0];

const keyId = (): string => toHex(manifest.core.keyId);
const nodeOf = (nodeId: string): Holder => holders.find(holder => holder.nodeId === nodeId)!;
const idOf = (index: number): string => nodeIdOf(at(manifest.core.holders, index).nodeKey);

/** All but one of the key's holders. */
function othersThan(driller: string) {
  return manifest.core.holders
    .map(({ x, nodeKey }) => ({ x, nodeId: nodeIdOf(nodeKey), label: '' }))
    .filter(({ nodeId }) => nodeId !== driller);
}

/** A drill of a holder, over streams. */
async function drill(driller: Holder, streams: Streams = streamsTo(holders, driller)) {
  const holding = await driller.service.holding(keyId());
  if (!holding) throw new Error('a holder holds');
  const seen: Seen[] = [];
  const { nodeKey } = driller;
  const options = { streams, nodeKey, clock: nodeClock, random: nodeRandom };
  const order = { ...holding, holders: othersThan(driller.nodeId) };
  const drilled = await drillKey(
    { ...options, onObserved: observations => seen.push(observations) },
    order,
  ).catch((error: unknown) => error);
  return { drilled, seen };
}

describe('a drill', () => {
  test('of each holder gives its share again, by those that are to be asked first', async () => {
    for (const { nodeId } of manifest.core.holders.map(({ nodeKey }) => ({ nodeId: nodeIdOf(nodeKey) }))) {
      const { drilled, seen } = await drill(nodeOf(nodeId));
      const asked = othersThan(nodeId).slice(0, manifest.core.t);
      expect(drilled).toEqual({ right: asked.map(({ x }) => x).sort((a, b) => a - b), wrong: [] });
      expect(seen).toHaveLength(1);
      expect(at(seen, 0).map(({ kind }) => kind)).toEqual(['drill-right', 'drill-right']);
      expect(at(seen, 0).map(entry => entry.nodeId)).toEqual(asked.map(entry => entry.nodeId));
    }
  });

  test('is in the log of those that answered it, in a trail of its own, and counted over a restart', async () => {
    const driller = nodeOf(idOf(0));
    for (let i = 0; i < 4; i++) expect((await drill(driller)).drilled).toMatchObject({ wrong: [] });
    const asked = nodeOf(idOf(1));
    const [first, ...rest] = await keysIn(asked.store, `drilled/${keyId()}`);
    expect(rest).toHaveLength(3);
    const line: unknown = JSON.parse(new TextDecoder().decode(asked.store.get(first!)));
    const point = at(manifest.core.holders, 0).x;
    expect(line).toMatchObject({ event: 'drill', subject: driller.nodeId, point });
    await restartHolder(holders, directory, holders.indexOf(asked));
    const { drilled, seen } = await drill(driller);
    expect(drilled).toMatchObject({ code: 'KEY_UNAVAILABLE' });
    expect(at(seen, 0).map(({ kind }) => kind)).toContain('refused');
  });

  test('tells what it saw when it fails too, and once', async () => {
    const driller = nodeOf(idOf(0));
    const streams = streamsTo(holders, driller);
    const request = async (): Promise<never> => {
      throw new SkerryError('PEER_UNREACHABLE');
    };
    const { drilled, seen } = await drill(driller, { ...streams, request });
    expect(drilled).toMatchObject({ code: 'KEY_UNAVAILABLE' });
    expect(seen).toHaveLength(1);
    expect(new Set(at(seen, 0).map(({ kind }) => kind))).toEqual(new Set(['unreachable']));
  });

  test('is refused to a thief of a node key, who has the key to its connection and not its share', async () => {
    const victim = nodeOf(idOf(0));
    const { x } = at(manifest.core.holders, 0);
    const options = {
      streams: streamsTo(holders, victim),
      nodeKey: victim.nodeKey,
      clock: nodeClock,
      random: nodeRandom,
    };
    const order = { manifest, x, shareSeed: victim.nodeSeed, holders: othersThan(victim.nodeId) };
    await expect(drillKey(options, order)).rejects.toMatchObject({ code: 'REQUEST_SIGNATURE_INVALID' });
  });
});

describe('a share that is served', () => {
  test('is there for a drill, with its manifest, and nothing is where no share is', async () => {
    const holder = nodeOf(idOf(0));
    const holding = await holder.service.holding(keyId());
    expect(holding?.manifest).toEqual(manifest);
    expect(holding?.x).toBe(at(manifest.core.holders, 0).x);
    expect(holding?.shareSeed.some(byte => byte !== 0)).toBe(true);
    expect(await holder.service.holding(toHex(nodeRandom.bytes(32)))).toBeUndefined();
  });
});

test('an open tells what it saw of the holders that it asked', async () => {
  const by = makeParty();
  const seen: Seen[] = [];
  await openKey(
    {
      streams: streamsTo(holders, by),
      nodeKey: by.nodeKey,
      confirmationSeed: by.nodeSeed,
      clock: nodeClock,
      random: nodeRandom,
      onObserved: observations => seen.push(observations),
    },
    { manifest, grant: await grantTo(owner, manifest, by), holders: othersThan('') },
  );
  expect(seen).toHaveLength(1);
  const [a, b] = [idOf(0), idOf(1)];
  expect(at(seen, 0)).toMatchObject([
    { nodeId: a, kind: 'contribution' },
    { nodeId: b, kind: 'contribution' },
  ]);
  expect(at(seen, 0).every(({ answeredInMs }) => (answeredInMs ?? -1) >= 0)).toBe(true);
});
