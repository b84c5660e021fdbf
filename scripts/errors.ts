/**
 * Writes the table of docs/ERRORS.md anew from `errorTable`; the prose above the table stays as it is.
 * test/errors.test.ts fails until this has been run after a change of the table.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorKind, errorTable, exitCodes, httpStatuses } from '../packages/base/index.ts';

const page = join(import.meta.dirname, '../docs/ERRORS.md');

const rows = Object.entries(errorTable).map(([code, entry]) => {
  const { kind, meaning, httpStatus }: { kind: ErrorKind; meaning: string; httpStatus?: number } = entry;
  return [`\`${code}\``, kind, String(exitCodes[kind]), String(httpStatus ?? httpStatuses[kind]), meaning];
});
const head = ['code', 'kind', 'exit', 'HTTP', 'meaning'];
// Aligned as the formatter wants it.
const widths = head.map((name, column) => Math.max(name.length, ...rows.map(row => row[column]!.length)));
const table = [head, widths.map(width => '-'.repeat(width)), ...rows].map(
  cells => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |\n`,
);
const [prose = ''] = (await readFile(page, 'utf8')).split(/^\| code /m, 1);
await writeFile(page, prose + table.join(''));
console.log(`${rows.length} codes in docs/ERRORS.md`);
