/**
 * `npm run swarm`: spawns many real peers in this process, deals keys among them, crashes some, and opens every key
 * again. The same seed chooses the same levels, owners and victims; identities, shares and timing are fresh each time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Log, riskLevels, SkerryError } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { createSwarm, type Swarm } from '@skerry/swarm';
import { nodeIdOf } from '@skerry/wire';

const usage = `Usage: npm run swarm -- [options]

Spawns real peers in one process, deals keys, crashes nodes and opens every key again. It fails where a key that
can be placed is not dealt, does not open although enough of its holders live, or opens to other bytes.

  --nodes N        peers, 4 to 200 (default 12)
  --keys N         keys to deal (default 12)
  --crash N        nodes to crash before the keys are opened, fewer than there are (default 2)
  --seed N         chooses levels, owners and victims (default 1)
  --transport T    tcp or memory (default tcp)
  --json           one JSON document on standard output, and no progress
  --help           this text

Example:
  npm run swarm -- --nodes 30 --crash 5 --seed 7
`;

const options = {
  nodes: { type: 'string', default: '12' },
  keys: { type: 'string', default: '12' },
  crash: { type: 'string', default: '2' },
  seed: { type: 'string', default: '1' },
  transport: { type: 'string', default: 'tcp' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Wanted = {
  readonly nodes: number;
  readonly keys: number;
  readonly crash: number;
  readonly seed: number;
  readonly transport: 'tcp' | 'memory';
  readonly json: boolean;
};

function usageError(message: string): SkerryError {
  return new SkerryError('USAGE', message);
}

/** What the command line asks for; undefined where that is help. */
function readFlags(): Wanted | undefined {
  let flags: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    flags = parseArgs({ options }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
  if (flags.help) return undefined;
  const whole = (name: 'nodes' | 'keys' | 'crash' | 'seed'): number => {
    const value = Number(flags[name]);
    if (!/^\d+$/.test(flags[name]) || !Number.isSafeInteger(value)) {
      throw usageError(`--${name} is a whole number`);
    }
    return value;
  };
  const { transport, json } = flags;
  if (transport !== 'tcp' && transport !== 'memory') throw usageError('--transport is tcp or memory');
  const [nodes, crash] = [whole('nodes'), whole('crash')];
  if (crash >= nodes) throw usageError('--crash leaves at least one of --nodes');
  return { nodes, keys: whole('keys'), crash, seed: whole('seed'), transport, json };
}

/** The n-th choice out of `count`, from the seed alone. */
function choose(seed: number, purpose: string, n: number, count: number): number {
  const digest = nodeCrypto.sha256(Buffer.from(`${seed}/${purpose}/${n}`));
  return Buffer.from(digest).readUInt32BE(0) % count;
}

type Dealt = { readonly owner: number; readonly keyId: Uint8Array; readonly key: Uint8Array };
type Figures = { -readonly [name in 'refused' | 'opened' | 'beyond' | 'failed' | 'wrong']: number } & {
  dealMs: number;
  openMs: number;
};
type Say = (line: string) => void;

async function deal(
  swarm: Swarm,
  { keys, nodes, seed }: Wanted,
  figures: Figures,
  say: Say,
): Promise<Dealt[]> {
  const dealt: Dealt[] = [];
  for (let i = 0; i < keys; i++) {
    const owner = choose(seed, 'owner', i, nodes);
    const risk = riskLevels[choose(seed, 'risk', i, riskLevels.length)] ?? 'low';
    const peer = swarm.nodes[owner]!.peer();
    const slot = peer.reserveKey();
    const key = nodeRandom.bytes(32);
    const beganMs = performance.now();
    try {
      await peer.deal(slot, key, { risk, acceptReduced: false });
      dealt.push({ owner, keyId: slot.keyId, key });
      figures.dealMs += (performance.now() - beganMs) / keys;
    } catch (error) {
      if (!(error instanceof SkerryError)) throw error;
      if (error.code === 'PLACEMENT_INFEASIBLE') figures.refused++;
      else figures.failed++;
      say(`key ${i}, risk ${risk}, was not dealt: ${error.code}: ${error.message}`);
    }
  }
  return dealt;
}

/** Opens a key at its owner, who lives, and counts what came of it against what had to. */
async function open(swarm: Swarm, { owner, keyId, key }: Dealt, figures: Figures, say: Say): Promise<void> {
  const peer = swarm.nodes[owner]!.peer();
  const { core } = peer.keys.get(keyId)!.manifest;
  const up = new Set(swarm.nodes.filter(node => node.isUp()).map(({ nodeId }) => nodeId));
  const live = core.holders.filter(({ nodeKey }) => up.has(nodeIdOf(nodeKey))).length;
  try {
    const opened = await peer.open(keyId);
    if (Buffer.compare(opened.key, key) === 0) figures.opened++;
    else figures.wrong++;
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
    if (live < core.t) figures.beyond++;
    else figures.failed++;
    say(`a key of node ${owner} did not open, ${live} holders live, ${core.t} needed: ${error.code}`);
  }
}

async function spawn(home: string, wanted: Wanted): Promise<Record<string, number | boolean>> {
  const { nodes, keys, crash, seed, transport, json } = wanted;
  const say: Say = line => void (json || process.stderr.write(`${line}\n`));
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
  const startMs = performance.now();
  say(`starting ${nodes} peers`);
  const swarm = await createSwarm({ nodeCount: nodes, home, transport, log });
  const figures: Figures = { refused: 0, opened: 0, beyond: 0, failed: 0, wrong: 0, dealMs: 0, openMs: 0 };
  try {
    const upMs = performance.now() - startMs;
    say(`dealing ${keys} keys`);
    const dealt = await deal(swarm, wanted, figures, say);
    const victims = new Set<number>();
    for (let i = 0; victims.size < crash; i++) victims.add(choose(seed, 'victim', i, nodes));
    say(`crashing nodes ${[...victims].join(', ')}`);
    for (const index of victims) await swarm.crash(index);
    const survivors = dealt.filter(({ owner }) => !victims.has(owner));
    say(`opening the ${survivors.length} keys of owners that live`);
    for (const one of survivors) {
      const beganMs = performance.now();
      await open(swarm, one, figures, say);
      figures.openMs += (performance.now() - beganMs) / survivors.length;
    }
    const ok = figures.wrong === 0 && figures.failed === 0;
    const ownersCrashed = dealt.length - survivors.length;
    return { ok, seed, nodes, keys, dealt: dealt.length, crashed: crash, ownersCrashed, ...figures, upMs };
  } finally {
    await swarm.close();
  }
}

const meanings: Readonly<Record<string, string>> = {
  dealt: 'keys dealt',
  refused: 'keys not dealt, for which this network has no placement',
  crashed: 'nodes crashed',
  ownersCrashed: 'dealt keys whose owner was among them, not tried',
  opened: 'keys opened, the same bytes',
  beyond: 'keys not opened, fewer than t of their holders alive',
  failed: 'keys not dealt though placed, or not opened though t or more holders lived',
  wrong: 'keys opened to other bytes',
  dealMs: 'milliseconds for a deal, the mean',
  openMs: 'milliseconds for an attempt to open, the mean',
  upMs: 'milliseconds until all peers knew each other',
};

async function main(): Promise<void> {
  const wanted = readFlags();
  if (!wanted) return void process.stdout.write(usage);
  const home = await mkdtemp(join(tmpdir(), 'skerry-spawn-'));
  try {
    const figures = Object.entries(await spawn(home, wanted)).map(
      ([name, value]) => [name, typeof value === 'number' ? Math.round(value * 10) / 10 : value] as const,
    );
    const document = Object.fromEntries(figures);
    if (wanted.json) console.log(JSON.stringify(document));
    else {
      for (const [name, value] of figures) {
        console.log(`${name.padEnd(14)} ${String(value).padEnd(9)} ${meanings[name] ?? ''}`.trimEnd());
      }
    }
    if (document['ok'] !== true) process.exitCode = 1;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SkerryError) || error.kind !== 'invalid') throw error;
  process.stderr.write(`${error.code}: ${error.message}; --help lists the options\n`);
  process.exitCode = 2;
}
