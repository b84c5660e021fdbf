import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '@skerry/crypto';
import { evidenceOf } from '@skerry/trust';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEvidenceStore } from '../src/evidence-store.ts';
import { openStore, type Store } from '../src/store.ts';
import { quiet } from './holders.ts';

const periodMs = 1_000_000;
let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  store = await openStore(directory);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const open = async (options: { nodesMax?: number; log?: typeof quiet } = {}) =>
  openEvidenceStore({ store, periodMs, clock: nodeClock, log: quiet, ...options });

/** As `open` over the same files after a restart. */
async function reopen(options: Parameters<typeof open>[0] = {}) {
  await store.close();
  store = await openStore(directory);
  return open(options);
}

describe('evidence', () => {
  test('is there again after a restart, kind by kind', async () => {
    const evidence = await open();
    evidence.note('a', 'proof');
    evidence.note('a', 'silent');
    evidence.note('b', 'share-lost');
    const before = evidence.of('a');
    await evidence.close();
    const again = await reopen();
    expect(again.of('a')).toEqual(before);
    expect(again.of('a')?.seen).toMatchObject({ proof: { count: 1 }, silent: { count: 1 } });
    expect(evidenceOf(again.of('b')!, Date.now(), periodMs).integrity.bad).toBeGreaterThan(1);
    expect(again.of('c')).toBeUndefined();
    await again.close();
  });

  test('of cheating is on disk at once, though the process is killed', async () => {
    const evidence = await open();
    evidence.note('a', 'proof-wrong');
    // Long before evidence is written anyway; the store's own close waits for what it was given.
    await new Promise(resolve => setTimeout(resolve, 50));
    const again = await reopen();
    expect(again.of('a')?.cheatedAtMs).not.toBeNull();
    expect(again.of('a')?.seen).toMatchObject({ 'proof-wrong': { count: 1 } });
    await again.close();
    await evidence.close().catch(() => undefined);
  });

  test('that is damaged begins anew, and says so; the rest stays', async () => {
    const evidence = await open();
    for (const nodeId of ['a', 'b', 'c']) evidence.note(nodeId, 'proof');
    await evidence.close();
    await store.put('evidence/a', new TextEncoder().encode('{'));
    await store.put('evidence/b', new TextEncoder().encode('{"seen":{"proof":{"count":-1}}}'));
    const said: unknown[] = [];
    const again = await reopen({ log: { ...quiet, error: (...line) => void said.push(line) } });
    expect(again.nodeIds()).toEqual(['c']);
    expect(said).toHaveLength(2);
    again.note('a', 'proof');
    expect(again.of('a')?.seen.proof?.count).toBe(1);
    await again.close();
  });

  test('is of so many nodes at most: that seen longest ago goes, and of cheats last', async () => {
    const evidence = await open({ nodesMax: 3 });
    evidence.note('cheat', 'proof-wrong');
    for (const nodeId of ['a', 'b', 'a', 'c']) evidence.note(nodeId, 'proof');
    expect(evidence.nodeIds()).toEqual(['cheat', 'a', 'c']);
    await evidence.close();
    const again = await reopen({ nodesMax: 3 });
    expect(again.nodeIds().toSorted()).toEqual(['a', 'c', 'cheat']);
    await again.close();
  });

  test('is displaced by no crowd of new names that misbehave', async () => {
    const evidence = await open({ nodesMax: 3 });
    for (const nodeId of ['good', 'lost']) evidence.note(nodeId, 'proof');
    evidence.noteLost('lost', 'key');
    for (let i = 0; i < 20; i++) evidence.note(`crowd ${i}`, 'equivocation');
    expect(evidence.nodeIds()).toEqual(['good', 'lost', 'crowd 19']);
    await evidence.close();
  });

  test('that comes after the end is not written: the store may be closed', async () => {
    const evidence = await open();
    await evidence.close();
    evidence.note('late', 'proof-wrong');
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(store.get('evidence/late')).toBeUndefined();
  });

  test('of a lost share counts once, over a restart too', async () => {
    const evidence = await open();
    for (let i = 0; i < 3; i++) evidence.noteLost('a', 'key-1');
    evidence.noteLost('a', 'key-2');
    evidence.noteLost('b', 'key-1');
    await evidence.close();
    const again = await reopen();
    again.noteLost('a', 'key-1');
    const countOf = (nodeId: string) => again.of(nodeId)?.seen['share-lost']?.count;
    expect([countOf('a'), countOf('b')]).toEqual([2, 1]);
    await again.close();
  });
});
