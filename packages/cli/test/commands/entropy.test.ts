import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type EntropyReport, measure } from '@skerry/entropy';
import { describe, expect, it } from 'vitest';
import { documentIn, run } from '../captured-run.ts';
import { createFolder } from '../folder.ts';

/** Bytes that look random, the same each time. */
function noise(length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < length; index++) {
    blocks.push(createHash('sha256').update(String(index)).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

const sample = Buffer.concat([
  Buffer.alloc(20_000, 'a rock in the sea. '),
  noise(30_000),
  Buffer.alloc(9000),
]);

describe('skerry entropy', () => {
  it('reports what the meter does, of a file or of standard input', async () => {
    using folder = createFolder();
    writeFileSync(folder.path('sample'), sample);
    const expected = { ...(await measure([sample])), mode: 'rolling' };
    expect(documentIn(await run(['entropy', '--json', folder.path('sample')]))).toEqual(expected);
    for (const argv of [
      ['entropy', '--json'],
      ['entropy', '-', '--json'],
    ]) {
      expect(documentIn(await run(argv, { stdin: sample }))).toEqual(expected);
    }
  });

  it('takes window and mode', async () => {
    const argv = ['entropy', '--json', '--window', '1024', '--mode', 'block'];
    expect(documentIn(await run(argv, { stdin: sample }))).toEqual({
      ...(await measure([sample], { window: 1024, mode: 'block' })),
      mode: 'block',
    });
  });

  it('takes the window and the default risk from the configuration, and flags over it', async () => {
    const env = { SKERRY_WINDOW: '512', SKERRY_RISK_DEFAULT: 'high' };
    const reportOf = async (argv: string[], stdin: Uint8Array) =>
      documentIn(await run(['entropy', '--json', ...argv], { env, stdin })) as EntropyReport;
    expect((await reportOf([], sample)).window).toBe(512);
    expect((await reportOf(['--window', '2048'], sample)).window).toBe(2048);
    expect(await reportOf([], Buffer.from('short'))).toMatchObject({ risk: 'high', shannon: null });
  });

  it('refuses a window that the meter does', async () => {
    for (const window of ['0', '63', '16777217']) {
      const result = await run(['entropy', '--window', window, '--json'], { stdin: sample });
      expect(result.exitCode).toBe(2);
      expect(documentIn(result)).toMatchObject({ error: { code: 'WINDOW_INVALID' } });
    }
  });

  it('refuses what it cannot read, with the reason', async () => {
    using folder = createFolder();
    for (const [path, reason] of [
      [folder.path('absent'), 'ENOENT'],
      [folder.path('.'), 'EISDIR'],
    ] as const) {
      const result = await run(['entropy', '--json', path]);
      expect(result.exitCode).toBe(4);
      expect(documentIn(result)).toMatchObject({
        error: { code: 'FILE_UNREADABLE', kind: 'unavailable', metadata: { path, reason } },
      });
    }
  });

  it('shows figures and a plot with the thresholds', async () => {
    const { stdout, stderr, exitCode } = await run(['entropy'], { stdin: sample });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatch(/^standard input: 57\.6 KiB, rolling windows of 4 KiB\n/);
    expect(stdout).toMatch(/ 8 ┤.*[\u2801-\u28ff].*high\n/);
    expect(stdout).toMatch(/┤.*╌.* medium\n/);
    expect(stdout).toMatch(/ 0 B +57\.6 KiB\n/);
    expect(stdout).not.toContain('\u001b');
  });

  it('says that a short stream is not estimated', async () => {
    const { stdout } = await run(['entropy'], { stdin: Buffer.from('short') });
    expect(stdout).toContain('Too short for an estimate: risk medium, the configured default.');
  });

  it('colours a terminal only, and not with NO_COLOR', async () => {
    const shown = async (columns: number | undefined, env: Record<string, string>) =>
      (await run(['entropy'], { stdin: sample, env, ...(columns === undefined ? {} : { columns }) })).stdout;
    expect(await shown(80, {})).toContain('\u001b[');
    expect(await shown(80, { NO_COLOR: '1' })).not.toContain('\u001b');
    expect(await shown(80, { TERM: 'dumb' })).not.toContain('\u001b');
    expect(await shown(undefined, {})).not.toContain('\u001b');
  });

  it('writes a plot, and never over its input or over what is no file', async () => {
    using folder = createFolder();
    const [input, plot] = [folder.path('input'), folder.path('plot.svg')];
    writeFileSync(input, sample);
    const result = await run(['entropy', input, '--plot', plot, '--json']);
    expect(documentIn(result)).toMatchObject({ plot });
    expect(readFileSync(plot, 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
    for (const path of [input, folder.path('.')]) {
      const refused = await run(['entropy', input, '--plot', path]);
      expect(refused.exitCode).toBe(3);
      expect(refused.stderr).toMatch(/^skerry: OUTPUT_EXISTS: /);
    }
    expect(readFileSync(input).equals(sample)).toBe(true);
    expect((await run(['entropy', input, '--plot', folder.path('absent/plot.svg')])).exitCode).toBe(4);
  });
});
