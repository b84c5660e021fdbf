import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPeer, type Peer } from '../src/peer.ts';
import { openStore } from '../src/store.ts';
import { recordingLog, until } from './hosts.ts';
import { peerOptions, startPeer, startPeers, untilTheyMeet } from './peers.ts';

const key = nodeRandom.bytes(32);
const protection = { risk: 'low', acceptReduced: true } as const;

describe('peers that know each other', () => {
  let root: string;
  let peers: Peer[];
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-'));
    peers = await startPeers(root, 5);
  });
  afterAll(async () => {
    await Promise.all(peers.map(async peer => peer.close()));
    await rm(root, { recursive: true });
  });

  /** Starts a peer again in its home. */
  async function restart(index: number, options: Parameters<typeof peerOptions>[2] = {}): Promise<Peer> {
    await at(peers, index).close();
    const other = peers.find(candidate => candidate !== peers[index]) as Peer;
    const again = await createPeer(peerOptions(root, index, { bootstrap: other.addresses(), ...options }));
    peers[index] = again;
    return again;
  }

  async function dealOn(owner: Peer): Promise<Uint8Array> {
    const slot = owner.reserveKey();
    await owner.deal(slot, key, protection);
    return slot.keyId;
  }

  test('deal ten keys at once, and open each of them twice at once', async () => {
    const owner = at(peers, 0);
    const keyIds = await Promise.all(Array.from({ length: 10 }, async () => dealOn(owner)));
    const opens = await Promise.all([...keyIds, ...keyIds].map(async keyId => owner.open(keyId)));
    for (const opened of opens) expect(opened.key).toEqual(key);
    const listed = (await owner.keys.list()).map(({ manifest }) => toHex(manifest.core.keyId));
    expect(listed).toEqual(expect.arrayContaining(keyIds.map(toHex)));
  });

  test('find the manifest of a key that they know nothing of, and open it with a grant only', async () => {
    const [owner, stranger] = [at(peers, 1), at(peers, 2)];
    const keyId = await dealOn(owner);
    // A deal does not wait until others can find its key; a grant does.
    const { token, jti } = await owner.grant(keyId, stranger.nodeId, { lifeMs: 60_000, uses: null });
    expect(await stranger.manifest(keyId)).toEqual(owner.keys.get(keyId)?.manifest);
    await expect(stranger.open(keyId)).rejects.toMatchObject({ code: 'GRANT_INVALID' });
    const padded = new Uint8Array(20_000).fill(0x20);
    padded.set(token);
    await expect(stranger.open(keyId, padded)).rejects.toMatchObject({ code: 'GRANT_INVALID' });
    expect((await stranger.open(keyId, token)).key).toEqual(key);
    expect(jti.length).toBeGreaterThan(8);
    await expect(stranger.manifest(nodeRandom.bytes(32))).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
  });

  test('give no grant that no holder would take', async () => {
    const owner = at(peers, 0);
    const keyId = await dealOn(owner);
    const to = at(peers, 1).nodeId;
    for (const terms of [
      { lifeMs: 60_000, uses: 0 },
      { lifeMs: 0, uses: 1 },
      { lifeMs: 60_000, uses: 1.5 },
      { lifeMs: 3_600_001, uses: 1 },
      { lifeMs: Number.POSITIVE_INFINITY, uses: 1 },
      { lifeMs: Number.NaN, uses: 1 },
    ]) {
      await expect(owner.grant(keyId, to, terms)).rejects.toMatchObject({ code: 'GRANT_INVALID' });
    }
    await expect(owner.grant(keyId, 'nobody', { lifeMs: 60_000, uses: 1 })).rejects.toMatchObject({
      code: 'MESSAGE_MALFORMED',
    });
    const longest = await owner.grant(keyId, to, { lifeMs: 3_600_000, uses: 1 });
    expect((await at(peers, 1).open(keyId, longest.token)).key).toEqual(key);
  });

  test('deal a slot once, and none of another owner, so that a key id means one key for ever', async () => {
    const owner = at(peers, 0);
    const slot = owner.reserveKey();
    const deals = await Promise.allSettled([
      owner.deal(slot, key, protection),
      owner.deal(slot, nodeRandom.bytes(32), protection),
    ]);
    expect(deals.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const again = owner.deal(slot, nodeRandom.bytes(32), protection);
    await expect(again).rejects.toMatchObject({ code: 'EPOCH_MISMATCH' });
    expect((await owner.open(slot.keyId)).key).toEqual(key);
    const foreign = owner.deal(at(peers, 1).reserveKey(), key, protection);
    await expect(foreign).rejects.toMatchObject({ code: 'CORE_INVALID' });
    const failing = owner.reserveKey();
    await expect(owner.deal(failing, new Uint8Array(), protection)).rejects.toMatchObject({
      code: 'SECRET_EMPTY',
    });
    await owner.deal(failing, key, protection);
  });

  test('tell a late joiner what all have said before it came', async () => {
    const joiner = await startPeer(peerOptions(root, 5, { bootstrap: at(peers, 3).addresses() }));
    try {
      await until(() => joiner.candidates().length === peers.length);
      const names = joiner.candidates().map(({ place }) => place.name);
      expect(names.sort()).toEqual(peers.map(({ place }) => place.name).sort());
      await untilTheyMeet([...peers, joiner]);
    } finally {
      await joiner.close();
    }
  });

  test('take the entry of one that restarted for newer, even where its clock went back', async () => {
    const [watcher, index] = [at(peers, 0), 4];
    const { nodeId } = at(peers, index);
    const before = watcher.network.directory.entry(nodeId)?.sequence ?? Number.NaN;
    const clock = { nowMs: () => Date.now() - 60_000 };
    const again = await restart(index, { clock, operator: 'renamed' });
    await until(() => watcher.network.directory.entry(nodeId)?.record.operator === 'renamed');
    expect(again.nodeId).toBe(nodeId);
    expect(watcher.network.directory.entry(nodeId)?.sequence).toBeGreaterThan(before);
    await restart(index);
    await untilTheyMeet(peers);
  });

  test('start over damaged entries of every kind, and serve all that is whole', async () => {
    const owner = at(peers, 2);
    const [keyId, lost] = [await dealOn(owner), await dealOn(owner)];
    const shares = owner.shareCount();
    await owner.network.published(lost);
    await owner.close();
    const store = await openStore(join(owner.home, 'store'));
    await store.put('meta/sequence', nodeRandom.bytes(4));
    await store.put(`key/${toHex(lost)}`, nodeRandom.bytes(40));
    await store.put(`held/${toHex(nodeRandom.bytes(32))}`, nodeRandom.bytes(40));
    await store.close();
    const log = recordingLog();
    const again = await restart(2, { log });
    await untilTheyMeet(peers);
    expect(again.shareCount()).toBe(shares);
    expect(again.network.custody.corruptCount()).toBe(1);
    expect((await again.keys.list()).map(({ manifest }) => toHex(manifest.core.keyId))).toContain(
      toHex(keyId),
    );
    expect((await again.open(keyId)).key).toEqual(key);
    expect((await again.open(lost)).key).toEqual(key);
    expect(log.lines.filter(line => line.startsWith('error: ')).length).toBeGreaterThanOrEqual(3);
  });
});

describe('a peer', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-'));
  });
  afterAll(async () => rm(root, { recursive: true }));

  test('that cannot listen lets go of its home again', async () => {
    const first = await startPeer(peerOptions(root, 0));
    const taken = first.addresses().map(address => address.replace(/\/p2p\/.*/, ''));
    const options = peerOptions(root, 1, { listen: taken });
    const message = expect.stringContaining('address already in use') as string;
    await expect(startPeer(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
    await first.close();
    const second = await createPeer(options);
    await second.close();
    await second.close();
  });

  test('that says what no entry can say is refused at its start, and lets go of its home', async () => {
    const options = peerOptions(root, 2);
    const refused = { code: 'CONFIG_INVALID' };
    await expect(startPeer({ ...options, operator: 'x'.repeat(65) })).rejects.toMatchObject(refused);
    await expect(createPeer({ ...options, operator: 'two\nlines' })).rejects.toMatchObject(refused);
    await expect(createPeer({ ...options, capacity: -1 })).rejects.toMatchObject(refused);
    const place = { ...options.place, lat: 91 };
    await expect(createPeer({ ...options, place })).rejects.toMatchObject(refused);
    await expect(createPeer({ ...options, home: join(root, 'none') })).rejects.toMatchObject({
      code: 'HOME_INVALID',
    });
    const peer = await createPeer(options);
    await expect(createPeer(options)).rejects.toMatchObject({ code: 'HOME_INVALID' });
    await peer.close();
  });

  test('that is closed amid its work ends it all, leaves no handle and no rejection unheard', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'peer-child.ts')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [said, complained] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    child.stderr.on('data', (text: Buffer) => (complained += text.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    expect(complained).toBe('');
    expect(said).toMatch(/^\d+ of 10 ended by the close\n$/);
    expect(code).toBe(0);
  });
});
