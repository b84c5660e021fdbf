import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { type Log, SkerryError } from '@skerry/base';
import { createSwarm } from '@skerry/swarm';
import { describe, expect, test } from 'vitest';
import { sealFile, unsealFile } from '../../src/file-sealing.ts';
import { documentIn, run } from '../captured-run.ts';
import { startProcess } from '../daemons.ts';
import { createFolder } from '../folder.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** `dev` in a home of its own, in this process: real peers over real sockets. */
async function dev(home: string, ...argv: string[]) {
  return run(['dev', ...argv], { env: { SKERRY_HOME: home } });
}

describe('skerry dev --once', () => {
  test('measures, seals, loses k - t holders and opens the same bytes again', async () => {
    using folder = createFolder();
    const path = folder.path('random.bin');
    writeFileSync(path, randomBytes(300_000));
    const result = await dev(folder.path('home'), '--once', path, '--json');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    const document = documentIn(result) as Record<string, unknown>;
    expect(document).toMatchObject({
      ok: true,
      risk: 'high',
      measuredRisk: 'high',
      profile: 'local',
      reduced: false,
    });
    expect(document).toMatchObject({
      t: 4,
      k: 7,
      bytes: 300_000,
      simulated: true,
      keyId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(document['stopped']).toHaveLength(3);
    expect(document['holders']).toHaveLength(7);
  });

  test('prints the plan, the map, who died and what came of it, and a text file gets fewer holders', async () => {
    using folder = createFolder();
    const path = folder.path('text.txt');
    writeFileSync(path, 'The quick brown fox jumps over the lazy dog.\n'.repeat(500));
    const { exitCode, stdout } = await dev(folder.path('home'), '--once', path);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('2 of 3 shares bring the key back');
    expect(stdout).toContain('SIMULATED');
    expect(stdout).toContain('Stopped 1 holders at once');
    expect(stdout).toContain('the same, every one');
  });

  test('refuses with the figures what the network cannot reach, and marks REDUCED what is accepted all the same', async () => {
    using folder = createFolder();
    const path = folder.path('random.bin');
    writeFileSync(path, randomBytes(10_000));
    const refused = await dev(folder.path('a'), '--nodes', '6', '--once', path, '--json');
    expect(refused.exitCode).toBe(3);
    expect(documentIn(refused)).toMatchObject({ error: { code: 'PLACEMENT_INFEASIBLE', kind: 'refused' } });
    expect(readdirSync(folder.path('a')).filter(name => name.includes('once'))).toEqual([]);
    const accepted = await dev(folder.path('b'), '--nodes', '6', '--once', path, '--accept-reduced');
    expect(accepted.exitCode).toBe(0);
    expect(accepted.stdout.match(/REDUCED/g)?.length).toBeGreaterThanOrEqual(2);
  });

  test.each([
    [['--once', '/nonexistent/file'], 4, 'FILE_UNREADABLE'],
    [['--nodes', '3'], 2, 'CONFIG_INVALID'],
    [['--nodes', 'many'], 2, 'USAGE'],
  ] as const)('%j ends with exit code %i and %s', async (argv, exitCode, code) => {
    using folder = createFolder();
    const result = await dev(folder.path('home'), ...argv, '--json');
    expect(result.exitCode).toBe(exitCode);
    expect(documentIn(result)).toMatchObject({ error: { code } });
  });
});

test('skerry dev stays until SIGTERM, and commands work with the home of every node', async () => {
  using folder = createFolder();
  const { first, end } = await startProcess(['dev', '--nodes', '5'], folder.path('dev'));
  const { nodes } = first as { nodes: { nodeId: string; home: string; listen: string[] }[] };
  expect(nodes).toHaveLength(5);
  for (const { nodeId, home, listen } of nodes) {
    expect(listen[0]).toContain(`/p2p/${nodeId}`);
    const status = await run(['status', '--json'], { env: { SKERRY_HOME: home } });
    expect(documentIn(status)).toMatchObject({ nodeId, home, peers: 4, alive: 4 });
  }
  expect(await end('SIGTERM')).toBe(0);
});

test('with one holder too few, a sealed file stays closed: a coded error that names them, and nothing written', async () => {
  using folder = createFolder();
  const swarm = await createSwarm({ nodeCount: 8, home: folder.path('swarm'), log: quiet });
  try {
    const keys = swarm.nodes[0]!.peer();
    const { placement } = await sealFile(keys, {
      source: (async function* () {
        yield randomBytes(100_000);
      })(),
      output: folder.path('sealed'),
      recipients: [],
      meterOptions: {},
      risk: 'medium',
      riskMinimum: { value: 'low', source: 'default' },
      acceptReduced: false,
    });
    const ids = placement.holders.slice(0, placement.k - placement.t + 1).map(({ nodeId }) => nodeId);
    const victims = swarm.nodes.filter(({ nodeId }) => ids.includes(nodeId));
    for (const { index } of victims) await swarm.crash(index);
    const error = await unsealFile(keys, folder.path('sealed'), folder.path('opened')).catch(
      (e: unknown) => e,
    );
    if (!(error instanceof SkerryError)) throw new Error('an open with too few holders fails');
    expect(error.code).toBe('KEY_UNAVAILABLE');
    for (const { place } of victims) expect(error.message).toContain(place.name);
    expect(readdirSync(folder.path('.')).sort()).toEqual(['sealed', 'swarm']);
  } finally {
    await swarm.close();
  }
});
