import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, type Store } from '../src/store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

async function listed(store: Store, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const key of store.keys(prefix)) found.push(key);
  return found;
}

describe('the store', () => {
  test('keeps what was put, over a close', async () => {
    const store = await openStore(directory);
    await store.put('share/1', bytes('one'));
    await store.put('share/2', new Uint8Array());
    await store.put('share/1', bytes('uno'));
    await store.put('shared', bytes('x'));
    await store.del('share/3');
    await store.close();
    const again = await openStore(directory);
    expect(text(again.get('share/1'))).toBe('uno');
    expect(again.get('share/2')).toEqual(new Uint8Array());
    expect(again.get('share/3')).toBeUndefined();
    expect(await listed(again, 'share/')).toEqual(['share/1', 'share/2']);
    await again.del('share/1');
    expect(again.get('share/1')).toBeUndefined();
    await again.close();
  });

  test('keys are listed as they were when that began, and the list may be left early', async () => {
    const store = await openStore(directory);
    await store.batch([1, 2, 3].map(i => ({ type: 'put', key: `k/${i}`, value: bytes(`${i}`) })));
    const seen: string[] = [];
    for await (const key of store.keys('k/')) {
      if (seen.length === 0) await store.del('k/2');
      seen.push(key);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['k/1', 'k/2']);
    await store.close();
  });

  test('what is erased is in none of its files, however old and deep it was', async () => {
    const store = await openStore(directory);
    const filler = async (name: string): Promise<void> => {
      for (let i = 0; i < 40; i++) await store.put(`${name}/${i}`, new Uint8Array(randomBytes(65_536)));
    };
    const secrets = Array.from({ length: 3 }, () => new Uint8Array(randomBytes(32)));
    const onDisk = async (): Promise<boolean[]> => {
      const names = await readdir(directory);
      const files = await Promise.all(names.map(async name => readFile(join(directory, name))));
      return secrets.map(secret => files.some(file => file.includes(secret)));
    };
    for (const secret of secrets) {
      await store.put('m/key', secret);
      await filler('a');
      await filler('z');
    }
    expect(await onDisk()).toEqual([true, true, true]);
    await store.put('m/key', bytes('grave'));
    for await (const key of store.keys('a/')) {
      await store.erase('m/key');
      expect(key).toBe('a/0');
      break;
    }
    expect(await onDisk()).toEqual([false, false, false]);
    expect(text(store.get('m/key'))).toBe('grave');
    await store.del('m/key');
    await store.erase('m/key');
    expect(store.get('m/key')).toBeUndefined();
    await store.close();
  });

  test("a value is the caller's to keep and to wipe", async () => {
    const store = await openStore(directory);
    const value = bytes('mine');
    await store.put('k', value);
    value.fill(0);
    store.get('k')!.fill(0);
    expect(text(store.get('k'))).toBe('mine');
    await store.close();
  });

  test('a process killed amid its batches leaves the last that it spoke of, or the one after, and no half', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'store-child.ts'), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let spoken = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      spoken = Number(line);
      if (spoken === 20) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const store = await openStore(directory);
    const kept = ['a', 'b', 'c'].map(key => Number(text(store.get(key))));
    expect(new Set(kept).size).toBe(1);
    expect([spoken, spoken + 1]).toContain(kept[0]);
    await store.close();
  });

  test('a disk that fills up amid a write fails by name; with room again all that was kept is there, and new writes too', async () => {
    const child = [join(import.meta.dirname, 'store-full-child.ts'), directory];
    const { stdout } = await promisify(execFile)(process.execPath, child);
    const { outcomes, readable } = JSON.parse(stdout) as {
      outcomes: Record<string, string>;
      readable: number;
    };
    const [kept, failed] = ['kept', 'STORE_FAILED'];
    expect(outcomes).toEqual({
      before: kept,
      first: failed,
      second: failed,
      third: failed,
      'too-soon': failed,
      after: kept,
      behind: kept,
    });
    expect(readable).toBe(2_000);
    const store = await openStore(directory);
    for (const key of ['before', 'after', 'behind'])
      expect(store.get(key)).toEqual(new Uint8Array(2_000).fill(key.charCodeAt(0)));
    expect(await listed(store, '')).toEqual(['after', 'before', 'behind']);
    await store.close();
  });

  test('a second opening is refused, and the first is not disturbed', async () => {
    const store = await openStore(directory);
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'HOME_INVALID' });
    await store.put('k', bytes('v'));
    expect(text(store.get('k'))).toBe('v');
    await store.close();
  });

  test('a closed store and a directory that is none fail by name', async () => {
    const store = await openStore(join(directory, 'deep', 'down'));
    await store.close();
    await expect(store.put('k', bytes('v'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect(() => store.get('k')).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
    await writeFile(join(directory, 'file'), 'x');
    await expect(openStore(join(directory, 'file'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });

  for (const place of ['log', 'ldb'] as const) {
    test(`a bit flipped on disk, in a .${place} file, is corruption and never other bytes`, async () => {
      const marker = 'a share that must not change '.repeat(20);
      const store = await openStore(directory);
      await store.put('before', bytes('x'));
      await store.put('k', bytes(marker));
      await store.close();
      if (place === 'ldb') await (await openStore(directory)).close(); // recovery moves the log into a table
      await flip(directory, place, 'must not');
      const reading = async (): Promise<string> => {
        const again = await openStore(directory);
        try {
          return text(again.get('k'));
        } finally {
          await again.close();
        }
      };
      const corrupt = { code: 'STORE_CORRUPT', kind: 'corrupt' };
      await expect(reading()).rejects.toMatchObject(corrupt);
      await expect(reading()).rejects.toMatchObject(corrupt);
      if (place === 'ldb') return;
      await rm(join(directory, 'DAMAGED')); // the operator goes on with what is left
      expect(await reading()).toBe('');
    });
  }
});

/** Flips a bit of the first occurrence of a text in the files of a kind. */
async function flip(directory: string, extension: string, marker: string): Promise<void> {
  for (const name of (await readdir(directory)).filter(file => file.endsWith(extension))) {
    const content = await readFile(join(directory, name));
    const where = content.indexOf(marker);
    if (where < 0) continue;
    content[where]! ^= 1;
    await writeFile(join(directory, name), content);
    return;
  }
  throw new Error(`no .${extension} file has it`);
}
