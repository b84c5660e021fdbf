import { type Log, SkerryError, wipe } from '@skerry/base';
import type { Peer, PeerOptions } from '@skerry/node';
import type { CommandModule, Invocation } from '../command.ts';
import type { Configuration } from '../configuration.ts';
import { collect } from '../flags.ts';

type Flags = {
  readonly listen?: readonly string[];
  readonly bootstrap?: readonly string[];
  readonly passphraseFile?: string;
};

const afterHelp = `
Runs in the foreground and logs to standard error. SIGTERM or Ctrl-C lets what
is under way finish, then ends.

Keys under a passphrase need it at the start: from --passphrase-file,
SKERRY_PASSPHRASE_FILE or the setting passphrase-file, else typed at the
terminal. The setting swarm-key names the key of a private network.

Others that hold shares are audited as audit-minutes says (0 for never, and then
no key heals), keys are dealt anew as refresh-days says, and what nodes say of
where they are is held against round trips as verify-place says: auto does so
unless the profile is local. skerry doctor says how it does.

Examples:
  skerry run --listen /ip4/0.0.0.0/tcp/4001
  skerry run --home ./node2 --listen /ip4/127.0.0.1/tcp/0 \\
    --bootstrap /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW...`;

/** The secrets that a node starts with: the caller's to wipe. */
type Secrets = Pick<PeerOptions, 'passphrase' | 'swarmKey'>;

async function readSecrets(
  home: string,
  flags: Flags,
  configuration: Configuration,
  invocation: Invocation,
): Promise<Secrets> {
  const { findPassphrase } = await import('../passphrase.ts');
  const { readSecretFile } = await import('../secret-file.ts');
  const swarmKeyPath = configuration['swarm-key'].value;
  const swarmKey = swarmKeyPath === '' ? undefined : await readSecretFile(swarmKeyPath);
  const path = flags.passphraseFile ?? configuration['passphrase-file'].value;
  const passphrase = await findPassphrase(home, path, invocation);
  return { ...(passphrase && { passphrase }), ...(swarmKey && { swarmKey }) };
}

/** Starts the node of a home, and wipes the secrets that it needed for that. */
async function startNode(
  home: string,
  flags: Flags,
  configuration: Configuration,
  secrets: Secrets,
  log: Log,
): Promise<Peer> {
  const { createPeer, loadGazetteer } = await import('@skerry/node');
  const profile = configuration.profile.value;
  const verified = configuration['verify-place'].value;
  const { place } = (await loadGazetteer()).resolve(configuration.location.value);
  try {
    return await createPeer({
      home,
      ...secrets,
      listen: flags.listen ?? configuration.listen.value,
      bootstrap: flags.bootstrap ?? configuration.bootstrap.value,
      scale: profile === 'local' ? 'loopback' : 'internet',
      place,
      operator: configuration.operator.value,
      capacity: configuration.capacity.value,
      profile,
      trust: configuration.trust.value,
      simulated: false,
      auditMs: Math.round(configuration['audit-minutes'].value * 60_000),
      refreshMs: configuration['refresh-days'].value * 86_400_000,
      isPlaceVerified: verified === 'auto' ? profile !== 'local' : verified === 'yes',
      log,
    });
  } finally {
    wipe(...Object.values(secrets));
  }
}

async function serve(peer: Peer, invocation: Invocation, log: Log, stopping: Promise<string>): Promise<void> {
  const { daemonMethods } = await import('../daemon/methods.ts');
  const { serveDaemon } = await import('../daemon/server.ts');
  try {
    const server = await serveDaemon(peer.home, daemonMethods(peer), log);
    try {
      const document = { nodeId: peer.nodeId, listen: peer.addresses(), socket: server.path };
      await invocation.print(document, () => `${peer.nodeId} is ready\n${peer.addresses().join('\n')}\n`);
      log.info('stopping', { signal: await stopping });
    } finally {
      await server.close();
    }
  } finally {
    await peer.close();
  }
}

async function run(flags: Flags, invocation: Invocation): Promise<void> {
  const home = await invocation.findHome();
  const configuration = await invocation.loadConfiguration();
  if (configuration.location.value === '')
    throw new SkerryError('HOME_INVALID', `${home} is not set up: run skerry init`, { home });
  const { createDaemonLog } = await import('../daemon/log.ts');
  const { untilSignalled } = await import('../daemon/signals.ts');
  const log = createDaemonLog(invocation);
  const secrets = await readSecrets(home, flags, configuration, invocation);
  // only now: while a passphrase is typed, a signal ends the process
  await untilSignalled(log, async stopping =>
    serve(await startNode(home, flags, configuration, secrets, log), invocation, log, stopping),
  );
}

/** `skerry run`: the daemon. */
export const runCommand: CommandModule = {
  declare(command, invocation) {
    command
      .option('--listen <multiaddr>', 'where to listen; may be given several times', collect)
      .option('--bootstrap <multiaddr>', 'a node to start from; may be given several times', collect)
      .option('--passphrase-file <file>', 'where the passphrase of the keys is')
      .addHelpText('after', afterHelp)
      .action(async (flags: Flags) => run(flags, invocation));
  },
};
