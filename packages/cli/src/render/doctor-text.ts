import type { Invocation } from '../command.ts';
import type { DoctorDocument } from '../doctor/document.ts';
import { renderReports } from './peer-text.ts';
import type { Look } from './text.ts';
import { wrapText } from './text.ts';

const looks: Readonly<Record<DoctorDocument['checks'][number]['verdict'], Look>> = {
  ok: 'green',
  warn: 'yellow',
  bad: ['bold', 'red'],
};

/** Cells of a verdict, and of the longest name of a check, with the gaps behind them. */
const verdictCells = 6;
const nameCells = 14;

/**
 * What doctor found: a line for each check with what to do about it, and what others say of this node.
 *
 * @param document of `doctor --json`
 * @returns lines, each ended by a line feed
 */
export function renderDoctor(
  { checks, standing }: DoctorDocument,
  { tableWidth: width, paint }: Pick<Invocation, 'tableWidth' | 'paint'>,
): string {
  const indent = ' '.repeat(verdictCells + nameCells);
  const lines = checks.map(({ name, verdict, finding, advice }) => {
    const text = wrapText(finding, width, verdict.padEnd(verdictCells) + name.padEnd(nameCells));
    const painted = paint(looks[verdict], verdict) + text.slice(verdict.length);
    return painted + (advice === null ? '' : wrapText(advice, width, `${indent}-> `));
  });
  const counted = (wanted: string): number => checks.filter(({ verdict }) => verdict === wanted).length;
  const sum = `\n${counted('ok')} ok, ${counted('warn')} to look at, ${counted('bad')} bad.\n`;
  const said =
    standing.reports.length === 0
      ? ''
      : `\nWhat others say of this node (good:bad), by the weight of their word here\n${renderReports(standing.reports, width)}`;
  return `${lines.join('')}${sum}${said}`;
}
