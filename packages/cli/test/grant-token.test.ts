import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { grantBytesMax } from '../parameters.ts';
import { readGrant } from '../src/grant-token.ts';
import { documentIn, run } from './captured-run.ts';
import { createFolder } from './folder.ts';

const token = Buffer.from('{"payload":"?>"}').toString('base64url');
const stdin = Readable.from([]);

describe('a grant', () => {
  test.each([
    ['--uses', '0'],
    ['--uses', '1000001'],
    ['--for', '0s'],
    ['--for', '61m'],
    ['--for', '10'],
  ])('with %s %s is no command line, and no daemon is asked', async (...flags) => {
    const result = await run(['grant', 'key', '--to', 'node', ...flags, '--json']);
    expect(documentIn(result)).toMatchObject({ error: { code: 'USAGE' } });
    expect(result.exitCode).toBe(2);
  });

  test('is the same on the command line, in a file and on standard input', async () => {
    using folder = createFolder();
    writeFileSync(folder.path('grant'), `${token}\n`);
    const grants = [
      await readGrant({ grant: token }, { stdin }),
      await readGrant({ grantFile: folder.path('grant') }, { stdin }),
      await readGrant({ grantFile: '-' }, { stdin: Readable.from([Buffer.from(`${token}\n`)]) }),
    ];
    for (const grant of grants) expect(Buffer.from(grant!).toString()).toBe('{"payload":"?>"}');
    expect(await readGrant({}, { stdin })).toBeUndefined();
  });

  test('that is empty, no token or too long is refused, and never taken for none', async () => {
    using folder = createFolder();
    for (const content of ['', '\n', `${token} ${token}`, '{"token":1}', 'a'.repeat(grantBytesMax + 1)]) {
      writeFileSync(folder.path('grant'), content);
      await expect(readGrant({ grantFile: folder.path('grant') }, { stdin })).rejects.toMatchObject({
        code: 'GRANT_INVALID',
      });
    }
    await expect(readGrant({ grant: '' }, { stdin })).rejects.toMatchObject({ code: 'GRANT_INVALID' });
  });

  test('is given in one way, and not where the sealed file comes from', async () => {
    const both = await run(['key', 'open', 'a', '--grant', token, '--grant-file', '-']);
    expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('USAGE') });
    const twice = await run(['open', '-', '-o', 'out', '--grant-file', '-']);
    expect(twice).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('USAGE') });
    const none = await run(['key', 'open', 'a', '--grant-file', '/nonexistent/grant']);
    expect(none).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('FILE_UNREADABLE') });
  });
});
