import { open } from 'node:fs/promises';
import { fileError, SkerryError, wipe } from '@skerry/base';
import { secretFileBytesMax } from '../parameters.ts';

/**
 * Whether nobody but a file's owner, or the user that systemd gave it to, may use it.
 *
 * @param status what the system says of the file
 */
export function isPrivate({ mode, uid, gid }: { mode: number; uid: number; gid: number }): boolean {
  if ((mode & 0o077) === 0) return true;
  // A credential of systemd: root's, with an ACL for the service's user that shows as rights of root's group
  // (docs/adr/0007-passphrases.md).
  return uid === 0 && gid === 0 && (mode & 0o037) === 0;
}

/**
 * The bytes of a file with a short secret that nobody else may read.
 *
 * @param path a file, or a pipe such as /dev/fd/3
 * @returns the caller's to wipe; of a longer file only `secretFileBytesMax` + 1 bytes, which is too long for any secret
 * @throws SECRET_EXPOSED where others may read it; FILE_UNREADABLE
 */
export async function readSecretFile(path: string): Promise<Uint8Array> {
  const buffer = new Uint8Array(secretFileBytesMax + 1);
  let length = 0;
  try {
    const file = await open(path, 'r');
    try {
      const status = await file.stat();
      if (status.isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
      if (!isPrivate(status)) {
        throw new SkerryError('SECRET_EXPOSED', `others can read ${path}: chmod 600 it`, { path });
      }
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        length += bytesRead;
        if (bytesRead === 0 || length === buffer.length) break;
      }
    } finally {
      await file.close();
    }
    return buffer.slice(0, length);
  } catch (cause) {
    throw cause instanceof SkerryError ? cause : fileError(path, 'read', cause);
  } finally {
    wipe(buffer);
  }
}
