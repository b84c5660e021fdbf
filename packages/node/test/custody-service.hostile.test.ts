import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, SkerryError, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, encodeHeldKey } from '@skerry/custody';
import { encodeRequest, type Manifest } from '@skerry/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
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
  type Party,
  restartHolder,
  roundAt,
  startHolder,
  startHolders,
  tombstoneOf,
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
    const garbage = Array.from({ length: 4 }, () => `${sender.nodeId} garbage`);
    expect(holder.misbehaviour).toEqual([...garbage, `${sender.nodeId} flood`]);

    let pages = 0;
    while (isAnswered(await answerTo(holder, reader, 'directory', { offset: 0 })) && pages < 5_000) pages++;
    expect(pages).toBeLessThan(2_000);
    expect(isAnswered(await answerTo(holder, honest, 'directory', { offset: 0 }))).toBe(true);
  });

  test('that floods is limited, and others are served', async () => {
    holders = await startHolders(directory, 1);
    const holder = at(holders, 0);
    const [flooder, honest] = [makeParty(), makeParty()];
    const none = new Uint8Array(32);
    const probe = { keyId: none, epoch: 1, coreHash: none, x: 1, nonce: none };
    const answers = await Promise.all(
      Array.from({ length: 2_500 }, async () => answerTo(holder, flooder, 'probe', probe)),
    );
    expect(answers.filter(answer => answer === 'KEY_UNKNOWN').length).toBeGreaterThanOrEqual(2_000);
    expect(answers.at(-1)).toBe('RATE_LIMITED');
    expect(await answerTo(holder, honest, 'probe', probe)).toBe('KEY_UNKNOWN');
    const limited = answers.filter(answer => answer === 'RATE_LIMITED').length;
    expect(holder.misbehaviour).toEqual(Array.from({ length: limited }, () => `${flooder.nodeId} flood`));
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

    expect(await openFrom(holders, good, owner, await grantTo(owner, good, owner))).toEqual(key);
    expect(await openFrom(holders, bad, owner, grant)).toEqual(key);
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

  test('has files rewritten a few times at once, and then has to wait', async () => {
    holders = await startHolders(directory, 4);
    const [holder, peer] = [at(holders, 0), makeParty()];
    const order = tombstoneOf(owner, await dealTo(holders, owner, key));
    const answers: unknown[] = [];
    while (answers.length < 200) answers.push(await answerTo(holder, peer, 'destroy', order));
    expect(answers.slice(0, 40).every(isAnswered)).toBe(true);
    expect(answers.at(-1)).toBe('RATE_LIMITED');
  });
});
