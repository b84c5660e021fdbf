import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Where a node of a world really is, and its address there. */
type Spot = { readonly ip: string; readonly lat: number; readonly lon: number };

/** Kilometres that light makes in a millisecond of fibre: the speed of light over a refractive index of 1.468. */
export const fibreKmPerMs = 299_792.458 / 1_000 / 1.468;

/** How much longer than the great circle paths are, and milliseconds from a node to its network, one way. */
const detour = { pathFactor: 1.5, accessMs: 1 };

/** Networks that are far apart, on this machine. */
export type World = {
  /** What a program is started with to be in a node's place: it ends with its parent. */
  readonly within: (name: string) => readonly string[];
  /** Lets nothing through between two nodes, or between one and all others. */
  readonly cut: (...names: readonly [string, string?]) => Promise<void>;
  readonly join: (...names: readonly [string, string?]) => Promise<void>;
  /** Ends it; nothing of it is left once the programs within have ended too. */
  readonly end: () => Promise<void>;
};

/**
 * Makes a network namespace for each node, and carries packets between them after the time that their distance takes.
 *
 * @returns the world, or why there can be none here
 */
export async function makeWorld(nodes: Readonly<Record<string, Spot>>): Promise<World | string> {
  const child = spawn('python3', [join(import.meta.dirname, 'distances.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').catch((error: unknown) => [String(error)]);
  child.stdin.on('error', () => undefined); // an early end is seen by the answer that does not come
  const lines = createInterface({ input: child.stdout });
  const tell = async (line: string): Promise<{ ready?: Record<string, string>; refused?: string }> => {
    const answered = once(lines, 'line') as Promise<[string]>;
    child.stdin.write(`${line}\n`);
    const [first] = await Promise.race([answered, exited]);
    return typeof first === 'string' && first.startsWith('{')
      ? JSON.parse(first)
      : { refused: `python3: ${first}` };
  };
  const { ready, refused } = await tell(JSON.stringify({ nodes, fibreKmPerMs, ...detour }));
  if (ready === undefined) return refused ?? 'no answer';
  const rule = async (verb: string, names: readonly (string | undefined)[]): Promise<void> =>
    void (await tell([verb, ...names.filter(name => name !== undefined)].join(' ')));
  return {
    within: name => ['nsenter', `--net=${ready[name]}`, 'setpriv', '--pdeathsig', 'SIGTERM'],
    cut: async (...names) => rule('cut', names),
    join: async (...names) => rule('join', names),
    end: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
