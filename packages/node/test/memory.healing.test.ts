/**
 * What is in the memory of the processes that make a lost share again: each has its own share at most, and none has the
 * key. Read from the processes themselves, where the machine lets us (/proc, on Linux).
 */
import { cp, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, openHeldShare } from '@skerry/custody';
import { nodeIdOf, seatsOf } from '@skerry/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Peer } from '../src/peer.ts';
import { openStore } from '../src/store.ts';
import { type CrashingNode, startCrashing } from './crashing.ts';
import { until } from './hosts.ts';
import { peerOptions, startPeer } from './peers.ts';

const timeout = 90_000;
const key = nodeRandom.bytes(32);
const counts = { t: 3, n: 4, k: 5 };
let root: string;
let owner: Peer;
let holders: CrashingNode[];

/** Whether the memory of a process can be read from here. */
const isReadable = await readFile('/proc/self/maps').then(
  () => process.platform === 'linux',
  () => false,
);

/** Which of the bytes that are looked for are in the writable memory of a process. */
async function foundIn(pid: number, needles: ReadonlyMap<string, Uint8Array>): Promise<Set<string>> {
  const maps = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n');
  const found = new Set<string>();
  await using memory = await open(`/proc/${pid}/mem`);
  for (const line of maps) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (from === undefined || to === undefined) continue;
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    const chunk = Buffer.alloc(Math.min(end - start, 1 << 26));
    for (let position = start; position < end; position += chunk.length - 64) {
      const length = Math.min(chunk.length, end - position);
      // pages may be gone by now: they hold nothing then
      const read = await memory.read(chunk, 0, length, position).catch(() => ({ bytesRead: 0 }));
      const bytes = chunk.subarray(0, read.bytesRead);
      for (const [name, needle] of needles) if (bytes.includes(needle)) found.add(name);
      if (read.bytesRead < length) break;
    }
  }
  return found;
}

/** The share that a node has on its disk, read from a copy while it runs. */
async function shareOf(index: number, keyId: Uint8Array): Promise<{ x: number; y: Uint8Array } | undefined> {
  const copy = join(root, `copy-${index}-${toHex(nodeRandom.bytes(4))}`);
  const { home } = peerOptions(root, index);
  await cp(join(home, 'store'), copy, { recursive: true, filter: path => !path.endsWith('LOCK') });
  const store = await openStore(copy);
  try {
    const stored = store.get(`held/${toHex(keyId)}`);
    if (!stored) return undefined;
    const { share, close } = openHeldShare(nodeCrypto, decodeHeldKey(stored).active!, 'SHARE_CORRUPT');
    const { x, y } = { x: share.x, y: share.y.slice() };
    close();
    return { x, y };
  } finally {
    await store.close();
  }
}

describe('six holders in processes of their own', { skip: !isReadable }, () => {
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-'));
    owner = await startPeer(peerOptions(root, 0, { capacity: 0 }));
    holders = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => startCrashing(root, i + 1, 100, [owner])),
    );
    await until(() => owner.candidates().length === holders.length);
  }, timeout);
  afterAll(async () => {
    await Promise.all(holders.map(async holder => holder.end()));
    await owner.close();
    await rm(root, { recursive: true });
  });

  test(
    'have one share each in their memory, and never the key, while a lost one is made again',
    async () => {
      const slot = owner.reserveKey();
      await owner.deal(slot, key.slice(), { risk: 'low', acceptReduced: true, counts });
      const { manifest } = owner.keys.get(slot.keyId)!;
      const all = await Promise.all(holders.map(async (_, i) => shareOf(i + 1, slot.keyId)));
      const needles = new Map<string, Uint8Array>([
        ['key', key],
        ['known', manifest.core.keyId],
        ...all.flatMap(share => (share ? [[`share ${share.x}`, share.y] as const] : [])),
      ]);
      expect(needles.size).toBe(2 + counts.k);

      const { x, nodeKey } = at(seatsOf(manifest), 0);
      const leaving = holders.findIndex(holder => holder.nodeId() === nodeIdOf(nodeKey));
      const lost = all[leaving]!;
      await holders[leaving]!.end();
      const others = holders.filter((_, i) => i !== leaving);
      const seen = others.map(() => new Set<string>());
      const over = new AbortController();
      const watching = (async () => {
        while (!over.signal.aborted) {
          for (const [i, holder] of others.entries()) {
            for (const name of await foundIn(holder.pid(), needles)) seen[i]!.add(name);
          }
        }
      })();
      await owner.move(slot.keyId, x, 'absent');
      const moved = owner.keys.get(slot.keyId)!.manifest;
      const next = holders.findIndex(
        holder => holder.nodeId() === nodeIdOf(seatsOf(moved).find(seat => seat.x === x)!.nodeKey),
      );
      await until(async () => (await shareOf(next + 1, slot.keyId).catch(() => undefined))?.x === x);
      over.abort();
      await watching;
      for (const [i, holder] of others.entries()) {
        for (const name of await foundIn(holder.pid(), needles)) seen[i]!.add(name);
      }

      // the search finds what is there: all of it in this process, the key's id in each of theirs
      expect(await foundIn(process.pid, needles)).toEqual(new Set(needles.keys()));
      expect(seen.every(names => names.has('known'))).toBe(true);
      expect(seen.filter(names => names.has('key'))).toEqual([]);
      const shares = seen.map(names => [...names].filter(name => name.startsWith('share')));
      for (const names of shares) expect(names.length).toBeLessThan(2);
      expect(await shareOf(next + 1, slot.keyId)).toEqual(lost);
      expect((await owner.open(slot.keyId)).key).toEqual(key);
    },
    timeout,
  );
});
