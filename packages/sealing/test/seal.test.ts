import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AssertionError, toHex } from '@skerry/base';
import { createMeter } from '@skerry/entropy';
import { describe, expect, test } from 'vitest';
import { readPieces, sealStream } from '../index.ts';
import {
  ageIdentity,
  chunkBytes,
  headerLength,
  inFolder,
  key,
  keyId,
  meterOptions,
  openBytes,
  patternOf,
  piecesOf,
  run,
  sealBytes,
} from './fixtures.ts';

const partial = /^\.sealed\.skerry-[0-9a-f]{8}-\d+-[0-9a-f]{12}\.partial$/;
const sealChild = join(import.meta.dirname, 'seal-child.ts');
const openChild = join(import.meta.dirname, 'open-child.ts');
const runForBytes = promisify(execFile);
const inBytes = { encoding: 'buffer', maxBuffer: 2 ** 22 } as const;

describe('a sealed file', () => {
  test.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 5 * 2 ** 20 + 3])(
    'of %i bytes opens',
    async length => {
      const plaintext = patternOf(length);
      const opened = await openBytes(await sealBytes(plaintext));
      expect(Buffer.isBuffer(opened) && opened.equals(plaintext)).toBe(true);
    },
  );

  test.each([0, 1, chunkBytes, chunkBytes + 1, 3 * 2 ** 20])(
    'of %i bytes opens with the age command for a recipient of its own',
    async length => {
      await inFolder(async folder => {
        const { path, recipient } = await ageIdentity(folder);
        const plaintext = patternOf(length);
        const sealed = await sealBytes(plaintext, [recipient]);
        await writeFile(join(folder, 'sealed'), sealed);
        const args = ['-d', '-i', path, join(folder, 'sealed')];
        const { stdout } = await runForBytes('age', args, inBytes);
        expect(stdout.equals(plaintext)).toBe(true);
        const opened = await openBytes(sealed);
        expect(Buffer.isBuffer(opened) && opened.equals(plaintext)).toBe(true);
      });
    },
  );

  test('is to the age command a valid file for somebody else, where it has no such recipient', async () => {
    await inFolder(async folder => {
      const { path } = await ageIdentity(folder);
      await writeFile(join(folder, 'sealed'), await sealBytes(patternOf(100)));
      const opening = run('age', ['-d', '-i', path, join(folder, 'sealed')]);
      await expect(opening).rejects.toMatchObject({ stderr: expect.stringContaining('no identity matched') });
    });
  });

  test('shares nothing with another of the same plaintext and key', async () => {
    const [a, b] = [await sealBytes(patternOf(100)), await sealBytes(patternOf(100))];
    expect(a.length).toBe(b.length);
    expect(a.subarray(headerLength(a))).not.toEqual(b.subarray(headerLength(b)));
  });
});

describe('sealing', () => {
  test('measures the plaintext as the meter does, whatever its pieces', async () => {
    const plaintext = patternOf(100_001);
    const meter = createMeter({ window: 1024, mode: 'block' });
    meter.update(plaintext);
    for (const pieceBytes of [100, chunkBytes, 1 << 20]) {
      await inFolder(async folder => {
        const sealed = await sealStream({
          source: piecesOf(plaintext, pieceBytes),
          output: join(folder, 'sealed'),
          keyId,
          key,
          recipients: [],
          meterOptions: { window: 1024 },
        });
        await sealed.discard();
        expect(sealed.bytes).toBe(plaintext.length);
        expect(sealed.report).toEqual(meter.report());
      });
    }
  });

  test('shows nothing at its place before the commit, and nothing at all once discarded', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'sealed');
      const seal = (): ReturnType<typeof sealStream> =>
        sealStream({ source: piecesOf(patternOf(10)), output, keyId, key, recipients: [], meterOptions });
      const discarded = await seal();
      expect(await readdir(folder)).toEqual([expect.stringMatching(partial)]);
      await discarded.discard();
      expect(await readdir(folder)).toEqual([]);
      const sealed = await seal();
      await sealed.commit();
      expect(await readdir(folder)).toEqual(['sealed']);
    });
  });

  test('refuses a wrong recipient or window before it reads or writes', async () => {
    await inFolder(async folder => {
      let pulled = 0;
      async function* source(): AsyncGenerator<Uint8Array> {
        pulled++;
        yield patternOf(10);
      }
      const options = { output: join(folder, 'sealed'), keyId, key, meterOptions };
      const wrongRecipient = sealStream({ ...options, source: source(), recipients: ['bob'] });
      await expect(wrongRecipient).rejects.toMatchObject({ code: 'RECIPIENT_INVALID' });
      const wrongWindow = sealStream({
        ...options,
        source: source(),
        recipients: [],
        meterOptions: { window: 1 },
      });
      await expect(wrongWindow).rejects.toMatchObject({ code: 'WINDOW_INVALID' });
      expect(pulled).toBe(0);
      expect(await readdir(folder)).toEqual([]);
    });
  });

  test('holds a key or keyId of another length to be a bug', async () => {
    const options = { source: piecesOf(patternOf(1)), output: 'never', recipients: [], meterOptions };
    const short = patternOf(31);
    await expect(sealStream({ ...options, keyId: short, key })).rejects.toBeInstanceOf(AssertionError);
    await expect(sealStream({ ...options, keyId, key: short })).rejects.toBeInstanceOf(AssertionError);
  });

  test('refuses to seal a file onto itself, and leaves it alone', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'letter');
      await writeFile(path, 'Dear Sir');
      const options = { source: readPieces(path), inputPath: path, output: path, keyId, key, meterOptions };
      await expect(sealStream({ ...options, recipients: [] })).rejects.toMatchObject({
        code: 'OUTPUT_EXISTS',
      });
      expect(await readFile(path, 'utf8')).toBe('Dear Sir');
    });
  });

  test('killed on the way leaves what was there, and a partial file that says what it is', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'sealed');
      await writeFile(output, 'before');
      const child = spawn(process.execPath, [sealChild, output, String(2 ** 30)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      const [, signal] = (await once(child, 'exit')) as [number | null, string];
      expect(signal).toBe('SIGKILL');
      expect(await readFile(output, 'utf8')).toBe('before');
      expect((await readdir(folder)).sort()).toEqual([expect.stringMatching(partial), 'sealed']);
    });
  });

  test('removes what killed runs left of that output, and no partial file of a live one, another machine or output', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'sealed');
      const seals = await Promise.all(
        [output, `${output}.too`, output].map(async path => {
          const child = spawn(process.execPath, [sealChild, path, String(2 ** 40)], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          await once(child.stdout, 'data');
          return child;
        }),
      );
      const [killed, other, live] = seals as [(typeof seals)[0], (typeof seals)[0], (typeof seals)[0]];
      for (const child of [killed, other, live]) child.kill('SIGSTOP');
      const left = await readdir(folder);
      const nameOf = ({ pid }: { pid?: number | undefined }): string =>
        left.find(name => name.includes(`-${pid}-`))!;
      const foreign = nameOf(killed).replace(/skerry-[0-9a-f]{8}/, 'skerry-00000000');
      await writeFile(join(folder, foreign), '');
      for (const child of [killed, other]) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      try {
        const options = { source: piecesOf(patternOf(10)), output, keyId, key, recipients: [], meterOptions };
        await (await sealStream(options)).discard();
        expect((await readdir(folder)).sort()).toEqual([nameOf(live), nameOf(other), foreign].sort());
      } finally {
        live.kill('SIGKILL');
        await once(live, 'exit');
      }
    });
  });

  test('on a disk without room is FILE_UNREADABLE and leaves nothing behind', async () => {
    await inFolder(async folder => {
      // A limit on a file's size stands in for a full disk: write(2) fails in the same place.
      const script = `ulimit -f 1000; exec "$0" "$@"`;
      const child = run('sh', [
        '-c',
        script,
        process.execPath,
        sealChild,
        join(folder, 'sealed'),
        String(2 ** 23),
      ]);
      await expect(child).rejects.toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/FILE_UNREADABLE$/),
      });
      expect(await readdir(folder)).toEqual([]);
    });
  });
});

describe('opening to stdout', () => {
  test('writes the whole plaintext, or nothing', async () => {
    await inFolder(async folder => {
      const input = join(folder, 'sealed');
      const plaintext = patternOf(2 ** 20 + 5);
      const sealed = await sealBytes(plaintext);
      await writeFile(input, sealed);
      const { stdout } = await runForBytes(process.execPath, [openChild, input, toHex(key)], inBytes);
      expect(stdout.equals(plaintext)).toBe(true);
      sealed[sealed.length - 1]! ^= 1;
      await writeFile(input, sealed);
      const refused = runForBytes(process.execPath, [openChild, input, toHex(key)], inBytes);
      await expect(refused).rejects.toMatchObject({ code: 1, stdout: Buffer.alloc(0) });
    });
  });
});
