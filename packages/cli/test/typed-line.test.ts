import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { askHidden } from '../src/typed-line.ts';

/** A terminal at which this is typed, in these pieces; it remembers whether it was raw, and what it showed. */
function createTerminal() {
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => raw.push(isRaw),
  });
  const stderr = new PassThrough();
  let shown = '';
  stderr.on('data', (piece: Buffer) => (shown += piece.toString()));
  const ended = async (): Promise<string> => {
    stderr.end();
    await finished(stderr);
    return shown;
  };
  return { stdin, stderr, raw, ended };
}

async function typed(pieces: readonly (string | Uint8Array)[], prompts = ['? '], bytesMax = 20) {
  const terminal = createTerminal();
  const asking = askHidden(terminal, prompts, bytesMax);
  for (const piece of pieces) terminal.stdin.write(piece);
  try {
    return { lines: (await asking).map(line => Buffer.from(line).toString()), terminal };
  } finally {
    expect(terminal.raw).toEqual([true, false]);
    expect(terminal.stdin.listenerCount('data')).toBe(0);
    expect(terminal.stdin.isPaused()).toBe(true);
  }
}

describe('a line typed unseen', () => {
  test('comes without its end, and is not shown', async () => {
    const { lines, terminal } = await typed(['gan', 'net\r']);
    expect(lines).toEqual(['gannet']);
    expect(await terminal.ended()).toBe('? \n');
  });

  test('comes once for each prompt, also where all is pasted at once', async () => {
    for (const end of ['\r', '\n', '\r\n']) {
      const { lines, terminal } = await typed([`one${end}two${end}three`], ['a ', 'b ']);
      expect(lines).toEqual(['one', 'two']);
      expect(await terminal.ended()).toBe('a \nb \n');
    }
  });

  test('is mended by backspace, by whole characters, and by Ctrl-U', async () => {
    expect((await typed(['ab\u007fc\r'])).lines).toEqual(['ac']);
    expect((await typed(['aé🪨\b\u007f\u007f\u007f\u007fb\r'])).lines).toEqual(['b']);
    expect((await typed(['wrong\u0015right\r'])).lines).toEqual(['right']);
  });

  test('is a byte too long where it is too long, and never cut to fit', async () => {
    const { lines } = await typed(['x'.repeat(50), '\r'], ['? '], 20);
    expect(lines).toEqual(['x'.repeat(21)]);
  });

  test.each(['abc\u0003', '\u0004'])('is broken off by Ctrl-C and Ctrl-D: %j', async piece => {
    await expect(typed([piece])).rejects.toMatchObject({ code: 'PASSPHRASE_NEEDED', kind: 'invalid' });
  });

  test('is broken off where the terminal goes away', async () => {
    const terminal = createTerminal();
    const asking = askHidden(terminal, ['? '], 20);
    terminal.stdin.end('abc');
    await expect(asking).rejects.toMatchObject({ code: 'PASSPHRASE_NEEDED' });
  });

  test('is not waited for where there is no terminal', async () => {
    const terminal = createTerminal();
    await expect(askHidden({ ...terminal, stdin: new PassThrough() }, ['? '], 20)).rejects.toMatchObject({
      code: 'PASSPHRASE_NEEDED',
    });
    expect(await terminal.ended()).toBe('');
  });
});
