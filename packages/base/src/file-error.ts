import { SkerryError } from './errors.ts';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  ENOSPC: 'no space is left on the device',
  EROFS: 'the file system is read-only',
  ELOOP: 'the path has too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
};

/**
 * FILE_UNREADABLE for a file that the system would not read or write, saying which and why.
 *
 * @param path as it was given; '-' stands for a standard stream
 * @param verb what was tried
 * @param cause the system's error; its `code`, such as ENOENT, is the metadata's `reason`
 * @returns the error, to be thrown
 */
export function fileError(path: string, verb: 'read' | 'write', cause: unknown): SkerryError {
  const name = path === '-' ? `standard ${verb === 'read' ? 'input' : 'output'}` : path;
  const reason = codeOf(cause);
  const noFolder = verb === 'write' && reason === 'ENOENT';
  const what = noFolder ? 'there is no such folder' : (reasons[reason] ?? `the system says ${reason}`);
  const advice =
    verb === 'read' ? 'check its path and rights' : 'check the path, its rights and the free space';
  return new SkerryError(
    'FILE_UNREADABLE',
    `cannot ${verb} ${name}: ${what}; ${advice}`,
    { path, reason },
    cause,
  );
}
