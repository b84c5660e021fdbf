import type { Figure, Row, ScenarioReport } from '@skerry/simulator';
import type { Invocation } from '../command.ts';
import { renderTable } from './table.ts';
import { wrapText } from './text.ts';

/** Cells of a line of figures where there is no terminal. */
const linesMax = 110;

const cellOf = (figure: Figure | undefined): string => (figure === null ? '-' : String(figure ?? ''));

/** Rows under the names of their figures: numbers to the right, words to the left. */
function tableOf(
  rows: readonly Row[],
  { tableWidth: width, color }: Pick<Invocation, 'tableWidth' | 'color'>,
): string {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))];
  const isWord = (name: string): boolean => rows.some(row => typeof row[name] === 'string');
  const columns = names.map(title => ({
    title,
    align: isWord(title) ? ('left' as const) : ('right' as const),
  }));
  const cells = rows.map(row => names.map(name => cellOf(row[name])));
  return renderTable(cells, { columns, width, color });
}

/**
 * A report for a person: whether all holds, the single figures, what each checker found, and the tables.
 *
 * @returns lines, each ended by a line feed
 */
export function renderSimulation(
  { scenario, seed, ok, checkers, figures, violations }: ScenarioReport,
  invocation: Pick<Invocation, 'tableWidth' | 'color'>,
): string {
  const singles = Object.entries(figures).filter(([, figure]) => !Array.isArray(figure));
  const tables = Object.entries(figures).filter(([, figure]) => Array.isArray(figure));
  const head = singles.map(([name, figure]) => `${name} ${cellOf(figure as Figure)}`).join(', ');
  const found = Object.entries(checkers).map(([checker, count]) => ({ checker, violations: count }));
  return [
    `${scenario}, seed ${seed}: ${ok ? 'every checker holds' : 'a checker is violated'}\n`,
    `${wrapText(head, invocation.tableWidth ?? linesMax, '')}\n`,
    tableOf(found, invocation),
    ...tables.map(([name, rows]) => `\n${name}\n${tableOf(rows as readonly Row[], invocation)}`),
    ...(violations.length > 0 ? ['\n', ...violations.map(one => `${one}\n`)] : []),
  ].join('');
}
