import { type FileHandle, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assert, SkerryError } from '@skerry/base';
import { readBytes, writeBytes } from '../parameters.ts';
import { forgetPartial, namePartial, removeStalePartials } from './partial-file.ts';
import { coded } from './pieces.ts';

/** Where bytes are to go: the path of a file, or a stream such as `process.stdout`. */
export type Output = string | Writable;

/** Bytes that are complete on the disk, and not yet where they are to go. */
export type StagedFile = {
  /**
   * Puts the whole of it in its place. A path: the file is on the disk and then appears, in one step, in the place
   * of what was there, readable by its owner alone. A stream: everything was written and the stream ended
   * (`process.stdout` stays open). Called once.
   *
   * @throws FILE_UNREADABLE where that fails; a path is then as it was
   */
  readonly commit: () => Promise<void>;
  /** Leaves nothing behind. Does nothing after `commit`, or again. */
  readonly discard: () => Promise<void>;
};

/**
 * Writes `content` to a new file of mode 0600 and flushes it to the disk. For a path it is a hidden file beside it
 * (`namePartial`), which is all that a crash leaves behind, and which the next run with that output removes; for a
 * stream it has no name, so that a crash leaves nothing. `content` is asked for more only as fast as the disk takes it.
 *
 * @param content what to write
 * @param output where `commit` puts it
 * @param inputPath the file that `content` comes from, if one
 * @throws OUTPUT_EXISTS where the output is the input, or is there and no regular file
 * @throws FILE_UNREADABLE where reading or writing fails
 * @throws whatever `content` throws; in each case nothing is left behind
 */
export async function stageFile(
  content: AsyncIterable<Uint8Array>,
  output: Output,
  inputPath: string | undefined,
): Promise<StagedFile> {
  const onDisk = typeof output === 'string';
  try {
    if (onDisk) await refuseOutput(output, inputPath);
    if (onDisk) await removeStalePartials(output);
    const path = namePartial(onDisk ? output : join(tmpdir(), 'output'));
    const handle = await open(path, 'wx+', 0o600).catch((error: unknown) => {
      forgetPartial(path);
      throw error;
    });
    try {
      if (!onDisk) {
        await rm(path);
        forgetPartial(path);
      }
      await writeAll(handle, content);
      if (onDisk) await handle.sync();
      if (onDisk) await handle.close();
    } catch (error) {
      await release(handle, path);
      throw error;
    }
    return stagedFile(handle, path, output);
  } catch (error) {
    throw coded(error, onDisk ? output : tmpdir(), 'write');
  }
}

/** Writes pieces in order through two buffers: while one is written the other is filled. */
async function writeAll(handle: FileHandle, content: AsyncIterable<Uint8Array>): Promise<void> {
  let [filling, other] = [new Uint8Array(writeBytes), new Uint8Array(writeBytes)];
  let filled = 0;
  let writing = Promise.resolve();
  const startWriting = async (): Promise<void> => {
    await writing;
    writing = handle.writeFile(filling.subarray(0, filled)); // from where the last one ended
    writing.catch(() => undefined); // reported by whoever awaits it next
    [filling, other] = [other, filling];
    filled = 0;
  };
  try {
    for await (const piece of content) {
      for (let rest = piece; rest.length > 0; ) {
        const taken = rest.subarray(0, writeBytes - filled);
        filling.set(taken, filled);
        filled += taken.length;
        rest = rest.subarray(taken.length);
        if (filled === writeBytes) await startWriting();
      }
    }
    await startWriting();
    await writing;
  } finally {
    await Promise.allSettled([writing]); // so that the file is not closed under a write
  }
}

async function refuseOutput(path: string, inputPath: string | undefined): Promise<void> {
  const found = await lstat(path).catch(absent);
  if (found === undefined) return;
  if (!found.isFile()) throw new SkerryError('OUTPUT_EXISTS', 'the output exists and is not a regular file');
  const input = inputPath === undefined ? undefined : await stat(inputPath);
  if (input?.dev === found.dev && input.ino === found.ino) {
    throw new SkerryError('OUTPUT_EXISTS', 'the output is the input; give another name');
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function stagedFile(handle: FileHandle, path: string, output: Output): StagedFile {
  let settled = false;
  const discard = async (): Promise<void> => {
    if (settled) return;
    settled = true;
    await release(handle, path);
  };
  const commit = async (): Promise<void> => {
    assert(!settled, 'a staged file is committed or discarded once');
    try {
      if (typeof output === 'string') await place(path, output);
      else await pipeline(handle.createReadStream({ start: 0, highWaterMark: readBytes }), output);
      settled = true;
    } catch (error) {
      await discard();
      throw coded(error, typeof output === 'string' ? output : '-', 'write');
    }
  };
  return { commit, discard };
}

/** Renames the partial into place and flushes its folder, so that a power cut does not undo it. */
async function place(path: string, output: string): Promise<void> {
  const folder = await open(dirname(output), 'r');
  try {
    await rename(path, output);
    forgetPartial(path);
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function release(handle: FileHandle, path: string): Promise<void> {
  await handle.close().catch(() => undefined); // the error that brought us here is the one to tell
  await rm(path, { force: true }).catch(() => undefined);
  forgetPartial(path);
}
