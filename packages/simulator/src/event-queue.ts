/** Events in virtual time, each by what it does. */
export type EventQueue = {
  /** The virtual time, ms. */
  readonly nowMs: () => number;
  /** Has something done later; at once for a time that is over. What is due at one time happens in the order of asking. */
  readonly after: (delayMs: number, work: () => void) => void;
  /** Lets time pass until `endMs`, or until nothing is left to happen. Returns how many things happened. */
  readonly run: (endMs: number) => number;
};

type Entry = { readonly atMs: number; readonly order: number; readonly work: () => void };

const isBefore = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/**
 * An empty queue: a binary heap, so that a million events wait at no great cost.
 *
 * @param startMs the virtual time at the beginning
 */
export function createEventQueue(startMs: number): EventQueue {
  const heap: Entry[] = [];
  let nowMs = startMs;
  let order = 0;

  function push(entry: Entry): void {
    let hole = heap.length;
    heap.push(entry);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = entry;
  }

  function pop(): Entry {
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = last;
    return first;
  }

  return {
    nowMs: () => nowMs,
    after: (delayMs, work) => push({ atMs: nowMs + Math.max(0, delayMs), order: order++, work }),
    run: endMs => {
      let count = 0;
      while (heap.length > 0 && heap[0]!.atMs <= endMs) {
        const { atMs, work } = pop();
        nowMs = atMs;
        work();
        count++;
      }
      nowMs = Math.max(nowMs, endMs);
      return count;
    },
  };
}
