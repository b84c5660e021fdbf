import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStream, readPieces, readSealedHeader } from '../index.ts';
import { chunkBytes, inFolder, key, patternOf, piecesOf, sealBytes } from './fixtures.ts';

/** A source that remembers whether it was ended. */
function watched(bytes: Uint8Array): { source: AsyncIterable<Uint8Array>; ended: () => boolean } {
  let ended = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* piecesOf(bytes, 1000);
    } finally {
      ended = true;
    }
  }
  return { source: source(), ended: () => ended };
}

describe('opening', () => {
  test('tells how many bytes there were', async () => {
    await inFolder(async folder => {
      const header = await readSealedHeader(piecesOf(await sealBytes(patternOf(chunkBytes + 5))));
      expect(await openStream({ header, key, output: join(folder, 'opened') })).toEqual({
        bytes: chunkBytes + 5,
      });
    });
  });

  test('leaves what was at the output where the last chunk does not verify', async () => {
    await inFolder(async folder => {
      const output = join(folder, 'opened');
      await writeFile(output, 'before');
      const sealed = await sealBytes(patternOf(3 * chunkBytes));
      sealed[sealed.length - 1]! ^= 1;
      const header = await readSealedHeader(piecesOf(sealed));
      await expect(openStream({ header, key, output })).rejects.toMatchObject({
        code: 'SEALED_FILE_MALFORMED',
      });
      expect(await readdir(folder)).toEqual(['opened']);
      expect(await readFile(output, 'utf8')).toBe('before');
    });
  });

  test('refuses to overwrite the sealed file', async () => {
    await inFolder(async folder => {
      const path = join(folder, 'sealed');
      const sealed = await sealBytes(patternOf(10));
      await writeFile(path, sealed);
      const header = await readSealedHeader(readPieces(path));
      const opening = openStream({ header, key, output: path, inputPath: path });
      await expect(opening).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
      expect((await readFile(path)).equals(sealed)).toBe(true);
    });
  });
});

describe('the source of a sealed file is ended', () => {
  const sealing = sealBytes(patternOf(2 * chunkBytes));

  test('when it was opened', async () => {
    await inFolder(async folder => {
      const { source, ended } = watched(await sealing);
      const header = await readSealedHeader(source);
      expect(ended()).toBe(false);
      await openStream({ header, key, output: join(folder, 'opened') });
      expect(ended()).toBe(true);
    });
  });

  test('when it could not be: another key, an output that is refused', async () => {
    await inFolder(async folder => {
      for (const [otherKey, output, code] of [
        [patternOf(32), join(folder, 'opened'), 'FILE_KEY_MISMATCH'],
        [key, folder, 'OUTPUT_EXISTS'],
      ] as const) {
        const { source, ended } = watched(await sealing);
        const header = await readSealedHeader(source);
        await expect(openStream({ header, key: otherKey, output })).rejects.toMatchObject({ code });
        expect(ended()).toBe(true);
      }
    });
  });

  test('when the caller closes it instead, twice too', async () => {
    const { source, ended } = watched(await sealing);
    const header = await readSealedHeader(source);
    await header.close();
    await header.close();
    expect(ended()).toBe(true);
  });
});
