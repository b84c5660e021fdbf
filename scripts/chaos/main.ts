/**
 * `npm run chaos`: a network of daemons in processes of their own, of which one after another is killed and started
 * again or replaced by a stranger, while files are sealed and opened all the time. Which node dies when is decided by the
 * seed; how long things take is not.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SkerryError } from '@skerry/base';
import { Chaos, createDice, nodeCount } from './chaos.ts';

const usage = `Usage: npm run chaos -- [options]

Sixteen daemons in processes of their own. One after another is killed: started
again a moment later, or gone for good, with a stranger in its place. Files are
sealed and opened all the time; for a while the owner's own node is off. A node
is killed only while each key that it holds has all its other holders: so what is
lost was lost by Skerry.

  --seconds N      how long nodes are killed (default 120)
  --seed N         decides who dies (default 1)
  --json           {ok, sealed, opened, lost, wrong, hung, repaired, ...}, and
                   no progress
  --help           this text

It fails where a key does not open in the end, opens to other bytes, an operation
takes longer than a minute, a key does not have all its shares within a minute, or
none was repaired without its owner.
`;

const options = {
  seconds: { type: 'string', default: '120' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** What the command line asks for; undefined where that is help. */
function readFlags():
  | { readonly seconds: number; readonly seed: number; readonly json: boolean }
  | undefined {
  try {
    const { values } = parseArgs({ options });
    if (values.help) return undefined;
    const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
    const isWhole = [seconds, seed].every(value => Number.isSafeInteger(value) && value >= 0);
    if (!isWhole || seconds < 1) throw new Error('--seconds and --seed are whole numbers');
    return { seconds, seed, json: values.json };
  } catch (error) {
    throw new SkerryError('USAGE', error instanceof Error ? error.message : String(error));
  }
}

async function run(): Promise<void> {
  const flags = readFlags();
  if (!flags) return void process.stdout.write(usage);
  const { seconds, seed, json } = flags;
  const startMs = performance.now();
  const tell = (line: string): void => {
    const atS = Math.round((performance.now() - startMs) / 1000);
    if (!json) process.stderr.write(`${String(atS).padStart(4)} s  ${line}\n`);
  };
  const folder = await mkdtemp(join(tmpdir(), 'skerry-chaos-'));
  const chaos = new Chaos(folder, createDice(seed), tell);
  try {
    await chaos.start();
    tell(`${nodeCount} daemons have met`);
    const working = chaos.work();
    await chaos.strikeFor(seconds * 1000);
    await working;
    await chaos.judge();
  } finally {
    await chaos.end();
    await rm(folder, { recursive: true, force: true });
  }
  const { lost, wrong, hung, notRecovered, opened, repairedWithoutOwner, waitedForOwner } = chaos.counts;
  const isHealedAlone = repairedWithoutOwner > 0 || waitedForOwner === 0;
  const ok = lost + wrong + hung + notRecovered === 0 && opened > 0 && isHealedAlone;
  const report = { ok, ...chaos.counts, seconds, seed };
  const text = Object.entries(report).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${text.join(', ')}\n`);
  process.exitCode = ok ? 0 : 1;
}

try {
  await run();
} catch (error) {
  if (!(error instanceof SkerryError) || error.kind !== 'invalid') throw error;
  process.stderr.write(`${error.code}: ${error.message}; --help lists the options\n`);
  process.exitCode = 2;
}
