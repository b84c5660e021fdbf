import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentIn, type RunOptions, run } from './captured-run.ts';
import { type DaemonProcess, startDaemon, startNetwork, untilAlive } from './daemons.ts';
import { createFolder } from './folder.ts';

describe('skerry init', () => {
  test('makes a private home with an identity and a place, and never twice', async () => {
    using folder = createFolder();
    const env = { SKERRY_HOME: folder.path('home') };
    const argv = ['init', '--location', 'Reykjavik, IS', '--operator', 'acme', '--json'];
    const document = documentIn(await run(argv, { env })) as Record<string, unknown>;
    expect(document).toMatchObject({ home: env.SKERRY_HOME, location: { country: 'IS', region: '154' } });
    expect(statSync(env.SKERRY_HOME).mode & 0o777).toBe(0o700);
    for (const name of ['node.key', 'owner.key']) {
      expect(statSync(folder.path(`home/${name}`)).mode & 0o777).toBe(0o600);
    }
    const again = await run(argv, { env });
    expect(again.exitCode).toBe(2);
    expect(documentIn(again)).toMatchObject({ error: { code: 'HOME_INVALID' } });
  });

  test('takes from the environment what no flag says, and asks for a place that nobody says', async () => {
    using folder = createFolder();
    const env = {
      SKERRY_HOME: folder.path('home'),
      SKERRY_LOCATION: 'Oslo, NO',
      SKERRY_OPERATOR: 'acme',
      SKERRY_PROFILE: 'local',
    };
    const document = documentIn(await run(['init', '--operator', 'globex', '--json'], { env }));
    expect(document).toMatchObject({ location: { name: 'Oslo' }, operator: 'globex', profile: 'local' });
    const nowhere = await run(['init', '--json'], { env: { SKERRY_HOME: folder.path('b') } });
    expect(documentIn(nowhere)).toMatchObject({ error: { code: 'USAGE' } });
    expect(existsSync(folder.path('b'))).toBe(false);
  });

  test('says what an ambiguous name was taken for, and refuses an unknown one', async () => {
    using folder = createFolder();
    const made = await run(['init', '--location', 'Springfield', '--operator', 'a'], {
      env: { SKERRY_HOME: folder.path('a') },
    });
    expect(made.exitCode).toBe(0);
    expect(made.stderr).toContain('Springfield was taken as Springfield, US-');
    const unknown = await run(['init', '--location', 'Qwxyzzy'], { env: { SKERRY_HOME: folder.path('b') } });
    expect(unknown.stderr).toContain('PLACE_UNKNOWN');
    expect(existsSync(folder.path('b'))).toBe(false);
  });
});

test.each([['status'], ['doctor'], ['peers'], ['key', 'ls'], ['run']])(
  '%s in a home without daemon or identity is a coded error',
  async (...argv) => {
    using folder = createFolder();
    const result = await run([...argv, '--json'], { env: { SKERRY_HOME: folder.path('home') } });
    const code = argv[0] === 'run' ? 'HOME_INVALID' : 'DAEMON_DOWN';
    expect(documentIn(result)).toMatchObject({ error: { code } });
    expect(result.exitCode).toBe(argv[0] === 'run' ? 2 : 4);
  },
);

describe('six daemons in processes of their own', () => {
  const folder = createFolder();
  let daemons: DaemonProcess[];

  beforeAll(async () => {
    daemons = await startNetwork(folder.path, 6);
  });
  afterAll(async () => {
    await Promise.all(daemons.map(async daemon => daemon.end('SIGKILL')));
    folder[Symbol.dispose]();
  });

  async function at(index: number, argv: readonly string[], options: RunOptions = {}) {
    return run(argv, { ...options, env: { SKERRY_HOME: daemons[index]!.home } });
  }

  test('seal and open a file, and standard input to standard output', async () => {
    const [plain, sealed, opened] = ['plain', 'sealed', 'opened'].map(folder.path) as [
      string,
      string,
      string,
    ];
    writeFileSync(plain, 'Many a mickle makes a muckle. '.repeat(3000));
    const done = await at(0, ['seal', plain, '-o', sealed, '--json']);
    expect(done.exitCode).toBe(0);
    expect(documentIn(done)).toMatchObject({ risk: 'low', profile: 'local', t: 2, k: 3, bytes: 90_000 });
    expect(done.stderr).toContain('owner.key');
    const { keyId } = documentIn(done) as { keyId: string };
    expect(documentIn(await at(0, ['key', 'show', keyId, '--json']))).toMatchObject({
      kind: 'extractable',
      purpose: 'file',
    });
    expect((await at(0, ['open', sealed, '-o', opened])).exitCode).toBe(0);
    expect(readFileSync(opened)).toEqual(readFileSync(plain));
    expect((await at(1, ['open', sealed, '-o', folder.path('stolen')])).exitCode).toBe(3);
    expect(existsSync(folder.path('stolen'))).toBe(false);
  });

  test('a grant lets another node open, as often as it says', async () => {
    const key = randomBytes(20);
    const made = await at(0, ['key', 'import', '-', '--alias', 'shared', '--json'], { stdin: key });
    const { keyId } = documentIn(made) as { keyId: string };
    const granted = await at(0, [
      'grant',
      'shared',
      '--to',
      daemons[1]!.ready.nodeId,
      '--uses',
      '1',
      '--json',
    ]);
    const { token, jti } = documentIn(granted) as { token: string; jti: string };
    const shown = (await at(0, ['key', 'show', 'shared'])).stdout;
    expect(shown).toContain(`grant   ${jti} until `);
    expect(shown).toContain(`, 1 use at each holder\n        to ${daemons[1]!.ready.nodeId}\n`);
    const opened = await at(1, ['key', 'open', keyId, '--grant', token, '--json']);
    expect(documentIn(opened)).toMatchObject({ key: key.toString('base64') });
    const again = await at(1, ['key', 'open', keyId, '--grant', token, '--json']);
    expect(again.exitCode).toBe(3);
    expect(documentIn(again)).toMatchObject({ error: { code: 'GRANT_USED_UP' } });
    const stranger = await at(2, ['key', 'open', keyId, '--grant', token, '--json']);
    expect(documentIn(stranger)).toMatchObject({ error: { code: 'GRANT_INVALID' } });
  });

  test('key create, ls, show and explain tell of a key, and explicit counts are marked manual', async () => {
    const created = await at(0, [
      'key',
      'create',
      '--t',
      '2',
      '--n',
      '3',
      '--k',
      '4',
      '--alias',
      'mine',
      '--json',
    ]);
    expect(documentIn(created)).toMatchObject({
      manual: true,
      t: 2,
      n: 3,
      k: 4,
      alias: 'mine',
      live: 4,
      margin: 2,
    });
    expect((await at(0, ['key', 'ls'])).stdout).toContain('mine');
    expect((await at(0, ['key', 'explain', 'mine'])).stdout).toContain('Survives the loss of any 2 holders');
    const planned = documentIn(await at(0, ['plan', '--risk', 'low', '--profile', 'local', '--json']));
    expect(planned).toMatchObject({ t: 2, k: 3, reduced: false });
    const unknown = await at(0, ['key', 'show', 'nobody', '--json']);
    expect(documentIn(unknown)).toMatchObject({ error: { code: 'KEY_UNKNOWN' } });
  });

  test('peers and status cut no node id and no address, however narrow the terminal', async () => {
    const { nodeId } = daemons[1]!.ready;
    const narrow = stripVTControlCharacters((await at(0, ['peers'], { columns: 80 })).stdout);
    expect(narrow).toContain(`\n  ${nodeId}\n`);
    for (const line of narrow.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await at(0, ['peers'], { columns: 140 })).stdout).toMatch(new RegExp(`yes .* ${nodeId}\n`));
    expect((await at(0, ['peers', 'show', nodeId], { columns: 60 })).stdout).toContain(`  ${nodeId}\n`);
    expect((await at(0, ['status'], { columns: 60 })).stdout).toContain(daemons[0]!.ready.listen[0]);
  });

  test('a key goes by its alias, its id and the beginning of its id; an alias is of one key', async () => {
    const first = await at(0, ['key', 'create', '--alias', 'twice', '--json']);
    const { keyId } = documentIn(first) as { keyId: string };
    const dealt = (documentIn(await at(0, ['key', 'ls', '--json'])) as { keys: unknown[] }).keys.length;
    const second = await at(0, ['key', 'create', '--alias', 'twice', '--json']);
    expect(second.exitCode).toBe(2);
    expect(documentIn(second)).toMatchObject({ error: { code: 'USAGE', metadata: { keyId } } });
    const { keys } = documentIn(await at(0, ['key', 'ls', '--json'])) as { keys: unknown[] };
    expect(keys.length).toBe(dealt);
    for (const name of ['twice', keyId, keyId.toUpperCase(), keyId.slice(0, 16), keyId.slice(0, 8)]) {
      expect(documentIn(await at(0, ['key', 'show', name, '--json']))).toMatchObject({ keyId });
    }
    const tooShort = await at(0, ['key', 'show', keyId.slice(0, 7), '--json']);
    expect(documentIn(tooShort)).toMatchObject({ error: { code: 'KEY_UNKNOWN' } });
  });

  test('killed holders cost nothing up to k - t, one more is told by name, and back they serve again', async () => {
    const [plain, sealed, opened] = ['p', 's', 'o'].map(folder.path) as [string, string, string];
    writeFileSync(plain, randomBytes(70_000));
    const args = ['seal', plain, '-o', sealed, '--risk', 'medium', '--json'];
    const { keyId } = documentIn(await at(0, args)) as { keyId: string };
    const shown = documentIn(await at(0, ['key', 'show', keyId, '--json'])) as {
      t: number;
      k: number;
      holders: { nodeId: string; location: { name: string } }[];
    };
    const victims = shown.holders.slice(0, shown.k - shown.t + 1);
    const processes = victims.map(({ nodeId }) => daemons.findIndex(({ ready }) => ready.nodeId === nodeId));
    for (const index of processes.slice(1)) await daemons[index]!.end('SIGKILL');
    expect((await at(0, ['open', sealed, '-o', opened])).exitCode).toBe(0);
    expect(readFileSync(opened)).toEqual(readFileSync(plain));

    await daemons[processes[0]!]!.end('SIGKILL');
    const before = readdirSync(folder.path('.')).sort();
    const startMs = performance.now();
    const failed = await at(0, ['open', sealed, '-o', folder.path('never')]);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(failed.exitCode).toBe(4);
    for (const { location } of victims) expect(failed.stderr).toContain(location.name);
    expect(readdirSync(folder.path('.')).sort()).toEqual(before);

    for (const index of processes) {
      daemons[index] = await startDaemon(daemons[index]!.home, daemons[0]!.ready.listen);
    }
    await untilAlive(daemons[0]!.home, daemons.length - 1);
    expect((await at(0, ['open', sealed, '-o', folder.path('again')])).exitCode).toBe(0);
    expect(readFileSync(folder.path('again'))).toEqual(readFileSync(plain));
  });

  test('SIGTERM ends a daemon in order, and its home starts again as the same node', async () => {
    const last = daemons.length - 1;
    const { home, ready } = daemons[last]!;
    expect(await daemons[last]!.end('SIGTERM')).toBe(0);
    expect(existsSync(ready.socket)).toBe(false);
    daemons[last] = await startDaemon(home, daemons[0]!.ready.listen);
    expect(daemons[last].ready.nodeId).toBe(ready.nodeId);
    await untilAlive(daemons[0]!.home, daemons.length - 1);
  });
});
