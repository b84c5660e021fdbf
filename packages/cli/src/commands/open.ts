import { SkerryError, toHex } from '@skerry/base';
import type { CommandModule, Invocation } from '../command.ts';
import { declareGrantFlags, type GrantFlags, readGrant } from '../grant-token.ts';

type Flags = GrantFlags & { readonly output: string };

const afterHelp = `
The output appears only when every byte was verified. A file that another owner
sealed needs their grant for this node.

Examples:
  skerry open report.sealed -o report.pdf
  skerry open docs.tar.sealed -o - | tar x
  skerry open report.sealed -o report.pdf --grant-file ./grant`;

async function open(file: string, flags: Flags, invocation: Invocation): Promise<void> {
  const { io, json } = invocation;
  if (flags.output === '-' && json)
    throw new SkerryError('USAGE', '--json and -o - both write to standard output');
  if (file === '-' && flags.grantFile === '-')
    throw new SkerryError('USAGE', 'the sealed file and the grant cannot both be on standard input');
  const home = await invocation.findHome();
  const { connectDaemon } = await import('../daemon/client.ts');
  const { daemonKeys } = await import('../daemon/keys.ts');
  const { unsealFile } = await import('../file-sealing.ts');
  const { cleanlyInterrupted } = await import('../interruption.ts');
  const { readInput } = await import('../input-file.ts');
  const { formatBytes, formatDuration } = await import('../render/format.ts');
  const progress = invocation.startProgress();
  try {
    const input = file === '-' ? readInput(file, io, progress) : file;
    const output = flags.output === '-' ? io.stdout : flags.output;
    const grant = await readGrant(flags, io);
    const { keyId, bytes, sets, keyMs } = await cleanlyInterrupted(async () =>
      unsealFile(daemonKeys(connectDaemon(home)), input, output, grant),
    );
    progress.clear();
    if (flags.output === '-') return;
    await invocation.print(
      { keyId: toHex(keyId), bytes, sets, keyMs: Math.round(keyMs) },
      () => `${formatBytes(bytes)} opened to ${flags.output}; the key took ${formatDuration(keyMs)}\n`,
    );
  } finally {
    progress.clear();
  }
}

/** `skerry open`: opens a sealed file. */
export const openCommand: CommandModule = {
  declare(command, invocation) {
    declareGrantFlags(command)
      .argument('<file>', 'sealed file; - for standard input')
      .requiredOption('-o, --output <out>', 'where the plaintext goes; - for standard output')
      .addHelpText('after', afterHelp)
      .action(async (file: string, flags: Flags) => open(file, flags, invocation));
  },
};
