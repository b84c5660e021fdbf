import { exitCodes, SkerryError } from '@skerry/base';
import { type Io, writeText } from './io.ts';
import { printable, toJsonLine } from './render/text.ts';

/** Exit code of a bug. */
const bugExitCode = 1;

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text.replace(/\s*\n\s*/g, ' '));
}

/** Error output has nowhere else to go: what cannot be written is lost, and the exit code still tells. */
async function writeAnyway(stream: Io['stderr'], text: string): Promise<void> {
  await writeText(stream, text).catch(() => {});
}

/**
 * Tells what went wrong: a line on standard error, or with --json a document on standard output. A bug also leaves
 * its stack on standard error.
 *
 * @param error what was thrown
 * @param json whether --json was given
 * @returns the exit code
 */
export async function reportFailure(error: unknown, json: boolean, io: Io): Promise<number> {
  const message = messageOf(error);
  if (error instanceof SkerryError) {
    const { code, kind, metadata } = error;
    if (json) await writeAnyway(io.stdout, toJsonLine({ error: { code, kind, message, metadata } }));
    else await writeAnyway(io.stderr, `skerry: ${code}: ${message}\n`);
    return exitCodes[kind];
  }
  if (json) {
    await writeAnyway(io.stdout, toJsonLine({ error: { code: 'BUG', kind: 'bug', message, metadata: {} } }));
  }
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  const lines = stack.split('\n').map(printable).join('\n');
  await writeAnyway(
    io.stderr,
    `skerry: BUG: ${message}; this is a fault in skerry, please report it with what follows\n${lines}\n`,
  );
  return bugExitCode;
}
