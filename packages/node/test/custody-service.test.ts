import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, openHeldShare } from '@skerry/custody';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Store } from '../src/store.ts';
import {
  answerTo,
  dealTo,
  grantTo,
  type Holder,
  type HolderOptions,
  isAnswered,
  keysIn,
  makeOwner,
  makeParty,
  type Owner,
  offerTo,
  openFrom,
  restartHolder,
  roundAt,
  roundFor,
  startHolders,
} from './holders.ts';
import { recordingLog } from './hosts.ts';

const key = nodeRandom.bytes(32);
let directory: string;
let holders: Holder[] = [];
let owner: Owner;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  owner = makeOwner();
  holders = [];
});
afterEach(async () => {
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(directory, { recursive: true });
});

/** Starts a holder again over the store in its directory. */
async function restart(index: number, options: HolderOptions = {}): Promise<Holder> {
  return restartHolder(holders, directory, index, options);
}

/** A store that refuses writes while `isFull`. */
function fullable(disk: { isFull: boolean }): (store: Store) => Store {
  return store => ({
    ...store,
    batch: async changes => {
      if (disk.isFull) throw new SkerryError('STORE_FAILED');
      await store.batch(changes);
    },
  });
}

describe('a custody service', () => {
  test('takes shares, activates and publishes them, and answers with what opens the key', async () => {
    holders = await startHolders(directory, 4);
    for (const length of [1, 32, 65_536]) {
      const secret = nodeRandom.bytes(length);
      const manifest = await dealTo(holders, owner, secret);
      expect(await openFrom(holders, manifest, owner, await grantTo(owner, manifest, owner))).toEqual(secret);
      expect(holders.map(({ published }) => published.at(-1))).toEqual(
        Array.from({ length: 4 }, () => toHex(manifest.core.keyId)),
      );
    }
    expect(holders.map(({ service }) => service.shareCount())).toEqual([3, 3, 3, 3]);
  });

  test('never lets more rounds through than a grant has uses, however many come at once', async () => {
    holders = await startHolders(directory, 4);
    const manifest = await dealTo(holders, owner, key);
    const grant = await grantTo(owner, manifest, owner, { uses: 3 });
    const holder = at(holders, 0);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => roundAt(holder, manifest, owner, grant)),
    );
    expect(answers.filter(isAnswered).length).toBe(3);
    expect(answers.filter(answer => answer === 'GRANT_USED_UP').length).toBe(47);
  });

  test('has its shares, uses and offers again after a restart, and publishes what is active', async () => {
    holders = await startHolders(directory, 4);
    const manifest = await dealTo(holders, owner, key);
    const grant = await grantTo(owner, manifest, owner, { uses: 1 });
    const counted = roundFor(manifest, at(holders, 0), owner, grant);
    expect(isAnswered(await answerTo(at(holders, 0), owner, 'round', counted))).toBe(true);
    const offer = offerTo(at(holders, 0), owner);
    expect(isAnswered(await answerTo(at(holders, 0), owner, 'offer', offer))).toBe(true);

    const again = await restart(0, { capacity: 3 });
    expect(again.service.shareCount()).toBe(1);
    expect(await roundAt(again, manifest, owner, grant)).toBe('GRANT_USED_UP');
    expect(isAnswered(await answerTo(again, owner, 'round', counted))).toBe(true);
    expect(again.published).toEqual([]);
    await again.service.publishAll(new AbortController().signal);
    expect(again.published).toEqual([toHex(manifest.core.keyId)]);
    // One share and one offer count against the capacity of three, so there is room for one more.
    expect(isAnswered(await answerTo(again, owner, 'offer', offerTo(again, owner)))).toBe(true);
    expect(await answerTo(again, owner, 'offer', offerTo(again, owner))).toBe('QUOTA_EXCEEDED');
  });

  test('answers and counts nothing that the disk did not take', async () => {
    holders = await startHolders(directory, 4);
    const manifest = await dealTo(holders, owner, key);
    const grant = await grantTo(owner, manifest, owner, { uses: 1 });
    const disk = { isFull: true };
    const log = recordingLog();
    const holder = await restart(0, { through: fullable(disk), capacity: 2, log });
    const before = await keysIn(holder.store, '');

    expect(await roundAt(holder, manifest, owner, grant)).toBe('STORE_FAILED');
    const uncounted = await grantTo(owner, manifest, owner);
    expect(await roundAt(holder, manifest, owner, uncounted)).toBe('STORE_FAILED');
    expect(await answerTo(holder, owner, 'offer', offerTo(holder, owner))).toBe('STORE_FAILED');
    expect(await keysIn(holder.store, '')).toEqual(before);
    expect(log.lines).toContain('error: the store failed');

    disk.isFull = false;
    expect(isAnswered(await roundAt(holder, manifest, owner, grant))).toBe(true);
    expect(await roundAt(holder, manifest, owner, grant)).toBe('GRANT_USED_UP');
    expect(isAnswered(await answerTo(holder, owner, 'offer', offerTo(holder, owner)))).toBe(true);
  });

  test('a deal with a holder whose disk is full fails, and leaves nothing active', async () => {
    const disk = { isFull: false };
    holders = await startHolders(directory, 4);
    const holder = await restart(0, { through: fullable(disk) });
    disk.isFull = true;
    await expect(dealTo(holders, owner, key)).rejects.toMatchObject({ code: 'PLACEMENT_INFEASIBLE' });
    expect(holder.service.shareCount()).toBe(0);
    expect(holders.flatMap(({ published }) => published)).toEqual([]);
  });

  test('drops what is over its time, from the disk too, and keeps what is not', async () => {
    holders = await startHolders(directory, 4);
    const manifest = await dealTo(holders, owner, key);
    let aheadMs = 0;
    const disk = { isFull: false };
    const log = recordingLog();
    const clock = { nowMs: () => Date.now() + aheadMs };
    const holder = await restart(0, { clock, through: fullable(disk), log });
    const offers = [offerTo(holder, owner), offerTo(holder, owner)];
    for (const offer of offers) expect(isAnswered(await answerTo(holder, owner, 'offer', offer))).toBe(true);
    await holder.service.expire();
    expect((await keysIn(holder.store, 'held/')).length).toBe(3);
    aheadMs = 61_000;
    disk.isFull = true;
    await holder.service.expire();
    expect(log.lines).toEqual(['error: the store failed', 'error: the store failed']);
    disk.isFull = false;
    await holder.service.expire();
    expect(await keysIn(holder.store, 'held/')).toEqual([`held/${toHex(manifest.core.keyId)}`]);
  });
});

describe('the audit trail of a custody service', () => {
  async function linesOf(store: Store): Promise<Record<string, unknown>[]> {
    const names = [...(await keysIn(store, 'audit/')), ...(await keysIn(store, 'refused/'))];
    return names.map(
      name => JSON.parse(new TextDecoder().decode(store.get(name))) as Record<string, unknown>,
    );
  }

  test('has a line on disk before each answer, in one write with the state that it is about', async () => {
    holders = await startHolders(directory, 4);
    const manifest = await dealTo(holders, owner, key);
    const writes: string[][] = [];
    const recording = (store: Store): Store => ({
      ...store,
      batch: async changes => {
        writes.push(changes.map(change => change.key));
        await store.batch(changes);
      },
    });
    const holder = await restart(0, { through: recording });
    const grant = await grantTo(owner, manifest, owner, { uses: 1 });
    expect(isAnswered(await roundAt(holder, manifest, owner, grant))).toBe(true);
    expect(await roundAt(holder, manifest, owner, grant)).toBe('GRANT_USED_UP');
    const keyId = toHex(manifest.core.keyId);
    expect(writes).toEqual([
      [`audit/${keyId}/0000000000000002`, `held/${keyId}`],
      [`refused/${keyId}/0000000000000000`],
    ]);
    const events = (await linesOf(holder.store)).map(({ event, code }) => code ?? event);
    expect(events).toEqual(['deposit', 'activate', 'round', 'GRANT_USED_UP']);
  });

  test('has no line about a key that is not held here, so that nobody fills it with made-up ones', async () => {
    holders = await startHolders(directory, 4);
    const manifest = await dealTo(holders, owner, key);
    const holder = at(holders, 0);
    const unknown = { ...manifest, core: { ...manifest.core, keyId: nodeRandom.bytes(32) } };
    const grant = await grantTo(owner, manifest, owner);
    expect(await roundAt(holder, unknown, owner, grant)).toBe('KEY_UNKNOWN');
    expect((await linesOf(holder.store)).length).toBe(2);
  });

  test('of a key that was deposited and never activated goes with it', async () => {
    let aheadMs = 0;
    const refusing = (store: Store): Store => ({
      ...store,
      batch: async changes => {
        if (changes.some(change => change.key.startsWith('audit/'))) throw new SkerryError('STORE_FAILED');
        await store.batch(changes);
      },
    });
    holders = await startHolders(directory, 4);
    const holder = await restart(0, { clock: { nowMs: () => Date.now() + aheadMs } });
    await restart(1, { through: refusing });
    await expect(dealTo(holders, owner, key)).rejects.toMatchObject({ code: 'PLACEMENT_INFEASIBLE' });
    expect((await linesOf(holder.store)).map(({ event }) => event)).toEqual(['deposit']);
    aheadMs = 901_000;
    await holder.service.expire();
    expect(await keysIn(holder.store, '')).toEqual([]);
    expect(holder.service.shareCount()).toBe(0);
  });

  test('and the log hold no share, no key to one and no part of the key', async () => {
    const log = recordingLog();
    const spoken: string[] = [];
    const said = (message: string, fields: object = {}): void => {
      spoken.push(message, JSON.stringify(fields));
    };
    holders = await startHolders(directory, 4);
    const told = { ...log, debug: said, info: said, warn: said, error: said };
    for (let i = 0; i < 4; i++) await restart(i, { log: told });
    const manifest = await dealTo(holders, owner, key);
    await openFrom(holders, manifest, owner, await grantTo(owner, manifest, owner));
    const stranger = makeParty();
    await roundAt(at(holders, 0), manifest, stranger, await grantTo(owner, manifest, owner));
    await roundAt(at(holders, 0), manifest, owner, await grantTo(owner, manifest, owner));
    const events = (await linesOf(at(holders, 0).store)).map(({ event }) => event);
    expect(events).toEqual(expect.arrayContaining(['round', 'round-refused']));
    said('this line stands for all others', { hex: toHex(key) });

    for (const { store } of holders) {
      const stored = store.get(`held/${toHex(manifest.core.keyId)}`) as Uint8Array;
      const active = decodeHeldKey(stored).active;
      if (!active) throw new Error('an active share');
      const { share, keys } = openHeldShare(nodeCrypto, active, 'SHARE_CORRUPT');
      const secrets = [share.y, active.dek, keys.signSeed, keys.maskSeed];
      const text = JSON.stringify(await linesOf(store)) + spoken.join();
      expect(text).toContain('"event":"activate"');
      for (const secret of secrets) expect(mentions(text, secret)).toBe(false);
      expect(mentions(JSON.stringify(await linesOf(store)), key)).toBe(false);
      expect(mentions(text, key)).toBe(true);
    }
  });
});

/** Whether a text has bytes in hexadecimal, base64 or as a list of numbers: any eight of them in a row. */
function mentions(text: string, secret: Uint8Array): boolean {
  const part = secret.subarray(0, 9);
  return [toHex(part), Buffer.from(part).toString('base64'), Buffer.from(part).toString('base64url')]
    .concat([...part].join())
    .some(form => text.includes(form));
}
