import { type Case, compare, run, timeMs } from './case.ts';
import { skerryProgram, until } from './cluster.ts';
import { counts } from './custody.ts';
import type { Tang } from './tang.ts';

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
  await until(async () => (await status()).alive === counts.k);
  const wanted = Object.entries(counts).flatMap(([name, count]) => [`--${name}`, String(count)]);
  await skerry(home, 'key', 'create', '--alias', 'bench', ...wanted, '--quiet');
  const jwe = await tang?.encrypt(new Uint8Array(32));
  const [opens, decrypts]: [number[], number[]] = [[], []];
  for (let turn = -1; turn < (quick ? 3 : 11); turn++) {
    const openMs = await timeMs(async () => skerry(home, 'key', 'open', 'bench'));
    const decryptMs = tang && jwe && (await timeMs(async () => tang.decrypt(jwe)));
    if (turn < 0) continue; // for warmth
    opens.push(openMs);
    if (decryptMs !== undefined) decrypts.push(decryptMs);
  }
  const peer = { name: 'clevis decrypt', values: tang && decrypts };
  return [compare('cli/key open, whole process', 'ms', opens, peer, 5)];
}
