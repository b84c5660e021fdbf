/** Lets work on one key wait for the work on it before. */
export type Turns = <T>(keyId: string, work: () => Promise<T>) => Promise<T>;

/** Nobody waits yet. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (keyId, work) => {
    const turn = (last.get(keyId) ?? Promise.resolve()).then(work, work);
    last.set(keyId, turn);
    try {
      return await turn;
    } finally {
      if (last.get(keyId) === turn) last.delete(keyId);
    }
  };
}
