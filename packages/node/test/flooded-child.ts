import { createInterface } from 'node:readline';
import { createPeer } from '../src/peer.ts';
import { peerOptions, startPeer } from './peers.ts';

/** A node to flood: says where it listens, and for each line that it gets, how many bytes it holds on to. */
const [root, bootstrap] = process.argv.slice(2) as [string, string?];
const options = peerOptions(root, 0, bootstrap === undefined ? {} : { bootstrap: [bootstrap] });
const peer = await (bootstrap === undefined ? startPeer(options) : createPeer(options));
process.stdout.write(`${JSON.stringify({ nodeId: peer.nodeId, addresses: peer.addresses() })}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ held: heapUsed + external, rss })}\n`);
}
await peer.close();
