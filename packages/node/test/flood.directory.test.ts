import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parameters } from '../parameters.ts';

/** Made-up nodes: a hundred thousand in `npm run flood`. */
const count = Number(process.env['SKERRY_FLOOD_ROUNDS'] ?? 1) > 1 ? 100_000 : 15_000;

test('a directory that is told of very many made-up nodes keeps so many and so much', {
  timeout: 180_000,
}, async () => {
  const argv = ['--expose-gc', join(import.meta.dirname, 'crowded-child.ts'), String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  const { entries, most, stored } = JSON.parse(stdout) as { entries: number; most: number; stored: number };
  expect(entries).toBe(parameters.directoryEntriesMax);
  expect(stored).toBeLessThanOrEqual(parameters.peersStoredMax);
  expect(most).toBeLessThan(120_000_000);
});
