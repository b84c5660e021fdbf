import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { type ErrorCode, SkerryError } from '@skerry/base';
import { openStream, readPieces, readSealedHeader, sealStream } from '../index.ts';

export const run = promisify(execFile);
export const chunkBytes = 65_536;
export const sealedChunkBytes = chunkBytes + 16;
export const keyId = Uint8Array.from({ length: 32 }, (_, i) => 200 + i);
export const key = Uint8Array.from({ length: 32 }, (_, i) => 3 * i);
export const meterOptions = {};

/** Runs `use` with a new folder, which is gone afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sealing-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Bytes that differ from place to place. */
export function patternOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 167 + (i >>> 8) * 13 + (i >>> 16)) & 255;
  return bytes;
}

/** A source that hands out `bytes` in pieces of `pieceBytes`. */
export async function* piecesOf(bytes: Uint8Array, pieceBytes = 1 << 20): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    yield bytes.subarray(start, start + pieceBytes);
  }
}

/** The sealed file of `plaintext`. */
export async function sealBytes(plaintext: Uint8Array, recipients: readonly string[] = []): Promise<Buffer> {
  const output = new PassThrough();
  const sealed = await sealStream({
    source: piecesOf(plaintext),
    output,
    keyId,
    key,
    recipients,
    meterOptions,
  });
  const [file] = await Promise.all([buffer(output), sealed.commit()]);
  return file;
}

/** What opening `sealed` gives: the plaintext, or the error's code where it is refused and nothing is left behind. */
export async function openBytes(sealed: Uint8Array, withKey: Uint8Array = key): Promise<Buffer | ErrorCode> {
  return inFolder(async folder => {
    const [input, output] = [join(folder, 'sealed'), join(folder, 'opened')];
    await writeFile(input, sealed);
    try {
      const header = await readSealedHeader(readPieces(input));
      await openStream({ header, key: withKey, output, inputPath: input });
      return await readFile(output);
    } catch (error) {
      if (!(error instanceof SkerryError)) throw error;
      const left = await readdir(folder);
      if (left.length !== 1) throw new Error(`left behind: ${left.join()}`, { cause: error });
      return error.code;
    }
  });
}

/** Where the payload's nonce starts in a sealed file. */
export function headerLength(sealed: Buffer): number {
  return sealed.indexOf('\n', sealed.indexOf('\n--- ') + 1) + 1;
}

/** An identity made by `age-keygen` in `folder`: its file and its recipient. */
export async function ageIdentity(folder: string): Promise<{ path: string; recipient: string }> {
  const path = join(folder, 'identity');
  await run('age-keygen', ['-o', path]);
  const { stdout } = await run('age-keygen', ['-y', path]);
  return { path, recipient: stdout.trim() };
}
