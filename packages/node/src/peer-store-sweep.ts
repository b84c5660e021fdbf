import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@skerry/base';
import { parameters } from '../parameters.ts';
import type { NodeLibp2p } from './node-libp2p.ts';

/**
 * Forgets addresses of nodes that are not connected, by chance, until no more than so many are stored. libp2p keeps in
 * memory, for `parameters.addressAgeMsMax`, whoever a directory entry, a DHT answer or a connection named.
 *
 * @param peersMax nodes stored, the connected ones among them
 */
export async function sweepPeerStore(
  libp2p: Pick<NodeLibp2p, 'peerStore' | 'getConnections'>,
  peersMax: number,
): Promise<void> {
  const stored = await libp2p.peerStore.all();
  const surplus = stored.length - peersMax;
  if (surplus <= 0) return;
  const connected = new Set(libp2p.getConnections().map(({ remotePeer }) => remotePeer.toString()));
  const others = stored.filter(({ id }) => !connected.has(id.toString()));
  const shuffled = others.map(({ id }) => ({ id, lot: Math.random() })).sort((a, b) => a.lot - b.lot);
  for (const { id } of shuffled.slice(0, surplus)) await libp2p.peerStore.delete(id);
}

/** Sweeps every `parameters.peerStoreLookMs`; returns how to stop, which waits for the sweep under way. */
export function startSweeping(libp2p: NodeLibp2p, log: Log): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(parameters.peerStoreLookMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await sweepPeerStore(libp2p, parameters.peersStoredMax).catch((error: unknown) =>
        log.warn('stored addresses could not be swept', { reason: String(error) }),
      );
    }
  };
  const looping = loop();
  return async () => {
    ending.abort();
    await looping;
  };
}
