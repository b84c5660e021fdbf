import { type EntropyReport, type MeterOptions, measure } from '@skerry/entropy';
import type { Invocation } from './command.ts';
import { readInput } from './input-file.ts';

/**
 * The entropy of a file or of standard input, read once in constant memory, with progress on standard error.
 *
 * @param path a file, or '-'
 * @throws FILE_UNREADABLE, WINDOW_INVALID
 */
export async function measureInput(
  path: string,
  options: MeterOptions,
  { io, startProgress }: Pick<Invocation, 'io' | 'startProgress'>,
): Promise<EntropyReport> {
  const progress = startProgress();
  try {
    return await measure(readInput(path, io, progress), options);
  } finally {
    progress.clear();
  }
}
