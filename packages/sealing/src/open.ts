import { wipe } from '@skerry/base';
import type { SealedHeader } from './header.ts';
import { decryptPayload } from './payload.ts';
import { type Output, stageFile } from './staged-file.ts';

/** What `openStream` needs. */
export type OpenOptions = {
  /** From `readSealedHeader`; afterwards it is closed. */
  readonly header: SealedHeader;
  /** K, the key that `header.keyId` names; stays the caller's. */
  readonly key: Uint8Array;
  /** Where the plaintext goes. */
  readonly output: Output;
  /** The sealed file's path, if it has one, so that it is not overwritten. */
  readonly inputPath?: string;
};

/**
 * The plaintext of a sealed file, for who passes it on and does nothing final before the end: each piece was verified
 * when it comes, and that nothing was cut off only when the last one has.
 *
 * @param header from `readSealedHeader`; afterwards it is closed
 * @param key K, the key that `header.keyId` names; stays the caller's
 * @throws FILE_KEY_MISMATCH, SEALED_FILE_MALFORMED, FILE_UNREADABLE
 */
export async function* readPlaintext(
  header: SealedHeader,
  key: Uint8Array,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    const fileKey = await header.unwrap(key);
    try {
      yield* decryptPayload(fileKey, header.payload);
    } finally {
      wipe(fileKey);
    }
  } finally {
    await header.close();
  }
}

/**
 * Opens a sealed file: afterwards the output holds the whole plaintext, and every byte of header and payload was
 * verified before the first of it appeared. On any error the output is as it was. An existing regular file is
 * replaced in one step.
 *
 * @returns bytes of plaintext
 * @throws FILE_KEY_MISMATCH where the key is another file's
 * @throws SEALED_FILE_MALFORMED where the file was cut, extended, reordered or altered
 * @throws OUTPUT_EXISTS where the output is the input, or is there and no regular file
 * @throws FILE_UNREADABLE where reading or writing fails
 *
 * @example
 * const header = await readSealedHeader(readPieces('letter.sealed'));
 * await openStream({ header, key: await fetchKey(header.keyId), output: 'letter.txt' });
 */
export async function openStream(options: OpenOptions): Promise<{ readonly bytes: number }> {
  const { header, key, output, inputPath } = options;
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of readPlaintext(header, key)) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  try {
    const staged = await stageFile(counted(), output, inputPath);
    await staged.commit();
  } finally {
    await header.close();
  }
  return { bytes };
}
