import { skerryProgram, until } from '../cluster.ts';
import { type Case, compare, run, timeMs } from './case.ts';
import { counts } from './custody.ts';
import type { Tang } from './tang.ts';

/** Opens before any is measured: a daemon that just started has little of its code compiled. */
const warmOpens = 10;

/** Runs a command in a process of its own. @returns what it wrote */
async function skerry(home: string, ...argv: readonly string[]): Promise<string> {
  return (await run(process.execPath, [skerryProgram, ...argv, '--home', home])).stdout;
}

/**
 * `skerry key open` against `clevis decrypt`: whole processes, each of which asks servers that run.
 *
 * @param home of a daemon that runs, and finds as many holders as there are tang servers
 * @param tang undefined where clevis is not installed
 */
export async function commandCases(home: string, tang: Tang | undefined, quick: boolean): Promise<Case[]> {
  const status = async () => JSON.parse(await skerry(home, 'status', '--json')) as { alive: number };
  await until(async () => (await status()).alive >= counts.k);
  const wanted = Object.entries(counts).flatMap(([name, count]) => [`--${name}`, String(count)]);
  await skerry(home, 'key', 'create', '--alias', 'bench', ...wanted, '--quiet');
  const jwe = await tang?.encrypt(new Uint8Array(32));
  const open = async () => skerry(home, 'key', 'open', 'bench');
  for (let i = 0; i < warmOpens; i++) await open();
  const [opens, decrypts]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < (quick ? 3 : 11); turn++) {
    opens.push(await timeMs(open));
    if (tang && jwe) decrypts.push(await timeMs(async () => tang.decrypt(jwe)));
  }
  const peer = { name: 'clevis decrypt', values: tang && decrypts };
  return [compare('cli/key open, whole process', 'ms', opens, peer, 5)];
}
