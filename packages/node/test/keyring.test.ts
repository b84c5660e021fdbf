import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import type { Manifest } from '@skerry/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeyring, type KeyNotes, type OwnedKey, parseKeyId } from '../src/keyring.ts';
import { openStore, type Store } from '../src/store.ts';
import { dealTo, type Holder, makeOwner, placeOn, startHolders } from './holders.ts';
import { recordingLog } from './hosts.ts';

let directory: string;
let holders: Holder[];
let manifests: Manifest[];
let notes: KeyNotes;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  holders = await startHolders(directory, 4);
  const owner = makeOwner();
  manifests = [];
  for (let i = 0; i < 3; i++) manifests.push(await dealTo(holders, owner, nodeRandom.bytes(32)));
  const { certificate } = placeOn(holders.map(({ nodeId }) => nodeId));
  notes = {
    createdAtMs: 7,
    certificate,
    measuredRisk: 'high',
    kind: 'sealed',
    alias: 'böök',
    former: [],
    labels: { a: 'b' },
    raisedTo: 'high',
  };
});
afterAll(async () => {
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(directory, { recursive: true });
});

/** A keyring over a new store, both to be closed by the test. */
async function openRing(name: string) {
  const store = await openStore(join(directory, name));
  const log = recordingLog();
  return { store, log, ring: createKeyring(store, log) };
}

const nameOf = ({ core }: Manifest): string => `key/${toHex(core.keyId)}`;

/** An entry as it is put for a key that was just dealt. */
const entryOf = (manifest: Manifest): OwnedKey => {
  return { manifest, previous: null, notes, revokedBefore: 0, tombstone: null };
};

async function put(store: Store): Promise<void> {
  const ring = createKeyring(store, recordingLog());
  for (const manifest of manifests) await store.batch([ring.change(entryOf(manifest))]);
}

test('a keyring gives back what was put, over a restart, and nothing for a key that is not in it', async () => {
  const first = await openRing('back');
  await put(first.store);
  await first.store.close();
  const { store, ring, log } = await openRing('back');
  const manifest = at(manifests, 1);
  expect(ring.get(manifest.core.keyId)).toEqual(entryOf(manifest));
  expect(ring.get(nodeRandom.bytes(32))).toBeUndefined();
  const byId = (a: Manifest, b: Manifest): number => (nameOf(a) < nameOf(b) ? -1 : 1);
  expect((await ring.list()).map(key => key.manifest)).toEqual([...manifests].sort(byId));
  expect(log.lines).toEqual([]);
  await store.close();
});

test('damaged entries are reported and left out of the list, and refused by name', async () => {
  const { store, ring, log } = await openRing('damaged');
  await put(store);
  const [undecodable, swapped, whole] = manifests as [Manifest, Manifest, Manifest];
  await store.put(nameOf(undecodable), nodeRandom.bytes(100));
  await store.put(nameOf(swapped), store.get(nameOf(whole)) as Uint8Array);
  for (const { core } of [undecodable, swapped]) {
    expect(() => ring.get(core.keyId)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  }
  expect(await ring.list()).toEqual([entryOf(whole)]);
  expect(log.lines).toEqual([
    'error: an entry of the keyring is damaged on disk: the key is left out',
    'error: an entry of the keyring is damaged on disk: the key is left out',
  ]);
  await store.close();
});

test('an entry whose bytes the disk changed does not hide the others; a disk that fails is no damage', async () => {
  const { store } = await openRing('changed');
  await put(store);
  const broken = at(manifests, 0);
  let code: 'STORE_CORRUPT' | 'STORE_FAILED' = 'STORE_CORRUPT';
  const failing: Store = {
    ...store,
    get: key => {
      if (key === nameOf(broken)) throw new SkerryError(code);
      return store.get(key);
    },
  };
  const ring = createKeyring(failing, recordingLog());
  expect((await ring.list()).length).toBe(2);
  code = 'STORE_FAILED';
  await expect(ring.list()).rejects.toMatchObject({ code: 'STORE_FAILED' });
  await store.close();
});

test('a key id in text is 64 hexadecimal digits', () => {
  expect(parseKeyId('AB'.repeat(32))).toEqual(new Uint8Array(32).fill(0xab));
  for (const text of ['', 'ab', 'ab'.repeat(33), 'xy'.repeat(32), ` ${'ab'.repeat(32)}`]) {
    expect(() => parseKeyId(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
});

test('an entry is read anew when the disk has another', async () => {
  const { store, ring } = await openRing('anew');
  await put(store);
  const [first, second] = manifests as [Manifest, Manifest, Manifest];
  expect(ring.get(first.core.keyId)).toBe(ring.get(first.core.keyId));
  await store.put(nameOf(first), store.get(nameOf(second)) as Uint8Array);
  expect(() => ring.get(first.core.keyId)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
  await store.close();
});
