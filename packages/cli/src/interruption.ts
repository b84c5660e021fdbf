import { removePartials } from '@skerry/sealing';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does work that writes files; a signal that ends the process meanwhile first takes away what is not whole. The
 * process then ends by that signal, as its parent expects.
 *
 * @param work what a command does
 */
export async function cleanlyInterrupted<T>(work: () => Promise<T>): Promise<T> {
  const end = (signal: NodeJS.Signals): void => {
    removePartials();
    for (const name of signals) process.off(name, end);
    process.kill(process.pid, signal);
  };
  for (const name of signals) process.on(name, end);
  try {
    return await work();
  } finally {
    for (const name of signals) process.off(name, end);
  }
}
