import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentIn, run } from '../captured-run.ts';
import { createFolder } from '../folder.ts';

describe('skerry config', () => {
  it('lists every setting with its value and where that comes from', async () => {
    using folder = createFolder();
    const home = folder.path('.');
    writeFileSync(folder.path('config.toml'), 'window = 8192\nprofile = "local"\n[trust]\nabc = 0.75\n');
    const env = { SKERRY_HOME: home, SKERRY_PROFILE: 'open', SKERRY_OPERATOR: 'acme' };
    const listed = documentIn(await run(['config', '--json'], { env })) as { settings: object };
    expect(listed.settings).toMatchObject({
      profile: { value: 'open', source: 'SKERRY_PROFILE' },
      operator: { value: 'acme', source: 'SKERRY_OPERATOR' },
      window: { value: 8192, source: folder.path('config.toml') },
      trust: { value: { abc: 0.75 } },
      'risk-minimum': { value: 'low', source: 'default' },
    });
    const { stdout } = await run(['config', 'ls'], { env });
    expect(stdout).toMatch(/^profile +open +SKERRY_PROFILE +/m);
    expect(stdout).toMatch(/^trust +abc=0\.75 +/m);
  });

  it('sets a value, and keeps the rest of the file as it was', async () => {
    using folder = createFolder();
    const home = folder.path('new/home');
    const set = async (key: string, value: string) =>
      documentIn(await run(['config', 'set', key, value, '--json', '--home', home]));
    const path = folder.path('new/home/config.toml');
    expect(await set('risk-minimum', 'medium')).toEqual({ key: 'risk-minimum', value: 'medium', path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    writeFileSync(path, `# mine\n${readFileSync(path, 'utf8')}\n[trust] # people\nabc = 1\n`);
    await set('window', '512');
    await set('risk-minimum', 'high');
    await set('trust.operator:acme', '0.5');
    await set('listen', '/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2');
    expect(readFileSync(path, 'utf8')).toBe(
      [
        '# mine',
        'risk-minimum = "high"',
        'window = 512',
        'listen = [ "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2" ]',
        '',
        '[trust] # people',
        'abc = 1',
        '"operator:acme" = 0.5',
        '',
      ].join('\n'),
    );
    const got = await run(['config', 'get', 'trust.operator:acme', '--home', home]);
    expect(got.stdout).toBe('0.5\n');
  });

  it('takes a number or a word for trust, how often to audit, and whether to verify places', async () => {
    using folder = createFolder();
    const env = { SKERRY_HOME: folder.path('.') };
    const values = [
      ['trust.operator:acme', 'vouch'],
      ['trust.abc', 'deny'],
      ['trust.def', 'allow'],
      ['trust.ghi', '0.25'],
      ['audit-minutes', '0'],
      ['verify-place', 'yes'],
    ] as const;
    for (const [key, value] of values) {
      expect((await run(['config', 'set', key, value], { env })).exitCode).toBe(0);
      expect((await run(['config', 'get', key], { env })).stdout).toBe(`${value}\n`);
    }
    const listed = documentIn(await run(['config', '--json'], { env })) as { settings: object };
    expect(listed.settings).toMatchObject({
      trust: { value: { 'operator:acme': 'vouch', abc: 'deny', def: 'allow', ghi: 0.25 } },
      'audit-minutes': { value: 0 },
    });
    expect((await run(['config', 'get', 'audit-minutes'])).stdout).toBe('360\n');
    expect((await run(['config', 'get', 'verify-place'])).stdout).toBe('auto\n');
  });

  it('warns when the environment wins over what was set', async () => {
    using folder = createFolder();
    const env = { SKERRY_HOME: folder.path('.'), SKERRY_PROFILE: 'open' };
    expect((await run(['config', 'set', 'profile', 'local'], { env })).stderr).toMatch(
      /^skerry: SKERRY_PROFILE is set and wins over /,
    );
    expect((await run(['config', 'set', 'profile', 'local', '--quiet'], { env })).stderr).toBe('');
  });

  it.each([
    ['profile', 'public', 'one of open, local'],
    ['window', '12', '64 to 2^24'],
    ['window', 'wide', '64 to 2^24'],
    ['capacity', '-1', '0 to 4294967295'],
    ['capacity', '1.5', '0 to 4294967295'],
    ['listen', 'localhost', 'multiaddrs'],
    ['operator', '\u001b[31macme', 'printable'],
    ['operator', 'x'.repeat(65), 'at most 64'],
    ['trust.abc', '1.1', '0 to 1'],
    ['trust.abc', 'denied', 'allow, vouch, deny'],
    ['trust.', '1', '0 to 1'],
    ['audit-minutes', '-1', '0 to 40320'],
    ['audit-minutes', '40321', '0 to 40320'],
    ['refresh-days', '0.5', '0 to 3650'],
    ['verify-place', 'true', 'one of auto, yes, no'],
    ['trust', '1', 'trust.NODEID'],
    ['wind', '1', 'there is no setting wind'],
    ['__proto__', '1', 'there is no setting'],
  ])('refuses %s = %j, saying what is allowed', async (key, value, what) => {
    using folder = createFolder();
    const env = { SKERRY_HOME: folder.path('.') };
    const result = await run(['config', 'set', '--json', '--', key, value], { env });
    const plain = await run(['config', 'set', '--', key, value], { env });
    expect([result.exitCode, plain.exitCode]).toEqual([2, 2]);
    expect(plain.stderr).toMatch(/^skerry: CONFIG_INVALID: [^\p{C}]+\n$/u);
    expect(plain.stderr).toContain(what);
  });

  it('refuses a place that nobody knows, and suggests one', async () => {
    using folder = createFolder();
    const env = { SKERRY_HOME: folder.path('.') };
    const { exitCode, stderr } = await run(['config', 'set', 'location', 'Reykjavk'], { env });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/^skerry: PLACE_UNKNOWN: .*Reykjav/),
    });
    expect((await run(['config', 'set', 'location', 'Reykjavik, IS'], { env })).exitCode).toBe(0);
  });

  it('refuses to get what is not there', async () => {
    for (const key of ['wind', 'trust.abc']) {
      const { exitCode, stderr } = await run(['config', 'get', key]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(`there is no setting ${key}`);
    }
  });
});
