import { chmod, link, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { AssertionError } from '@skerry/base';
import { describe, expect, test } from 'vitest';
import { readPieces } from '../index.ts';
import { readBytes, writeBytes } from '../parameters.ts';
import { stageFile } from '../src/staged-file.ts';
import { inFolder, patternOf, piecesOf } from './fixtures.ts';

const content = patternOf(3 * writeBytes + 7);
const partial = /^\.out\.skerry-[0-9a-f]{8}-\d+-[0-9a-f]{12}\.partial$/;

async function* failing(bytes: number): AsyncGenerator<Uint8Array> {
  yield patternOf(bytes);
  throw new Error('the source broke');
}

describe('a staged file', () => {
  test('appears whole when it is committed, for its owner alone', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'out');
      const staged = await stageFile(piecesOf(content, 1000), output, undefined);
      const [name, ...others] = await readdir(folder);
      expect(name).toMatch(partial);
      expect(others).toEqual([]);
      expect((await stat(join(folder, name!))).mode & 0o777).toBe(0o600);
      await staged.commit();
      expect(await readdir(folder)).toEqual(['out']);
      expect((await readFile(output)).equals(content)).toBe(true);
      expect((await stat(output)).mode & 0o777).toBe(0o600);
    });
  });

  test('takes the place of a regular file in one step, and until then leaves it alone', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'out');
      await writeFile(output, 'before');
      await chmod(output, 0o644);
      const staged = await stageFile(piecesOf(content), output, undefined);
      expect(await readFile(output, 'utf8')).toBe('before');
      await staged.commit();
      expect((await readFile(output)).equals(content)).toBe(true);
      expect((await stat(output)).mode & 0o777).toBe(0o600);
    });
  });

  test('leaves nothing behind when it is discarded, twice or after its commit', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'out');
      const staged = await stageFile(piecesOf(content), output, undefined);
      await staged.discard();
      await staged.discard();
      expect(await readdir(folder)).toEqual([]);
      await expect(staged.commit()).rejects.toBeInstanceOf(AssertionError);
      const committed = await stageFile(piecesOf(content), output, undefined);
      await committed.commit();
      await committed.discard();
      expect(await readdir(folder)).toEqual(['out']);
    });
  });

  test('leaves nothing behind when its source fails, early or late', async () => {
    await inFolder(async folder => {
      for (const bytes of [0, 10, 3 * writeBytes]) {
        await expect(stageFile(failing(bytes), join(folder, 'out'), undefined)).rejects.toThrow(
          'the source broke',
        );
        expect(await readdir(folder)).toEqual([]);
      }
    });
  });

  test('may have a name as long as the file system takes', async () => {
    await inFolder(async folder => {
      for (const name of ['n'.repeat(255), 'é'.repeat(127), '\u{1f5ff}'.repeat(63)]) {
        const output = join(folder, name);
        const staged = await stageFile(piecesOf(content), output, undefined);
        await staged.commit();
        expect((await stat(output)).size).toBe(content.length);
      }
    });
  });

  test('asks for more only as fast as the disk takes it', async () => {
    await inFolder(async folder => {
      const piece = patternOf(100_000);
      let lead = 0;
      async function* watched(): AsyncGenerator<Uint8Array> {
        for (let made = 0; made < 40 * writeBytes; made += piece.length) {
          const [name] = await readdir(folder);
          lead = Math.max(lead, made - (await stat(join(folder, name!))).size);
          yield piece;
        }
      }
      const staged = await stageFile(watched(), join(folder, 'out'), undefined);
      await staged.discard();
      expect(lead).toBeLessThanOrEqual(2 * (writeBytes + piece.length));
    });
  });
});

describe('an output is refused', () => {
  const refused = { code: 'OUTPUT_EXISTS', kind: 'refused' };

  test('where it is a folder, a link or a device', async () => {
    await inFolder(async folder => {
      await mkdir(join(folder, 'folder'));
      await writeFile(join(folder, 'target'), 'kept');
      await symlink('target', join(folder, 'link'));
      await symlink('nowhere', join(folder, 'dangling'));
      for (const output of ['folder', 'link', 'dangling']
        .map(name => join(folder, name))
        .concat('/dev/null')) {
        await expect(stageFile(piecesOf(content), output, undefined)).rejects.toMatchObject(refused);
      }
      expect((await readdir(folder)).sort()).toEqual(['dangling', 'folder', 'link', 'target']);
      expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
    });
  });

  test('where it is the input, by whatever name', async () => {
    await inFolder(async folder => {
      const input = join(folder, 'in');
      await writeFile(input, 'kept');
      await symlink('in', join(folder, 'link'));
      await link(input, join(folder, 'hard'));
      const pairs = [
        [input, input],
        [join(folder, '.', 'link'), input],
        [input, join(folder, 'hard')],
      ] as const;
      for (const [inputPath, output] of pairs) {
        await expect(stageFile(readPieces(inputPath), output, inputPath)).rejects.toMatchObject(refused);
      }
      expect(await readFile(input, 'utf8')).toBe('kept');
    });
  });

  test('where its folder is missing or is no folder', async () => {
    await inFolder(async folder => {
      await writeFile(join(folder, 'file'), '');
      for (const [output, errno] of [
        ['missing/out', 'ENOENT'],
        ['file/out', 'ENOTDIR'],
      ] as const) {
        const path = join(folder, output);
        const staging = stageFile(piecesOf(content), path, undefined);
        const metadata = { path, reason: errno };
        await expect(staging).rejects.toMatchObject({ code: 'FILE_UNREADABLE', metadata });
      }
    });
  });

  test('where something that is no file has appeared by the time of the commit', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'out');
      const staged = await stageFile(piecesOf(content), output, undefined);
      await mkdir(output);
      await expect(staged.commit()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
      expect(await readdir(folder)).toEqual(['out']);
    });
  });
});

describe('a stream', () => {
  test('gets everything at the commit, nothing before, and is ended', async () => {
    const got: Buffer[] = [];
    const output = new Writable({
      write(piece: Buffer, _, done) {
        got.push(Buffer.from(piece));
        setImmediate(done); // a slow reader
      },
    });
    const staged = await stageFile(piecesOf(content), output, undefined);
    expect(got).toEqual([]);
    await staged.commit();
    expect(Buffer.concat(got).equals(content)).toBe(true);
    expect(output.writableFinished).toBe(true);
  });

  test('that closes early is FILE_UNREADABLE', async () => {
    const output = new PassThrough();
    const staged = await stageFile(piecesOf(content), output, undefined);
    const committing = staged.commit();
    output.destroy();
    await expect(committing).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await staged.discard();
  });
});

describe('an input', () => {
  test('is read in large pieces', async () => {
    await inFolder(async folder => {
      await writeFile(join(folder, 'in'), content);
      const lengths: number[] = [];
      for await (const piece of readPieces(join(folder, 'in'))) lengths.push(piece.length);
      expect(lengths.every(length => length <= readBytes)).toBe(true);
      expect(lengths.reduce((sum, length) => sum + length)).toBe(content.length);
    });
  });

  test('that is missing or a folder is FILE_UNREADABLE, once it is read', async () => {
    await inFolder(async folder => {
      for (const [path, errno] of [
        [join(folder, 'missing'), 'ENOENT'],
        [folder, 'EISDIR'],
      ] as const) {
        const staging = stageFile(readPieces(path), join(folder, 'out'), undefined);
        await expect(staging).rejects.toMatchObject({
          code: 'FILE_UNREADABLE',
          metadata: { path, reason: errno },
        });
      }
      expect(await readdir(folder)).toEqual([]);
    });
  });
});
