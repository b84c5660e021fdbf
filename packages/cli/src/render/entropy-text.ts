import type { EntropyReport } from '@skerry/entropy';
import { plotRows } from '../../parameters.ts';
import { createBrailleGrid } from './braille.ts';
import { type EntropyLabels, thresholdBits } from './entropy-figures.ts';
import { formatBytes } from './format.ts';
import { renderTable } from './table.ts';
import { type Paint, printable } from './text.ts';

const riskLooks = { low: 'green', medium: 'yellow', high: 'red' } as const;

/** Bits per byte at the top of the plot. */
const bitsMax = 8;

/** The row of dots for so many bits per byte, from the top. */
function dotRow(bits: number): number {
  return Math.round((1 - bits / bitsMax) * (4 * plotRows - 1));
}

/** Draws a series as one line, each column of dots from the lowest to the highest point that falls on it. */
function drawSeries(series: readonly number[], width: number, set: (x: number, y: number) => void): void {
  let before: number | undefined;
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x * series.length) / width);
    const to = Math.max(from + 1, Math.floor(((x + 1) * series.length) / width));
    const rows = series.slice(from, to).map(dotRow);
    const top = Math.min(...rows, before ?? Number.POSITIVE_INFINITY);
    const bottom = Math.max(...rows, before ?? 0);
    for (let y = top; y <= bottom; y++) set(x, y);
    before = rows.at(-1);
  }
}

/**
 * The series of a report as a plot for a terminal, bits per byte over the stream, with the risk thresholds.
 *
 * @param report with an estimate
 * @param columns cells across
 */
function renderPlot(report: EntropyReport, columns: number, paint: Paint): string {
  const [axis, names] = [4, 7];
  const width = columns - axis - names;
  const grid = createBrailleGrid(width, plotRows);
  drawSeries(report.series, 2 * width, grid.set);
  const { medium, high } = thresholdBits(report);
  const rowOf = (bits: number): number => dotRow(bits) >> 2;
  const lines = Array.from({ length: plotRows }, (_, row) => {
    const level = rowOf(high) === row ? 'high' : rowOf(medium) === row ? 'medium' : undefined;
    let line = '';
    for (let column = 0; column < width; column++) {
      const cell = grid.cell(column, row);
      const isThreshold = cell === ' ' && level !== undefined;
      line += isThreshold ? paint(riskLooks[level], '╌') : cell;
    }
    const label = `${row % 2 === 0 ? bitsMax - row : ''}`.padStart(axis - 2);
    const name = level === undefined ? '' : ` ${paint(riskLooks[level], level)}`;
    return `${label} ┤${line}${name}`.trimEnd();
  });
  const [start, end] = ['0 B', formatBytes(report.bytes)];
  const feet = [
    `${'0'.padStart(axis - 2)} └${'─'.repeat(width)}`,
    ' '.repeat(axis) + start + end.padStart(width - start.length),
  ];
  return [...lines, ...feet].map(line => `${line}\n`).join('');
}

/** What an entropy report looks like on a terminal. */
type EntropyTextOptions = EntropyLabels & {
  /** Cells across. */
  readonly columns: number;
  readonly paint: Paint;
  /** Where a plot was written, if one was. */
  readonly plot: string | undefined;
};

/**
 * An entropy report for a terminal: its figures, and a plot of the stream with the risk thresholds.
 *
 * @returns lines, each ended by a line feed
 */
export function renderEntropy(report: EntropyReport, options: EntropyTextOptions): string {
  const { title, mode, columns, paint, plot } = options;
  const { bytes, window, shannon, minEntropy, normalized, risk } = report;
  const windows = `${mode} windows of ${formatBytes(window)}`;
  const head = `${paint('bold', printable(title))}: ${formatBytes(bytes)}, ${windows}\n\n`;
  const level = `risk ${paint(['bold', riskLooks[risk]], risk)}`;
  const foot = plot === undefined ? '' : `\nplot written to ${printable(plot)}\n`;
  if (shannon === null || minEntropy === null || normalized === null) {
    return `${head}Too short for an estimate: ${level}, the configured default.\n${foot}`;
  }
  const bits = (value: number): string => value.toFixed(4);
  const rows = [
    ['Shannon, mean of the windows', bits(shannon.mean), 'bits per byte'],
    ['  lowest window', bits(shannon.min), ''],
    ['  highest window', bits(shannon.max), ''],
    ['  whole stream', bits(shannon.stream), ''],
    ['min-entropy, whole stream', bits(minEntropy), ''],
    ['normalised', bits(normalized), 'of random bytes'],
  ];
  const table = renderTable(rows, {
    columns: [{ title: '' }, { title: '', align: 'right' }, { title: '' }],
  });
  return `${head}${table}\n${renderPlot(report, columns, paint)}\n${level}\n${foot}`;
}
