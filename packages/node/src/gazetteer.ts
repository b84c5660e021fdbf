import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { SkerryError } from '@skerry/base';
import { createGazetteer, type Gazetteer } from '@skerry/placement';

/**
 * The gazetteer that comes with @skerry/placement, read and unpacked: some tens of milliseconds and megabytes, so
 * call it when a place is asked for and drop it after.
 *
 * @throws FILE_UNREADABLE when the file is missing or does not unpack: the installation is broken
 */
export async function loadGazetteer(): Promise<Gazetteer> {
  const path = fileURLToPath(import.meta.resolve('@skerry/placement/data/places.br'));
  let text: string;
  try {
    const bytes = await promisify(brotliDecompress)(await readFile(path));
    text = bytes.toString('utf8');
  } catch (cause) {
    throw new SkerryError('FILE_UNREADABLE', 'the gazetteer could not be read', { path }, cause);
  }
  return createGazetteer(text);
}
