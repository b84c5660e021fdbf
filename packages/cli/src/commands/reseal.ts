import { SkerryError, toHex } from '@skerry/base';
import type { CommandModule, Invocation } from '../command.ts';
import { declareSealFlags, type Flags, reportSeal, sealRequest } from './seal.ts';

const afterHelp = `
For a file whose key may have leaked (skerry key show says EXPOSED): what it
holds is sealed again under a new key, which the old one then names as the one
after it. The plaintext is on no disk. With --destroy-old the old key is
destroyed: no file sealed under it opens any more, copies of this one included.

Examples:
  skerry reseal report.sealed -o report.new.sealed
  skerry reseal report.sealed -o report.new.sealed --destroy-old`;

async function reseal(
  file: string,
  flags: Flags & { readonly destroyOld?: boolean },
  invocation: Invocation,
): Promise<void> {
  const { io, json } = invocation;
  if (flags.output === '-' && json)
    throw new SkerryError('USAGE', '--json and -o - both write to standard output');
  const { connectDaemon } = await import('../daemon/client.ts');
  const { daemonKeys } = await import('../daemon/keys.ts');
  const { resealFile } = await import('../file-sealing.ts');
  const { cleanlyInterrupted } = await import('../interruption.ts');
  const { readInput } = await import('../input-file.ts');
  const progress = invocation.startProgress();
  try {
    const asked = await sealRequest(flags, invocation, () => progress.show(() => 'dealing the new key'));
    const daemon = connectDaemon(await invocation.findHome());
    const input = file === '-' ? readInput(file, io, progress) : file;
    const { placement, formerKeyId, ...sealed } = await cleanlyInterrupted(async () =>
      resealFile(daemonKeys(daemon), input, asked),
    );
    progress.clear();
    const former = { formerKeyId: toHex(formerKeyId) };
    await reportSeal(flags, sealed, placement, former, invocation);
    if (!flags.destroyOld) return;
    const { document } = await daemon.call('destroy', { key: former.formerKeyId });
    const { reportEnding } = await import('../render/ending.ts');
    const print: Invocation['print'] = async (ended, text) =>
      json ? undefined : invocation.print(ended, text);
    await reportEnding(document, 'DESTRUCTION_PENDING', { print });
  } finally {
    progress.clear();
  }
}

/** `skerry reseal`: seals what a sealed file holds under a new key. */
export const resealCommand: CommandModule = {
  declare(command, invocation) {
    declareSealFlags(command)
      .argument('<file>', 'sealed file; - for standard input')
      .option('--destroy-old', 'destroy the old key afterwards')
      .addHelpText('after', afterHelp)
      .action(async (file: string, flags: Flags) => reseal(file, flags, invocation));
  },
};
