import { stat, writeFile } from 'node:fs/promises';
import { fileError, SkerryError } from '@skerry/base';

/**
 * Holds from here on that writing a plot harms nothing: the path is free, or a regular file other than the input.
 *
 * @param path where the plot is to go
 * @param input what is measured, or '-'
 * @throws OUTPUT_EXISTS otherwise
 */
export async function checkPlotPath(path: string, input: string): Promise<void> {
  const [target, source] = await Promise.all([path, input].map(name => stat(name).catch(() => undefined)));
  if (target === undefined) return;
  if (!target.isFile() || (input !== '-' && target.ino === source?.ino && target.dev === source.dev)) {
    throw new SkerryError(
      'OUTPUT_EXISTS',
      `${path} is ${target.isFile() ? 'the input' : 'not a regular file'}; give another file for the plot`,
      { path },
    );
  }
}

/**
 * Writes a plot.
 *
 * @param path see `checkPlotPath`
 * @param svg the plot
 * @throws FILE_UNREADABLE when it cannot be written
 */
export async function writePlot(path: string, svg: string): Promise<void> {
  try {
    await writeFile(path, svg);
  } catch (cause) {
    throw fileError(path, 'write', cause);
  }
}
