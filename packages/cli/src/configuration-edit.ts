import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fileError, SkerryError } from '@skerry/base';
import { parse, stringify } from 'smol-toml';
import { parseConfiguration } from './configuration.ts';

/** One value to be set: `table` is undefined for a key at the top. */
type Edit = {
  readonly table: string | undefined;
  readonly key: string;
  readonly value: string | number | readonly string[];
};

/** Whether a line of TOML sets the key, by itself. */
function setsKey(line: string, key: string): boolean {
  try {
    const keys = Object.keys(parse(line));
    return keys.length === 1 && keys[0] === key;
  } catch {
    return false;
  }
}

const isHeader = (line: string): boolean => /^\s*\[/.test(line);

/** The text with one line replaced or added. */
function editLines(text: string, { table, key, value }: Edit): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const line = stringify({ [key]: value }).trim();
  const header = lines.findIndex(candidate => new RegExp(`^\\s*\\[\\s*${table}\\s*\\]`).test(candidate));
  if (table !== undefined && header < 0) {
    return [...lines, ...(lines.length > 0 ? [''] : []), `[${table}]`, line, ''].join('\n');
  }
  const from = table === undefined ? 0 : header + 1;
  const next = lines.findIndex((candidate, index) => index >= from && isHeader(candidate));
  const to = next < 0 ? lines.length : next;
  const old = lines.findIndex((candidate, index) => index >= from && index < to && setsKey(candidate, key));
  if (old >= 0) return [...lines.with(old, line), ''].join('\n');
  // New keys go after the last line of their table that says something.
  let end = to;
  while (end > from && lines[end - 1]!.trim() === '') end -= 1;
  return [...lines.slice(0, end), line, ...lines.slice(end), ''].join('\n');
}

/**
 * A configuration file's text with one value changed and every other line, comments included, as it was.
 *
 * @param text TOML
 * @param edit what to set
 * @param source the file's path, for errors
 * @throws CONFIG_INVALID when the text is not TOML, or writes the value over several lines or as an inline table
 */
export function editConfiguration(text: string, edit: Edit, source: string): string {
  const { table, key, value } = edit;
  const expected = parseConfiguration(text, source);
  const edited = editLines(text, edit);
  try {
    if (table === undefined) expected[key] = value;
    else expected[table] = { ...(expected[table] as object | undefined), [key]: value };
    // By way of JSON, since tables may have any prototype; a configuration has no values that JSON lacks.
    const plain = (document: unknown): unknown => JSON.parse(JSON.stringify(document));
    if (isDeepStrictEqual(plain(parse(edited)), plain(expected))) return edited;
  } catch {
    // The edit broke the file: it is written in a way that one line cannot change.
  }
  throw new SkerryError('CONFIG_INVALID', `${key} cannot be set in one line of ${source}; edit it by hand`, {
    key,
    source,
  });
}

/**
 * Puts a text in a file's place at once: whoever reads sees the old or the new. File and directory are the owner's
 * alone (0600, 0700).
 *
 * @param path the file
 * @param text all of it
 * @throws FILE_UNREADABLE when it cannot be written; then nothing has changed
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const staged = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(staged, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staged, path);
  } catch (cause) {
    await rm(staged, { force: true });
    throw fileError(path, 'write', cause);
  }
}
