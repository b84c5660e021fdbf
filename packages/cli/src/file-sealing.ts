import { type Risk, wipe } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import type { EntropyReport } from '@skerry/entropy';
import type { Deal, KeySlot, OpenedKey, Protection } from '@skerry/node';
import {
  type Output,
  openStream,
  readPieces,
  readSealedHeader,
  type SealOptions,
  sealStream,
} from '@skerry/sealing';
import type { Sourced } from './configuration.ts';
import { chooseRisk } from './risk-choice.ts';

/** What deals and opens keys: a node in this process, or a daemon that is spoken to. */
export type KeyService = {
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

/** A file that is sealed and whose key is safely deposited. */
export type SealResult = Pick<Deal, 'placement'> & {
  readonly keyId: Uint8Array;
  readonly report: EntropyReport;
  readonly risk: Risk;
  /** The level asked for is lower than the one measured. */
  readonly downgraded: boolean;
};

/**
 * Seals a file in one pass: meters and encrypts it, deals its key by what was measured, and only then lets the output
 * appear. On any error there is no output and no activated key.
 *
 * @throws what `sealStream` and `KeyService.deal` throw, RISK_BELOW_MINIMUM
 */
export async function sealFile(keys: KeyService, request: SealRequest): Promise<SealResult> {
  const { source, inputPath, output, recipients, meterOptions, riskMinimum, acceptReduced } = request;
  const slot = await keys.reserveKey();
  const key = nodeRandom.bytes(32);
  try {
    const path = inputPath === undefined ? {} : { inputPath };
    const sealed = await sealStream({
      source,
      ...path,
      output,
      keyId: slot.keyId,
      key,
      recipients,
      meterOptions,
    });
    try {
      const { report } = sealed;
      const { risk, downgraded } = chooseRisk(report.risk, riskMinimum, request.risk);
      await request.onMeasured?.(report, risk);
      const protection = { risk, acceptReduced, measuredRisk: report.risk, kind: 'sealed' } as const;
      const deal = await keys.deal(slot, key, protection);
      await sealed.commit();
      return { ...deal, keyId: slot.keyId, report, risk, downgraded };
    } catch (error) {
      await sealed.discard();
      throw error;
    }
  } finally {
    wipe(key);
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
