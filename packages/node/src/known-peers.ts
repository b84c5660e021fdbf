import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type Log, SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import { codeOf } from './asking.ts';
import type { Directory } from './directory.ts';
import type { Host } from './host.ts';
import { decodeNeighbour, type NeighbourEntry } from './neighbours.ts';
import type { Store, StoreChange } from './store.ts';

type KnownPeersOptions = {
  readonly store: Store;
  readonly host: Pick<Host, 'learnAddresses' | 'connectedNodes'>;
  readonly directory: Pick<Directory<NeighbourEntry>, 'entry' | 'merge'>;
  readonly clock: Clock;
  readonly log: Log;
};

const prefix = 'peer/';

/** What is kept of a peer: until when, and the addresses it was kept with. */
type Kept = { readonly untilMs: number; readonly addresses: string };

function keptOf({ issuedAtMs, addresses }: NeighbourEntry): Kept {
  return { untilMs: issuedAtMs + parameters.peersKeptMs, addresses: addresses.join() };
}

/** Reads the peers of the last run, dials them, and forgets those that are too old or damaged. */
async function recall(options: KnownPeersOptions): Promise<Map<string, Kept>> {
  const { store, host, directory, clock } = options;
  const kept = new Map<string, Kept>();
  const gone: StoreChange[] = [];
  for await (const key of store.keys(prefix)) {
    const nodeId = key.slice(prefix.length);
    try {
      const bytes = store.get(key) ?? new Uint8Array();
      const entry = decodeNeighbour(bytes);
      const { untilMs, addresses } = keptOf(entry);
      if (entry.nodeId !== nodeId || untilMs <= clock.nowMs()) throw new SkerryError('RECORD_STALE');
      directory.merge([bytes]);
      await host.learnAddresses(nodeId, entry.addresses);
      kept.set(nodeId, { untilMs, addresses });
    } catch (error) {
      codeOf(error);
      gone.push({ type: 'del', key });
    }
  }
  if (gone.length > 0) await store.batch(gone);
  return kept;
}

/**
 * Remembers on the disk where connected peers can be dialled, by their own signed entries, and dials those of the last
 * run: a node that starts again finds its network though every bootstrap peer is gone. Who is remembered stays until
 * nothing was heard of it for long, whoever comes after, so that a crowd of newcomers does not displace the others.
 *
 * @returns how to stop; it resolves when the last look has been written
 * @throws STORE_FAILED
 */
export async function rememberPeers(options: KnownPeersOptions): Promise<() => Promise<void>> {
  const { store, host, directory, clock, log } = options;
  const kept = await recall(options);
  const ending = new AbortController();

  async function look(): Promise<void> {
    const nowMs = clock.nowMs();
    for (const [nodeId, { untilMs }] of kept) if (untilMs <= nowMs) kept.delete(nodeId);
    const changes: StoreChange[] = [];
    for (const nodeId of host.connectedNodes()) {
      const entry = directory.entry(nodeId);
      const known = kept.get(nodeId);
      if (!entry || (!known && kept.size >= parameters.peersKeptMax)) continue;
      const next = keptOf(entry);
      const isFresh = known && next.untilMs - known.untilMs < parameters.peerRewriteMs;
      if (isFresh && next.addresses === known.addresses) continue;
      kept.set(nodeId, next);
      changes.push({ type: 'put', key: `${prefix}${nodeId}`, value: entry.bytes });
    }
    if (changes.length > 0) await store.batch(changes);
  }

  const lookSafely = async (): Promise<void> =>
    look().catch((error: unknown) => log.warn('known peers could not be kept', { code: codeOf(error) }));

  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      await sleep(parameters.peersLookMs, undefined, { signal: ending.signal }).catch(() => undefined);
      await lookSafely();
    }
  }

  const looping = loop();
  return async () => {
    ending.abort(new SkerryError('SHUTTING_DOWN'));
    await looping;
  };
}
