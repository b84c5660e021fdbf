import type { Log } from '@skerry/base';

/** How long a process with a bug may take to end in order, ms; then it just ends. */
const bugEndMs = 15_000;

/**
 * Resolves with the signal that asks the process to end: SIGTERM or Ctrl-C. Keeps it alive until then. An error or
 * rejection that nobody caught is a bug: it is logged, and this rejects with it, so that the process stops in order
 * and exits 1, which it does in `bugEndMs` whatever else happens.
 */
export async function untilSignalled(log: Log): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const endOnBug = (error: unknown, origin: string): void => {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error('a bug: the process stops', { origin, reason });
    setTimeout(() => process.exit(1), bugEndMs).unref();
    reject(error);
  };
  process.once('uncaughtException', endOnBug);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  const alive = setInterval(() => undefined, 60_000);
  try {
    return await promise;
  } finally {
    clearInterval(alive);
    process.off('uncaughtException', endOnBug);
  }
}
