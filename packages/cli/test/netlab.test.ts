/** Daemons with real distances between them: what they measure of each other, and that light bounds it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { at } from '@skerry/base';
import { greatCircleKm } from '@skerry/placement';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentIn, run } from './captured-run.ts';
import { startProcess } from './daemons.ts';
import { createFolder } from './folder.ts';
import { fibreKmPerMs, makeWorld, type World } from './netlab/distances.ts';

const cities = {
  Frankfurt: ['DE', 50.11, 8.68],
  Tokyo: ['JP', 35.69, 139.69],
  'Sao Paulo': ['BR', -23.55, -46.64],
  Sydney: ['AU', -33.87, 151.21],
  Reykjavik: ['IS', 64.14, -21.9],
  Nairobi: ['KE', -1.28, 36.82],
  Mumbai: ['IN', 19.07, 72.88],
  Madrid: ['ES', 40.42, -3.7],
  'San Francisco': ['US', 37.77, -122.42],
  Singapore: ['SG', 1.29, 103.85],
} as const;

/** Some of them in `npm test`, all ten in `npm run netlab`. */
const honest = Object.entries(cities).slice(0, process.env['SKERRY_NETLAB'] === 'all' ? 10 : 4);
/** Says Tokyo, and is in Luxembourg: a round trip of 5 ms from Frankfurt. */
const liar = { name: 'liar', claim: 'Tokyo, JP', lat: 49.61, lon: 6.13 };
const settled = [
  ...honest.map(([name, [country, lat, lon]]) => ({ name, claim: `${name}, ${country}`, lat, lon })),
  liar,
].map((node, i) => ({ ...node, ip: `10.77.0.${i + 2}` }));

/** Why there can be no networks apart here, or undefined. */
async function hindrance(): Promise<string | undefined> {
  const world = await makeWorld({ here: { ip: '10.77.0.2', lat: 0, lon: 0 } });
  if (typeof world === 'string') return world;
  const entered = spawnWithin(world, 'here', 'true');
  const [code] = (await once(entered, 'exit').catch((error: unknown) => [String(error)])) as [
    number | string,
  ];
  await world.end();
  return code === 0 ? undefined : `a program cannot enter one: ${code}`;
}

function spawnWithin(world: World, name: string, ...command: readonly string[]): ChildProcess {
  const [file, ...argv] = [...world.within(name), ...command] as readonly string[] as [string, ...string[]];
  return spawn(file, argv, { stdio: 'ignore' });
}

const hindered = await hindrance();
if (hindered !== undefined)
  process.stderr.write(`netlab: skipped, there can be no networks apart here (${hindered})\n`);

/** For so long a node's verdict may be an old one, ms (`verdictMs` of node's parameters). */
const verdictMs = 2_500;

type Peer = {
  readonly nodeId: string;
  readonly alive: boolean;
  readonly leastRoundTripMs: number | null;
  readonly placeVerdict: string;
  readonly trust: number;
};
type Node = (typeof settled)[number] & { readonly nodeId: string; readonly home: string };

/** The round trip that light needs in fibre, ms. */
function leastMs(a: Pick<Node, 'lat' | 'lon'>, b: Pick<Node, 'lat' | 'lon'>): number {
  return (2 * greatCircleKm(a, b)) / fibreKmPerMs;
}

describe('daemons in cities far apart', { skip: hindered !== undefined, timeout: 240_000 }, () => {
  const folder = createFolder();
  const ends: (() => Promise<unknown>)[] = [];
  let world: World;
  let nodes: Node[] = [];

  async function startNode(node: (typeof settled)[number], bootstrap: readonly string[]): Promise<Node> {
    const home = folder.path(node.name.replaceAll(' ', '-'));
    const init = ['init', '--location', node.claim, '--operator', node.name, '--profile', 'local'];
    const made = await run(init, { env: { SKERRY_HOME: home } });
    if (made.exitCode !== 0) throw new Error(made.stderr);
    const set = await run(['config', 'set', 'verify-place', 'yes'], { env: { SKERRY_HOME: home } });
    if (set.exitCode !== 0) throw new Error(set.stderr);
    const joining = bootstrap.flatMap(address => ['--bootstrap', address]);
    const command = ['run', '--listen', `/ip4/${node.ip}/tcp/4001`, ...joining];
    const { first, end } = await startProcess(command, home, [], world.within(node.name));
    ends.push(async () => end('SIGTERM'));
    return { ...node, home, nodeId: (first as { nodeId: string }).nodeId };
  }

  beforeAll(async () => {
    const made = await makeWorld(Object.fromEntries(settled.map(node => [node.name, node])));
    if (typeof made === 'string') throw new Error(made);
    world = made;
    const first = await startNode(at(settled, 0), []);
    const bootstrap = [`/ip4/${first.ip}/tcp/4001/p2p/${first.nodeId}`];
    const others: Node[] = [];
    // two at a time: more would wait for each other on a small machine
    for (let i = 1; i < settled.length; i += 2) {
      const pair = settled.slice(i, i + 2).map(async node => startNode(node, bootstrap));
      others.push(...(await Promise.all(pair)));
    }
    nodes = [first, ...others];
  }, 240_000);
  afterAll(async () => {
    await Promise.all(ends.map(async end => end()));
    await world.end();
    folder[Symbol.dispose]();
  }, 60_000);

  async function peersOf({ home }: Node): Promise<Peer[]> {
    const document = documentIn(await run(['peers', 'ls', '--json'], { env: { SKERRY_HOME: home } }));
    return (document as { peers: Peer[] }).peers;
  }

  /** Whether a node is so near to the liar, and so far from where that says it is, that it refutes it by itself. */
  const isNear = ({ name }: Node): boolean => ['Frankfurt', 'Madrid', 'Reykjavik'].includes(name);

  /**
   * What each node measured of each other, once they all have, and those near the liar in a moment in which the machine
   * was not busy.
   */
  async function measured(): Promise<{ from: Node; to: Node; ms: number }[]> {
    const [, tokyo] = settled as [Node, Node];
    for (;;) {
      const found = await Promise.all(
        nodes.map(async from => {
          const peers = await peersOf(from);
          return nodes
            .filter(to => to !== from)
            .map(to => ({
              from,
              to,
              ms: peers.find(({ nodeId }) => nodeId === to.nodeId)?.leastRoundTripMs,
            }));
        }),
      );
      const all = found.flat().map(one => ({ ...one, ms: one.ms ?? Number.POSITIVE_INFINITY }));
      const isSettled = all.every(({ from, to, ms }) =>
        to.name === 'liar' && isNear(from) ? ms < leastMs(from, tokyo) : ms < Number.POSITIVE_INFINITY,
      );
      if (isSettled) return all;
      await new Promise(resolve => setTimeout(resolve, 500));
    }
  }

  test('no round trip is shorter than light allows between where nodes are, and a false place is', async () => {
    const all = await measured();
    const tooShort = all.filter(({ from, to, ms }) => ms < leastMs(from, to));
    expect(tooShort).toEqual([]);
    const [, tokyo] = settled as [Node, Node];
    const refuting = all.filter(({ from, to, ms }) => to.name === 'liar' && ms < leastMs(from, tokyo));
    expect(refuting.map(({ from }) => from.name)).toEqual(
      expect.arrayContaining(nodes.filter(isNear).map(({ name }) => name)),
    );
  });

  test('nobody honest is refuted, and who claims Tokyo from 5 ms beside Frankfurt is, and is trusted with nothing', async () => {
    await measured();
    await new Promise(resolve => setTimeout(resolve, verdictMs));
    const peers = await Promise.all(nodes.map(async node => ({ node, peers: await peersOf(node) })));
    const { nodeId: liarId } = nodes.at(-1) as Node;
    for (const { node, peers: known } of peers) {
      if (node.nodeId === liarId) continue;
      const refuted = known.filter(({ placeVerdict }) => placeVerdict === 'refuted');
      const wanted = isNear(node) || refuted.length > 0 ? [liarId] : [];
      expect([node.name, refuted.map(({ nodeId }) => nodeId)]).toEqual([node.name, wanted]);
      for (const { trust } of refuted) expect(trust).toBeLessThan(0.45);
    }
  });

  /** Whether a connection from one node's place to another node gets through within two seconds. */
  async function reaches(from: Node, to: Node): Promise<boolean> {
    const dial = `require('node:net').connect(4001, '${to.ip}', () => process.exit(0)); setTimeout(process.exit, 2000, 1)`;
    const dialling = spawnWithin(world, from.name, process.execPath, '-e', dial);
    const [code] = (await once(dialling, 'exit')) as [number];
    return code === 0;
  }

  test('a city that is cut off from another, or from all, is not reached until it is joined again', async () => {
    const [a, b, c] = nodes as [Node, Node, Node];
    const outcomes = async (): Promise<boolean[]> =>
      Promise.all([reaches(a, b), reaches(b, a), reaches(a, c)]);
    expect(await outcomes()).toEqual([true, true, true]);
    await world.cut(a.name, b.name);
    expect(await outcomes()).toEqual([false, false, true]);
    await world.cut(a.name);
    expect(await outcomes()).toEqual([false, false, false]);
    await world.join(a.name);
    expect(await outcomes()).toEqual([true, true, true]);
  });
});
