import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '@skerry/cli';

/** The command line's program, for a process of its own. */
export const skerryProgram = fileURLToPath(new URL('../packages/cli/bin/skerry.js', import.meta.url));

/** A process that was started, and the first line that it wrote. */
type Child = { readonly line: string; readonly end: () => Promise<void> };

/** Where nodes say that they are: far apart, so that any counts can be placed. */
const places = [
  'Reykjavik, IS',
  'Sao Paulo, BR',
  'Tokyo, JP',
  'Nairobi, KE',
  'Madrid, ES',
  'Sydney, AU',
  'Mumbai, IN',
  'Toronto, CA',
  'Lagos, NG',
  'Jakarta, ID',
  'Warsaw, PL',
];

/** How long nodes may take to come up and meet, ms. */
const meetMs = 120_000;

/** Processes that are to end with this one, however it ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a program that stays no longer than this process.
 *
 * @param complaints what becomes of its standard error
 */
export function startProcess(
  program: string,
  argv: readonly string[],
  complaints: 'inherit' | 'ignore',
): ChildProcess {
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', complaints] });
  running.add(child);
  return child;
}

/** Ends a process at once and waits until it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/**
 * Starts a Node program that stays, and waits for its first line.
 *
 * @param argv the program and its arguments
 * @param complaints what becomes of its standard error
 */
export async function startChild(
  argv: readonly string[],
  complaints: 'inherit' | 'ignore' = 'inherit',
): Promise<Child> {
  const child = startProcess(process.execPath, argv, complaints);
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [unknown];
  if (typeof line !== 'string') throw new Error(`${argv[0]} ended before it was ready`);
  return { line, end: async () => endProcess(child) };
}

/**
 * Makes a home with an operator of its own.
 *
 * @param folder a directory for homes
 * @param index from 0; chooses the place
 */
export async function makeHome(folder: string, index: number): Promise<string> {
  const home = join(folder, `home-${index}`);
  const who = ['--location', places[index % places.length]!, '--operator', `op${index}`];
  const [stdout, stderr] = [new PassThrough().resume(), new PassThrough()];
  const argv = ['init', '--home', home, ...who, '--profile', 'local'];
  const exitCode = await main(argv, { stdin: Readable.from([]), stdout, stderr, env: {} });
  if (exitCode !== 0) throw new Error(String(stderr.read()));
  return home;
}

/** A daemon in a process of its own, who it is and where it listens. */
export type Daemon = Pick<Child, 'end'> & { readonly nodeId: string; readonly listen: readonly string[] };

/**
 * Starts the daemon of a home.
 *
 * @param home as `makeHome` made it
 * @param bootstrap where another daemon listens; nothing for the first
 * @param complaints what becomes of its standard error
 */
export async function startDaemon(
  home: string,
  bootstrap: readonly string[],
  complaints: 'inherit' | 'ignore' = 'inherit',
): Promise<Daemon> {
  const joining = bootstrap.flatMap(address => ['--bootstrap', address]);
  const argv = ['run', '--home', home, '--listen', '/ip4/127.0.0.1/tcp/0', ...joining, '--json', '--quiet'];
  const { line, end } = await startChild([skerryProgram, ...argv], complaints);
  const { nodeId, listen } = JSON.parse(line) as Omit<Daemon, 'end'>;
  return { nodeId, listen, end };
}

/**
 * Starts holders, each a daemon in a process and home of its own, on this machine.
 *
 * @param folder for their homes
 * @param count of them
 * @returns the daemons; the others started from the first
 */
export async function startHolders(folder: string, count: number): Promise<Daemon[]> {
  const first = await startDaemon(await makeHome(folder, 0), []);
  const others = Array.from({ length: count - 1 }, async (_, i) =>
    startDaemon(await makeHome(folder, i + 1), first.listen),
  );
  return [first, ...(await Promise.all(others))];
}

/** Waits until something holds. @throws where it does not within `meetMs` */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + meetMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error('the nodes did not meet in time');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
