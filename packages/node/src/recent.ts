/** What was worked out lately and may be wanted again, by name: the latest so many. */
type Recent<T> = {
  /** What is kept under a name, made first where nothing is. */
  readonly get: (name: string, make: () => T) => T;
  readonly forget: (name: string) => void;
  /** Everything that is kept, the one that was wanted longest ago first. */
  readonly values: () => T[];
};

/**
 * Nothing yet.
 *
 * @param entriesMax kept; then the one that was wanted longest ago goes
 * @param discard is given what is let go of
 */
export function createRecent<T>(
  entriesMax: number,
  discard: (value: T) => void = () => undefined,
): Recent<T> {
  const kept = new Map<string, T>();

  function forget(name: string): void {
    const value = kept.get(name);
    if (kept.delete(name)) discard(value as T);
  }

  return {
    get: (name, make) => {
      const value = kept.has(name) ? (kept.get(name) as T) : make();
      kept.delete(name);
      kept.set(name, value);
      for (const oldest of kept.keys()) {
        if (kept.size <= entriesMax) break;
        forget(oldest);
      }
      return value;
    },
    forget,
    values: () => [...kept.values()],
  };
}
