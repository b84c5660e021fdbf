import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type TestContext, test } from 'vitest';
import { measure } from '../index.ts';
import { englishBytes, pseudorandomBytes } from './samples.ts';

const run = promisify(execFile);

/** The first bytes of the runtime that runs this test: real machine code. */
async function executableBytes(length: number): Promise<Uint8Array> {
  const file = await open(process.execPath);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Entropy that Debian's `ent -t` prints for a file, in bits per byte; undefined where it is not installed. */
async function entOf(path: string): Promise<number | undefined> {
  try {
    const { stdout } = await run('ent', ['-t', path]);
    const [head, row] = stdout.split('\n').map(line => line.split(','));
    return Number(row![head!.indexOf('Entropy')]);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (missing && !process.env.CI) return undefined;
    throw error; // where tests decide, the peer has to be there
  }
}

/** Checks the stream's entropy against the one that ent prints for the same bytes. */
async function compareWithEnt(bytes: Uint8Array, context: TestContext): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'skerry-ent-'));
  try {
    const path = join(directory, 'sample');
    await writeFile(path, bytes);
    const printed = await entOf(path);
    if (printed === undefined) return context.skip('ent is not installed');
    const { shannon } = await measure([bytes]);
    // Six decimals are printed: half a unit of the last is ent's rounding, the rest is for the two sums.
    expect(Math.abs(shannon!.stream - printed)).toBeLessThanOrEqual(0.5e-6 + 1e-9);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('the whole-stream entropy of text is what ent prints', context =>
  compareWithEnt(englishBytes(300_001), context));

test('the whole-stream entropy of random bytes is what ent prints', context =>
  compareWithEnt(pseudorandomBytes(1_000_003), context));

test('the whole-stream entropy of an executable is what ent prints', async context =>
  compareWithEnt(await executableBytes(4 * 2 ** 20), context));

test('the whole-stream entropy of a constant is what ent prints', context =>
  compareWithEnt(new Uint8Array(5000), context));
