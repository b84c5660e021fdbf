import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MeterMode, measure } from '@skerry/entropy';
import { readPieces } from '@skerry/sealing';
import { type Case, compare, type Effort, isMissing, run, timeMs, writeRandom } from './case.ts';

/** A rolling window of 4 KiB in C, as plainly as `ent` is written: every position's extremes from exact integers. */
const rollingSource = `
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
enum { window = 4096, piece = 1 << 20 };
static uint8_t bytes[window + piece];
static double increments[window];
static int32_t counts[256];
static double term(double c) { return c == 0 ? 0 : round(c * log2(c) * 68719476736.0); }
int main(int argc, char **argv) {
  FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) return 1;
  for (int c = 0; c < window; c++) increments[c] = term(c + 1) - term(c);
  double sum = 0, min = INFINITY, max = 0;
  if (fread(bytes, 1, window, file) != window) return 1;
  for (int i = 0; i < window; i++) sum += increments[counts[bytes[i]]++];
  for (size_t length; (length = fread(bytes + window, 1, piece, file)) > 0;) {
    for (size_t i = window; i < window + length; i++) {
      double loss = increments[--counts[bytes[i - window]]];
      sum += increments[counts[bytes[i]]++] - loss;
      if (sum < min) min = sum;
      if (sum > max) max = sum;
    }
    memmove(bytes, bytes + length, window);
  }
  printf("%f %f %f\\n", sum, min, max);
  return 0;
}
`;

const mebibyte = 2 ** 20;

/** Runs of the meter, of 64 MiB or more, until its code is compiled for good. */
const warmRuns = 3;

/**
 * Measures the meter against `ent` and against a C loop, each over the same file of pseudorandom bytes, which is in
 * the page cache. The peers run as whole processes; the meter reads the file as commands do, in this process.
 *
 * @param quick fewer runs over less data
 * @returns MB/s (10^6 bytes) of both modes against `ent`, and of the rolling mode against C; a peer that is not
 *   installed is null
 */
export async function entropyCases({ quick }: Effort): Promise<Case[]> {
  const bytes = (quick ? 64 : 128) * mebibyte;
  const rounds = quick ? 5 : 7;
  const directory = await mkdtemp(join(tmpdir(), 'skerry-bench-'));
  try {
    const path = join(directory, 'random.bin');
    await writeRandom(path, bytes);
    const ent = await timer('ent', ['-t', path]);
    const c = await timer(await compileRolling(directory), [path]);
    const meter = (mode: MeterMode) => () => measure(readPieces(path), { mode });
    // The meter is a daemon's: measured when the compiler has seen enough of it.
    for (let i = 0; i < warmRuns; i++) for (const mode of ['rolling', 'block'] as const) await meter(mode)();
    const speeds = await alternate(rounds, bytes, {
      rolling: meter('rolling'),
      block: meter('block'),
      ent,
      c,
    });
    const entPeer = { name: 'ent', values: speeds.ent };
    const cPeer = { name: 'C -O3, rolling', values: speeds.c };
    return [
      compare('entropy/rolling', 'MB/s', speeds.rolling!, entPeer, 3),
      compare('entropy/block', 'MB/s', speeds.block!, entPeer, 10),
      compare('entropy/rolling, against C', 'MB/s', speeds.rolling!, cPeer, null),
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Builds the C loop and gives its path; undefined where there is no compiler. */
async function compileRolling(directory: string): Promise<string | undefined> {
  const source = join(directory, 'rolling.c');
  const program = join(directory, 'rolling');
  await writeFile(source, rollingSource);
  try {
    await run('cc', ['-O3', '-o', program, source, '-lm']);
    return program;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A runner of a program, once tried; undefined when there is no such program. */
async function timer(
  program: string | undefined,
  args: string[],
): Promise<(() => Promise<unknown>) | undefined> {
  if (program === undefined) return undefined;
  try {
    await run(program, args);
    return () => run(program, args);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Runs the subjects in turns, the first turn for the page cache alone; gives each one's MB/s, run for run. */
async function alternate<Name extends string>(
  rounds: number,
  bytes: number,
  subjects: Record<Name, (() => Promise<unknown>) | undefined>,
): Promise<Partial<Record<Name, number[]>>> {
  const speeds: Partial<Record<Name, number[]>> = {};
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(subjects) as Name[]) {
      const subject = subjects[name];
      if (subject === undefined) continue;
      const speed = bytes / 1000 / (await timeMs(subject));
      if (round >= 0) (speeds[name] ??= []).push(speed);
    }
  }
  return speeds;
}
