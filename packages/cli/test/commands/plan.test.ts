import { writeFileSync } from 'node:fs';
import { type PlacementCertificate, verifyCertificate } from '@skerry/placement';
import { describe, expect, it } from 'vitest';
import { type Captured, documentIn, type RunOptions, run } from '../captured-run.ts';
import { createFolder } from '../folder.ts';
import { world } from '../world.ts';

type Plan = {
  risk: string;
  measuredRisk?: string;
  bytes?: number;
  entropy?: { normalized: number };
  profile: string;
  reduced: boolean;
  manual: boolean;
  simulated: boolean;
  t: number;
  n: number;
  k: number;
  holders: { nodeId: string; location: { country: string }; operator: string; role: string; trust: number }[];
  standby: { nodeId: string }[];
  certificate: PlacementCertificate;
};

const planIn = (captured: Captured): Plan => documentIn(captured) as Plan;

/** Plans over a peers file of the given content. */
async function plan(argv: readonly string[], peers: unknown = world, options: RunOptions = {}) {
  using folder = createFolder();
  writeFileSync(folder.path('peers.json'), JSON.stringify(peers));
  return await run(['plan', '--peers', folder.path('peers.json'), ...argv], options);
}

describe('skerry plan', () => {
  it('gives a plan with a certificate that anybody can check', async () => {
    const document = planIn(await plan(['--risk', 'high', '--profile', 'local', '--json']));
    expect(document).toMatchObject({ risk: 'high', profile: 'local', reduced: false, manual: false });
    expect([document.t, document.n, document.k]).toEqual([4, 5, 7]);
    expect(document.holders.map(({ role }) => role)).toEqual([
      ...Array<string>(5).fill('primary'),
      'spare',
      'spare',
    ]);
    expect(document.certificate.holders.map(({ nodeId }) => nodeId)).toEqual(
      document.holders.map(({ nodeId }) => nodeId),
    );
    verifyCertificate(document.certificate);
    expect(document).not.toHaveProperty('measuredRisk');
  });

  it('plans for the measured risk of a file or of standard input', async () => {
    const stdin = Buffer.from('a rock in the sea. '.repeat(500));
    const document = planIn(await plan(['-', '--json', '--profile', 'local'], world, { stdin }));
    expect(document).toMatchObject({ risk: 'low', measuredRisk: 'low', bytes: stdin.length });
    expect(document.entropy?.normalized).toBeLessThan(0.65);
  });

  it('raises the risk to the configured minimum, and refuses one below it', async () => {
    const options = {
      env: { SKERRY_RISK_MINIMUM: 'medium', SKERRY_PROFILE: 'local' },
      stdin: Buffer.alloc(5000),
    };
    const raised = planIn(await plan(['-', '--json'], world, options));
    expect(raised).toMatchObject({ risk: 'medium', measuredRisk: 'low', profile: 'local' });
    const refused = await plan(['--risk', 'low', '--json'], world, options);
    expect(refused.exitCode).toBe(3);
    expect(documentIn(refused)).toMatchObject({
      error: { code: 'RISK_BELOW_MINIMUM', metadata: { minimum: 'medium', source: 'SKERRY_RISK_MINIMUM' } },
    });
  });

  it('warns of a level below the measured one', async () => {
    const options = { env: { SKERRY_RISK_DEFAULT: 'high' }, stdin: Buffer.from('short') };
    const argv = ['-', '--risk', 'low', '--profile', 'local'];
    const { exitCode, stderr } = await plan(argv, world, options);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^skerry: risk low is below the measured high/);
  });

  it('refuses a level out of reach with the figures, and takes it reduced', async () => {
    const refused = await plan(['--risk', 'high', '--json']);
    expect(refused.exitCode).toBe(3);
    expect(documentIn(refused)).toMatchObject({
      error: { code: 'PLACEMENT_INFEASIBLE', kind: 'refused', metadata: { candidates: 12, eligible: 0 } },
    });
    const reduced = planIn(await plan(['--risk', 'high', '--accept-reduced', '--json']));
    expect(reduced).toMatchObject({ risk: 'high', reduced: true });
    const { stdout } = await plan(['--risk', 'high', '--accept-reduced']);
    expect(stdout).toMatch(/^ REDUCED {2}misses the targets of high in profile open\n/);
    expect(stdout).toMatch(/^trust of each holder +>= 0\.75 +0\.5 +MISSED$/m);
  });

  it('takes explicit counts and marks the plan manual', async () => {
    const counts = ['--t', '3', '--n', '4', '--k', '6'];
    const document = planIn(await plan([...counts, '--json']));
    expect(document).toMatchObject({ risk: 'low', manual: true, t: 3, n: 4, k: 6 });
    const { stdout } = await plan(counts, { ...world, simulated: true });
    expect(stdout).toMatch(/^ MANUAL .*\n SIMULATED .*\n3 of 6 shares bring the key back; 4 holders/);
    expect((await plan(['--t', '3'])).stderr).toContain('give all of --t, --n and --k, or none');
    expect((await plan(['--t', '5', '--n', '4', '--k', '6'])).stderr).toContain('SHARE_COUNTS_INVALID');
  });

  it('shows map, holders, targets and what the placement survives', async () => {
    const { stdout } = await plan(['--risk', 'high', '--profile', 'local']);
    const [map = ''] = stdout.split('asked first   ');
    for (const label of ['1', '5', 'A', 'B', 'a']) expect(map).toMatch(new RegExp(` ${label} `));
    expect(stdout).toMatch(/^A .*spare +[\d,]+ km +\d /m);
    expect(stdout).toMatch(/^P\(key stolen\) +<= 1e-4 +[\d.]+e-\d+ +met$/m);
    expect(stdout).toMatch(/^Survives the loss of any 3 holders, of any 3 operators, of any 3 regions\.$/m);
    expect(stdout).toMatch(/^To steal it, at least 4 operators must collude: operator-/m);
  });

  it('needs something to plan for, and peers', async () => {
    expect(await run(['plan'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('USAGE') });
    const without = await run(['plan', '--risk', 'low']);
    expect(without.stderr).toContain('DAEMON_DOWN');
  });

  it('takes trust from the configuration where the file has none', async () => {
    using folder = createFolder();
    writeFileSync(folder.path('config.toml'), '[trust]\nnode-0 = 0.9\n"operator:operator-1" = 0.8\n');
    const [first, second, ...rest] = world.peers;
    const peers = [first, second, ...rest.map(peer => ({ ...peer, trust: 0.6 }))];
    const result = await plan(
      ['--t', '6', '--n', '7', '--k', '12', '--json'],
      { peers },
      {
        env: { SKERRY_HOME: folder.path('.') },
      },
    );
    const trust = Object.fromEntries(planIn(result).holders.map(node => [node.nodeId, node.trust]));
    expect(trust).toMatchObject({ 'node-0': 0.9, 'node-1': 0.8, 'node-2': 0.6 });
  });

  it('keeps the names of peers from acting on the terminal', async () => {
    const peers = world.peers.map((peer, index) => ({
      ...peer,
      nodeId: `${peer.nodeId}\u001b]0;x\u0007`,
      operator: `\u001b[31m${index}\r\n\u202e`,
      location: { ...peer.location, name: `\u009b2J${index}\u2028` },
    }));
    const { stdout } = await plan(['--risk', 'low', '--profile', 'local'], { peers });
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{C}\u2028]/u);
    const asJson = await plan(['--risk', 'low', '--profile', 'local', '--json'], { peers });
    expect(asJson.stdout.trimEnd()).not.toMatch(/[\p{C}\u2028]/u);
    expect(peers.map(({ operator }) => operator)).toContain(planIn(asJson).holders[0]!.operator);
  });
});
