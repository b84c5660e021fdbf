import { type Risk, riskLevels, SkerryError, toHex } from '@skerry/base';
import type { Placement } from '@skerry/placement';
import { type Command, Option } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';
import type { SealResult } from '../file-sealing.ts';
import { collect } from '../flags.ts';

/** What shapes a seal. */
export type Flags = {
  readonly output: string;
  readonly risk?: Risk;
  readonly acceptReduced?: boolean;
  readonly recipient?: readonly string[];
};

const afterHelp = `
One pass over the input: it is measured and encrypted (an age v1 file), and its
key is dealt by the level measured. The output appears only when the key is
safely deposited. --recipient adds ordinary age recipients. With --key, files
share a key, which is protected as the most sensitive of them asks for.

Examples:
  skerry seal report.pdf -o report.sealed
  tar c docs | skerry seal - -o - > docs.tar.sealed
  skerry seal notes.txt -o notes.sealed --recipient age1...
  skerry seal draft.txt -o draft.sealed --key project`;

/** What is said of a key that a file is sealed under. */
type Kept = Pick<Placement, 't' | 'n' | 'k' | 'reduced' | 'profile' | 'manual'>;

function describe({ t, n, k, reduced, profile }: Kept, risk: Risk): string {
  const mark = reduced ? 'REDUCED ' : '';
  return `${mark}risk ${risk}, profile ${profile}: ${t} of ${k} shares open it, ${n} are asked first`;
}

/** What a seal is asked for besides its input. */
export async function sealRequest(flags: Flags, invocation: Invocation, onMeasured: () => void) {
  const configuration = await invocation.loadConfiguration();
  return {
    output: flags.output === '-' ? invocation.io.stdout : flags.output,
    recipients: flags.recipient ?? [],
    meterOptions: { window: configuration.window.value, riskDefault: configuration['risk-default'].value },
    ...(flags.risk && { risk: flags.risk }),
    riskMinimum: configuration['risk-minimum'],
    acceptReduced: flags.acceptReduced === true,
    onMeasured: async () => onMeasured(),
  };
}

/** Prints what was sealed, and warns of what its owner has to know. */
export async function reportSeal(
  flags: Flags,
  { keyId, report, risk, downgraded }: Pick<SealResult, 'keyId' | 'report' | 'risk' | 'downgraded'>,
  kept: Kept,
  more: object,
  invocation: Invocation,
): Promise<void> {
  if (downgraded)
    await invocation.warn(`risk ${risk} is below the measured ${report.risk}: a recorded downgrade`);
  await (await import('../backup-warning.ts')).warnOfBackup(await invocation.findHome(), invocation);
  if (flags.output === '-') return;
  const { formatBytes } = await import('../render/format.ts');
  const { t, n, k, profile, reduced, manual } = kept;
  const [id, { bytes, risk: measuredRisk }] = [toHex(keyId), report];
  const document = { keyId: id, risk, measuredRisk, profile, reduced, manual, t, n, k, bytes, ...more };
  await invocation.print(
    document,
    () => `${formatBytes(bytes)} sealed to ${flags.output}\nkey ${id}\n${describe(kept, risk)}\n`,
  );
}

async function seal(
  file: string,
  flags: Flags & { readonly key?: string },
  invocation: Invocation,
): Promise<void> {
  const { io, json } = invocation;
  if (flags.output === '-' && json)
    throw new SkerryError('USAGE', '--json and -o - both write to standard output');
  const home = await invocation.findHome();
  const { connectDaemon } = await import('../daemon/client.ts');
  const { daemonKeys } = await import('../daemon/keys.ts');
  const { sealFile, sealUnder } = await import('../file-sealing.ts');
  const { cleanlyInterrupted } = await import('../interruption.ts');
  const { readInput } = await import('../input-file.ts');
  const progress = invocation.startProgress();
  try {
    const onMeasured = (): void => progress.show(() => 'dealing the key');
    const asked = await sealRequest(flags, invocation, onMeasured);
    const daemon = connectDaemon(home);
    const keys = daemonKeys(daemon);
    const keyId = flags.key === undefined ? undefined : await keys.find(flags.key);
    const sealing = async () => {
      const source = readInput(file, io, progress);
      const request = { ...asked, source, ...(file !== '-' && { inputPath: file }) };
      if (keyId === undefined) return sealFile(keys, request);
      const { document, ...result } = await sealUnder(keys, keyId, request);
      return { ...result, placement: document };
    };
    const { placement, ...sealed } = await cleanlyInterrupted(sealing);
    progress.clear();
    await reportSeal(flags, sealed, placement, {}, invocation);
  } finally {
    progress.clear();
  }
}

/**
 * Declares the flags of a seal.
 *
 * @param command to declare them on
 */
export function declareSealFlags(command: Command): Command {
  return command
    .requiredOption('-o, --output <out>', 'sealed file; - for standard output')
    .addOption(new Option('--risk <level>', 'the level, instead of the measured one').choices(riskLevels))
    .option('--accept-reduced', 'take the best placement where the level is out of reach')
    .option('--recipient <age1...>', 'an ordinary age recipient; may be given several times', collect);
}

/** `skerry seal`: encrypts a file and deals its key. */
export const sealCommand: CommandModule = {
  declare(command, invocation) {
    declareSealFlags(command)
      .argument('<file>', 'file to seal; - for standard input')
      .option('--key <key>', 'seal under a key of this home, by id or alias, instead of a new one')
      .addHelpText('after', afterHelp)
      .action(async (file: string, flags: Flags) => seal(file, flags, invocation));
  },
};
