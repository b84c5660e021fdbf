import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, type Log } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import type { Deal } from '@skerry/node';
import {
  decodeManifest,
  decodeShareRecord,
  encodeManifest,
  encodeShareRecord,
  manifestPath,
  shareRecordPath,
} from '@skerry/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarm, type Swarm } from '../index.ts';
import { shareRecordsOf } from './share-records.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('a hostile peer that writes to the DHT', () => {
  let root: string;
  let swarm: Swarm;
  let dealt: Deal;
  let keyId: Uint8Array;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-forgery-'));
    swarm = await createSwarm({ nodeCount: 8, home: root, log: quiet });
    const owner = at(swarm.nodes, 0).peer();
    const slot = owner.reserveKey();
    keyId = slot.keyId;
    dealt = await owner.deal(slot, nodeRandom.bytes(32), { risk: 'low', acceptReduced: false });
  });
  afterAll(async () => {
    await swarm.close();
    await rm(root, { recursive: true, force: true });
  });

  /** Puts bytes past the sender's own check, as a hostile peer would, and tells how many nodes took them. */
  async function putRaw(path: string, value: Uint8Array): Promise<number> {
    const { host } = at(swarm.nodes, 7).peer().network;
    const shelf = host.shelf as { datastore: { put: unknown } };
    const honest = shelf.datastore.put;
    shelf.datastore.put = async (key: unknown) => key;
    let [taken, asked] = [0, 0];
    try {
      for await (const event of host.libp2p.services.dht.put(new TextEncoder().encode(path), value)) {
        if (event.name === 'SEND_QUERY' && event.messageName === 'PUT_VALUE') asked++;
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken++;
      }
    } finally {
      shelf.datastore.put = honest;
    }
    expect(asked).toBeGreaterThanOrEqual(6);
    return taken;
  }

  /** What the other nodes keep under a path. */
  function kept(path: string): (Uint8Array | undefined)[] {
    return swarm.nodes.slice(0, 7).map(node => node.peer().network.host.shelf.read(path));
  }

  test('cannot replace a manifest by a forged one at any node', async () => {
    const path = manifestPath(keyId);
    const genuine = encodeManifest(dealt.manifest);
    const { core } = dealt.manifest;
    const forged = encodeManifest({ ...dealt.manifest, core: { ...core, t: core.t + 1 } });
    const higher = encodeManifest({
      ...dealt.manifest,
      core: { ...core, epoch: 2, previousHash: core.commitment },
    });
    for (const value of [forged, higher, nodeRandom.bytes(500)]) expect(await putRaw(path, value)).toBe(0);
    const copies = kept(path).filter(value => value !== undefined);
    expect(copies.length).toBeGreaterThan(0);
    expect(copies.every(value => Buffer.compare(value, genuine) === 0)).toBe(true);
    const found = await at(swarm.nodes, 3).peer().network.fetchKeyRecord(keyId);
    expect(found).toEqual({ type: 'manifest', manifest: decodeManifest(nodeCrypto, genuine) });
  });

  test('cannot replace a share record, nor squat on the path of a key that is not its own', async () => {
    const x = at(dealt.manifest.core.points, 0).x;
    const path = shareRecordPath(keyId, 1, x);
    const genuine = at(await shareRecordsOf(swarm, dealt.manifest), 0);
    const record = decodeShareRecord(genuine);
    const tampered = [
      { ...record, sequence: 1 },
      { ...record, ciphertext: nodeRandom.bytes(record.ciphertext.length) },
      { ...record, signature: nodeRandom.bytes(64) },
      { ...record, nonce: nodeRandom.bytes(16) },
    ].map(encodeShareRecord);
    for (const value of tampered) expect(await putRaw(path, value)).toBe(0);
    const elsewhere = shareRecordPath(nodeRandom.bytes(32), 1, x);
    expect(await putRaw(elsewhere, genuine)).toBe(0);
    const copies = kept(path).filter(value => value !== undefined);
    expect(copies.every(value => Buffer.compare(value, genuine) === 0)).toBe(true);
    expect(kept(elsewhere).every(value => value === undefined)).toBe(true);
  });
});
