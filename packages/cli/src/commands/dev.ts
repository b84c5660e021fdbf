import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Log, toHex } from '@skerry/base';
import type { Swarm, SwarmNode } from '@skerry/swarm';
import type { Command } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';
import { readInteger } from '../flags.ts';
import type { OnceResult } from '../once.ts';

/** Flags of `skerry dev`. */
type DevFlags = { readonly nodes: number; readonly once?: string; readonly acceptReduced?: boolean };

const nodesDefault = 12;

const help = `
Every node has its own home, identity, disk and sockets; places and operators
are simulated, and certificates say so.

Examples:
  skerry dev                         twelve nodes in twelve cities, until Ctrl-C
  skerry dev --once report.pdf       measure, seal, lose holders, open; then end
  skerry dev --nodes 5 --once a.txt --accept-reduced`;

/** Errors of nodes go to the operator; what a lost peer makes them say is expected here. */
function createLog(invocation: Invocation): Log {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields = {}) => void invocation.warn(`${message} ${JSON.stringify(fields)}`),
  };
}

/** Where the nodes' homes go: under --home where it was given, else the default home, or a temporary directory. */
async function chooseHome(
  invocation: Invocation,
  command: Command,
  once: boolean,
): Promise<{ home: string; release: () => Promise<void> }> {
  const given = command.optsWithGlobals<{ home?: string }>().home ?? invocation.io.env['SKERRY_HOME'];
  if (once && given === undefined) {
    const home = await mkdtemp(join(tmpdir(), 'skerry-dev-'));
    return { home, release: async () => rm(home, { recursive: true, force: true }) };
  }
  const home = await invocation.findHome();
  return { home: given === undefined ? join(home, 'dev') : home, release: async () => undefined };
}

function nodeDocument({ nodeId, home, place, operator, peer }: SwarmNode): object {
  return { nodeId, home, location: place, operator, listen: peer().addresses() };
}

/** Serves every node's home, so that commands work with it, until a signal comes. */
async function stay(invocation: Invocation, swarm: Swarm): Promise<void> {
  const { renderReady } = await import('../render/dev-text.ts');
  const { daemonMethods } = await import('../daemon/methods.ts');
  const { serveDaemon } = await import('../daemon/server.ts');
  const { untilSignalled } = await import('../daemon/signals.ts');
  const log = createLog(invocation);
  await untilSignalled(log, async stopping => {
    const servers: Awaited<ReturnType<typeof serveDaemon>>[] = [];
    try {
      for (const { home, peer } of swarm.nodes)
        servers.push(await serveDaemon(home, daemonMethods(peer()), log));
      await invocation.print({ nodes: swarm.nodes.map(nodeDocument) }, () =>
        renderReady(swarm.nodes, invocation),
      );
      await stopping;
    } finally {
      await Promise.all(servers.map(async server => server.close()));
    }
  });
}

/** What `dev --once --json` prints: what a seal gives, and what became of the file. */
function onceDocument({ sealed, stopped, unsealed, sealMs, openMs }: OnceResult): object {
  const { placement, report } = sealed;
  const { profile, reduced, manual, t, n, k, certificate, holders } = placement;
  return {
    ok: true,
    keyId: toHex(sealed.keyId),
    risk: sealed.risk,
    measuredRisk: report.risk,
    profile,
    reduced,
    manual,
    simulated: certificate.simulated,
    t,
    n,
    k,
    bytes: report.bytes,
    entropy: report,
    holders: holders.map(({ nodeId, place, operator }) => ({ nodeId, location: place, operator })),
    stopped: stopped.map(({ nodeId, place, operator }) => ({ nodeId, location: place, operator })),
    sets: unsealed.sets,
    sealMs: Math.round(sealMs),
    keyMs: Math.round(unsealed.keyMs),
    openMs: Math.round(openMs),
    certificate,
  };
}

async function once(
  invocation: Invocation,
  swarm: Swarm,
  flags: DevFlags,
  home: string,
  path: string,
): Promise<void> {
  const { runOnce } = await import('../once.ts');
  const { createOnceText } = await import('../render/dev-text.ts');
  const configuration = await invocation.loadConfiguration();
  const show = createOnceText(invocation, swarm.nodes);
  const result = await runOnce(
    swarm,
    {
      path,
      window: configuration.window.value,
      riskMinimum: configuration['risk-minimum'],
      riskDefault: configuration['risk-default'].value,
      acceptReduced: flags.acceptReduced === true,
      workspace: home,
    },
    show,
  );
  await invocation.print(onceDocument(result), () => show.summary(result));
}

async function dev(invocation: Invocation, command: Command, flags: DevFlags): Promise<void> {
  const path = flags.once === undefined ? undefined : resolve(flags.once);
  const { home, release } = await chooseHome(invocation, command, path !== undefined);
  const progress = invocation.startProgress();
  try {
    const { createSwarm } = await import('@skerry/swarm');
    progress.show(() => `starting ${flags.nodes} nodes`);
    const swarm = await createSwarm({ nodeCount: flags.nodes, home, log: createLog(invocation) });
    progress.clear();
    try {
      if (path === undefined) await stay(invocation, swarm);
      else await once(invocation, swarm, flags, home, path);
    } finally {
      await swarm.close();
    }
  } finally {
    progress.clear();
    await release();
  }
}

/** `skerry dev`: a local swarm of real peers in this process, and the main job in one command. */
export const devCommand: CommandModule = {
  declare(command, invocation) {
    command
      .option('--nodes <n>', 'nodes in the swarm, 4 to 200', readInteger, nodesDefault)
      .option('--once <file>', 'do the main job with a file, then end')
      .option('--accept-reduced', 'take the best placement where the level is out of reach')
      .addHelpText('after', help)
      .action(async (flags: DevFlags) => dev(invocation, command, flags));
  },
};
