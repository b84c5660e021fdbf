/** Lets work on one thing, by its name, wait for the work on it before. */
export type Turns = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Nobody waits yet. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (last.get(name) === turn) last.delete(name);
    }
  };
}
