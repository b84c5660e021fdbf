/** The repository's files, read once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Module, parseModule } from './syntax.ts';

/** A file that is not parsed: a document, a setting, a record of data. */
export type TextFile = { readonly path: string; readonly text: string };

/** Everything that is, or is about to be, under version control; paths from the root, with slashes. */
type Tree = { readonly files: readonly TextFile[]; readonly modules: readonly Module[] };

const root = join(import.meta.dirname, '../..');
const ignored = new Set(['node_modules', '.git', 'coverage']);

/** Reads and parses the whole repository. Data (`packages/NAME/data`) is listed among the files, not parsed. */
export function readTree(): Tree {
  const files = paths('').map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const code = files.filter(file => file.path.endsWith('.ts') && !/^packages\/[^/]+\/data\//.test(file.path));
  return { files, modules: code.map(file => parseModule(file.path, file.text)) };
}

/**
 * The package that a file belongs to, or undefined outside packages/.
 *
 * @param path from the root
 */
export function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

/**
 * Whether a file is a test or serves tests only.
 *
 * @param path from the root
 */
export function isTest(path: string): boolean {
  return /^(packages\/[^/]+\/)?test\//.test(path);
}

function paths(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (ignored.has(entry.name) || entry.name.endsWith('.log')) return [];
    return entry.isDirectory() ? paths(path) : entry.isFile() ? [path] : [];
  });
}
