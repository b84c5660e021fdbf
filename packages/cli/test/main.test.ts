import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { createContext, Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Io, main } from '../index.ts';
import manifest from '../package.json' with { type: 'json' };
import { documentIn, run } from './captured-run.ts';
import { createFolder } from './folder.ts';

/** Commands below others. */
const subcommands: Readonly<Record<string, readonly (readonly string[])[]>> = {
  key: ['create', 'import', 'open', 'ls', 'show', 'explain', 'destroy'].map(name => ['key', name]),
  config: ['ls', 'get', 'set', 'path'].map(name => ['config', name]),
  identity: [['identity', 'passphrase']],
  peers: [
    ['peers', 'ls'],
    ['peers', 'show'],
  ],
};

const bin = join(import.meta.dirname, '../bin/skerry.js');

/** Runs the real command in its own process. */
async function spawnSkerry(argv: readonly string[], stdio: SpawnOptions['stdio'] = 'pipe') {
  const child = spawn(process.execPath, [bin, ...argv], {
    stdio,
    env: { PATH: process.env['PATH'], SKERRY_HOME: '/nonexistent/skerry' },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  child.stdin?.end('stone '.repeat(100));
  const exitCode = await new Promise<number | null>(resolve => child.on('close', resolve));
  return { exitCode, ...output };
}

describe('the process', () => {
  it('measures standard input and says nothing but one JSON document', async () => {
    const result = await spawnSkerry(['--json', 'entropy', '-']);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(documentIn(result)).toMatchObject({ bytes: 600 });
  });

  it('tells an error in one line of standard error and in its exit code', async () => {
    const result = await spawnSkerry(['entropy', '/nonexistent/file']);
    expect(result).toEqual({
      exitCode: 4,
      stdout: '',
      stderr:
        'skerry: FILE_UNREADABLE: cannot read /nonexistent/file: there is no such file; check its path and rights\n',
    });
  });

  it('takes a directory on standard input for an error', async () => {
    const folder = openSync(tmpdir(), 'r');
    const result = await spawnSkerry(['entropy', '-'], [folder, 'pipe', 'pipe']);
    closeSync(folder);
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toMatch(/^skerry: FILE_UNREADABLE: cannot read standard input: it is a directory;/);
  });

  it('keeps its code where only who can write the sources can, and does without where that cannot be', async () => {
    using folder = createFolder();
    const cache = (from: string) => join(from, '../node_modules/.cache/skerry');
    expect((await spawnSkerry(['--version'])).exitCode).toBe(0);
    expect(readdirSync(cache(dirname(bin))).length).toBeGreaterThan(0);
    const copy = folder.path('bin/skerry.js');
    mkdirSync(dirname(copy));
    copyFileSync(bin, copy);
    writeFileSync(folder.path('node_modules'), 'no directory');
    const started = spawnSync(process.execPath, [copy], { encoding: 'utf8' });
    expect(started.stderr).toContain('ERR_MODULE_NOT_FOUND'); // it came as far as its sources, which are not there
  });

  it('on an old Node says which one it needs', () => {
    const script = new Script(readFileSync(bin, 'utf8'));
    for (const version of ['18.20.8', '20.20.2', '22.17.9']) {
      let told = '';
      const old = {
        versions: { node: version },
        stderr: { write: (text: string) => (told += text) },
        exitCode: 0,
      };
      script.runInContext(createContext({ process: old }));
      expect(told).toMatch(/^skerry: USAGE: Node 22\.18 or newer is needed and this is [^\n]+\n$/);
      expect(old.exitCode).toBe(2);
    }
  });
});

describe('arguments', () => {
  it('the version and the help go to standard output, as JSON where that was asked for', async () => {
    expect(await run(['--version'])).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: '' });
    expect(documentIn(await run(['--version', '--json']))).toEqual({ version: manifest.version });
    const help = await run(['--help']);
    expect(help.stdout).toMatch(/Commands:\n {2}init .*\n {2}run .*\n {2}dev .*\n {2}entropy /);
    expect(documentIn(await run(['--json', '--help']))).toEqual({ help: help.stdout.trim() });
  });

  it('the help of a command has examples', async () => {
    for (const argv of [
      ['help', 'plan'],
      ['entropy', '--help'],
      ['config', '-h'],
    ]) {
      const { exitCode, stdout } = await run(argv);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('Examples:\n  ');
    }
  });

  it('the help of every command fits a terminal of 80 columns and has the flags that all take', async () => {
    const commands = ['key', 'config', 'identity', 'peers'].flatMap(name => [[name], ...subcommands[name]!]);
    const others = 'init run dev entropy plan seal open grant revoke status'.split(' ').map(name => [name]);
    for (const argv of [[], ...commands, ...others]) {
      const { exitCode, stdout } = await run([...argv, '--help'], { columns: 80 });
      expect({ argv, exitCode }).toEqual({ argv, exitCode: 0 });
      for (const flag of ['--home <dir>', '--json', '--quiet']) expect(stdout).toContain(flag);
      expect(stdout.split('\n').filter(line => line.length > 80)).toEqual([]);
    }
  });

  it.each([
    [['help', 'frobnicate'], 'or none that there is'],
    [[], 'no command was given'],
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['--frobnicate'], "unknown option '--frobnicate'"],
    [['entropy', '--windw', '1'], "unknown option '--windw' (Did you mean --window?)"],
    [['entropy', 'a', 'b'], "too many arguments for 'entropy'"],
    [['entropy', '--window', 'wide', 'a'], "'wide' is invalid"],
    [['entropy', '--mode', 'sideways', 'a'], "'sideways' is invalid"],
    [['plan', '--risk', 'extreme'], "'extreme' is invalid"],
    [['plan', '--home'], "'--home <dir>' argument missing"],
  ])('%j is a usage error, in a line or as JSON', async (argv, what) => {
    const told = await run(argv);
    expect(told).toMatchObject({ exitCode: 2, stdout: '' });
    expect(told.stderr).toMatch(/^skerry: USAGE: [^\n]+\n$/);
    expect(told.stderr).toContain(what);
    const asJson = await run(['--json', ...argv]);
    expect(asJson).toMatchObject({ exitCode: 2, stderr: '' });
    expect(documentIn(asJson)).toMatchObject({
      error: { code: 'USAGE', kind: 'invalid', message: expect.stringContaining(what), metadata: {} },
    });
  });

  it('what follows -- is no flag', async () => {
    const { exitCode, stdout, stderr } = await run(['entropy', '--', '--json']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr).toContain('cannot read --json');
  });

  it('the escape sequences of an argument do not reach the terminal', async () => {
    const { stderr } = await run(['entropy', '/nonexistent/\u001b[2J\u009b31m\nx\u202e']);
    expect(stderr).toMatch(/^skerry: FILE_UNREADABLE: [^\p{C}]+\n$/u);
  });
});

/** A stream that fails every write, as a pipe or a disk does. */
function failingStream(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
  });
}

describe('output that cannot be written', () => {
  async function runOnto(stdout: Writable) {
    let stderr = '';
    const err = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        stderr += chunk.toString();
        done();
      },
    });
    const io = { stdin: process.stdin, stdout, stderr: err, env: { SKERRY_HOME: '/nonexistent/skerry' } };
    const exitCode = await main(['config', 'path'], io satisfies Io);
    return { exitCode, stderr };
  }

  it('a reader that went away is no error', async () => {
    expect(await runOnto(failingStream('EPIPE'))).toEqual({ exitCode: 0, stderr: '' });
  });

  it('a full disk is one', async () => {
    const { exitCode, stderr } = await runOnto(failingStream('ENOSPC'));
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/^skerry: FILE_UNREADABLE: cannot write standard output: no space is left/);
  });
});

describe('a bug', () => {
  it('asks for a report, with its stack on standard error, and exits with 1', async () => {
    const io = {
      get stdin(): never {
        throw new TypeError('broken on purpose');
      },
    };
    const { stdout, stderr, exitCode } = await runWith(io, ['entropy']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toMatch(
      /^skerry: BUG: broken on purpose; this is a fault in skerry, please report .*\nTypeError: .*\n {4}at /,
    );
    const asJson = await runWith(io, ['entropy', '--json']);
    expect(documentIn(asJson)).toMatchObject({ error: { code: 'BUG', message: 'broken on purpose' } });
  });

  async function runWith(broken: object, argv: readonly string[]) {
    const written = { stdout: '', stderr: '' };
    const sink = (name: 'stdout' | 'stderr') =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          written[name] += chunk.toString();
          done();
        },
      });
    const io = Object.defineProperties(
      { stdout: sink('stdout'), stderr: sink('stderr'), env: { SKERRY_HOME: '/nonexistent/skerry' } },
      Object.getOwnPropertyDescriptors(broken),
    ) as unknown as Io;
    return { exitCode: await main(argv, io), ...written };
  }
});

describe('a home', () => {
  it('is the flag, else SKERRY_HOME, else STATE_DIRECTORY, else a place for data', async () => {
    const env = { SKERRY_HOME: '/a/env', STATE_DIRECTORY: '/a/state:/b/state' };
    const pathFor = async (argv: string[], env: Record<string, string>) =>
      (documentIn(await run(['--json', 'config', 'path', ...argv], { env })) as { path: string }).path;
    expect(await pathFor(['--home', '/a/flag'], env)).toBe('/a/flag/config.toml');
    expect(await pathFor([], env)).toBe('/a/env/config.toml');
    expect(await pathFor([], { ...env, SKERRY_HOME: '' })).toBe('/a/state/config.toml');
    expect(await pathFor([], { SKERRY_HOME: '', STATE_DIRECTORY: '' })).toMatch(/\bskerry\b.*config\.toml$/);
  });

  it('that was given and is not there has the defaults', async () => {
    using folder = createFolder();
    const result = await run(['config', 'get', 'profile', '--home', folder.path('absent')]);
    expect(result).toEqual({ exitCode: 0, stdout: 'open\n', stderr: '' });
    writeFileSync(folder.path('config.toml'), 'profile = "local"');
    expect((await run(['config', 'get', 'profile', '--home', folder.path('.')])).stdout).toBe('local\n');
  });
});
