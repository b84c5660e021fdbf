import { type Log, SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import { ask } from './asking.ts';
import type { Directory } from './directory.ts';
import type { Host } from './host.ts';
import type { PeerStreams } from './streams.ts';

/** Asks new neighbours for their directories, since gossip tells a late joiner nothing of what was said before. */
type CatchUp = {
  /** Starts asking those neighbours that are due, within the limits; returns how many. */
  readonly look: () => number;
  /** Calls off what is under way, and resolves when it has ended. */
  readonly close: () => Promise<void>;
};

/** What catching up needs. */
type CatchUpOptions = {
  readonly host: Pick<Host, 'connectedNodes'>;
  readonly directory: Pick<Directory, 'merge'>;
  readonly streams: Pick<PeerStreams, 'request'>;
  readonly log: Log;
};

/** Nobody was asked yet. A neighbour is asked once for each time that it connects, and again where it failed. */
export function createCatchUp({ host, directory, streams, log }: CatchUpOptions): CatchUp {
  /** When each neighbour may be asked (again): never, once it has answered and stays connected. */
  const dueMs = new Map<string, number>();
  /** When anybody was asked, within the last window. */
  let recentMs: number[] = [];
  const underWay = new Map<string, Promise<void>>();
  const ending = new AbortController();

  async function askForPages(nodeId: string): Promise<void> {
    const { directoryDeadlineMs, catchUpDeadlineMs, directoryEntriesMax } = parameters;
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(catchUpDeadlineMs)]);
    const options = { deadlineMs: directoryDeadlineMs, signal };
    for (let offset = 0; offset < directoryEntriesMax; ) {
      const page = await ask(streams, nodeId, 'directory', { offset }, options);
      directory.merge(page.records, nodeId);
      offset += page.records.length;
      if (page.records.length === 0 || offset >= page.total) return;
    }
  }

  async function catchUp(nodeId: string): Promise<void> {
    dueMs.set(nodeId, Number.POSITIVE_INFINITY);
    try {
      await askForPages(nodeId);
    } catch (error) {
      dueMs.set(nodeId, performance.now() + parameters.catchUpRetryMs);
      const reason = error instanceof SkerryError ? error.code : String(error);
      if (!ending.signal.aborted) log.debug('a neighbour did not give its directory', { nodeId, reason });
    } finally {
      underWay.delete(nodeId);
    }
  }

  return {
    look: () => {
      const nowMs = performance.now();
      const neighbours = new Set(host.connectedNodes());
      for (const nodeId of dueMs.keys()) if (!neighbours.has(nodeId)) dueMs.delete(nodeId);
      recentMs = recentMs.filter(atMs => nowMs - atMs < parameters.catchUpWindowMs);
      const room = Math.min(
        parameters.catchUpsAtOnce - underWay.size,
        parameters.catchUpsPerWindow - recentMs.length,
      );
      const due = [...neighbours].filter(id => !underWay.has(id) && nowMs >= (dueMs.get(id) ?? 0));
      const chosen = due.slice(0, Math.max(0, room));
      for (const nodeId of chosen) {
        recentMs.push(nowMs);
        underWay.set(nodeId, catchUp(nodeId));
      }
      return chosen.length;
    },
    close: async () => {
      ending.abort(new SkerryError('SHUTTING_DOWN'));
      await Promise.all(underWay.values());
    },
  };
}
