import { execFile } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

/** One measured figure of `npm run bench`. */
export type Case = {
  /** What was measured, as `area/subject`. */
  name: string;
  /** Median over the runs, in `unit`. */
  value: number;
  unit: Unit;
  /** What it is held against; null when the peer is not installed or there is none. */
  peer: string | null;
  /** The peer that is not installed; null when it is, or there is none. */
  absent: string | null;
  /** How many times better than the peer, a median over runs side by side; null without a peer. */
  ratio: number | null;
  /** The ratio to reach; null when there is no goal. */
  goal: number | null;
  /** Whether the ratio reaches the goal; null without either. */
  met: boolean | null;
  /** Largest less smallest run, over the median. */
  spread: number;
};

/** Of MB/s (10^6 bytes) more is better, of ms less. */
type Unit = 'MB/s' | 'ms';

/** What is held against a subject: its values run for run, or undefined where it is not installed. */
type Peer = { readonly name: string; readonly values: readonly number[] | undefined };

/** How much a bench does: quick ones take seconds and say less. */
export type Effort = { readonly quick: boolean };

/**
 * The value below which a share of all values lies.
 *
 * @param values at least one
 * @param share 0 to 1
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/**
 * The middle of some numbers, the mean of the two middle ones for an even count.
 *
 * @param values at least one
 */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * How far runs lie apart: the largest less the smallest, over the median.
 *
 * @param values at least one, positive
 */
function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/**
 * A case from runs of the subject and of its peer, taken in turns so that both meet the same machine.
 *
 * @param name as `Case.name`
 * @param unit of `values`
 * @param values one for each run
 * @param peer null when there is none
 * @param goal ratio to reach, or null
 */
export function compare(
  name: string,
  unit: Unit,
  values: readonly number[],
  peer: Peer | null,
  goal: number | null,
): Case {
  const theirs = peer?.values;
  const ratios = theirs && values.map((value, run) => value / theirs[run]!);
  const ratio = ratios === undefined ? null : median(unit === 'ms' ? ratios.map(r => 1 / r) : ratios);
  return {
    name,
    value: median(values),
    unit,
    peer: theirs ? peer.name : null,
    absent: peer && !theirs ? peer.name : null,
    ratio,
    goal,
    met: ratio === null || goal === null ? null : ratio >= goal,
    spread: spread(values),
  };
}

/**
 * The median and the 99th of a hundred of latencies, each over all runs; of a short run that is nearly its worst.
 *
 * @param name of the subject; each case adds its quantile
 * @param runs milliseconds of the subject, a list for each run
 * @param peer the same of the peer, run for run
 * @param goal ratio that the median should reach, or null
 */
export function compareLatencies(
  name: string,
  runs: readonly (readonly number[])[],
  peer: { readonly name: string; readonly runs: readonly (readonly number[])[] },
  goal: number | null,
): Case[] {
  return [0.5, 0.99].map(share => {
    const values = peer.runs.map(run => quantile(run, share));
    const ours = runs.map(run => quantile(run, share));
    const target = share === 0.5 ? goal : null;
    return compare(`${name} p${100 * share}`, 'ms', ours, { name: peer.name, values }, target);
  });
}

/** Milliseconds that something takes. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Runs a program to its end. @throws what `execFile` throws, of which `isMissing` says more */
export const run = promisify(execFile);

/** Whether a program could not be run since there is none of that name. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * Writes a file of AES-CTR keystream: random to a meter, the same every time, on the disk, and in the page cache
 * afterwards.
 *
 * @param path of the new file
 * @param bytes a multiple of 1 MiB
 */
export async function writeRandom(path: string, bytes: number): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', new Uint8Array(16), new Uint8Array(16));
  const zeros = new Uint8Array(2 ** 20);
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < bytes; written += zeros.length)
      await file.writeFile(cipher.update(zeros));
    await file.sync();
  } finally {
    await file.close();
  }
}
