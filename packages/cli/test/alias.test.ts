import { describe, expect, test } from 'vitest';
import { aliasLengthMax } from '../parameters.ts';
import { isAlias } from '../src/alias.ts';
import { run } from './captured-run.ts';

describe('an alias', () => {
  test('is printable, of bounded length, and no key id', () => {
    for (const alias of ['backups', 'a b', 'clé', 'deadbeef', 'x'.repeat(aliasLengthMax)]) {
      expect(isAlias(alias)).toBe(true);
    }
    const others = ['', ' ', ' a', 'a ', 'a\nb', '\u{1b}[31mred', 'a\u{202e}b', '\u{2028}'];
    for (const alias of [...others, 'x'.repeat(aliasLengthMax + 1), '0aF'.repeat(22).slice(0, 64)]) {
      expect(isAlias(alias)).toBe(false);
    }
  });

  test('that is none is refused before any daemon is asked', async () => {
    const result = await run(['key', 'create', '--alias', '']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('skerry: USAGE: ');
  });
});
