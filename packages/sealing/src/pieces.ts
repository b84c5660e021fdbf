import { type FileHandle, open } from 'node:fs/promises';
import { fileError, SkerryError } from '@skerry/base';
import { readBytes } from '../parameters.ts';

/**
 * Reads a file in large pieces, the next while one is used; it is opened when the first is asked for. Two buffers
 * serve in turn, for a new one for each piece costs the garbage collector more than reading it.
 *
 * @param path of anything that can be read from its start
 * @returns pieces, each valid until the next is asked for
 * @throws FILE_UNREADABLE where it is missing or can't be read
 */
export async function* readPieces(path: string): AsyncGenerator<Uint8Array, void, void> {
  let [reading, other] = [new Uint8Array(readBytes), new Uint8Array(readBytes)];
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    let next = handle.read(reading);
    for (;;) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) return;
      [reading, other] = [other, reading];
      next = handle.read(reading);
      next.catch(() => undefined); // reported when it is asked for
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw coded(error, path, 'read');
  } finally {
    await handle?.close(); // once the read under way has ended
  }
}

/**
 * An error of the operating system as FILE_UNREADABLE; any other as it is.
 *
 * @param error what was thrown
 * @param path of what was read or written; '-' for a standard stream
 * @param verb which of these
 */
export function coded(error: unknown, path: string, verb: 'read' | 'write'): unknown {
  if (!(error instanceof Error) || error instanceof SkerryError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || (syscall === undefined && code !== 'ERR_STREAM_PREMATURE_CLOSE')) return error;
  return fileError(path, verb, error);
}
