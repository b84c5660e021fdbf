import { at } from '@skerry/base';
import { type Manifest, shareRecordPath } from '@skerry/wire';
import type { Swarm } from '../index.ts';

/**
 * Every share record of a key as the first node finds it in the DHT. Holders put a new share's record within half a
 * minute, each at a moment of its own; here they do it now.
 */
export async function shareRecordsOf(swarm: Swarm, { core }: Manifest): Promise<Uint8Array[]> {
  const { signal } = new AbortController();
  await Promise.all(swarm.nodes.map(async node => node.peer().network.custody.publishAll(signal)));
  const { records } = at(swarm.nodes, 0).peer().network;
  return Promise.all(
    core.points.map(async ({ x }) => {
      const path = shareRecordPath(core.keyId, core.epoch, x);
      for (;;) {
        const found = await records.get(path, { deadlineMs: 10_000 });
        if (found) return found;
      }
    }),
  );
}
