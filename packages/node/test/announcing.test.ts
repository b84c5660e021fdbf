import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '@skerry/base';
import { nodeClock, nodeCrypto } from '@skerry/crypto';
import { decodeNodeRecord, type NodeRecord } from '@skerry/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkPresence, type Presence, startAnnouncing } from '../src/announcing.ts';
import { openStore, type Store } from '../src/store.ts';
import { makeParty, quiet } from './holders.ts';

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  store = await openStore(directory);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const party = makeParty();
const presence: Presence = {
  place: { name: 'Reykjavik', lat: 64.1, lon: -21.9, country: 'IS', region: 'Northern Europe' },
  operator: 'auk',
  capacity: 10,
  nodeKey: party.nodeKey,
  nodeSeed: party.nodeSeed,
};

function observed(subject: Uint8Array): NodeRecord['observations'][number] {
  const counts = { availabilityGood: 100, availabilityBad: 0, integrityGood: 100, integrityBad: 0 };
  return { subject, ...counts, roundTripTenthsMs: null };
}

/** The first entry that a node announces. */
async function firstEntryOf(said: Presence): Promise<NodeRecord> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const stop = startAnnouncing({
    ...said,
    host: { nodeId: party.nodeId, addresses: () => [], connectedNodes: () => [] },
    directory: {
      announce: async bytes => resolve(bytes),
      entry: () => undefined,
      entries: () => [],
      snapshot: () => [],
      merge: () => 0,
      onEntry: () => () => undefined,
      clockSkewMs: () => null,
      close: async () => undefined,
    },
    streams: { request: async () => new Uint8Array() },
    store,
    clock: nodeClock,
    log: quiet,
  });
  const record = decodeNodeRecord(nodeCrypto, await promise);
  await stop();
  return record;
}

test('an entry says what its node has seen of others, and nothing where it is not asked', async () => {
  const observations = [observed(makeParty().nodeKey)];
  const record = await firstEntryOf({ ...presence, observations: () => observations });
  expect(record.observations).toEqual(observations);
  expect((await firstEntryOf(presence)).observations).toEqual([]);
});

test('a node that would speak of itself does not start', () => {
  const spoken = { ...presence, observations: () => [observed(party.nodeKey)] };
  expect(() => checkPresence(presence, 1000)).not.toThrow();
  expect(() => checkPresence(spoken, 1000)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  expect(at(spoken.observations(), 0).subject).toEqual(party.nodeKey);
});
