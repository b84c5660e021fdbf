import { type Risk, SkerryError, wipe } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import type { EntropyReport } from '@skerry/entropy';
import type { Deal, KeySlot, OpenedKey, Protection } from '@skerry/node';
import {
  type Output,
  openStream,
  readPieces,
  readPlaintext,
  readSealedHeader,
  type SealOptions,
  sealStream,
} from '@skerry/sealing';
import type { Sourced } from './configuration.ts';
import type { KeyDocument } from './key-document.ts';
import { chooseRisk } from './risk-choice.ts';

/** What deals and opens keys: a node in this process, or a daemon that is spoken to. */
type KeyService = {
  readonly reserveKey: () => KeySlot | Promise<KeySlot>;
  readonly deal: (slot: KeySlot, key: Uint8Array, protection: Protection) => Promise<Pick<Deal, 'placement'>>;
  readonly open: (keyId: Uint8Array, grant?: Uint8Array) => Promise<OpenedKey>;
};

/** What is asked of a seal. */
type SealRequest = {
  readonly source: AsyncIterable<Uint8Array>;
  readonly inputPath?: string;
  readonly output: Output;
  readonly recipients: readonly string[];
  readonly meterOptions: SealOptions['meterOptions'];
  /** The level asked for by hand; the measured one where it is left out. */
  readonly risk?: Risk;
  /** The configured minimum, under which nothing is sealed. */
  readonly riskMinimum: Sourced<Risk>;
  readonly acceptReduced: boolean;
  /** Called between measuring and dealing, with the level that the key is dealt at. */
  readonly onMeasured?: (report: EntropyReport, risk: Risk) => Promise<void>;
};

/** A file that is sealed. */
type Sealed = {
  readonly keyId: Uint8Array;
  readonly report: EntropyReport;
  readonly risk: Risk;
  /** The level asked for is lower than the one measured. */
  readonly downgraded: boolean;
};

/** A file that is sealed and whose key is safely deposited. */
export type SealResult = Sealed & Pick<Deal, 'placement'>;

/**
 * Meters and encrypts a file in one pass under a key, has that key protected by what was measured, and only then lets
 * the output appear. On any error there is no output.
 *
 * @param protect what becomes of the key before that
 */
async function sealBy<T>(
  { keyId, key }: { readonly keyId: Uint8Array; readonly key: Uint8Array },
  request: SealRequest,
  protect: (risk: Risk, report: EntropyReport) => Promise<T>,
): Promise<Sealed & { readonly protection: T }> {
  const { inputPath, riskMinimum, onMeasured, acceptReduced: _, risk: asked, ...options } = request;
  const path = inputPath === undefined ? {} : { inputPath };
  const sealed = await sealStream({ ...options, ...path, keyId, key });
  try {
    const { report } = sealed;
    const { risk, downgraded } = chooseRisk(report.risk, riskMinimum, asked);
    await onMeasured?.(report, risk);
    const protection = await protect(risk, report);
    await sealed.commit();
    return { keyId, report, risk, downgraded, protection };
  } catch (error) {
    await sealed.discard();
    throw error;
  }
}

/**
 * Seals a file in one pass: meters and encrypts it, deals its key by what was measured, and only then lets the output
 * appear. On any error there is no output and no activated key.
 *
 * @throws what `sealStream` and `KeyService.deal` throw, RISK_BELOW_MINIMUM
 */
export async function sealFile(
  keys: Pick<KeyService, 'reserveKey' | 'deal'>,
  request: SealRequest,
): Promise<SealResult> {
  const slot = await keys.reserveKey();
  const key = nodeRandom.bytes(32);
  const { acceptReduced } = request;
  try {
    const { protection: deal, ...result } = await sealBy({ ...slot, key }, request, async (risk, report) =>
      keys.deal(slot, key, { risk, acceptReduced, measuredRisk: report.risk, kind: 'sealed' }),
    );
    return { ...result, ...deal };
  } finally {
    wipe(key);
  }
}

/** What seals more files under keys that are there. */
export type KeyKeeper = Pick<KeyService, 'open' | 'reserveKey' | 'deal'> & {
  /** Has a key protected as a level asks for, if it is not: dealt anew where that is more than it was dealt for. */
  readonly raise: (keyId: Uint8Array, risk: Risk, acceptReduced: boolean) => Promise<KeyDocument>;
  /** Says that another key took a key's place. */
  readonly succeed: (keyId: Uint8Array, successor: Uint8Array) => Promise<void>;
};

/**
 * Seals a file under a key that is there, which is then protected as the most sensitive of what is under it asks for.
 *
 * @throws FILE_KEY_MISMATCH for a key that is not 32 bytes; what `sealStream`, `KeyService.open` and a new deal throw
 */
export async function sealUnder(
  keys: Pick<KeyKeeper, 'open' | 'raise'>,
  keyId: Uint8Array,
  request: SealRequest,
): Promise<Sealed & { readonly document: KeyDocument }> {
  const { key } = await keys.open(keyId);
  try {
    if (key.length !== 32)
      throw new SkerryError('FILE_KEY_MISMATCH', 'files are sealed under keys of 32 bytes');
    const { protection: document, ...result } = await sealBy({ keyId, key }, request, async risk =>
      keys.raise(keyId, risk, request.acceptReduced),
    );
    return { ...result, document };
  } finally {
    wipe(key);
  }
}

/**
 * Seals what a sealed file holds under a new key, which then succeeds the old one; the plaintext is on no disk.
 *
 * @param input the sealed file's path, or a stream of it
 * @throws what `readSealedHeader`, `KeyService.open`, `readPlaintext` and `sealFile` throw
 */
export async function resealFile(
  keys: KeyKeeper,
  input: string | AsyncIterable<Uint8Array>,
  request: Omit<SealRequest, 'source' | 'inputPath'>,
): Promise<SealResult & { readonly formerKeyId: Uint8Array }> {
  const header = await readSealedHeader(typeof input === 'string' ? readPieces(input) : input);
  const { keyId: formerKeyId } = header;
  const { key } = await keys.open(formerKeyId).catch(async (error: unknown) => {
    await header.close();
    throw error;
  });
  try {
    const source = readPlaintext(header, key);
    const path = typeof input === 'string' ? { inputPath: input } : {};
    const result = await sealFile(keys, { ...request, ...path, source });
    await keys.succeed(formerKeyId, result.keyId);
    return { ...result, formerKeyId };
  } finally {
    wipe(key);
    await header.close();
  }
}

/** A sealed file that was opened. */
export type UnsealResult = {
  readonly keyId: Uint8Array;
  readonly bytes: number;
  /** Sets of holders that were asked. */
  readonly sets: number;
  /** From the request to the opened key, ms. */
  readonly keyMs: number;
};

/**
 * Opens a sealed file; the output appears only when every byte was verified.
 *
 * @param input the sealed file's path, or a stream of it
 * @throws what `readSealedHeader`, `KeyService.open` and `openStream` throw
 */
export async function unsealFile(
  keys: KeyService,
  input: string | AsyncIterable<Uint8Array>,
  output: Output,
  grant?: Uint8Array,
): Promise<UnsealResult> {
  const header = await readSealedHeader(typeof input === 'string' ? readPieces(input) : input);
  const startMs = performance.now();
  const { key, sets } = await keys.open(header.keyId, grant).catch(async (error: unknown) => {
    await header.close();
    throw error;
  });
  const keyMs = performance.now() - startMs;
  try {
    const { bytes } = await openStream({
      header,
      key,
      output,
      ...(typeof input === 'string' && { inputPath: input }),
    });
    return { keyId: header.keyId, bytes, sets, keyMs };
  } finally {
    wipe(key);
  }
}
