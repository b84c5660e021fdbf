/**
 * Who brought which nodes into a directory. When it is full, the neighbour that brought most loses what it brought
 * last, so that a crowd of made-up nodes displaces nobody but itself.
 */
type DirectoryRoom = {
  /** Notes who brought a node; whoever did before did not. */
  readonly note: (nodeId: string, source: string) => void;
  readonly forget: (nodeId: string) => void;
  /**
   * Who has to go for a newcomer; undefined where that is the newcomer itself. What gone neighbours brought counts as
   * brought by one, so that it is of no use to come under ever new names.
   *
   * @param neighbours who is connected, this node among them: they never go
   */
  readonly victim: (
    newcomer: { readonly nodeId: string; readonly source: string },
    neighbours: ReadonlySet<string>,
  ) => string | undefined;
};

const gone = '';

/** Nobody has brought any yet. */
export function createDirectoryRoom(): DirectoryRoom {
  const sourceOf = new Map<string, string>();
  const brought = new Map<string, Set<string>>();

  function forget(nodeId: string): void {
    const source = sourceOf.get(nodeId);
    if (source === undefined) return;
    const nodes = brought.get(source);
    nodes?.delete(nodeId);
    if (nodes?.size === 0) brought.delete(source);
    sourceOf.delete(nodeId);
  }

  /** The sources of each pool, and how many they brought together. */
  function poolsOf(neighbours: ReadonlySet<string>): Map<string, { count: number; sources: string[] }> {
    const pools = new Map<string, { count: number; sources: string[] }>();
    for (const [source, nodes] of brought) {
      const name = neighbours.has(source) ? source : gone;
      const pool = pools.get(name) ?? { count: 0, sources: [] };
      pool.count += nodes.size;
      pool.sources.push(source);
      pools.set(name, pool);
    }
    return pools;
  }

  return {
    note: (nodeId, source) => {
      if (sourceOf.get(nodeId) === source) return;
      forget(nodeId);
      sourceOf.set(nodeId, source);
      brought.set(source, (brought.get(source) ?? new Set()).add(nodeId));
    },
    forget,
    victim: ({ nodeId, source }, neighbours) => {
      const ranked = [...poolsOf(neighbours)].sort(([, a], [, b]) => b.count - a.count);
      const mostCount = ranked[0]?.[1].count ?? 0;
      const own = ranked.find(([name]) => name === (neighbours.has(source) ? source : gone));
      if (own?.[1].count === mostCount && !neighbours.has(nodeId)) return undefined;
      for (const [, { sources }] of ranked) {
        for (const name of sources.toReversed()) {
          const last = [...(brought.get(name) ?? [])].findLast(candidate => !neighbours.has(candidate));
          if (last !== undefined) return last;
        }
      }
      return undefined;
    },
  };
}
