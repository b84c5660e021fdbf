import { SkerryError } from '@skerry/base';
import type { CommandModule, Invocation } from '../command.ts';
import { collect } from '../flags.ts';

type Flags = { readonly listen?: readonly string[]; readonly bootstrap?: readonly string[] };

const afterHelp = `
Runs in the foreground and logs to standard error. SIGTERM or Ctrl-C lets what is under way finish, then ends.

Examples:
  skerry run --listen /ip4/0.0.0.0/tcp/4001
  skerry run --home ./node2 --listen /ip4/127.0.0.1/tcp/0 --bootstrap /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW...`;

async function run(flags: Flags, invocation: Invocation): Promise<void> {
  const home = await invocation.findHome();
  const configuration = await invocation.loadConfiguration();
  const location = configuration.location.value;
  if (location === '')
    throw new SkerryError('HOME_INVALID', `${home} is not set up: run skerry init`, { home });
  const { createPeer, loadGazetteer } = await import('@skerry/node');
  const { createDaemonLog } = await import('../daemon/log.ts');
  const { daemonMethods } = await import('../daemon/methods.ts');
  const { serveDaemon } = await import('../daemon/server.ts');
  const { untilSignalled } = await import('../daemon/signals.ts');
  const stopping = untilSignalled();
  const log = createDaemonLog(invocation);
  const profile = configuration.profile.value;
  const { place } = (await loadGazetteer()).resolve(location);
  const peer = await createPeer({
    home,
    listen: flags.listen ?? configuration.listen.value,
    bootstrap: flags.bootstrap ?? configuration.bootstrap.value,
    scale: profile === 'local' ? 'loopback' : 'internet',
    place,
    operator: configuration.operator.value,
    capacity: configuration.capacity.value,
    profile,
    trust: configuration.trust.value,
    simulated: false,
    log,
  });
  try {
    const server = await serveDaemon(home, daemonMethods(peer), log);
    const document = { nodeId: peer.nodeId, listen: peer.addresses(), socket: server.path };
    await invocation.print(document, () => `${peer.nodeId} is ready\n${peer.addresses().join('\n')}\n`);
    log.info('stopping', { signal: await stopping });
    await server.close();
  } finally {
    await peer.close();
  }
}

/** `skerry run`: the daemon. */
export const runCommand: CommandModule = {
  declare(command, invocation) {
    command
      .option('--listen <multiaddr>', 'where to listen; may be given several times', collect)
      .option('--bootstrap <multiaddr>', 'a node to start from; may be given several times', collect)
      .addHelpText('after', afterHelp)
      .action(async (flags: Flags) => run(flags, invocation));
  },
};
