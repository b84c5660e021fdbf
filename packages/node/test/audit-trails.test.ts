import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AuditEffect, openAuditTrails } from '../src/audit-trails.ts';
import { openStore, type Store } from '../src/store.ts';
import { keysIn } from './holders.ts';

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

const round = (x: number): AuditEffect => ({ type: 'audit', event: 'round', fields: { x } });
const refused: AuditEffect = { type: 'audit', event: 'round-refused', fields: { code: 'GRANT_INVALID' } };

/** The x of each line in a trail, in order. */
async function linesOf(name: string): Promise<number[]> {
  const lines: number[] = [];
  for (const key of await keysIn(store, `${name}/`)) {
    lines.push((JSON.parse(new TextDecoder().decode(store.get(key))) as { x: number }).x);
  }
  return lines;
}

test('lines are kept in order for each key, and go on after a restart', async () => {
  const trails = await openAuditTrails(store, 100);
  await store.batch(trails.append('aa', [round(1), round(2)], 5));
  await store.batch(trails.append('bb', [round(7)], 6));
  const again = await openAuditTrails(store, 100);
  await store.batch(again.append('aa', [round(3)], 7));
  expect(await linesOf('audit/aa')).toEqual([1, 2, 3]);
  const [first] = await keysIn(store, 'audit/bb');
  const line: unknown = JSON.parse(new TextDecoder().decode(store.get(first as string)));
  expect(line).toEqual({ atMs: 6, event: 'round', keyId: 'bb', x: 7 });
});

test('over the bound the oldest lines of the longest trail go, so that who fills the log loses its own', async () => {
  const trails = await openAuditTrails(store, 12);
  for (let x = 0; x < 4; x++) await store.batch(trails.append('honest', [round(x)], 0));
  for (let x = 0; x < 30; x++) await store.batch(trails.append('flood', [round(x)], 0));
  for (let i = 0; i < 30; i++) await store.batch(trails.append('honest', [refused], 0));
  expect(await linesOf('audit/honest')).toEqual([0, 1, 2, 3]);
  expect((await linesOf('audit/flood')).at(-1)).toBe(29);
  expect((await keysIn(store, '')).length).toBe(12);
});

test('drills and inspections have a trail of their own, so that they push out no opens of their key', async () => {
  const drill = (x: number): AuditEffect => {
    return { type: 'audit', event: x % 2 === 0 ? 'drill' : 'inspection', fields: { x } };
  };
  const trails = await openAuditTrails(store, 12);
  for (let x = 0; x < 5; x++) await store.batch(trails.append('aa', [round(x)], 0));
  for (let x = 0; x < 30; x++) await store.batch(trails.append('aa', [drill(x)], 0));
  expect(await linesOf('audit/aa')).toEqual([0, 1, 2, 3, 4]);
  expect((await linesOf('drilled/aa')).at(-1)).toBe(29);
  await store.batch(trails.drop('aa'));
  expect(await keysIn(store, '')).toEqual([]);
});

test('a store that has more than the bound is brought under it with the next line', async () => {
  const trails = await openAuditTrails(store, 50);
  await store.batch(
    trails.append(
      'aa',
      Array.from({ length: 20 }, (_, x) => round(x)),
      0,
    ),
  );
  const smaller = await openAuditTrails(store, 5);
  await store.batch(smaller.append('aa', [round(20)], 0));
  expect(await linesOf('audit/aa')).toEqual([16, 17, 18, 19, 20]);
});

test("a key's trails are dropped together, and nobody else's", async () => {
  const trails = await openAuditTrails(store, 50);
  await store.batch([...trails.append('aa', [round(1), refused], 0), ...trails.append('bb', [round(2)], 0)]);
  await store.batch(trails.drop('aa'));
  expect(await keysIn(store, '')).toEqual(['audit/bb/0000000000000000']);
  expect(trails.drop('aa')).toEqual([]);
});
