import { createHash } from 'node:crypto';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/** Bytes that a path of a unix socket may have (sun_path of Linux, with its ending zero; other systems have 104). */
const pathBytesMax = 103;

/**
 * Where the daemon of a home listens: `skerry.sock` in it, or, where that path is too long for a socket, a name in
 * /tmp that follows from home and user.
 *
 * @param home the home directory
 */
export function socketPath(home: string): string {
  const path = join(resolve(home), 'skerry.sock');
  if (Buffer.byteLength(path) <= pathBytesMax) return path;
  const digest = createHash('sha256').update(resolve(home)).digest('hex').slice(0, 24);
  return `/tmp/skerry-${userInfo().uid}-${digest}.sock`;
}
