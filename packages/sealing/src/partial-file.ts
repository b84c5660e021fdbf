import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { opendir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** UTF-16 units of the output's name in the partial's: at most 180 bytes, so that 255 hold the rest too. */
const nameLengthMax = 60;

/** Partial files of this process that are there or about to be. */
const ownPartials = new Set<string>();

/** Text that tells this machine, and the process ids that count in it, from others that may share a disk with it. */
function machineName(): string {
  const facts = [
    hostname,
    () => readFileSync('/etc/machine-id', 'utf8'),
    () => readlinkSync('/proc/self/ns/pid'),
  ].map(read => {
    try {
      return read();
    } catch {
      return ''; // only Linux has all three
    }
  });
  return createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 8);
}

/** Begins the names of partial files of an output that processes of this machine write. */
function prefixFor(output: string): string {
  return `.${basename(output).slice(0, nameLengthMax)}.skerry-${machineName()}-`;
}

/**
 * A new name beside an output for what is written before it: `.NAME.skerry-MACHINE-PID-RANDOM.partial`. Until
 * `forgetPartial` it counts as one of this process.
 */
export function namePartial(output: string): string {
  const name = `${prefixFor(output)}${process.pid}-${randomBytes(6).toString('hex')}.partial`;
  const path = join(dirname(output), name);
  ownPartials.add(path);
  return path;
}

/** The file is in its place, or gone. */
export function forgetPartial(path: string): void {
  ownPartials.delete(path);
}

/**
 * Removes, at once, every partial file that this process is writing: for a process that ends on a signal. What
 * writes them fails from here on.
 *
 * @example
 * process.once('SIGINT', () => {
 *   removePartials();
 *   process.kill(process.pid, 'SIGINT');
 * });
 */
export function removePartials(): void {
  for (const path of ownPartials) {
    try {
      rmSync(path, { force: true });
    } catch {
      // the process ends anyway, and the next one with this output tries again
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/**
 * Removes what killed processes of this machine left of an output. A process id that is in use again, or another
 * machine's, keeps its file, so that nobody's work is taken away.
 */
export async function removeStalePartials(output: string): Promise<void> {
  const prefix = prefixFor(output);
  const folder = await opendir(dirname(output)).catch(() => undefined); // one that may be written and not read
  if (folder === undefined) return;
  for await (const { name } of folder) {
    const pid =
      name.startsWith(prefix) && /^(\d+)-[0-9a-f]{12}\.partial$/.exec(name.slice(prefix.length))?.[1];
    if (!pid || isRunning(Number(pid))) continue;
    await rm(join(dirname(output), name), { force: true }).catch(() => undefined);
  }
}
