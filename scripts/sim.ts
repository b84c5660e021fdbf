/** `npm run sim`: runs a network in virtual time, from a seed, and tells whether its checkers found anything. */
import { parseArgs } from 'node:util';
import { SkerryError } from '@skerry/base';
import { type Figure, type Row, type Scenario, type ScenarioReport, scenarios } from '@skerry/simulator';

const usage = `Usage: npm run sim -- SCENARIO [options]

Runs a network in virtual time and prints what was measured. The same seed and options print the same. It fails where
a checker is violated, and then names the command that shows it again.

Scenarios:
${Object.entries(scenarios)
  .map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`)
  .join('\n')}

  --seed N         decides all chance (default 1)
  --nodes N        nodes, as many as the scenario likes by default
  --days N         days of virtual time
  --keys N         keys
  --json           one JSON document on standard output
  --help           this text

Example:
  npm run sim -- trust --seed 7
`;

const options = {
  seed: { type: 'string', default: '1' },
  nodes: { type: 'string' },
  days: { type: 'string' },
  keys: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Wanted = {
  readonly name: string;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly sizes: Readonly<Partial<Record<'nodes' | 'days' | 'keys', number>>>;
  readonly json: boolean;
};

function usageError(message: string): SkerryError {
  return new SkerryError('USAGE', message);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw usageError(`--${name} is a whole number`);
  return value;
}

/** What the command line asks for; undefined where that is help. */
function readFlags(): Wanted | undefined {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw usageError((error instanceof Error ? error.message : String(error)).replaceAll('\n', ' '));
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const [name = '', ...rest] = positionals;
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
  if (scenario === undefined || rest.length > 0) {
    throw usageError(`a scenario is one of: ${Object.keys(scenarios).join(', ')}`);
  }
  const sizes: Partial<Record<'nodes' | 'days' | 'keys', number>> = {};
  for (const size of ['nodes', 'days', 'keys'] as const) {
    const text = values[size];
    if (text === undefined) continue;
    const [least, most] = scenario.limits[size];
    const value = wholeNumber(size, text);
    if (value < least || value > most) throw usageError(`--${size} is ${least} to ${most}`);
    sizes[size] = value;
  }
  return { name, scenario, seed: wholeNumber('seed', values.seed), sizes, json: values.json };
}

const cellOf = (figure: Figure | undefined): string => (figure === null ? '-' : String(figure ?? ''));

/** A table in plain text: numbers to the right, words to the left. */
function tableOf(rows: readonly Row[]): string[] {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))];
  const widths = names.map(name => Math.max(name.length, ...rows.map(row => cellOf(row[name]).length)));
  const line = (cells: readonly string[], isHead: boolean) =>
    cells
      .map((cell, i) => {
        const isWord = rows.some(row => typeof row[names[i] ?? ''] === 'string');
        return isWord || (isHead && i === 0) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
      })
      .join('  ')
      .trimEnd();
  return [
    line(names, true),
    ...rows.map(row =>
      line(
        names.map(name => cellOf(row[name])),
        false,
      ),
    ),
  ];
}

/** A report for a person. */
function pageOf({ scenario, seed, ok, checkers, figures, violations }: ScenarioReport): string {
  const isTable = (figure: unknown): figure is readonly Row[] => Array.isArray(figure);
  const single = Object.entries(figures).flatMap(([name, figure]) =>
    isTable(figure) ? [] : `${name} ${cellOf(figure)}`,
  );
  const lines = [
    `${scenario}, seed ${seed}: ${ok ? 'every checker holds' : 'a checker is violated'}`,
    single.join(', '),
    '',
    ...tableOf(Object.entries(checkers).map(([checker, count]) => ({ checker, violations: count }))),
  ];
  for (const [name, figure] of Object.entries(figures)) {
    if (isTable(figure)) lines.push('', name, ...tableOf(figure));
  }
  if (violations.length > 0) lines.push('', ...violations);
  return `${lines.join('\n')}\n`;
}

function main(): void {
  const wanted = readFlags();
  if (!wanted) return void process.stdout.write(usage);
  const { name, scenario, seed, sizes, json } = wanted;
  const report = scenario.run({ seed, ...sizes });
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : pageOf(report));
  if (report.ok) return;
  const flags = Object.entries(sizes).map(([size, value]) => ` --${size} ${value}`);
  process.stderr.write(`again: npm run sim -- ${name} --seed ${seed}${flags.join('')}\n`);
  process.exitCode = 1;
}

try {
  main();
} catch (error) {
  if (!(error instanceof SkerryError) || error.kind !== 'invalid') throw error;
  process.stderr.write(`${error.code}: ${error.message}; --help lists the options\n`);
  process.exitCode = 2;
}
