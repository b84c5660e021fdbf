import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { run } from './captured-run.ts';

/** The command line's script. */
export const program = fileURLToPath(new URL('../bin/skerry.js', import.meta.url));

/** What `skerry run --json` prints when it is ready. */
type Ready = { readonly nodeId: string; readonly listen: readonly string[]; readonly socket: string };

/** A daemon in a process of its own. */
export type DaemonProcess = {
  readonly home: string;
  readonly ready: Ready;
  readonly child: ChildProcess;
  /** Ends it with a signal and resolves to its exit code, null where the signal killed it. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL' | 'SIGUSR2') => Promise<number | null>;
};

/** Starts the daemon of a home, with flags of its own and Node's if any, and waits until it is ready. */
export async function startDaemon(
  home: string,
  bootstrap: readonly string[],
  flags: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Promise<DaemonProcess> {
  const joining = bootstrap.flatMap(address => ['--bootstrap', address]);
  const { first, ...started } = await startProcess(
    ['run', '--listen', '/ip4/127.0.0.1/tcp/0', ...joining, ...flags],
    home,
    nodeOptions,
  );
  return { ...started, home, ready: first as Ready };
}

/** Starts a command that stays, behind one that puts it somewhere if any, and waits for its one line of JSON. */
export async function startProcess(
  command: readonly string[],
  home: string,
  nodeOptions: readonly string[] = [],
  within: readonly string[] = [],
): Promise<{ first: unknown } & Pick<DaemonProcess, 'child' | 'end'>> {
  const own = [process.execPath, ...nodeOptions, program, ...command, '--home', home, '--json', '--quiet'];
  const [file, ...argv] = [...within, ...own] as [string, ...string[]];
  const child = spawn(file, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line') as Promise<[string]>, exited]);
  if (typeof first[0] !== 'string') throw new Error(`the daemon of ${home} ended with ${first[0]}`);
  return {
    first: JSON.parse(first[0]),
    child,
    end: async signal => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return (await exited)[0];
    },
  };
}

const places = [
  'Reykjavik, IS',
  'Sao Paulo, BR',
  'Tokyo, JP',
  'Nairobi, KE',
  'Madrid, ES',
  'Sydney, AU',
  'Mumbai, IN',
];

/** Settings of a home besides those that `init` writes. */
type Settings = Readonly<Record<string, string>>;

/** Daemons on this machine, each of its own operator, the first one known to the others, with settings by their index. */
export async function startNetwork(
  root: (name: string) => string,
  count: number,
  settings: Readonly<Record<number, Settings>> = {},
): Promise<DaemonProcess[]> {
  const homes = Array.from({ length: count }, (_, i) => root(`node${i}`));
  for (const [i, home] of homes.entries()) {
    const place = places[i % places.length]!;
    const init = ['init', '--location', place, '--operator', `op${i}`, '--profile', 'local'];
    const sets = Object.entries(settings[i] ?? {}).map(([key, value]) => ['config', 'set', key, value]);
    for (const argv of [init, ...sets]) {
      const made = await run(argv, { env: { SKERRY_HOME: home } });
      if (made.exitCode !== 0) throw new Error(made.stderr);
    }
  }
  const [firstHome, ...otherHomes] = homes as [string, ...string[]];
  const first = await startDaemon(firstHome, []);
  const others = await Promise.all(otherHomes.map(async home => startDaemon(home, first.ready.listen)));
  const daemons = [first, ...others];
  for (const { home } of daemons) await untilAlive(home, count - 1);
  return daemons;
}

/** Waits until a daemon reaches so many peers; a test that waits too long fails by its own limit. */
export async function untilAlive(home: string, count: number): Promise<void> {
  for (;;) {
    const { stdout } = await run(['status', '--json'], { env: { SKERRY_HOME: home } });
    if ((JSON.parse(stdout) as { alive?: number }).alive === count) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}
