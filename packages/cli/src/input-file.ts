import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileError, SkerryError } from '@skerry/base';
import { readPieces } from '@skerry/sealing/pieces';
import type { Io } from './io.ts';
import { formatBytes, formatDuration } from './render/format.ts';
import type { Progress } from './render/progress.ts';

/** Says how much of a stream has passed, and, where its length is known, how long the rest will take. */
function describe(done: number, total: number | undefined, elapsedMs: number): string {
  const perSecond = (done / Math.max(1, elapsedMs)) * 1000;
  const rate = `${formatBytes(perSecond)}/s`;
  if (total === undefined || total < done) return `${formatBytes(done)} read, ${rate}`;
  const leftMs = ((total - done) / Math.max(1, perSecond)) * 1000;
  return `${formatBytes(done)} of ${formatBytes(total)}, ${rate}, ${formatDuration(leftMs)} left`;
}

/**
 * The bytes of a file, piece by piece, with progress. A piece is valid until the next is asked for.
 *
 * @param path a file, or '-' for standard input
 * @param io for standard input
 * @param progress shown while reading; the caller clears it
 * @throws FILE_UNREADABLE when it cannot be read
 */
export async function* readInput(path: string, io: Io, progress: Progress): AsyncGenerator<Uint8Array> {
  let done = 0;
  try {
    const total = path === '-' ? undefined : await sizeOf(path);
    const source = path === '-' ? openInput(io) : readPieces(path);
    for await (const chunk of source) {
      const bytes: Uint8Array = chunk;
      done += bytes.length;
      progress.show(elapsedMs => describe(done, total, elapsedMs));
      yield bytes;
    }
  } catch (cause) {
    throw cause instanceof SkerryError ? cause : fileError(path, 'read', cause);
  }
}

/** Standard input. Node takes a directory there for an empty stream; we do not. */
function openInput({ stdin }: Io): Io['stdin'] {
  if (stdin.fd !== undefined && fstatSync(stdin.fd).isDirectory()) {
    throw Object.assign(new Error('standard input is a directory'), { code: 'EISDIR' });
  }
  return stdin;
}

/** Bytes of a regular file; undefined for a pipe or a device. */
async function sizeOf(path: string): Promise<number | undefined> {
  const status = await stat(path);
  return status.isFile() ? status.size : undefined;
}
