import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { changePassphrase } from '@skerry/node/identity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentIn, run } from './captured-run.ts';
import { type DaemonProcess, startDaemon, untilAlive } from './daemons.ts';
import { createFolder } from './folder.ts';
import { converse, type Exchange } from './pty.ts';

const program = fileURLToPath(new URL('../bin/skerry.js', import.meta.url));
const passphrase = 'gannet bonxie curlew';

/** Types at the real command, on a terminal. */
async function type(home: string, argv: readonly string[], exchanges: readonly Exchange[]) {
  return converse([process.execPath, program, ...argv, '--home', home], exchanges);
}

/** A home under a passphrase that costs little to guess, and so to test with. */
async function makeLockedHome(home: string): Promise<string> {
  const made = await run(['init', '--location', 'Tokyo, JP', '--profile', 'local', '--json'], {
    env: { SKERRY_HOME: home },
  });
  expect(documentIn(made)).toMatchObject({ passphrase: false });
  return changePassphrase(home, undefined, Buffer.from(passphrase), 4);
}

describe('keys under a passphrase', () => {
  test('are made so at a terminal, are opened there by age, and start a daemon there', async () => {
    using folder = createFolder();
    const home = folder.path('home');
    const init = ['init', '--location', 'Reykjavik, IS', '--profile', 'local', '--passphrase'];
    const made = await type(home, init, [
      ['passphrase for the keys: ', `${passphrase}\r`],
      ['again: ', `${passphrase}\r`],
    ]);
    expect(made).toMatchObject({ exitCode: 0, shown: expect.stringContaining('under a passphrase') });
    expect(made.shown).not.toContain(passphrase);
    const nodeId = /12D3\w+/.exec(made.shown)![0];

    const plain = folder.path('plain');
    const opened = await converse(
      ['age', '-d', '-o', plain, `${home}/owner.key`],
      [['passphrase', `${passphrase}\r`]],
    );
    expect(opened.exitCode).toBe(0);
    expect(readFileSync(plain, 'latin1')).toMatch(/^skerry-owner-key-v1\n[0-9a-f]{64}\n$/);

    const ran = await type(
      home,
      ['run', '--listen', '/ip4/127.0.0.1/tcp/0'],
      [
        ['Passphrase for the keys', `${passphrase}\r`],
        ['is ready', '\x03'],
      ],
    );
    expect(ran).toMatchObject({ exitCode: 0, shown: expect.stringContaining(`${nodeId} is ready`) });
    expect(ran.shown).not.toContain(passphrase);
  }, 90_000);

  test('of age -p, by other hands, start a daemon too', async () => {
    using folder = createFolder();
    const home = folder.path('home');
    const nodeId = await makeLockedHome(home);
    await changePassphrase(home, Buffer.from(passphrase), undefined);
    writeFileSync(folder.path('plain'), readFileSync(`${home}/node.key`));
    const locked = await converse(
      ['age', '-p', '-o', `${home}/node.key`, folder.path('plain')],
      [
        ['Enter passphrase', `${passphrase}\r`],
        ['Confirm passphrase', `${passphrase}\r`],
      ],
    );
    expect(locked.exitCode).toBe(0);
    expect(statSync(`${home}/node.key`).mode & 0o777).toBe(0o600);
    writeFileSync(folder.path('passphrase'), passphrase, { mode: 0o600 });
    const daemon = await startDaemon(home, [], ['--passphrase-file', folder.path('passphrase')]);
    expect(daemon.ready.nodeId).toBe(nodeId);
    expect(await daemon.end('SIGTERM')).toBe(0);
  }, 60_000);

  test('are not opened by a wrong one, none, an empty one or one that others can read', async () => {
    using folder = createFolder();
    const home = folder.path('home');
    await makeLockedHome(home);
    const before = readFileSync(`${home}/owner.key`);
    const env = { SKERRY_HOME: home };
    const start = async (content: string, mode = 0o600) => {
      writeFileSync(folder.path('passphrase'), content, { mode });
      return run(['run', '--passphrase-file', folder.path('passphrase'), '--json'], { env });
    };
    const results = [
      [await run(['run', '--json'], { env }), 'PASSPHRASE_NEEDED'],
      [await start('gannet'), 'PASSPHRASE_WRONG'],
      [await start('\n'), 'PASSPHRASE_INVALID'],
    ] as const;
    for (const [result, code] of results) {
      expect(documentIn(result)).toMatchObject({ error: { code } });
      expect(result.exitCode).toBe(2);
    }
    const setting = { ...env, SKERRY_PASSPHRASE_FILE: '/nonexistent/passphrase' };
    expect(documentIn(await run(['run', '--json'], { env: setting }))).toMatchObject({
      error: { code: 'FILE_UNREADABLE' },
    });
    const typed = await type(home, ['run', '--json'], [['Passphrase', 'gannet\r']]);
    expect(typed).toMatchObject({ exitCode: 2, shown: expect.stringContaining('PASSPHRASE_WRONG') });
    expect(readFileSync(`${home}/owner.key`)).toEqual(before);
  });

  test('are made so from a file, and a home is not made where that is none', async () => {
    using folder = createFolder();
    const path = folder.path('passphrase');
    const init = async (home: string, ...argv: string[]) =>
      run(['init', '--location', 'Madrid, ES', '--json', ...argv], {
        env: { SKERRY_HOME: folder.path(home) },
      });
    writeFileSync(path, '\n', { mode: 0o600 });
    expect(documentIn(await init('a', '--passphrase-file', path))).toMatchObject({
      error: { code: 'PASSPHRASE_INVALID' },
    });
    expect(documentIn(await init('a', '--passphrase'))).toMatchObject({
      error: { code: 'PASSPHRASE_NEEDED' },
    });
    expect(documentIn(await init('a', '--passphrase', '--passphrase-file', path))).toMatchObject({
      error: { code: 'USAGE' },
    });
    expect(() => statSync(folder.path('a'))).toThrow('ENOENT');
    writeFileSync(path, `${passphrase}\n`);
    expect(documentIn(await init('a', '--passphrase-file', path))).toMatchObject({ passphrase: true });
    expect(readFileSync(folder.path('a/owner.key'), 'latin1')).toMatch(
      /^-----BEGIN AGE ENCRYPTED FILE-----\n/,
    );
  }, 40_000);

  test('typed in two ways are refused, and no home is made', async () => {
    using folder = createFolder();
    const made = await type(
      folder.path('home'),
      ['init', '--location', 'Madrid, ES', '--passphrase'],
      [
        ['keys: ', 'one\r'],
        ['again: ', 'other\r'],
      ],
    );
    expect(made).toMatchObject({ exitCode: 2, shown: expect.stringContaining('PASSPHRASE_INVALID') });
    expect(() => statSync(folder.path('home'))).toThrow('ENOENT');
  });

  test('get another one, and none again, in a home that there is', async () => {
    using folder = createFolder();
    const home = folder.path('home');
    const nodeId = await makeLockedHome(home);
    const [old, next] = [folder.path('old'), folder.path('next')];
    writeFileSync(old, passphrase, { mode: 0o600 });
    writeFileSync(next, 'dunlin\n', { mode: 0o600 });
    const set = async (...argv: string[]) =>
      documentIn(await run(['identity', 'passphrase', '--json', ...argv], { env: { SKERRY_HOME: home } }));
    expect(await set('--passphrase-file', old, '--new-passphrase-file', next)).toEqual({
      nodeId,
      home,
      passphrase: true,
    });
    expect(await set('--passphrase-file', old, '--remove')).toMatchObject({
      error: { code: 'PASSPHRASE_WRONG' },
    });
    expect(await set('--remove')).toMatchObject({ error: { code: 'PASSPHRASE_NEEDED' } });
    expect(await set('--remove', '--new-passphrase-file', next)).toMatchObject({ error: { code: 'USAGE' } });
    expect(await set('--passphrase-file', next, '--remove')).toEqual({ nodeId, home, passphrase: false });
    expect(readFileSync(`${home}/owner.key`, 'latin1')).toMatch(/^skerry-owner-key-v1\n/);
    expect(await set()).toMatchObject({ error: { code: 'PASSPHRASE_NEEDED' } });
  }, 60_000);
});

describe('a private network of four, and one without its key', () => {
  const folder = createFolder();
  const cities = ['Reykjavik, IS', 'Sao Paulo, BR', 'Tokyo, JP', 'Nairobi, KE', 'Madrid, ES'];
  const daemons: DaemonProcess[] = [];

  beforeAll(async () => {
    const [swarmKey, passphraseFile] = [folder.path('swarm.key'), folder.path('passphrase')];
    const digits = randomBytes(32).toString('hex');
    writeFileSync(swarmKey, `/key/swarm/psk/1.0.0/\n/base16/\n${digits}\n`, { mode: 0o600 });
    writeFileSync(passphraseFile, passphrase, { mode: 0o600 });
    for (const [i, city] of cities.entries()) {
      const home = folder.path(`node${i}`);
      const env = { SKERRY_HOME: home };
      await run(['init', '--location', city, '--operator', `op${i}`, '--profile', 'local'], { env });
      if (i < 4) await run(['config', 'set', 'swarm-key', swarmKey], { env });
      if (i === 0) {
        await changePassphrase(home, undefined, Buffer.from(passphrase), 4);
        await run(['config', 'set', 'passphrase-file', passphraseFile], { env });
      }
      daemons.push(await startDaemon(home, daemons[0]?.ready.listen ?? []));
    }
    for (const { home } of daemons.slice(0, 4)) await untilAlive(home, 3);
  });
  afterAll(async () => {
    await Promise.all(daemons.map(async daemon => daemon.end('SIGKILL')));
    folder[Symbol.dispose]();
  });

  const at = async (index: number, ...argv: string[]) =>
    run(argv, { env: { SKERRY_HOME: daemons[index]!.home } });

  test('deals a key, and opens it by a grant in a file; the stranger has nobody', async () => {
    const made = await at(0, 'key', 'create', '--alias', 'shared', '--json');
    expect(made.stderr).toContain('with its passphrase');
    const { keyId } = documentIn(made) as { keyId: string };
    const granted = await at(0, 'grant', 'shared', '--to', daemons[1]!.ready.nodeId);
    writeFileSync(folder.path('grant'), granted.stdout);
    const opened = await at(1, 'key', 'open', keyId, '--grant-file', folder.path('grant'), '--json');
    const own = await at(0, 'key', 'open', 'shared', '--json');
    const { key } = documentIn(own) as { key: string };
    expect(documentIn(opened)).toMatchObject({ keyId, key });
    expect(key).toHaveLength(44);

    expect(documentIn(await at(4, 'peers', '--json'))).toEqual({ peers: [] });
    expect(documentIn(await at(4, 'key', 'create', '--json'))).toMatchObject({
      error: { code: 'PLACEMENT_INFEASIBLE' },
    });
    expect(documentIn(await at(4, 'key', 'open', keyId, '--json'))).toMatchObject({
      error: { code: 'KEY_UNKNOWN' },
    });
    expect(documentIn(await at(0, 'status', '--json'))).toMatchObject({ peers: 3, alive: 3 });
  });

  test('is not joined with a key file that is none, or that others can read', async () => {
    const home = folder.path('other');
    await run(['init', '--location', 'Madrid, ES', '--profile', 'local'], { env: { SKERRY_HOME: home } });
    const start = async (swarmKey: string) =>
      run(['run', '--json'], { env: { SKERRY_HOME: home, SKERRY_SWARM_KEY: swarmKey } });
    const path = folder.path('rubbish.key');
    writeFileSync(path, 'rubbish', { mode: 0o600 });
    const malformed = await start(path);
    expect(documentIn(malformed)).toMatchObject({ error: { code: 'SWARM_KEY_INVALID' } });
    expect(malformed.exitCode).toBe(2);
    writeFileSync(folder.path('open.key'), readFileSync(folder.path('swarm.key')), { mode: 0o644 });
    expect(documentIn(await start(folder.path('open.key')))).toMatchObject({
      error: { code: 'SECRET_EXPOSED' },
    });
    expect(documentIn(await start('/nonexistent/swarm.key'))).toMatchObject({
      error: { code: 'FILE_UNREADABLE' },
    });
  });
});
