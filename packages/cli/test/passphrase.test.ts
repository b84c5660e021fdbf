import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { passphraseBytesMax, secretFileBytesMax } from '../parameters.ts';
import { readPassphraseFile } from '../src/passphrase.ts';
import { isPrivate, readSecretFile } from '../src/secret-file.ts';
import { createFolder } from './folder.ts';

describe('a passphrase in a file', () => {
  async function inFile(content: string | Uint8Array): Promise<string> {
    using folder = createFolder();
    writeFileSync(folder.path('file'), content, { mode: 0o600 });
    return Buffer.from(await readPassphraseFile(folder.path('file'))).toString();
  }

  test('is all of it but one newline at its end', async () => {
    for (const end of ['', '\n', '\r\n']) expect(await inFile(` two words ${end}`)).toBe(' two words ');
    expect(await inFile('schlüssel\n')).toBe('schlüssel');
    expect(await inFile('x'.repeat(passphraseBytesMax))).toHaveLength(passphraseBytesMax);
  });

  test.each([
    '',
    '\n',
    '\r\n',
    'two\nlines\n',
    'one\n\n',
    'a\0b',
    'x'.repeat(passphraseBytesMax + 1),
    `${'x'.repeat(secretFileBytesMax)}\n`,
    'x'.repeat(100_000),
  ])('is refused where it is empty, too long or more than a line', async content => {
    await expect(inFile(content)).rejects.toMatchObject({ code: 'PASSPHRASE_INVALID', kind: 'invalid' });
  });
});

describe('a file with a secret', () => {
  test('is read where nobody else can, and else refused', async () => {
    using folder = createFolder();
    const path = folder.path('file');
    writeFileSync(path, 'secret');
    for (const mode of [0o600, 0o400, 0o700]) {
      chmodSync(path, mode);
      expect(Buffer.from(await readSecretFile(path)).toString()).toBe('secret');
    }
    for (const mode of [0o604, 0o602, 0o620, 0o644, 0o460, 0o444]) {
      chmodSync(path, mode);
      const refused = { code: 'SECRET_EXPOSED', kind: 'invalid', metadata: { path } };
      await expect(readSecretFile(path)).rejects.toMatchObject(refused);
    }
  });

  test('is private as a credential of systemd too, and not as any other file that a group may read', () => {
    expect(isPrivate({ mode: 0o100440, uid: 0, gid: 0 })).toBe(true);
    expect(isPrivate({ mode: 0o100400, uid: 1_000, gid: 1_000 })).toBe(true);
    for (const [mode, uid, gid] of [
      [0o440, 0, 1_000],
      [0o440, 1_000, 0],
      [0o444, 0, 0],
      [0o460, 0, 0],
    ] as const) {
      expect(isPrivate({ mode, uid, gid })).toBe(false);
    }
  });

  test('may be a pipe, and not a folder or nothing', async () => {
    using folder = createFolder();
    const path = folder.path('pipe');
    execFileSync('mkfifo', ['-m', '600', path]);
    const reading = readSecretFile(path);
    execFileSync('sh', ['-c', 'printf secret > "$0"', path]);
    expect(Buffer.from(await reading).toString()).toBe('secret');
    for (const name of ['.', 'none'])
      await expect(readSecretFile(folder.path(name))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
