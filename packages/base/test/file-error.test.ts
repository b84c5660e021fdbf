import { expect, test } from 'vitest';
import { fileError } from '../index.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the system puts it`), { code });
}

test('a file error says which file, why and what to do', () => {
  const error = fileError('a/b', 'write', systemError('ENOENT'));
  expect(error).toMatchObject({ code: 'FILE_UNREADABLE', metadata: { path: 'a/b', reason: 'ENOENT' } });
  expect(fileError('a/b', 'read', systemError('ENOENT')).message).toContain(
    'read a/b: there is no such file',
  );
  expect(error.message).toBe(
    'cannot write a/b: there is no such folder; check the path, its rights and the free space',
  );
});

test('a file error names a standard stream, and a reason that it has no words for', () => {
  expect(fileError('-', 'read', systemError('EXDEV')).message).toContain(
    'standard input: the system says EXDEV',
  );
  expect(fileError('-', 'write', 'no error at all').message).toContain(
    'standard output: the system says UNKNOWN',
  );
});
