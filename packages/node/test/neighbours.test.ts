import { nodeCrypto } from '@skerry/crypto';
import { type NodeRecord, signNodeRecord } from '@skerry/wire';
import { expect, test } from 'vitest';
import { decodeNeighbour, labelOf } from '../src/neighbours.ts';
import { makeParty, type Party } from './holders.ts';

function recordOf(party: Party, claims: Partial<NodeRecord> = {}): Uint8Array {
  return signNodeRecord(nodeCrypto, party.nodeSeed, {
    version: 1,
    nodeKey: party.nodeKey,
    sequence: 7,
    issuedAtMs: 1_000,
    expiresAtMs: 2_000,
    addresses: ['/ip4/127.0.0.1/tcp/1'],
    place: { name: 'Reykjavik', latitudeE6: 64_135_480, longitudeE6: -21_895_410, country: 'IS' },
    operator: 'auk',
    capacity: 10,
    software: 'skerry/0.1.0',
    observations: [],
    ...claims,
  });
}

const party = makeParty();

test('an entry is what its node signed, under the name that its key gives', () => {
  const bytes = recordOf(party);
  expect(decodeNeighbour(bytes)).toMatchObject({
    nodeId: party.nodeId,
    sequence: 7,
    issuedAtMs: 1_000,
    expiresAtMs: 2_000,
    addresses: ['/ip4/127.0.0.1/tcp/1'],
    bytes,
  });
  const forged = recordOf(makeParty(), { nodeKey: party.nodeKey });
  expect(() => decodeNeighbour(forged)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
  const changed = bytes.slice();
  changed[changed.length - 1]! ^= 1;
  expect(() => decodeNeighbour(changed)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
});

test('a label names place, operator and the end of the id', () => {
  const end = party.nodeId.slice(-6);
  expect(labelOf(decodeNeighbour(recordOf(party)))).toBe(`Reykjavik (auk) ..${end}`);
  const anonymous = decodeNeighbour(recordOf(party, { operator: '' }));
  expect(labelOf(anonymous)).toBe(`Reykjavik ..${end}`);
});
