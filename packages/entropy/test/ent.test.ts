import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { measure } from '../index.ts';
import { englishBytes, pseudorandomBytes } from './samples.ts';

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

const execute = promisify(execFile);

/** Debian's `ent` is asked where it is installed, and where CI is set, so that a missing one fails there. */
const asksEnt =
  Boolean(process.env.CI) ||
  (await execute('ent', ['-u']).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
  ));

/** Bits per byte that `ent -t` prints, six decimals. */
async function askEnt(bytes: Uint8Array): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'skerry-ent-'));
  try {
    const path = join(directory, 'sample');
    await writeFile(path, bytes);
    const { stdout } = await execute('ent', ['-t', path]);
    const [head, row] = stdout.split('\n').map(line => line.split(','));
    return Number(row![head!.indexOf('Entropy')]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** What ent 1.2 printed for the samples that are the same everywhere; held against with ent or without. */
const frozen = [
  ['text', () => englishBytes(300_001), 4.063745],
  ['random bytes', () => pseudorandomBytes(1_000_003), 7.999807],
  ['a constant', () => new Uint8Array(5000), 0],
] as const;

/** Half a unit of the sixth decimal is the rounding of ent's print; the rest is for the two sums. */
const tolerance = 0.5e-6 + 1e-9;

test.each(frozen)('the whole-stream entropy of %s is what ent prints', async (_name, bytesOf, printed) => {
  const bytes = bytesOf();
  const { shannon } = await measure([bytes]);
  expect(Math.abs(shannon!.stream - printed)).toBeLessThanOrEqual(tolerance);
  expect(asksEnt ? await askEnt(bytes) : printed).toBe(printed);
});

/** Minus the sum of p log2 p, as it is written: what stands in where ent may be missing. */
function definedEntropy(bytes: Uint8Array): number {
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / bytes.length) * Math.log2(count / bytes.length);
  return bits;
}

test('the whole-stream entropy of an executable is what ent prints', async () => {
  const bytes = await executableBytes(4 * 2 ** 20);
  const { shannon } = await measure([bytes]);
  const printed = asksEnt ? await askEnt(bytes) : definedEntropy(bytes);
  expect(Math.abs(shannon!.stream - printed)).toBeLessThanOrEqual(tolerance);
});
