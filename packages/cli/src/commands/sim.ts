import { SkerryError } from '@skerry/base';
import { type ScenarioOptions, type ScenarioReport, scenarios } from '@skerry/simulator';
import { Argument } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';
import { readInteger } from '../flags.ts';

type Flags = {
  readonly seed: number;
  readonly nodes?: number;
  readonly days?: number;
  readonly keys?: number;
  readonly page?: string;
};

const names = Object.keys(scenarios);

const afterHelp = `
Scenarios:
${Object.entries(scenarios)
  .map(([name, { summary }]) => `  ${name.padEnd(11)} ${summary}`)
  .join('\n')}

A network in virtual time, months in seconds: the same state machines as the
daemon's, without a daemon. The same seed and options give the same report.
Checkers, which are no part of what is simulated, hold it against what is
promised. Where one is violated the exit code is 1, and the last line is the
command that shows it again.

Examples:
  skerry sim churn --seed 7 --page churn.html
  skerry sim churn --nodes 10000 --keys 10000 --days 365
  skerry sim durability --json | jq .figures.lostWorkedOut`;

/** The options within what the scenario takes. */
function optionsOf(name: string, { seed, nodes, days, keys }: Flags): ScenarioOptions {
  const sizes = { nodes, days, keys };
  for (const size of ['nodes', 'days', 'keys'] as const) {
    const [value, [least, most]] = [sizes[size], scenarios[name]!.limits[size]];
    if (value !== undefined && (value < least || value > most)) {
      throw new SkerryError('USAGE', `--${size} of ${name} is ${least} to ${most}`, { least, most });
    }
  }
  return { seed, ...sizes };
}

/** The command that runs the same again. */
function commandOf(name: string, { seed, nodes, days, keys }: ScenarioOptions): string {
  const sizes = Object.entries({ nodes, days, keys }).flatMap(([size, value]) =>
    value === undefined ? [] : ` --${size} ${value}`,
  );
  return `skerry sim ${name} --seed ${seed}${sizes.join('')}`;
}

async function simulate(
  name: string,
  options: ScenarioOptions,
  invocation: Invocation,
): Promise<ScenarioReport> {
  const { runInThreads } = await import('../simulation/threads.ts');
  const progress = invocation.startProgress();
  try {
    const onPart = (done: number, parts: number): void => progress.show(() => `${done} of ${parts} parts`);
    return await runInThreads(name, options, onPart);
  } finally {
    progress.clear();
  }
}

/** `skerry sim`: a network in virtual time, with checkers. */
export const simCommand: CommandModule = {
  declare(command, invocation) {
    command
      .addArgument(new Argument('<scenario>', 'what happens').choices(names))
      .option('--seed <n>', 'decides all chance', readInteger, 1)
      .option('--nodes <n>', "nodes (default: the scenario's)", readInteger)
      .option('--days <n>', 'days of virtual time', readInteger)
      .option('--keys <n>', 'keys', readInteger)
      .option('--page <file>', 'write a page of plots, HTML, to this file')
      .addHelpText('after', afterHelp)
      .action(async (name: string, flags: Flags) => {
        const options = optionsOf(name, flags);
        const { checkPlotPath, writePlot } = await import('../plot-file.ts');
        if (flags.page !== undefined) await checkPlotPath(flags.page, '-');
        const report = await simulate(name, options, invocation);
        if (flags.page !== undefined) {
          const { renderSimulationPage } = await import('../render/simulation-page.ts');
          await writePlot(flags.page, renderSimulationPage(report, commandOf(name, options)));
        }
        const { renderSimulation } = await import('../render/simulation-text.ts');
        await invocation.print(report, () => renderSimulation(report, invocation));
        if (report.ok) return;
        invocation.exitCode = 1;
        await invocation.warn(`a checker is violated; again: ${commandOf(name, options)}`);
      });
  },
};
