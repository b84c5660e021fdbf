import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStream, readPieces, readSealedHeader, sealStream } from '@skerry/sealing';
import { type Case, compare, type Effort, isMissing, run, timeMs, writeRandom } from './case.ts';

const mebibyte = 2 ** 20;

type Job = { readonly output: string; readonly work: () => Promise<void> };
type Jobs = { readonly seal: Job; readonly open: Job };

/**
 * Measures sealing and opening against the age command, each from a file of pseudorandom bytes in the page cache to a
 * new file on the disk. Sealing meters the entropy too and flushes its output; age does neither, so its output is
 * flushed for it. age runs as a whole process; Skerry runs in this one.
 *
 * @param quick fewer runs over less data
 * @returns MB/s (10^6 bytes of plaintext); without the age command there is no peer
 */
export async function sealingCases({ quick }: Effort): Promise<Case[]> {
  const bytes = (quick ? 64 : 300) * mebibyte;
  const rounds = quick ? 3 : 7;
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'));
  try {
    const plain = join(folder, 'plain');
    await writeRandom(plain, bytes);
    const [ours, theirs] = [skerryJobs(plain, folder), await ageJobs(plain, folder)];
    const cases: Case[] = [];
    for (const [operation, goal] of [
      ['seal', 0.3],
      ['open', null],
    ] as const) {
      const [speeds, ageSpeeds]: [number[], number[]] = [[], []];
      for (let round = -1; round < rounds; round++) {
        const speed = bytes / 1000 / (await timeJobMs(ours[operation]));
        const ageSpeed = theirs && bytes / 1000 / (await timeJobMs(theirs[operation]));
        if (round < 0) continue; // for warmth
        speeds.push(speed);
        if (ageSpeed !== undefined) ageSpeeds.push(ageSpeed);
      }
      const peer = { name: 'age and fsync', values: theirs && ageSpeeds };
      cases.push(compare(`sealing/${operation}`, 'MB/s', speeds, peer, goal));
    }
    return cases;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Time until the output, which is not there before, is on the disk. */
async function timeJobMs({ output, work }: Job): Promise<number> {
  await rm(output, { force: true });
  return timeMs(work);
}

/** Seals, and opens what was sealed. */
function skerryJobs(plain: string, folder: string): Jobs {
  const [keyId, key] = [new Uint8Array(32), new Uint8Array(32)];
  const [sealed, opened] = [join(folder, 'plain.sealed'), join(folder, 'opened')];
  const seal = async (): Promise<void> => {
    const source = readPieces(plain);
    const file = await sealStream({ source, output: sealed, keyId, key, recipients: [], meterOptions: {} });
    await file.commit();
  };
  const open = async (): Promise<void> => {
    const header = await readSealedHeader(readPieces(sealed));
    await openStream({ header, key, output: opened });
  };
  return { seal: { output: sealed, work: seal }, open: { output: opened, work: open } };
}

/** The same with age; undefined where it is not installed. */
async function ageJobs(plain: string, folder: string): Promise<Jobs | undefined> {
  const [identity, sealed, opened] = [
    join(folder, 'identity'),
    join(folder, 'plain.age'),
    join(folder, 'age'),
  ];
  try {
    await run('age-keygen', ['-o', identity]);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const recipient = (await run('age-keygen', ['-y', identity])).stdout.trim();
  const job = (output: string, args: string[]): Job => ({
    output,
    work: async () => {
      await run('age', [...args.slice(0, -1), '-o', output, ...args.slice(-1)]);
      const file = await open(output, 'r+');
      await file.sync();
      await file.close();
    },
  });
  return { seal: job(sealed, ['-r', recipient, plain]), open: job(opened, ['-d', '-i', identity, sealed]) };
}
