import { at } from '@skerry/base';
import { nodeClock, nodeRandom } from '@skerry/crypto';
import { createDirectory } from '../src/directory.ts';
import { recordingLog, startHost } from './hosts.ts';
import { decodeUnverified, newSeed, nodeIdOfSeed, recordOf } from './node-records.ts';

/** A directory told of very many made-up nodes: prints how many it has and how many bytes it holds on to for them. */
const [count] = process.argv.slice(2).map(Number) as [number];
const log = { ...recordingLog(), debug: () => undefined };
const host = await startHost({ meshPeersMax: 0, log });
const directory = createDirectory({ host, decode: decodeUnverified, clock: nodeClock, log });
const held = (): number => {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const before = held();
const seed = newSeed();
const neighbours = Array.from({ length: 7 }, () => nodeIdOfSeed(newSeed()));
let most = 0;
for (let i = 0; i < count; i++) {
  const bytes = recordOf(seed, { nodeKey: nodeRandom.bytes(32) }, { isLarge: true, isUnsigned: true });
  directory.merge([bytes], at(neighbours, i % neighbours.length));
  if (i % 10_000 === 0) {
    await new Promise(resolve => setTimeout(resolve, 50));
    most = Math.max(most, held() - before);
  }
}
await new Promise(resolve => setTimeout(resolve, 500));
most = Math.max(most, held() - before);
const stored = (await host.libp2p.peerStore.all()).length;
process.stdout.write(JSON.stringify({ entries: directory.entries().length, most, stored }));
await directory.close();
await host.close();
