/**
 * `npm run docker [-- --quick]`: proves the Dockerfile and docker-compose.yml. Builds the image, brings the network up
 * as a project of its own, uses it as its operator would, takes containers away, and removes everything again.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';

const usage = `Usage: npm run docker -- [options]

Proves the Dockerfile and docker-compose.yml: builds, starts five nodes, seals, opens, grants, kills holders, restarts
and recreates containers, opens again each time, and removes it all. Needs a Docker daemon and Compose; where there is
none it says so, and that is no failure.

  --quick    without restarting and recreating
  --help     this text
`;

const root = join(import.meta.dirname, '..');
const services = ['node1', 'node2', 'node3', 'node4', 'node5'];
const [owner, friend] = ['node2', 'node4'] as const;
const plaintext = Buffer.from('Many a mickle makes a muckle. '.repeat(3000));

/** Milliseconds for building the image, for any other command, and for nodes to find each other. */
const deadlinesMs = { build: 900_000, command: 120_000, meeting: 180_000 };

type Input = {
  readonly stdin?: Uint8Array;
  readonly timeoutMs?: number;
  /** Whether to run after Ctrl-C too. */
  readonly always?: boolean;
};
type Status = { readonly nodeId: string; readonly alive: number; readonly listen: readonly string[] };
type Key = {
  readonly keyId: string;
  readonly t: number;
  readonly k: number;
  readonly holders: readonly { readonly nodeId: string }[];
};

const interrupted = new AbortController();

/** Runs a program to its end and resolves to its output. Where it fails, the error has its exit code and last words. */
async function run(program: readonly string[], input: Input = {}): Promise<Buffer> {
  const [file = '', ...argv] = program;
  const running = promisify(execFile)(file, argv, {
    cwd: root,
    encoding: 'buffer',
    maxBuffer: 2 ** 26,
    timeout: input.timeoutMs ?? deadlinesMs.command,
    ...(input.always !== true && { signal: interrupted.signal }),
  });
  running.child.stdin?.on('error', () => undefined).end(input.stdin); // one that ends early does not read it all
  try {
    return (await running).stdout;
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: Buffer };
    const words = String(stderr ?? '')
      .trim()
      .split('\n')
      .slice(-4)
      .join('\n        ');
    const end = interrupted.signal.aborted
      ? 'interrupted'
      : killed === true
        ? 'over its time'
        : `exit ${String(code)}`;
    throw Object.assign(new Error(`${program.join(' ')}: ${end}: ${words}`), { exitCode: code });
  }
}

/** The command for Compose: v2 as a plugin, else v1; undefined where there is no daemon to speak to or neither. */
async function findCompose(): Promise<string[] | undefined> {
  const works = async (...program: string[]) =>
    run(program).then(
      () => true,
      () => false,
    );
  if (!(await works('docker', 'info'))) return undefined;
  if (await works('docker', 'compose', 'version')) return ['docker', 'compose'];
  return (await works('docker-compose', 'version')) ? ['docker-compose'] : undefined;
}

/** The network of docker-compose.yml, as a project apart from any that its user runs. */
function createCluster(composeCommand: readonly string[]) {
  const project = `skerry-proof-${process.pid}`;
  const compose = async (argv: readonly string[], input?: Input): Promise<Buffer> =>
    run([...composeCommand, '--project-name', project, ...argv], input);
  const skerry = async (service: string, argv: readonly string[], stdin?: Uint8Array): Promise<Buffer> =>
    compose(['exec', '-T', service, 'skerry', ...argv], stdin && { stdin });
  const ask = async <T>(service: string, ...argv: string[]): Promise<T> =>
    JSON.parse(String(await skerry(service, [...argv, '--json']))) as T;

  /** Waits until every node has all the others as live peers; resolves to what each then says of itself. */
  async function untilAllMeet(): Promise<Record<string, Status>> {
    const untilMs = Date.now() + deadlinesMs.meeting;
    const met: Record<string, Status> = {};
    for (const name of services) {
      for (;;) {
        const status = await ask<Status>(name, 'status').catch((error: Error) => error);
        if (!(status instanceof Error) && status.alive === services.length - 1) {
          met[name] = status;
          break;
        }
        const seen = status instanceof Error ? status.message : `${status.alive} live peers`;
        expectThat(Date.now() < untilMs, `${name} after ${deadlinesMs.meeting / 1000} s: ${seen}`);
        await sleep(500, undefined, { signal: interrupted.signal });
      }
    }
    return met;
  }

  return { compose, skerry, ask, untilAllMeet };
}

type Cluster = ReturnType<typeof createCluster>;
type Step = { readonly title: string; readonly prove: () => Promise<unknown> };

function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** What the steps before leave to those after. */
type Course = { nodes: Record<string, Status>; sealed: Uint8Array; victims: string[] };

async function expectOpens({ skerry }: Cluster, { sealed }: Course): Promise<void> {
  const opened = await skerry(owner, ['open', '-', '-o', '-'], sealed);
  expectThat(opened.equals(plaintext), 'other bytes came out than went in');
}

/** All nodes are there, as who they were, and the file opens. */
async function expectAllBack(cluster: Cluster, course: Course): Promise<void> {
  const back = await cluster.untilAllMeet();
  for (const name of services) {
    expectThat(back[name]!.nodeId === course.nodes[name]!.nodeId, `${name} came back as another node`);
  }
  course.nodes = back;
  await expectOpens(cluster, course);
}

/** The network comes up and does what it is for. */
function usualSteps(cluster: Cluster, course: Course): Step[] {
  const { compose, skerry, ask, untilAllMeet } = cluster;
  return [
    { title: 'the image builds', prove: () => compose(['build'], { timeoutMs: deadlinesMs.build }) },
    {
      title: 'five nodes come up and each sees the four others',
      prove: async () => {
        await compose(['up', '-d']);
        course.nodes = await untilAllMeet();
      },
    },
    {
      title: 'no node runs as root, and none tells others a loopback address',
      prove: async () => {
        expectThat(Number(await compose(['exec', '-T', owner, 'id', '-u'])) !== 0, `${owner} runs as root`);
        const told = services.flatMap(name => course.nodes[name]!.listen);
        expectThat(!told.some(address => address.startsWith('/ip4/127.')), told.join(' '));
      },
    },
    {
      title: `what ${owner} seals, it opens`,
      prove: async () => {
        const sealed = await skerry(owner, ['seal', '-', '-o', '-'], plaintext);
        expectThat(!sealed.includes(plaintext.subarray(0, 64)), 'the plaintext shows');
        course.sealed = sealed;
        await expectOpens(cluster, course);
      },
    },
    {
      title: `${friend} opens it with a grant and not without`,
      prove: async () => {
        const { keys } = await ask<{ keys: Key[] }>(owner, 'key', 'ls');
        const to = course.nodes[friend]!.nodeId;
        const argv = ['grant', keys[0]!.keyId, '--to', to, '--for', '5m', '--uses', '1'];
        const { token } = await ask<{ token: string }>(owner, ...argv);
        const open = async (...flags: string[]) =>
          skerry(friend, ['open', '-', '-o', '-', ...flags], course.sealed);
        await expectExit(open(), 3);
        expectThat((await open('--grant', token)).equals(plaintext), 'other bytes came out than went in');
      },
    },
  ];
}

/** Holders are killed, first as many as the key survives. */
function lossSteps(cluster: Cluster, course: Course): Step[] {
  const { compose, skerry, ask } = cluster;
  return [
    {
      title: 'it opens without as many holders as it survives, killed',
      prove: async () => {
        const { keys } = await ask<{ keys: Key[] }>(owner, 'key', 'ls');
        const { holders, t, k } = keys[0]!;
        const holding = holders.map(
          ({ nodeId }) => services.find(name => course.nodes[name]!.nodeId === nodeId)!,
        );
        course.victims = holding.slice(0, k - t + 1);
        await compose(['kill', ...course.victims.slice(1)]);
        await expectOpens(cluster, course);
      },
    },
    {
      title: 'without one more it is told unavailable, and with them back it opens',
      prove: async () => {
        await compose(['kill', course.victims[0]!]);
        await expectExit(skerry(owner, ['open', '-', '-o', '-'], course.sealed), 4);
        await compose(['start', ...course.victims]);
        await expectAllBack(cluster, course);
      },
    },
  ];
}

/** The network address of a container, which has one. */
function addressOf({ listen }: Status): string {
  return listen[0]!.split('/')[2]!;
}

/** Containers come and go; each time all nodes must be there again as who they were, and the file must open. */
function slowSteps(cluster: Cluster, course: Course): Step[] {
  const { compose } = cluster;
  return [
    {
      title: 'all of them restarted, it opens',
      prove: async () => {
        await compose(['restart']);
        await expectAllBack(cluster, course);
      },
    },
    {
      title: 'with two of them, the first one too, in new containers that swap addresses, it opens',
      prove: async () => {
        const before = course.nodes;
        // The lowest free address is given out first.
        const lastOctet = (name: string): number => Number(addressOf(before[name]!).split('.')[3]);
        const pair = services.slice(0, 2).sort((a, b) => lastOctet(b) - lastOctet(a));
        await compose(['rm', '-s', '-f', ...pair]);
        for (const name of pair) await compose(['up', '-d', name]);
        await expectAllBack(cluster, course);
        for (const name of pair) {
          expectThat(addressOf(course.nodes[name]!) !== addressOf(before[name]!), `${name} kept its address`);
        }
      },
    },
    {
      title: 'SIGTERM ends each in order',
      prove: async () => {
        await compose(['stop']);
        const ids = String(await compose(['ps', '-a', '-q']))
          .trim()
          .split('\n');
        const codes = await run(['docker', 'inspect', '--format', '{{.State.ExitCode}}', ...ids]);
        expectThat(/^(0\n){5}$/.test(String(codes)), `exit codes ${String(codes).split('\n').join(' ')}`);
      },
    },
    {
      title: 'taken down and brought up again, in new containers and a new network, it opens',
      prove: async () => {
        await compose(['down']);
        await compose(['up', '-d']);
        await expectAllBack(cluster, course);
      },
    },
  ];
}

/** A command fails with this exit code. */
async function expectExit(command: Promise<Buffer>, exitCode: number): Promise<void> {
  const outcome: { exitCode: unknown } = await command.then(
    () => ({ exitCode: 0 }),
    error => error as { exitCode: unknown },
  );
  expectThat(outcome.exitCode === exitCode, `exit ${String(outcome.exitCode)} where ${exitCode} was to come`);
}

/** Takes the steps until one fails; says which did, and resolves to how many held and failed. */
async function take(
  planned: readonly Step[],
  { compose }: Cluster,
): Promise<{ passed: number; failed: number }> {
  let passed = 0;
  for (const { title, prove } of planned) {
    const startMs = performance.now();
    try {
      await prove();
      passed++;
      console.log(`ok      ${title} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`);
    } catch (error) {
      if (interrupted.signal.aborted) {
        console.log(`interrupted at: ${title}`);
        return { passed, failed: 1 };
      }
      console.log(`FAILED  ${title}\n        ${error instanceof Error ? error.message : String(error)}`);
      const logs = await compose(['logs', '--no-color', '--tail', '20'], { always: true }).catch(
        () => 'no logs can be had',
      );
      console.log(`${String(logs)}\n${planned.length - passed - 1} steps were not taken`);
      return { passed, failed: 1 };
    }
  }
  return { passed, failed: 0 };
}

/** Whether the command line says --quick; undefined, and said, where there is nothing to do. */
function readFlags(): { quick: boolean } | undefined {
  const options = {
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { quick, help } = parseArgs({ options }).values;
    if (!help) return { quick };
    process.stdout.write(usage);
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)}; --help lists the options\n`,
    );
    process.exitCode = 2;
  }
  return undefined;
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (!flags) return;
  const command = await findCompose();
  if (!command) return console.log('skipped: no Docker daemon answers `docker info`, or Compose is missing');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const cluster = createCluster(command);
  const course: Course = { nodes: {}, sealed: new Uint8Array(), victims: [] };
  const planned = [
    ...usualSteps(cluster, course),
    ...lossSteps(cluster, course),
    ...(flags.quick ? [] : slowSteps(cluster, course)),
  ];
  const { passed, failed } = await take(planned, cluster);
  await cluster.compose(['down', '--volumes', '--timeout', '5'], { always: true });
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

await main();
