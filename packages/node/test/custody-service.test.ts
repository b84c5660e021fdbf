import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, encodeHeldKey, openHeldShare } from '@skerry/custody';
import { encodeRequest, type Manifest, nodeIdOf } from '@skerry/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { openKey } from '../src/opening.ts';
import type { Store } from '../src/store.ts';
import {
  answerTo,
  dealTo,
  grantTo,
  type Holder,
  keysIn,
  makeOwner,
  makeParty,
  type Owner,
  offerTo,
  type Party,
  roundFor,
  startHolder,
  startHolders,
  streamsTo,
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

async function open(manifest: Manifest, by: Party, grant: Uint8Array): Promise<Uint8Array> {
  const opened = await openKey(
    {
      streams: streamsTo(holders, by),
      nodeKey: by.nodeKey,
      confirmationSeed: by.nodeSeed,
      clock: nodeClock,
      random: nodeRandom,
    },
    {
      manifest,
      grant,
      holders: manifest.core.holders.map(({ x, nodeKey }) => ({
        x,
        nodeId: nodeIdOf(nodeKey),
        label: `${x}`,
      })),
    },
  );
  return opened.key;
}

/** Starts a holder again over the store in its directory. */
async function restart(index: number, options: Parameters<typeof startHolder>[1] = {}): Promise<Holder> {
  const party = at(holders, index);
  await party.store.close();
  const again = await startHolder(join(directory, `${index}`), { party, ...options });
  holders[index] = again;
  return again;
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

/** The sealed answer, or the code of the refusal. */
async function roundAt(holder: Holder, manifest: Manifest, by: Party, grant: Uint8Array) {
  return answerTo(holder, by, 'round', roundFor(manifest, holder, by, grant));
}

const isAnswered = (answer: unknown): boolean => typeof answer !== 'string';

describe('a custody service', () => {
  test('takes shares, activates and publishes them, and answers with what opens the key', async () => {
    holders = await startHolders(directory, 4);
    for (const length of [1, 32, 65_536]) {
      const secret = nodeRandom.bytes(length);
      const manifest = await dealTo(holders, owner, secret);
      expect(await open(manifest, owner, await grantTo(owner, manifest, owner))).toEqual(secret);
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

describe('a hostile peer of a custody service', () => {
  test('that sends garbage gets a coded refusal, whatever it sends', async () => {
    holders = await startHolders(directory, 1);
    const holder = at(holders, 0);
    const peer = makeParty();
    const valid = encodeRequest('offer', offerTo(holder, owner));
    const messages = [
      new Uint8Array(0),
      nodeRandom.bytes(1),
      nodeRandom.bytes(10_000),
      valid.subarray(0, -1),
      new Uint8Array([...valid, 0]),
      new Uint8Array(600_000),
      new TextEncoder().encode('{"name":"offer"}'),
    ];
    for (const message of messages) {
      const answer = await holder.service.handle({ nodeId: peer.nodeId }, message);
      expect(new TextDecoder().decode(answer)).toMatch(/MESSAGE_(MALFORMED|TOO_LARGE)/);
    }
    const nameless = await holder.service.handle({ nodeId: 'QmNoEd25519' }, valid);
    expect(new TextDecoder().decode(nameless)).toContain('MESSAGE_MALFORMED');
    expect(await keysIn(holder.store, '')).toEqual([]);
  });

  test('pays by the size of what it sends, and of the directory pages that it gets, and others do not', async () => {
    holders = await startHolders(directory, 1);
    const holder = at(holders, 0);
    const [sender, reader, honest] = [makeParty(), makeParty(), makeParty()];
    const junk = new Uint8Array(500_000);
    const code = async (from: Party, body: Uint8Array): Promise<string> =>
      new TextDecoder().decode(await holder.service.handle({ nodeId: from.nodeId }, body));
    for (let i = 0; i < 4; i++) expect(await code(sender, junk)).toContain('MESSAGE_MALFORMED');
    expect(await code(sender, junk)).toContain('RATE_LIMITED');

    let pages = 0;
    while (isAnswered(await answerTo(holder, reader, 'directory', { offset: 0 })) && pages < 5_000) pages++;
    expect(pages).toBeLessThan(2_000);
    expect(isAnswered(await answerTo(holder, honest, 'directory', { offset: 0 }))).toBe(true);
  });

  test('that floods is limited, and others are served', async () => {
    holders = await startHolders(directory, 1);
    const holder = at(holders, 0);
    const [flooder, honest] = [makeParty(), makeParty()];
    const probe = { keyId: new Uint8Array(32), epoch: 1, x: 1, nonce: new Uint8Array(32) };
    const answers = await Promise.all(
      Array.from({ length: 2_500 }, async () => answerTo(holder, flooder, 'probe', probe)),
    );
    expect(answers.filter(answer => answer === 'KEY_UNKNOWN').length).toBeGreaterThanOrEqual(2_000);
    expect(answers.at(-1)).toBe('RATE_LIMITED');
    expect(await answerTo(holder, honest, 'probe', probe)).toBe('KEY_UNKNOWN');
  });

  test('gets no more offers than its quota, and all dealers together no more than theirs', async () => {
    holders = await startHolders(directory, 1);
    const holder = at(holders, 0);
    const answers = await Promise.all(
      Array.from({ length: 300 }, async () => answerTo(holder, owner, 'offer', offerTo(holder, owner))),
    );
    expect(answers.filter(isAnswered).length).toBe(256);
    expect(answers.filter(answer => answer === 'QUOTA_EXCEEDED').length).toBe(44);

    const kept = await keysIn(holder.store, 'held/');
    const sample = decodeHeldKey(holder.store.get(at(kept, 0)) as Uint8Array);
    const more = Array.from({ length: parameters.offersKeptMax - kept.length - 1 }, () => {
      const keyId = nodeRandom.bytes(32);
      const value = encodeHeldKey({ ...sample, keyId });
      return { type: 'put', key: `held/${toHex(keyId)}`, value } as const;
    });
    await holder.store.batch(more);
    const again = await restart(0, { capacity: 1_000_000 });
    const stranger = makeOwner();
    expect(isAnswered(await answerTo(again, stranger, 'offer', offerTo(again, stranger)))).toBe(true);
    expect(await answerTo(again, stranger, 'offer', offerTo(again, stranger))).toBe('TOO_BUSY');
  });

  test('does not get past a capacity by asking at once', async () => {
    holders = [await startHolder(join(directory, '0'), { capacity: 5 })];
    const holder = at(holders, 0);
    const strangers = Array.from({ length: 20 }, makeOwner);
    const answers = await Promise.all(
      strangers.map(async stranger => answerTo(holder, stranger, 'offer', offerTo(holder, stranger))),
    );
    expect(answers.filter(isAnswered).length).toBe(5);
  });
});

describe('a damaged record', () => {
  /** Replaces what a holder keeps of a key, with the checksum of the store mended. */
  async function damage(holder: Holder, manifest: Manifest, value: Uint8Array): Promise<string> {
    const name = `held/${toHex(manifest.core.keyId)}`;
    await holder.store.put(name, value);
    return name;
  }

  test('is refused, logged, counted and left as it is, and everything else is served', async () => {
    holders = await startHolders(directory, 4);
    const [bad, good] = [await dealTo(holders, owner, key), await dealTo(holders, owner, key)];
    const value = nodeRandom.bytes(300);
    const name = await damage(at(holders, 0), bad, value);
    const log = recordingLog();
    const holder = await restart(0, { log });
    expect(log.lines).toEqual([
      'error: a held share is damaged on disk: it is not served, and its record is left as it is',
    ]);
    expect([holder.service.corruptCount(), holder.service.shareCount()]).toEqual([1, 1]);

    const grant = await grantTo(owner, bad, owner);
    expect(await roundAt(holder, bad, owner, grant)).toBe('STORE_CORRUPT');
    const { nonce } = bad.core;
    expect(await answerTo(holder, owner, 'offer', offerTo(holder, owner, nonce))).toBe('STORE_CORRUPT');
    await holder.service.expire();
    await holder.service.publishAll(new AbortController().signal);
    expect(holder.store.get(name)).toEqual(value);
    expect(holder.published).toEqual([toHex(good.core.keyId)]);
    expect(log.lines.length).toBe(1);

    expect(await open(good, owner, await grantTo(owner, good, owner))).toEqual(key);
    expect(await open(bad, owner, grant)).toEqual(key);
  });

  test("that is another key's, or was damaged while the node ran, is refused too", async () => {
    holders = await startHolders(directory, 4);
    const [one, two] = [await dealTo(holders, owner, key), await dealTo(holders, owner, key)];
    const holder = at(holders, 0);
    const swapped = holder.store.get(`held/${toHex(two.core.keyId)}`);
    await damage(holder, one, swapped as Uint8Array);
    expect(await roundAt(holder, one, owner, await grantTo(owner, one, owner))).toBe('STORE_CORRUPT');
    expect([holder.service.corruptCount(), holder.service.shareCount()]).toEqual([1, 1]);
    expect(isAnswered(await roundAt(holder, two, owner, await grantTo(owner, two, owner)))).toBe(true);
  });

  test('whose bytes the disk changed does not keep a node from starting', async () => {
    holders = await startHolders(directory, 4);
    const manifest = await dealTo(holders, owner, key);
    const name = `held/${toHex(manifest.core.keyId)}`;
    const corrupting = (store: Store): Store => ({
      ...store,
      get: stored => {
        if (stored === name) throw new SkerryError('STORE_CORRUPT', '', { key: stored });
        return store.get(stored);
      },
    });
    const holder = await restart(0, { through: corrupting });
    expect(holder.service.corruptCount()).toBe(1);
    expect(await roundAt(holder, manifest, owner, await grantTo(owner, manifest, owner))).toBe(
      'STORE_CORRUPT',
    );
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
    await open(manifest, owner, await grantTo(owner, manifest, owner));
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
