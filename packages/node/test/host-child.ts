import { nodeClock } from '@skerry/crypto';
import { createRecords } from '../src/dht.ts';
import { createDirectory } from '../src/directory.ts';
import { createPeerStreams } from '../src/streams.ts';
import { recordingLog, startHosts, until } from './hosts.ts';

/** Runs everything that a node has, closes it, and exits by itself; after three seconds more it gives up. */
const hosts = await startHosts(3);
const log = recordingLog();
const parts = await Promise.all(
  hosts.map(async host => ({
    streams: await createPeerStreams({ host, protocol: '/test', handle: async (_from, body) => body, log }),
    records: createRecords({ host, log }),
    directory: createDirectory({
      host,
      decode: () => {
        throw new Error('nobody speaks');
      },
      clock: nodeClock,
      log,
    }),
  })),
);
const [first, second] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
await until(() => second.isConnected(first.nodeId));
await parts[1]!.streams.request(first.nodeId, new Uint8Array(1), { deadlineMs: 5_000 });
for (const { streams, records, directory } of parts) {
  await directory.close();
  await records.close();
  await streams.close();
}
await Promise.all(hosts.map(async host => host.close()));
setTimeout(() => {
  process.stderr.write(`still alive: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(1);
}, 3_000).unref();
