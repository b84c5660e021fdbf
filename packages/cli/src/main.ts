import { SkerryError } from '@skerry/base';
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { type CommandModule, createInvocation } from './command.ts';
import { reportFailure } from './failure.ts';
import { type Io, writeText } from './io.ts';
import { toJsonLine } from './render/text.ts';

/** A command as the list shows it; its module is loaded only when it is named. */
type CommandSlot = {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
};

const slots: readonly CommandSlot[] = [
  {
    name: 'init',
    summary: 'make an identity and a configuration',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  {
    name: 'run',
    summary: 'run the daemon, in the foreground',
    load: async () => (await import('./commands/run.ts')).runCommand,
  },
  {
    name: 'dev',
    summary: 'run a local swarm of real peers in this process',
    load: async () => (await import('./commands/dev.ts')).devCommand,
  },
  {
    name: 'entropy',
    summary: 'measure the entropy of a file, and the risk that follows',
    load: async () => (await import('./commands/entropy.ts')).entropyCommand,
  },
  {
    name: 'plan',
    summary: 'show who would hold a key, and why, without dealing one',
    load: async () => (await import('./commands/plan.ts')).planCommand,
  },
  {
    name: 'config',
    summary: 'show or change the configuration',
    load: async () => (await import('./commands/config.ts')).configCommand,
  },
  {
    name: 'identity',
    summary: 'put the keys of a home under a passphrase',
    load: async () => (await import('./commands/identity.ts')).identityCommand,
  },
  {
    name: 'seal',
    summary: 'encrypt a file and deal its key',
    load: async () => (await import('./commands/seal.ts')).sealCommand,
  },
  {
    name: 'open',
    summary: 'open a sealed file',
    load: async () => (await import('./commands/open.ts')).openCommand,
  },
  {
    name: 'reseal',
    summary: 'seal what a sealed file holds under a new key',
    load: async () => (await import('./commands/reseal.ts')).resealCommand,
  },
  {
    name: 'key',
    summary: 'deal, open and look at keys',
    load: async () => (await import('./commands/key.ts')).keyCommand,
  },
  {
    name: 'grant',
    summary: 'let another node open a key',
    load: async () => (await import('./commands/grant.ts')).grantCommand,
  },
  {
    name: 'revoke',
    summary: 'take grants back',
    load: async () => (await import('./commands/revoke.ts')).revokeCommand,
  },
  {
    name: 'peers',
    summary: 'the nodes that this node knows',
    load: async () => (await import('./commands/peers.ts')).peersCommand,
  },
  {
    name: 'status',
    summary: 'how the daemon does',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  {
    name: 'doctor',
    summary: 'what is wrong with the daemon or its standing, and what to do',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  {
    name: 'sim',
    summary: 'run a network in virtual time, and hold it against what is promised',
    load: async () => (await import('./commands/sim.ts')).simCommand,
  },
];

const afterHelp = `
Settings come from flags, then SKERRY_* variables, then HOME/config.toml, then
defaults: see skerry config.
Exit codes: 0 done, 1 bug, 2 invalid input, 3 refused, 4 unavailable,
5 corrupt.`;

function createProgram(write: (text: string) => void): Command {
  return new Command('skerry')
    .description('Keys split among nodes chosen by trust, geography and measured entropy.')
    .usage('<command> [options]')
    .version(manifest.version, '--version', 'print the version')
    .option('--home <dir>', "the node's directory (default: SKERRY_HOME, STATE_DIRECTORY or XDG's)")
    .option('--json', 'write one JSON document to standard output, and nothing else there')
    .option('--quiet', 'no progress, no warnings')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', afterHelp)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .exitOverride();
}

/** What commander says about a command line that it does not take, as one of our errors. */
function usageError(error: CommanderError): SkerryError {
  if (error.code === 'commander.help') {
    return new SkerryError('USAGE', 'no command was given, or none that there is; skerry --help lists them');
  }
  const message = error.message.replace(/^error: /, '').replace(/\.?\s*$/, '');
  return new SkerryError('USAGE', `${message}; see skerry --help`);
}

/** Runs it; says the exit code. */
async function run(argv: readonly string[], json: boolean, io: Io): Promise<number> {
  let output = '';
  const program = createProgram(text => {
    output += text;
  });
  const invocation = createInvocation(program, io);
  for (const { name, summary, load } of slots) {
    const command = program.command(name).summary(summary).description(summary);
    if (argv.includes(name)) (await load()).declare(command, invocation);
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error);
    const name = error.code === 'commander.version' ? 'version' : 'help';
    await writeText(io.stdout, json ? toJsonLine({ [name]: output.trim() }) : output);
  }
  return invocation.exitCode;
}

/**
 * Runs the command line. Results are on `io.stdout`; whatever goes wrong is told there (with --json) or on
 * `io.stderr`, and never thrown.
 *
 * @param argv the arguments, without the runtime and the script
 * @param io what the run reads and writes; `process` will do
 * @returns the exit code: 0 done, 1 bug, 2 invalid, 3 refused, 4 unavailable, 5 corrupt
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const end = argv.indexOf('--');
  const json = argv.slice(0, end < 0 ? argv.length : end).includes('--json');
  try {
    return await run(argv, json, io);
  } catch (error) {
    return reportFailure(error, json, io);
  }
}
