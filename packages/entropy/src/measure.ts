import { createMeter, type EntropyReport, type Meter, type MeterOptions } from './meter.ts';

/** Byte chunks from anywhere: a Node stream, a generator, an array. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * A transform (in the manner of it-pipe) that lets chunks through untouched, each after the meter has seen it.
 *
 * @param meter the caller's, to ask while the stream runs or after it
 */
export function meterStream(meter: Meter): (source: ByteSource) => AsyncGenerator<Uint8Array> {
  return async function* (source) {
    for await (const chunk of source) {
      meter.update(chunk);
      yield chunk;
    }
  };
}

/**
 * Reads a source to its end and reports its entropy.
 *
 * @param source its chunks stay the caller's; its errors pass through
 * @param options see `MeterOptions`
 * @throws SkerryError as `createMeter`
 * @example
 * const report = await measure([new Uint8Array(4096)]);
 * report.risk; // 'low'
 */
export async function measure(source: ByteSource, options: MeterOptions = {}): Promise<EntropyReport> {
  const meter = createMeter(options);
  for await (const chunk of source) meter.update(chunk);
  return meter.report();
}
