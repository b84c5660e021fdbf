/** Holds the table of errors, its page, the code that throws and the tests that provoke together. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ErrorKind, errorTable, exitCodes, httpStatuses } from '../packages/base/index.ts';
import { type Module, parseModule, wordsIn } from './house/syntax.ts';
import { isTest, readTree } from './house/tree.ts';

const tablePath = 'packages/base/src/errors.ts';
const page = readFileSync(join(import.meta.dirname, '../docs/ERRORS.md'), 'utf8');
const codes = Object.keys(errorTable);

/** Codes that no module of a list has as a string of its own. */
function unnamedCodes(modules: readonly Module[]): string[] {
  const words = new Set(modules.flatMap(({ tree }) => [...wordsIn(tree)]));
  return codes.filter(code => !words.has(code));
}

/** The rows of a markdown table, each a list of cells without code marks. */
function rowsOf(markdown: string): string[][] {
  return [...markdown.matchAll(/^\| (.+) \|$/gm)].map(row =>
    row[1]!.split(' | ').map(cell => cell.replaceAll('`', '').trim()),
  );
}

describe('errors', () => {
  const { modules } = readTree();

  it('docs/ERRORS.md has a row for each code, in order (else run node scripts/errors.ts)', () => {
    const expected = Object.entries(errorTable).map(([code, entry]) => {
      const { kind, meaning, httpStatus }: { kind: ErrorKind; meaning: string; httpStatus?: number } = entry;
      return [code, kind, String(exitCodes[kind]), String(httpStatus ?? httpStatuses[kind]), meaning];
    });
    expect(rowsOf(page).filter(([code]) => /^[A-Z0-9_]+$/.test(code!))).toEqual(expected);
  });

  it('docs/ERRORS.md says the exit code of each kind', () => {
    const kinds = rowsOf(page).filter(cells => cells.length === 3 && Object.hasOwn(exitCodes, cells[0]!));
    expect(kinds.map(([kind, , exit]) => [kind, Number(exit)])).toEqual(Object.entries(exitCodes));
  });

  it('codes are upper case, and meanings are one short clause that fits a table', () => {
    for (const [code, { meaning }] of Object.entries(errorTable)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(meaning).toMatch(/^[^|\n]{10,120}[^.|\n]$/);
    }
  });

  it('every code is thrown by some code outside the table', () => {
    expect(unnamedCodes(modules.filter(({ path }) => path !== tablePath && !isTest(path)))).toEqual([]);
  });

  it('every code is provoked by some test', () => {
    const tests = modules.filter(({ path }) => path.endsWith('.test.ts') && path !== 'test/errors.test.ts');
    expect(unnamedCodes(tests)).toEqual([]);
  });

  it('a code counts as named only where it is a string of its own', () => {
    const quoted = parseModule('a.ts', codes.map(code => `'${code}';`).join(''));
    const mentioned = parseModule('a.ts', codes.map(code => `// ${code}\n'x ${code}';`).join('\n'));
    expect(unnamedCodes([quoted])).toEqual([]);
    expect(unnamedCodes([mentioned])).toEqual(codes);
  });
});
