/** What was opened one after the other, to be closed in the opposite order. */
export type Closers = {
  /** Notes how to close what was just opened. */
  readonly add: (close: () => Promise<void>) => void;
  /**
   * Closes everything; what fails to close keeps nothing else open. A second call waits for the first.
   *
   * @throws the first error that a closer threw, once all have run
   */
  readonly close: () => Promise<void>;
};

/** Nothing to close yet. */
export function createClosers(): Closers {
  const closers: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const close of closers.toReversed()) await close().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  return { add: close => void closers.push(close), close: async () => (closing ??= closeAll()) };
}
