import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '@skerry/base';
import { startPeers } from './peers.ts';

/** Deals and opens among peers, closes them amid further deals and opens, and exits by itself or fails. */
const root = await mkdtemp(join(tmpdir(), 'skerry-'));
process.on('unhandledRejection', error => {
  process.stderr.write(`unhandled: ${String(error)}\n`);
  process.exit(1);
});
const peers = await startPeers(root, 5);
const owner = at(peers, 0);
const protection = { risk: 'low', acceptReduced: true } as const;
const slot = owner.reserveKey();
await owner.deal(slot, new Uint8Array(32).fill(7), protection);
const work = [
  ...Array.from({ length: 5 }, async () => owner.deal(owner.reserveKey(), new Uint8Array(32), protection)),
  ...Array.from({ length: 5 }, async () => owner.open(slot.keyId)),
];
const outcomes = Promise.allSettled(work);
await Promise.all(peers.map(async peer => peer.close()));
const failed = (await outcomes).filter(({ status }) => status === 'rejected').length;
await rm(root, { recursive: true });
process.stdout.write(`${failed} of ${work.length} ended by the close\n`);
setTimeout(() => {
  process.stderr.write(`still alive: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(1);
}, 3_000).unref();
