import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Captured, documentIn, run } from './captured-run.ts';
import { type DaemonProcess, program, startDaemon, startNetwork, untilAlive } from './daemons.ts';
import { canMount, type Disk, mountDisk } from './disk.ts';
import { createFolder } from './folder.ts';

const folder = createFolder();
const mounting = canMount(folder.path('trial'));
if (!mounting) console.warn('full and read-only disks are not tested: this user may not mount any');

const nodes = 6;
let daemons: DaemonProcess[];
const disks: Disk[] = [];
let sealed: string;
let keyId: string;
const content = randomBytes(70_000);

async function at(index: number, ...argv: string[]): Promise<Captured> {
  return run(argv, { env: { SKERRY_HOME: daemons[index]!.home } });
}

/** A command's document, of the first daemon; a command that fails fails the test. */
async function documentOf<T = Record<string, unknown>>(...argv: string[]): Promise<T> {
  const done = await at(0, ...argv, '--json');
  if (done.exitCode !== 0) throw new Error(done.stdout);
  return documentIn(done) as T;
}

type Peers = { readonly peers: readonly { nodeId: string; alive: boolean; roundTripMs: number | null }[] };
type Sealed = { readonly keyId: string; readonly t: number; readonly k: number };
type Shown = { readonly holders: readonly { nodeId: string; location: { name: string } }[] };

/** Daemons of other nodes, those that answered the fastest, and so are asked first, first. */
async function byRoundTrip(): Promise<number[]> {
  const { peers } = await documentOf<Peers>('peers', 'ls');
  const sorted = peers.toSorted((a, b) => (a.roundTripMs ?? 1e9) - (b.roundTripMs ?? 1e9));
  return sorted.map(({ nodeId }) => daemons.findIndex(({ ready }) => ready.nodeId === nodeId));
}

/** Ids of all keys of the first daemon's owner. */
async function keyIds(): Promise<string[]> {
  const { keys } = await documentOf<{ keys: { keyId: string }[] }>('key', 'ls');
  return keys.map(key => key.keyId).sort();
}

/** Node ids of the holders that a command shows. */
async function holdersOf(...argv: string[]): Promise<string[]> {
  return (await documentOf<Shown>(...argv)).holders.map(({ nodeId }) => nodeId);
}

const filesIn = (path: string): string[] => readdirSync(path).sort();

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

beforeAll(async () => {
  if (mounting) for (let i = 0; i < nodes; i++) disks.push(mountDisk(folder.path(`node${i}`), 24));
  daemons = await startNetwork(folder.path, nodes);
  const plain = folder.path('plain');
  writeFileSync(plain, content);
  sealed = folder.path('sealed');
  ({ keyId } = await documentOf<Sealed>('seal', plain, '-o', sealed, '--risk', 'medium'));
});
afterAll(async () => {
  await Promise.all(daemons.map(async daemon => daemon.end('SIGKILL')));
  for (const disk of disks) disk[Symbol.dispose]();
  folder[Symbol.dispose]();
});

/** Opens the sealed file, and holds that what came out is right. */
async function open(): Promise<{ sets: number; keyMs: number }> {
  const output = folder.path('opened');
  const document = await documentOf<{ sets: number; keyMs: number }>('open', sealed, '-o', output);
  expect(readFileSync(output).equals(content)).toBe(true);
  return document;
}

describe('frozen holders', () => {
  test('cost an open the hedge and the next one nothing up to k - t, and one more is told by name', async () => {
    const order = await byRoundTrip();
    const frozen = order.slice(0, 2).map(index => daemons[index]!);
    const another = daemons[order[2]!]!;
    try {
      for (const { child } of frozen) child.kill('SIGSTOP');
      const first = await open();
      expect(first.sets).toBeGreaterThan(1);
      expect(first.keyMs).toBeLessThan(6_000);
      await until(async () => {
        const { peers } = await documentOf<Peers>('peers', 'ls');
        return peers.filter(({ alive }) => !alive).length === 2;
      });
      let sets = 0;
      for (let i = 0; i < 3 && sets !== 1; i++) ({ sets } = await open()); // a busy machine may be late once
      expect(sets).toBe(1);

      another.child.kill('SIGSTOP');
      const { holders } = await documentOf<Shown>('key', 'show', keyId);
      const before = filesIn(folder.path('.'));
      const startMs = performance.now();
      const failed = await at(0, 'open', sealed, '-o', folder.path('never'));
      expect(performance.now() - startMs).toBeLessThan(10_000);
      expect(failed.exitCode).toBe(4);
      const ids = [...frozen, another].map(({ ready }) => ready.nodeId);
      const silent = holders.filter(({ nodeId }) => ids.includes(nodeId));
      for (const { location } of silent) expect(failed.stderr).toContain(location.name);
      expect(filesIn(folder.path('.'))).toEqual(before);
    } finally {
      for (const { child } of [...frozen, another]) child.kill('SIGCONT');
    }
    await untilAlive(daemons[0]!.home, nodes - 1);
    await open();
  });
});

describe('a full disk', { skip: !mounting }, () => {
  test('of a holder turns deals elsewhere or fails them by a code, and with room again nothing is lost', async () => {
    const { holders } = await documentOf<Shown>('plan', '--risk', 'low', '--profile', 'local');
    const full = daemons.findIndex(({ ready }) => ready.nodeId === holders[0]!.nodeId);
    const { home, ready } = daemons[full]!;
    const { shares } = documentIn(await at(full, 'status', '--json')) as { shares: number };
    let kept = 1; // the one that is dealt when there is room again
    disks[full]!.fill();
    try {
      // The last page of a file has some room yet, so a full disk may keep a few more.
      while ((await holdersOf('key', 'create', '--risk', 'low')).includes(ready.nodeId)) kept++;
      const needed = await at(0, 'key', 'create', '--t', '3', '--n', '4', '--k', '5', '--json');
      expect([3, 4]).toContain(needed.exitCode);
      expect(documentIn(needed)).toHaveProperty('error.code');
      await open();
    } finally {
      disks[full]!.free();
    }
    const needingAll = ['key', 'create', '--t', '3', '--n', '4', '--k', '5'];
    await until(async () => (await at(0, ...needingAll)).exitCode === 0);
    expect(await daemons[full]!.end('SIGTERM')).toBe(0);
    daemons[full] = await startDaemon(home, daemons[0]!.ready.listen);
    const now = documentIn(await at(full, 'status', '--json')) as { shares: number };
    expect(now.shares).toBeGreaterThanOrEqual(shares + kept);
    await untilAlive(daemons[0]!.home, nodes - 1);
  });

  test('of the dealer fails a seal by a code with no output and no key, and what was sealed still opens', async () => {
    const output = folder.path('half');
    const create = async (): Promise<boolean> =>
      (await at(0, 'key', 'create', '--risk', 'low')).exitCode === 0;
    disks[0]!.fill();
    try {
      while (await create()); // until the last page is full too
      const keys = await keyIds();
      const failed = await at(0, 'seal', folder.path('plain'), '-o', output, '--risk', 'low', '--json');
      expect(failed.exitCode).toBe(4);
      expect(documentIn(failed)).toMatchObject({ error: { code: 'STORE_FAILED' } });
      expect(existsSync(output)).toBe(false);
      await open();
      expect(await keyIds()).toEqual(keys);
    } finally {
      disks[0]!.free();
    }
    await until(create);
  });
});

describe('a disk', { skip: !mounting }, () => {
  test('of a home that is read-only keeps a daemon from starting, and changes nothing', async () => {
    const home = folder.path('read-only');
    using disk = mountDisk(home, 24);
    const argv = ['init', '--location', 'Madrid, ES', '--profile', 'local'];
    await run(argv, { env: { SKERRY_HOME: home } });
    disk.makeReadOnly();
    const before = filesIn(home);
    const ended = await run(['run', '--json', '--listen', '/ip4/127.0.0.1/tcp/0'], {
      env: { SKERRY_HOME: home },
    });
    expect(ended.exitCode).toBe(4);
    expect(documentIn(ended)).toMatchObject({ error: { code: 'STORE_FAILED' } });
    expect(filesIn(home)).toEqual(before);
  });

  test.each(['full', 'read-only'])(
    'that outputs go to, when %s, fails by a code and leaves nothing',
    async kind => {
      const place = folder.path(`output-${kind}`);
      using disk = mountDisk(place, 1);
      if (kind === 'full') disk.fill();
      else disk.makeReadOnly();
      const before = filesIn(place);
      for (const argv of [
        ['seal', folder.path('plain')],
        ['open', sealed],
      ]) {
        const failed = await at(0, ...argv, '-o', `${place}/out`, '--json');
        expect(failed.exitCode).toBe(4);
        expect(documentIn(failed)).toMatchObject({ error: { code: 'FILE_UNREADABLE' } });
        expect(filesIn(place)).toEqual(before);
      }
    },
  );
});

describe('a seal whose process is killed', () => {
  /** A seal of endless input in a process of its own, once it has written some of its output. */
  async function sealing(place: string) {
    const home = daemons[0]!.home;
    const argv = [program, 'seal', '-', '-o', `${place}/out`, '--home', home, '--risk', 'low'];
    const child = spawn(process.execPath, argv, { stdio: ['pipe', 'ignore', 'pipe'] });
    child.stdin.on('error', () => undefined);
    child.stdin.write(new Uint8Array(3 << 20));
    await until(() => filesIn(place).length > 0);
    return child;
  }

  test('by a signal leaves no output and no key, and no partial file beyond the next run', async () => {
    const keys = await keyIds();
    const signals = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const;
    const place = (signal: string): string => folder.path(`killed-by-${signal}`);
    await Promise.all(
      signals.map(async signal => {
        mkdirSync(place(signal));
        const child = await sealing(place(signal));
        child.kill(signal);
        expect((await once(child, 'exit'))[1]).toBe(signal);
      }),
    );
    expect(signals.map(signal => filesIn(place(signal)).length)).toEqual([0, 0, 1]);
    expect(await keyIds()).toEqual(keys);
    await documentOf('seal', folder.path('plain'), '-o', `${place('SIGKILL')}/out`, '--risk', 'low');
    expect(filesIn(place('SIGKILL'))).toEqual(['out']);
  });

  test('by the death of its daemon, before or amid the deal, leaves no output and no key', async () => {
    const place = folder.path('daemon-killed');
    mkdirSync(place);
    const keys = await keyIds();
    const { home } = daemons[0]!;
    const streaming = await sealing(place);
    // Frozen holders hold up the deal of the other seal while its daemon dies.
    const holders = daemons.slice(1);
    for (const { child } of holders) child.kill('SIGSTOP');
    const dealing = at(0, 'seal', folder.path('plain'), '-o', `${place}/dealing`, '--risk', 'low', '--json');
    await until(() => filesIn(place).some(name => name.startsWith('.dealing')));
    await sleep(500);
    await daemons[0]!.end('SIGKILL');
    for (const { child } of holders) child.kill('SIGCONT');
    streaming.stdin.end();
    const failed = await dealing;
    expect(failed.exitCode).toBe(4);
    expect(documentIn(failed)).toMatchObject({ error: { code: 'DAEMON_DOWN' } });
    expect((await once(streaming, 'exit'))[0]).toBe(4);
    expect(filesIn(place)).toEqual([]);
    daemons[0] = await startDaemon(home, daemons[1]!.ready.listen);
    await untilAlive(home, nodes - 1);
    expect(await keyIds()).toEqual(keys);
    await open();
  });
});
