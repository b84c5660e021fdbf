import { SkerryError } from '@skerry/base';
import { afterEach, describe, expect, test } from 'vitest';
import { createRecords, type Records } from '../src/dht.ts';
import type { Host } from '../src/host.ts';
import type { RecordKinds } from '../src/record-shelf.ts';
import { recordingLog, startHost, startHosts, until } from './hosts.ts';

/** Records of the tests: `<sequence>:<anything>`, sequence one digit; valid where the path ends in what follows. */
const recordKinds: RecordKinds = {
  note: {
    recordBytesMax: 64,
    countMax: 4,
    bytesMax: 1_000,
    validate: (path, value) => {
      if (!/^\d:/.test(text(value)) || !path.endsWith(text(value).slice(2)))
        throw new SkerryError('RECORD_INVALID');
    },
    compare: (a, b) => a[0]! - b[0]!,
  },
};
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
const deadlineMs = 8_000;

let hosts: Host[] = [];
let records: Records[] = [];

async function start(count: number, options: { republishMs?: number } = {}): Promise<void> {
  hosts = await startHosts(count, { recordKinds });
  records = hosts.map(host => createRecords({ host, log: recordingLog(), ...options }));
  await until(() => hosts.every(host => knownToDht(host) >= count - 1));
}

/** How many nodes a host's routing table has. */
function knownToDht(host: Host): number {
  return (host.libp2p.services.dht as unknown as { routingTable: { size: number } }).routingTable.size;
}

afterEach(async () => {
  await Promise.all(records.splice(0).map(async each => each.close()));
  await Promise.all(hosts.splice(0).map(async host => host.close()));
});

/** What a hostile peer does: a PUT straight to another's handler, with no check of its own. */
async function putUnchecked(from: Host, path: string, value: string): Promise<number> {
  let taken = 0;
  const shelf = from.shelf as { datastore: { put: unknown } };
  const honest = shelf.datastore.put;
  shelf.datastore.put = async (key: unknown) => key;
  try {
    for await (const event of from.libp2p.services.dht.put(bytes(path), bytes(value))) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken++;
    }
  } finally {
    shelf.datastore.put = honest;
  }
  return taken;
}

describe('records', () => {
  test('a record put by one node is taken by the others and read by any', async () => {
    await start(5);
    const { stored } = await records[1]!.put('/skerry/note/a', bytes('1:a'), { deadlineMs });
    expect(stored).toBe(4);
    for (const each of records) expect(text(await each.get('/skerry/note/a', { deadlineMs }))).toBe('1:a');
    expect(await records[2]!.get('/skerry/note/absent', { deadlineMs })).toBeUndefined();
  });

  test('an older record never replaces a newer one, whoever sends it', async () => {
    await start(4);
    await records[0]!.put('/skerry/note/a', bytes('1:a'), { deadlineMs });
    await records[1]!.put('/skerry/note/a', bytes('2:a'), { deadlineMs });
    await expect(records[0]!.put('/skerry/note/a', bytes('1:a'), { deadlineMs })).rejects.toMatchObject({
      code: 'RECORD_STALE',
    });
    expect(await putUnchecked(hosts[3]!, '/skerry/note/a', '1:a')).toBe(0);
    for (const host of hosts) expect(text(host.shelf.read('/skerry/note/a'))).toBe('2:a');
  });

  test('every node refuses a record that is invalid, too large, of another path, or of no kind', async () => {
    await start(4);
    const hostile = hosts[3]!;
    expect(await putUnchecked(hostile, '/skerry/note/a', 'nonsense')).toBe(0);
    expect(await putUnchecked(hostile, '/skerry/note/a', '1:b')).toBe(0);
    expect(await putUnchecked(hostile, `/skerry/note/${'a'.repeat(70)}`, `1:${'a'.repeat(70)}`)).toBe(0);
    expect(await putUnchecked(hostile, '/skerry/other/a', '1:a')).toBe(0);
    expect(await putUnchecked(hostile, '/other/note/a', '1:a')).toBe(0);
    expect(hosts.map(host => host.shelf.count('note'))).toEqual([0, 0, 0, 0]);
    await expect(records[0]!.put('/skerry/note/a', bytes('1:b'), { deadlineMs })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
    });
    await expect(records[0]!.get('/skerry/other/a', { deadlineMs })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
    });
  });

  test('the newest record is read past peers that are behind, lie or refuse to be corrected', async () => {
    await start(5);
    await records[0]!.put('/skerry/note/a', bytes('3:a'), { deadlineMs });
    const [, behind, liar, frozen] = hosts as [Host, Host, Host, Host, Host];
    answerWith(behind, '/skerry/note/a', '1:a');
    answerWith(liar, '/skerry/note/a', '9:b');
    await freeze(frozen);
    expect(text(await records[4]!.get('/skerry/note/a', { deadlineMs }))).toBe('3:a');
  });

  test('one answer is enough where the caller says so', async () => {
    await start(3);
    await records[0]!.put('/skerry/note/a', bytes('1:a'), { deadlineMs });
    expect(text(await records[1]!.get('/skerry/note/a', { deadlineMs, answersEnough: 1 }))).toBe('1:a');
  });

  test('a deadline ends a get among frozen peers with what was found, and a put with how many took it', async () => {
    await start(3);
    await records[0]!.put('/skerry/note/a', bytes('1:a'), { deadlineMs });
    await freeze(hosts[1]!);
    await freeze(hosts[2]!);
    expect(text(await records[0]!.get('/skerry/note/a', { deadlineMs: 200 }))).toBe('1:a');
    expect(await records[0]!.put('/skerry/note/b', bytes('1:b'), { deadlineMs: 200 })).toEqual({ stored: 0 });
    expect(text(hosts[0]!.shelf.read('/skerry/note/b'))).toBe('1:b');
  });

  test("a flood of records leaves a bounded number, and the node's own stay", async () => {
    await start(2);
    const [a, b] = records as [Records, Records];
    await a.put('/skerry/note/own', bytes('1:own'), { deadlineMs });
    a.interest('/skerry/note/own', bytes('1:own'));
    for (let i = 0; i < 12; i++) await b.put(`/skerry/note/flood${i}`, bytes(`1:flood${i}`), { deadlineMs });
    expect(hosts[0]!.shelf.count('note')).toBeLessThanOrEqual(5);
    expect(text(hosts[0]!.shelf.read('/skerry/note/own'))).toBe('1:own');
  });

  test('a record of interest is published again to nodes that came later, until nobody cares', async () => {
    await start(2, { republishMs: 200 });
    records[0]!.interest('/skerry/note/a', bytes('1:a'));
    const late = await startHost({ recordKinds, bootstrap: hosts[0]!.addresses() });
    hosts.push(late);
    await until(() => text(late.shelf.read('/skerry/note/a')) === '1:a');
    records[0]!.disinterest('/skerry/note/a');
    expect(() => records[0]!.interest('/skerry/note/a', bytes('nonsense'))).toThrow(SkerryError);
  });

  test('provider records, which Skerry has no use for, take no memory', async () => {
    await start(2);
    const { datastore } = hosts[0]!.shelf;
    const key = { toString: () => '/dht/provider/x/y' } as Parameters<typeof datastore.put>[0];
    await expect(Promise.resolve(datastore.put(key, new Uint8Array([1])))).rejects.toThrow(/./);
    await expect(Promise.resolve(datastore.get(key))).rejects.toThrow('no such record');
  });
});

/** Makes a host answer for a path with something of our choosing, and refuse every PUT. */
function answerWith(host: Host, path: string, value: string): void {
  const datastore = host.shelf.datastore as unknown as {
    get: (key: unknown) => Promise<Uint8Array>;
    put: (key: unknown, bytes: Uint8Array) => Promise<unknown>;
  };
  const honest = datastore.get;
  datastore.get = async key => {
    const record = Buffer.from(await honest(key));
    const where = record.indexOf(text(host.shelf.read(path)));
    return record.fill(value, where, where + value.length);
  };
  datastore.put = async () => {
    throw new Error('no');
  };
}

/** Makes a host accept DHT streams and answer nothing. */
async function freeze(host: Host): Promise<void> {
  await host.libp2p.handle('/skerry/kad/1.0.0', async () => new Promise<never>(() => undefined), {
    force: true,
  });
}
