import type { Log } from '@skerry/base';

/** How long a process with a bug may take to end in order, ms; then it just ends. */
const bugEndMs = 15_000;

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Does the work of a process that stays until it is told to end.
 *
 * @param log gets what nobody caught
 * @param work gets a promise of the signal that asks the process to end, SIGTERM or Ctrl-C. An error or rejection that
 *   nobody caught is a bug: the promise rejects with it, so that the process stops in order and exits 1, which it
 *   does in `bugEndMs` whatever else happens.
 */
export async function untilSignalled(log: Log, work: (stopping: Promise<string>) => Promise<void>) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => undefined); // heard when the work gets that far
  const endOnBug = (error: unknown, origin: string): void => {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('a bug: the process stops', { origin, reason });
    setTimeout(() => process.exit(1), bugEndMs).unref();
    reject(error);
  };
  process.once('uncaughtException', endOnBug);
  for (const signal of signals) process.once(signal, resolve);
  try {
    await work(promise);
  } finally {
    process.off('uncaughtException', endOnBug);
    for (const signal of signals) process.off(signal, resolve);
  }
}
