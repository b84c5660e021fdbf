import { assert, wipe } from '@skerry/base';
import { createMeter, type EntropyReport, type MeterOptions, meterStream } from '@skerry/entropy';
import { makeHeader } from './header.ts';
import { encryptPayload } from './payload.ts';
import { type Output, type StagedFile, stageFile } from './staged-file.ts';

/** What `sealStream` needs. */
export type SealOptions = {
  /** The plaintext, in pieces of any length; ended by `sealStream`. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Its path, if it has one, so that it is not overwritten. */
  readonly inputPath?: string;
  /** Where the sealed file goes when it is committed. */
  readonly output: Output;
  /** 32 bytes: names K. */
  readonly keyId: Uint8Array;
  /** K, 32 random bytes; stays the caller's. */
  readonly key: Uint8Array;
  /** `age1...` strings: whoever has one of their identities opens the file without Skerry. */
  readonly recipients: readonly string[];
  /**
   * How the plaintext's entropy is measured. Always in blocks: the mean, and so the risk, is what it would be rolling,
   * at twice the speed (docs/adr/0004-sealed-files.md).
   */
  readonly meterOptions: Omit<MeterOptions, 'mode'>;
};

/** A sealed file that waits, complete, for its key to be safely deposited. */
export type SealedFile = StagedFile & {
  /** Bytes of plaintext. */
  readonly bytes: number;
  /** The plaintext's entropy: what its key is to be dealt by. */
  readonly report: EntropyReport;
};

/**
 * Seals in one pass: measures the plaintext and encrypts it to an age v1 file under a fresh file key, which K wraps.
 * Afterwards the sealed file is on the disk beside its place and not yet in it: deal K by `report`, then `commit`;
 * or `discard`. The header comes first in the file and needs only keyId and K, neither of which depends on the
 * entropy measured (docs/adr/0004-sealed-files.md).
 *
 * @throws RECIPIENT_INVALID where age takes no such recipient, before anything is read or written
 * @throws OUTPUT_EXISTS where the output is the input, or is there and no regular file
 * @throws FILE_UNREADABLE where reading or writing fails
 * @throws WINDOW_INVALID, RISK_SCALE_INVALID where `meterOptions` are wrong
 * @throws whatever `source` throws; in each case nothing is left behind
 *
 * @example
 * const sealed = await sealStream({
 *   source: readPieces('letter.txt'), inputPath: 'letter.txt', output: 'letter.sealed',
 *   keyId, key, recipients: [], meterOptions: {},
 * });
 * await deal(keyId, key, sealed.report);
 * await sealed.commit();
 */
export async function sealStream(options: SealOptions): Promise<SealedFile> {
  const { source, inputPath, output, keyId, key, recipients, meterOptions } = options;
  assert(keyId.length === 32, 'a keyId is 32 bytes');
  assert(key.length === 32, 'the key of a sealed file is 32 bytes');
  const meter = createMeter({ ...meterOptions, mode: 'block' });
  const header = await makeHeader(keyId, key, recipients);
  async function* sealed(): AsyncGenerator<Uint8Array, void, void> {
    yield header.bytes;
    yield* encryptPayload(header.fileKey, meterStream(meter)(source));
  }
  try {
    const staged = await stageFile(sealed(), output, inputPath);
    const report = meter.report();
    return { ...staged, bytes: report.bytes, report };
  } finally {
    wipe(header.fileKey);
  }
}
