import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import { openStore } from '../src/store.ts';

/**
 * A process whose disk fills up amid a write and later has room again: a limit on a file's size stands in for the disk.
 * It puts keys before, while and after, and prints what became of each, and what it reads of all while the disk is full.
 */
const directory = process.argv[2]!;
const outcomes: Record<string, string> = {};
const store = await openStore(directory);

async function put(key: string): Promise<void> {
  outcomes[key] = await store.put(key, new Uint8Array(2_000).fill(key.charCodeAt(0))).then(
    () => 'kept',
    (error: unknown) => (error instanceof SkerryError ? error.code : String(error)),
  );
}

function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:`]);
}

await put('before');
const log = readdirSync(directory).find(name => name.endsWith('.log'))!;
limitFiles(statSync(join(directory, log)).size + 1_000); // room for half of the next
await Promise.all(['first', 'second'].map(put));
await put('third');
const readable = store.get('before')?.length;
limitFiles('unlimited');
await put('too-soon'); // the store looks at its disk only now and then
await sleep(parameters.storeRetryMs);
await Promise.all(['after', 'behind'].map(put));
await store.close();
process.stdout.write(JSON.stringify({ outcomes, readable }));
