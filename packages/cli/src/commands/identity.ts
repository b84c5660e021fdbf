import { SkerryError, wipe } from '@skerry/base';
import type { CommandModule, Invocation } from '../command.ts';

type Flags = {
  readonly passphraseFile?: string;
  readonly newPassphraseFile?: string;
  readonly remove?: boolean;
};

const passphraseHelp = `
The present passphrase, where there is one, is in --passphrase-file,
SKERRY_PASSPHRASE_FILE or the setting passphrase-file, else typed at the
terminal; the new one is in --new-passphrase-file, else typed there twice. A
daemon that runs goes on, and needs the new one when it next starts. If this is
stopped half way, give it again.

Examples:
  skerry identity passphrase
  skerry identity passphrase --passphrase-file ./old --new-passphrase-file ./new
  skerry identity passphrase --remove`;

async function chooseNew(flags: Flags, invocation: Invocation): Promise<Uint8Array | undefined> {
  const { askNewPassphrase, readPassphraseFile } = await import('../passphrase.ts');
  if (flags.remove === true) return undefined;
  const path = flags.newPassphraseFile;
  return path === undefined ? askNewPassphrase(invocation.io) : readPassphraseFile(path);
}

async function setPassphrase(flags: Flags, invocation: Invocation): Promise<void> {
  if (flags.remove === true && flags.newPassphraseFile !== undefined)
    throw new SkerryError('USAGE', 'give --remove or --new-passphrase-file, not both');
  const home = await invocation.findHome();
  const configuration = await invocation.loadConfiguration();
  const { changePassphrase } = await import('@skerry/node/identity');
  const { findPassphrase } = await import('../passphrase.ts');
  const path = flags.passphraseFile ?? configuration['passphrase-file'].value;
  const from = await findPassphrase(home, path, { io: invocation.io, warn: async () => undefined });
  let to: Uint8Array | undefined;
  try {
    to = await chooseNew(flags, invocation);
    const nodeId = await changePassphrase(home, from, to);
    const state = to === undefined ? 'no passphrase' : 'the new passphrase';
    await invocation.print(
      { nodeId, home, passphrase: to !== undefined },
      () => `the keys in ${home} are under ${state}\n`,
    );
  } finally {
    for (const passphrase of [from, to]) if (passphrase) wipe(passphrase);
  }
}

/** `skerry identity`: the keys of a home. */
export const identityCommand: CommandModule = {
  declare(command, invocation) {
    command
      .command('passphrase')
      .description('put the keys under a passphrase, another one, or none')
      .option('--passphrase-file <file>', 'where the present passphrase is')
      .option('--new-passphrase-file <file>', 'where the new passphrase is')
      .option('--remove', 'keep the keys under no passphrase')
      .addHelpText('after', passphraseHelp)
      .action(async (flags: Flags) => setPassphrase(flags, invocation));
  },
};
