import { type Risk, riskLevels, SkerryError, toHex } from '@skerry/base';
import type { Placement } from '@skerry/placement';
import { Option } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';
import { collect } from '../flags.ts';

type Flags = {
  readonly output: string;
  readonly risk?: Risk;
  readonly acceptReduced?: boolean;
  readonly recipient?: readonly string[];
};

const afterHelp = `
One pass over the input: it is measured and encrypted (an age v1 file), and its
key is dealt by the level measured. The output appears only when the key is
safely deposited. --recipient adds ordinary age recipients.

Examples:
  skerry seal report.pdf -o report.sealed
  tar c docs | skerry seal - -o - > docs.tar.sealed
  skerry seal notes.txt -o notes.sealed --recipient age1...`;

function describe({ t, n, k, reduced, profile }: Placement, risk: Risk): string {
  const mark = reduced ? 'REDUCED ' : '';
  return `${mark}risk ${risk}, profile ${profile}: ${t} of ${k} shares open it, ${n} are asked first`;
}

async function seal(file: string, flags: Flags, invocation: Invocation): Promise<void> {
  const { io, json } = invocation;
  if (flags.output === '-' && json)
    throw new SkerryError('USAGE', '--json and -o - both write to standard output');
  const home = await invocation.findHome();
  const configuration = await invocation.loadConfiguration();
  const { connectDaemon } = await import('../daemon/client.ts');
  const { daemonKeys } = await import('../daemon/keys.ts');
  const { sealFile } = await import('../file-sealing.ts');
  const { cleanlyInterrupted } = await import('../interruption.ts');
  const { readInput } = await import('../input-file.ts');
  const { formatBytes } = await import('../render/format.ts');
  const progress = invocation.startProgress();
  try {
    const request = {
      source: readInput(file, io, progress),
      ...(file !== '-' && { inputPath: file }),
      output: flags.output === '-' ? io.stdout : flags.output,
      recipients: flags.recipient ?? [],
      meterOptions: { window: configuration.window.value, riskDefault: configuration['risk-default'].value },
      ...(flags.risk && { risk: flags.risk }),
      riskMinimum: configuration['risk-minimum'],
      acceptReduced: flags.acceptReduced === true,
      onMeasured: async () => progress.show(() => 'dealing the key'),
    };
    const { keyId, placement, report, risk, downgraded } = await cleanlyInterrupted(async () =>
      sealFile(daemonKeys(connectDaemon(home)), request),
    );
    progress.clear();
    if (downgraded)
      await invocation.warn(`risk ${risk} is below the measured ${report.risk}: a recorded downgrade`);
    await (await import('../backup-warning.ts')).warnOfBackup(home, invocation);
    const { t, n, k, profile, reduced, manual } = placement;
    const id = toHex(keyId);
    const document = {
      keyId: id,
      risk,
      measuredRisk: report.risk,
      profile,
      reduced,
      manual,
      t,
      n,
      k,
      bytes: report.bytes,
    };
    if (flags.output !== '-') {
      await invocation.print(
        document,
        () =>
          `${formatBytes(report.bytes)} sealed to ${flags.output}\nkey ${id}\n${describe(placement, risk)}\n`,
      );
    }
  } finally {
    progress.clear();
  }
}

/** `skerry seal`: encrypts a file and deals its key. */
export const sealCommand: CommandModule = {
  declare(command, invocation) {
    command
      .argument('<file>', 'file to seal; - for standard input')
      .requiredOption('-o, --output <out>', 'sealed file; - for standard output')
      .addOption(new Option('--risk <level>', 'the level, instead of the measured one').choices(riskLevels))
      .option('--accept-reduced', 'take the best placement where the level is out of reach')
      .option('--recipient <age1...>', 'an ordinary age recipient; may be given several times', collect)
      .addHelpText('after', afterHelp)
      .action(async (file: string, flags: Flags) => seal(file, flags, invocation));
  },
};
