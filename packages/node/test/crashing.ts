import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createIdentity } from '../src/identity.ts';
import type { Peer } from '../src/peer.ts';
import type { Command } from './crash-child.ts';
import { until } from './hosts.ts';
import { peerOptions } from './peers.ts';

const program = fileURLToPath(new URL('crash-child.ts', import.meta.url));

/** Where a node dies: at which change of its store, or at which custody frame, counted from when it is armed. */
export type CrashPoint = {
  readonly kind: 'disk' | 'frame';
  readonly number: number;
  readonly when: 'before' | 'after';
};

/** A node in a process of its own, started again in its home whenever it died. */
export type CrashingNode = {
  readonly nodeId: () => string;
  readonly pid: () => number;
  /** What it answered; undefined where it died instead, in which case it runs again. */
  readonly tell: (command: Command) => Promise<Readonly<Record<string, unknown>> | undefined>;
  /** What it wrote before it died or answered, besides the answer. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** How often it died. */
  readonly deaths: () => number;
  /** Resolves once it died and runs again. */
  readonly reborn: () => Promise<void>;
  readonly end: () => Promise<void>;
};

/**
 * Starts a node that can be told to die, among peers of this process.
 *
 * @param capacity 0 keeps it from being chosen as a holder
 */
export async function startCrashing(
  root: string,
  index: number,
  capacity: number,
  peers: readonly Peer[],
): Promise<CrashingNode> {
  const { home } = peerOptions(root, index);
  await createIdentity(home);
  const bootstrap = peers.flatMap(peer => ['--bootstrap', peer.addresses()[0] ?? '']);
  const argv = [program, '--root', root, '--index', `${index}`, '--capacity', `${capacity}`, ...bootstrap];
  const seen: Readonly<Record<string, unknown>>[] = [];
  let deaths = 0;

  async function start() {
    const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const read = async (): Promise<Readonly<Record<string, unknown>> | undefined> => {
      const { value, done } = await lines.next();
      return done ? undefined : (JSON.parse(value) as Readonly<Record<string, unknown>>);
    };
    const first = await read();
    if (!first) throw new Error('the node did not start');
    const nodeId = String(first['nodeId']);
    // a node that was killed a moment ago still looks alive to those that have not noticed
    const knows = (peer: Peer): boolean =>
      peer.isAlive(nodeId) && peer.network.directory.entry(nodeId) !== undefined;
    await until(() => peers.every(knows));
    return { child, read, nodeId, exited, rebirth: exited.then(restart) };
  }

  /** One restart for one death, whoever waits for it. */
  async function restart([, signal]: readonly unknown[]): Promise<void> {
    if (isEnding) return;
    if (signal !== 'SIGKILL') throw new Error(`the node ended by itself: ${String(signal)}`);
    deaths++;
    now = await start();
  }

  let isEnding = false;
  let now = await start();

  return {
    nodeId: () => now.nodeId,
    pid: () => now.child.pid!,
    lines: seen,
    deaths: () => deaths,
    reborn: async () => now.rebirth,
    tell: async command => {
      if (now.child.exitCode !== null || now.child.signalCode !== null) await now.rebirth;
      const { child, read, rebirth } = now;
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const answer = await read();
      if (answer === undefined) await rebirth;
      else if (command.do === 'deal' && 'keyId' in answer) {
        seen.push(answer);
        const outcome = await read();
        if (outcome === undefined) await rebirth;
        return outcome;
      }
      return answer;
    },
    end: async () => {
      isEnding = true;
      now.child.stdin.end();
      await now.exited;
    },
  };
}

/** The points of a run, all of them in the slow tier (`npm run crash`) and every so many else. */
export function pointsOf(
  disk: number,
  frames: number,
  every: number,
): (readonly [label: string, point: CrashPoint])[] {
  const numbered = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
  const points: CrashPoint[] = [
    ...numbered(disk).flatMap(number =>
      (['before', 'after'] as const).map(when => ({ kind: 'disk', number, when }) as const),
    ),
    ...numbered(frames).map(number => ({ kind: 'frame', number, when: 'before' }) as const),
  ];
  const step = process.env['SKERRY_CRASH'] === 'all' ? 1 : every;
  return points
    .filter((_, i) => i % step === 0)
    .map(point => [`${point.when} ${point.kind} ${point.number}`, point] as const);
}

/** Waits until a node that is to die runs again; what it was to die of may fail before it gets there. */
export async function deathOf(node: CrashingNode, work: Promise<unknown>): Promise<void> {
  const before = node.deaths();
  const reborn = node.reborn();
  const outcome = await Promise.race([reborn, work]);
  const isDying = outcome === undefined || node.deaths() > before;
  const late = new Promise<string>(resolve => setTimeout(resolve, 15_000, 'late'));
  if (!isDying && (await Promise.race([reborn, late])) === 'late') {
    throw new Error(
      `the node did not get where it was to die: ${typeof outcome === 'string' ? outcome : 'done'}`,
    );
  }
  await reborn;
}
