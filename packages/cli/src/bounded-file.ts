import { createReadStream } from 'node:fs';
import { fileError } from '@skerry/base';

/**
 * A whole file as UTF-8, if it is no longer than it may be: nothing beyond that is read.
 *
 * @param source the path of a file or of anything that can be read to an end, or standard input
 * @param bytesMax bytes that it may have
 * @returns the text, or undefined where there is more
 * @throws FILE_UNREADABLE when it cannot be read
 */
export async function readBoundedText(
  source: string | AsyncIterable<Buffer>,
  bytesMax: number,
): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Leaving the loop closes the file.
    for await (const chunk of typeof source === 'string' ? createReadStream(source) : source) {
      const bytes: Buffer = chunk;
      chunks.push(bytes);
      length += bytes.length;
      if (length > bytesMax) return undefined;
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (cause) {
    throw fileError(typeof source === 'string' ? source : '-', 'read', cause);
  }
}
