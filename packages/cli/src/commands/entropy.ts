import { SkerryError } from '@skerry/base';
import { Option } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';
import { readInteger } from '../flags.ts';

type Flags = {
  readonly window?: number;
  readonly mode: 'rolling' | 'block';
  readonly plot?: string;
};

const afterHelp = `
Only full windows count. A stream shorter than the window gives one value;
under 256 bytes there is no estimate, and the risk is the configured default.

Examples:
  skerry entropy secrets.tar
  skerry entropy --plot entropy.svg disk.img
  tar c docs | skerry entropy --json - | jq .risk`;

async function runEntropy(file: string | undefined, flags: Flags, invocation: Invocation): Promise<void> {
  const { io, print } = invocation;
  if (file === undefined && io.stdin.isTTY === true) {
    throw new SkerryError('USAGE', 'give a FILE, or - to read the terminal; see skerry entropy --help');
  }
  const path = file ?? '-';
  const configuration = await invocation.loadConfiguration();
  const { measureInput } = await import('../measurement.ts');
  const { renderEntropy } = await import('../render/entropy-text.ts');
  const { renderEntropySvg } = await import('../render/entropy-svg.ts');
  const { checkPlotPath, writePlot } = await import('../plot-file.ts');
  if (flags.plot !== undefined) await checkPlotPath(flags.plot, path);
  const { window = configuration.window.value, mode, plot } = flags;
  const options = { window, mode, riskDefault: configuration['risk-default'].value };
  const report = await measureInput(path, options, invocation);
  const title = path === '-' ? 'standard input' : path;
  if (plot !== undefined) await writePlot(plot, renderEntropySvg(report, { title, mode }));
  await print({ ...report, mode, ...(plot === undefined ? {} : { plot }) }, () => {
    const { paint, figureColumns: columns } = invocation;
    return renderEntropy(report, { title, mode, columns, paint, plot });
  });
}

/** `skerry entropy`: the entropy of a file or stream, in constant memory. */
export const entropyCommand: CommandModule = {
  declare(command, invocation) {
    command
      .description(
        'Measures the Shannon entropy of a file in a sliding window, its min-entropy (SP 800-90B), and the risk.',
      )
      .argument('[file]', 'file to measure; - or nothing for standard input')
      .option(
        '--window <bytes>',
        'bytes in a window, 64 to 2^24 (default: 4096, or as configured)',
        readInteger,
      )
      .addOption(
        new Option('--mode <mode>', 'slide by a byte, or go block by block (faster)')
          .choices(['rolling', 'block'])
          .default('rolling'),
      )
      .option('--plot <svg>', 'write a plot to this file')
      .addHelpText('after', afterHelp)
      .action((file: string | undefined, flags: Flags) => runEntropy(file, flags, invocation));
  },
};
