/**
 * Resolves with the signal that asks the process to end: SIGTERM or Ctrl-C. Waiting for it does not keep the process:
 * one that has nothing else to do, for its start failed, ends.
 */
export async function untilSignalled(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  return promise;
}
