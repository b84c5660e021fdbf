import { cellWidth, createPaint, printable, truncate } from './text.ts';

/** A column of a table. */
export type Column = {
  readonly title: string;
  /** @default 'left' */
  readonly align?: 'left' | 'right';
};

/** How a table is shown. */
type TableOptions = {
  readonly columns: readonly Column[];
  /** Cells of the terminal; the widest columns give way until the table fits. Without it nothing is cut. */
  readonly width?: number | undefined;
  /** Whether the titles may have a look. @default false */
  readonly color?: boolean;
};

const gap = '  ';

/** Cells that a column keeps when others need the room, at least. */
const cellsMin = 4;

function fitWidths(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, cells) => sum + cells, gap.length * (widths.length - 1)) - width;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= cellsMin) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}

/**
 * A table: titles, then a line for each row, every column as wide as its widest cell. What the cells hold is made
 * safe for a terminal first.
 *
 * @param rows a text for each column; texts from outside are welcome
 * @returns lines, each ended by a line feed; without trailing spaces
 */
export function renderTable(rows: readonly (readonly string[])[], options: TableOptions): string {
  const { columns, width = Number.POSITIVE_INFINITY, color = false } = options;
  const paint = createPaint(color);
  const cells = rows.map(row => columns.map((_, index) => printable(row[index] ?? '')));
  const natural = columns.map(({ title }, index) =>
    Math.max(cellWidth(title), ...cells.map(row => cellWidth(row[index]!))),
  );
  const widths = fitWidths(natural, width);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => {
        const shown = truncate(text, widths[index]!);
        const padding = ' '.repeat(widths[index]! - cellWidth(shown));
        return columns[index]!.align === 'right' ? padding + shown : shown + padding;
      })
      .join(gap)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  const head = titles.every(title => title === '') ? [] : [paint('bold', line(titles))];
  return [...head, ...cells.map(line)].map(text => `${text}\n`).join('');
}
