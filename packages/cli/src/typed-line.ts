import { SkerryError, wipe } from '@skerry/base';
import { type Io, writeText } from './io.ts';

const keys = {
  interrupt: 0x03,
  end: 0x04,
  erase: [0x08, 0x7f],
  eraseLine: 0x15,
  enter: [0x0a, 0x0d],
} as const;

/** Whether a byte is within a character of UTF-8 and not its first. */
const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** A line as it is typed: bytes go in one by one, and none is ever in a string. */
function createLine(bytesMax: number) {
  const bytes = new Uint8Array(bytesMax + 1);
  let length = 0;
  return {
    /** A line over its length keeps one byte too many, so that it is refused and not cut. */
    add: (byte: number): void => {
      if (length < bytes.length) bytes[length++] = byte;
    },
    eraseCharacter: (): void => {
      while (length > 0 && isContinuation(bytes[--length]!));
    },
    eraseAll: (): void => {
      length = 0;
    },
    /** What was typed, the caller's to wipe; the line is empty again. */
    take: (): Uint8Array => {
      const taken = bytes.slice(0, length);
      wipe(bytes);
      length = 0;
      return taken;
    },
  };
}

/**
 * Asks for lines at the terminal, with what is typed not shown: one for each prompt. Backspace and Ctrl-U work as they
 * do elsewhere; Ctrl-C and Ctrl-D end it.
 *
 * @param prompts written to standard error
 * @param bytesMax bytes of a line; a longer one comes back one byte too long
 * @returns the lines, without their ends, the caller's to wipe
 * @throws PASSPHRASE_NEEDED where standard input is no terminal, or the typing was broken off
 */
export async function askHidden(
  { stdin, stderr }: Pick<Io, 'stdin' | 'stderr'>,
  prompts: readonly string[],
  bytesMax: number,
): Promise<Uint8Array[]> {
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) {
    throw new SkerryError('PASSPHRASE_NEEDED', 'no passphrase can be typed here: give --passphrase-file');
  }
  const lines: Uint8Array[] = [];
  const line = createLine(bytesMax);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const breakOff = (): void => reject(new SkerryError('PASSPHRASE_NEEDED', 'no passphrase was typed'));
  const prompt = async (): Promise<void> => writeText(stderr, prompts[lines.length]!);
  let last = 0;
  function take(byte: number): void {
    const isSecondOfPair = byte === 0x0a && last === 0x0d;
    last = byte;
    if (lines.length === prompts.length || isSecondOfPair) return;
    if (byte === keys.interrupt || byte === keys.end) breakOff();
    else if (byte === keys.eraseLine) line.eraseAll();
    else if (keys.erase.includes(byte as 8)) line.eraseCharacter();
    else if (!keys.enter.includes(byte as 10)) line.add(byte);
    else {
      lines.push(line.take());
      stderr.write('\n');
      if (lines.length === prompts.length) resolve();
      else prompt().catch(reject);
    }
  }
  const onData = (chunk: Uint8Array): void => {
    for (const byte of chunk) take(byte);
    wipe(chunk);
  };
  stdin.setRawMode(true);
  stdin.on('data', onData).on('end', breakOff).on('error', breakOff);
  try {
    await prompt();
    await promise;
    return lines;
  } catch (error) {
    wipe(line.take(), ...lines);
    throw error;
  } finally {
    stdin.off('data', onData).off('end', breakOff).off('error', breakOff);
    stdin.setRawMode(false);
    stdin.pause(); // or it keeps the process
  }
}
