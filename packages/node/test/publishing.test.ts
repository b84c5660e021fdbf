import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, type HeldEpoch, wipeHeldKey } from '@skerry/custody';
import {
  checkKeyRecord,
  checkShareRecord,
  encodeTombstone,
  type Manifest,
  manifestPath,
  shareRecordPath,
} from '@skerry/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { createPublisher } from '../src/publishing.ts';
import { dealTo, makeOwner, startHolders } from './holders.ts';
import { recordingLog } from './hosts.ts';

let manifest: Manifest;
let stored: Uint8Array;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  const holders = await startHolders(directory, 4);
  manifest = await dealTo(holders, makeOwner(), nodeRandom.bytes(32));
  stored = at(holders, 0).store.get(`held/${toHex(manifest.core.keyId)}`) as Uint8Array;
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(directory, { recursive: true });
});
afterAll(() => stored.fill(0));

/** A DHT that notes what it is given; each put ends when `finish` is called, if not at once. */
function recordsThat(put: 'succeed' | 'wait' | 'fail') {
  const puts: [string, Uint8Array][] = [];
  const interests = new Map<string, Uint8Array>();
  const finishers: (() => void)[] = [];
  return {
    puts,
    interests,
    finish: () => finishers.splice(0).forEach(finish => finish()),
    interest: (path: string, value: Uint8Array) => void interests.set(path, value),
    disinterest: (path: string) => void interests.delete(path),
    put: async (path: string, value: Uint8Array) => {
      puts.push([path, value]);
      if (put === 'fail') throw new SkerryError('RECORD_STALE');
      if (put === 'wait') await new Promise<void>(resolve => finishers.push(resolve));
      return { stored: 3 };
    },
  };
}

/** The held epoch, as the custody service lends it: wiped once the callback has returned. */
function lend(use: (held: HeldEpoch) => void): void {
  const held = decodeHeldKey(stored);
  if (held.active) use(held.active);
  wipeHeldKey(held);
}

const settled = async (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test("a held share's record and manifest are put and kept, valid though the share is wiped meanwhile", async () => {
  const records = recordsThat('succeed');
  const publisher = createPublisher({ records, log: recordingLog() });
  lend(held => publisher.publishHeld(held, false));
  await settled();
  const [[manifestAt, manifestBytes], [shareAt, shareBytes]] = records.puts as [
    [string, Uint8Array],
    [string, Uint8Array],
  ];
  expect(manifestAt).toBe(manifestPath(manifest.core.keyId));
  expect(checkKeyRecord(nodeCrypto, manifestAt, manifestBytes)).toEqual({ type: 'manifest', manifest });
  const { keyId, epoch } = manifest.core;
  const { x } = checkShareRecord(nodeCrypto, shareAt, shareBytes);
  expect(shareAt).toBe(shareRecordPath(keyId, epoch, x));
  expect([...records.interests.keys()].sort()).toEqual([manifestAt, shareAt].sort());
});

test('the records of a share that was activated just now are kept, and not put by all its holders at once', async () => {
  const records = recordsThat('succeed');
  const publisher = createPublisher({ records, log: recordingLog() });
  lend(held => publisher.publishHeld(held, true));
  await settled();
  expect(records.puts).toEqual([]);
  expect(records.interests.size).toBe(2);
});

/** The manifest of another key; its signatures are not looked at here. */
function another(): Manifest {
  return { ...manifest, core: { ...manifest.core, keyId: nodeRandom.bytes(32) } };
}

test('a put that never ends keeps those who wait for it no longer than the deadline', async () => {
  const records = recordsThat('wait');
  const publisher = createPublisher({ records, deadlineMs: 20, log: recordingLog() });
  await publisher.publishManifest(manifest);
  await publisher.published(manifest.core.keyId);
  expect(records.puts.length).toBe(1);
});

test('a deal waits for the DHT only behind a few others, and whoever asks for its key waits until it is there', async () => {
  const records = recordsThat('wait');
  const publisher = createPublisher({ records, log: recordingLog() });
  const { dealsPublishedAtOnce } = parameters;
  for (let i = 1; i < dealsPublishedAtOnce; i++) await publisher.publishManifest(another());
  await publisher.publishManifest(manifest);
  const events: string[] = [];
  const next = publisher.publishManifest(another()).then(() => events.push('the next deal is done'));
  const found = publisher.published(manifest.core.keyId).then(() => events.push('the key is found'));
  await publisher.published(nodeRandom.bytes(32));
  await settled();
  expect([events, records.puts.length]).toEqual([[], dealsPublishedAtOnce]);
  records.finish();
  await Promise.all([next, found]);
  expect(records.puts.length).toBe(dealsPublishedAtOnce + 1);
});

test('a deal that waits when its publisher closes puts nothing more', async () => {
  const records = recordsThat('wait');
  const publisher = createPublisher({ records, log: recordingLog() });
  const { dealsPublishedAtOnce } = parameters;
  for (let i = 0; i < dealsPublishedAtOnce; i++) await publisher.publishManifest(another());
  const next = publisher.publishManifest(manifest);
  const closing = publisher.close();
  records.finish();
  await Promise.all([next, closing]);
  expect(records.puts.length).toBe(dealsPublishedAtOnce);
});

test('a publisher closes when the puts of its deals have ended', async () => {
  const records = recordsThat('wait');
  const publisher = createPublisher({ records, log: recordingLog() });
  await publisher.publishManifest(manifest);
  const events: string[] = [];
  const closing = publisher.close().then(() => events.push('closed'));
  await settled();
  expect(events).toEqual([]);
  records.finish();
  await closing;
});

test('a put that fails, and a record that is none, are logged and fail nobody', async () => {
  const log = recordingLog();
  const failing = recordsThat('fail');
  const unlucky = createPublisher({ records: failing, log });
  await unlucky.publishManifest(manifest);
  await unlucky.published(manifest.core.keyId);
  const refusing = {
    ...failing,
    interest: () => {
      throw new SkerryError('RECORD_INVALID');
    },
  };
  const publisher = createPublisher({ records: refusing, log });
  await publisher.publishManifest(manifest);
  publisher.keepManifest(manifest);
  expect(failing.puts.length).toBe(1);
  expect(log.lines).toEqual(Array.from({ length: 3 }, () => 'error: a record could not be published'));
});

test('a damaged share is not published, and fails nobody', () => {
  const log = recordingLog();
  const records = recordsThat('succeed');
  const publisher = createPublisher({ records, log });
  lend(held => publisher.publishHeld({ ...held, dek: new Uint8Array(32) }, true));
  lend(held => publisher.publishHeld({ ...held, activation: null }, true));
  expect(log.lines).toEqual(['error: a held share is damaged and was not published']);
  expect([...records.interests.keys()]).toEqual([manifestPath(manifest.core.keyId)]);
});

test('however many shares are activated, few puts run at once, few wait, and every record is kept', async () => {
  const records = recordsThat('wait');
  const publisher = createPublisher({ records, log: recordingLog() });
  const { publicationsAtOnce, publicationsWaitingMax } = parameters;
  for (let i = 0; i < publicationsAtOnce + publicationsWaitingMax + 50; i++) publisher.keepManifest(manifest);
  expect(records.puts.length).toBe(publicationsAtOnce);
  for (let ended = 0; ended < records.puts.length; ) {
    ended = records.puts.length;
    records.finish();
    await settled();
  }
  expect(records.puts.length).toBe(publicationsAtOnce + publicationsWaitingMax);
  expect(records.interests.size).toBe(1);
});

test('a closed publisher starts no further put', async () => {
  const records = recordsThat('wait');
  const publisher = createPublisher({ records, log: recordingLog() });
  for (let i = 0; i < 10; i++) publisher.keepManifest(manifest);
  await publisher.close();
  records.finish();
  await settled();
  publisher.keepManifest(manifest);
  expect(records.puts.length).toBe(parameters.publicationsAtOnce);
});

test('of a key whose end is remembered the tombstone is kept in the DHT, and of one that is forgotten nothing', async () => {
  const records = recordsThat('succeed');
  const publisher = createPublisher({ records, log: recordingLog() });
  const { keyId, authority, nonce, epoch } = manifest.core;
  const tombstone = { keyId, authority, nonce, destroyedAtMs: 1, signatures: [] };
  for (const isKept of [true, false]) {
    lend(held => publisher.publishHeld(held, true));
    expect(records.interests.size).toBe(2);
    lend(({ x }) => publisher.publishTombstone(tombstone, [{ epoch, x }], isKept));
    expect([...records.interests.keys()]).toEqual(isKept ? [manifestPath(keyId)] : []);
  }
  await settled();
  expect(records.puts).toEqual([[manifestPath(keyId), encodeTombstone(tombstone)]]);
  await publisher.close();
});
