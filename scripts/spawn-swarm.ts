/**
 * Spawns many real peers in this process, deals keys among them, crashes some, and opens every key again. The same
 * seed chooses the same levels, owners and victims; identities, shares and timing are fresh each time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Log, riskLevels, SkerryError } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { createSwarm } from '@skerry/swarm';

const usage = `Usage: node scripts/spawn-swarm.ts [options]

Spawns real peers in one process, deals keys, crashes nodes and opens every key again.

  --nodes N        peers, 4 to 200 (default 12)
  --keys N         keys to deal (default 12)
  --crash N        nodes to crash before the keys are opened (default 2)
  --seed N         chooses levels, owners and victims (default 1)
  --transport T    tcp or memory (default tcp)
  --json           one JSON document on standard output
  --help           this text
`;

const { values: flags } = parseArgs({
  options: {
    nodes: { type: 'string', default: '12' },
    keys: { type: 'string', default: '12' },
    crash: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    transport: { type: 'string', default: 'tcp' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** The n-th choice out of `count`, from the seed alone. */
function choose(seed: number, purpose: string, n: number, count: number): number {
  const digest = nodeCrypto.sha256(Buffer.from(`${seed}/${purpose}/${n}`));
  return Buffer.from(digest).readUInt32BE(0) % count;
}

function count(name: 'nodes' | 'keys' | 'crash' | 'seed'): number {
  const value = Number(flags[name]);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new SkerryError('USAGE', `--${name} is a whole number`);
  return value;
}

type Dealt = { readonly owner: number; readonly keyId: Uint8Array; readonly key: Uint8Array };

async function spawn(home: string): Promise<Record<string, number | string | boolean>> {
  const [nodes, keys, crash, seed] = [count('nodes'), count('keys'), count('crash'), count('seed')];
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
  const startMs = performance.now();
  const transport = flags.transport === 'memory' ? 'memory' : 'tcp';
  const swarm = await createSwarm({ nodeCount: nodes, home, transport, log });
  const figures = { dealt: 0, refused: 0, opened: 0, unavailable: 0, wrong: 0, dealMs: 0, openMs: 0 };
  try {
    const upMs = performance.now() - startMs;
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
        figures.refused++;
      }
    }
    figures.dealt = dealt.length;
    const victims = new Set<number>();
    for (let i = 0; victims.size < Math.min(crash, nodes - 1); i++)
      victims.add(choose(seed, 'victim', i, nodes));
    for (const index of victims) await swarm.crash(index);
    const survivors = dealt.filter(({ owner }) => !victims.has(owner));
    for (const { owner, keyId, key } of survivors) {
      const beganMs = performance.now();
      try {
        const opened = await swarm.nodes[owner]!.peer().open(keyId);
        if (Buffer.compare(opened.key, key) === 0) figures.opened++;
        else figures.wrong++;
        figures.openMs += (performance.now() - beganMs) / survivors.length;
      } catch (error) {
        if (!(error instanceof SkerryError)) throw error;
        figures.unavailable++;
      }
    }
    const ok = figures.wrong === 0 && figures.opened + figures.unavailable === survivors.length;
    return {
      ok,
      seed,
      nodes,
      keys,
      crashed: victims.size,
      ownersCrashed: dealt.length - survivors.length,
      upMs,
      ...figures,
    };
  } finally {
    await swarm.close();
  }
}

if (flags.help) {
  process.stdout.write(usage);
} else {
  const home = await mkdtemp(join(tmpdir(), 'skerry-spawn-'));
  try {
    const figures = await spawn(home);
    const rounded = Object.entries(figures).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.round(value * 10) / 10 : value,
    ]);
    if (flags.json) console.log(JSON.stringify(Object.fromEntries(rounded)));
    else for (const [name, value] of rounded) console.log(`${String(name).padEnd(14)} ${value}`);
    if (figures['ok'] !== true) process.exitCode = 1;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
