import { nodeCrypto } from '@skerry/crypto';
import { trustNeutral } from '@skerry/placement';
import { type NodeRecord, signNodeRecord } from '@skerry/wire';
import { expect, test } from 'vitest';
import { candidateOf, candidates, decodeNeighbour, labelOf } from '../src/neighbours.ts';
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

test('a candidate is where its node says, in the region of that country, and neutral by default', () => {
  const candidate = candidateOf(decodeNeighbour(recordOf(party)), {});
  expect(candidate.place).toMatchObject({ name: 'Reykjavik', lat: 64.13548, lon: -21.89541, country: 'IS' });
  expect(candidate.place.region).toBe('154');
  expect(candidate).toMatchObject({ nodeId: party.nodeId, operator: 'auk', trust: trustNeutral });
  const anonymous = candidateOf(decodeNeighbour(recordOf(party, { operator: '' })), { 'operator:': 1 });
  expect(anonymous).toMatchObject({ operator: null, trust: trustNeutral });
});

test("the operator's statement about a node comes before that about who runs it", () => {
  const entry = decodeNeighbour(recordOf(party));
  expect(candidateOf(entry, { 'operator:auk': 0.9 }).trust).toBe(0.9);
  expect(candidateOf(entry, { 'operator:auk': 0.9, [party.nodeId]: 0 }).trust).toBe(0);
  expect(candidateOf(entry, { auk: 0.9, 'operator:gannet': 0.8 }).trust).toBe(trustNeutral);
});

test('no claim of a node about itself counts as trust', () => {
  for (const operator of [party.nodeId, `operator:${party.nodeId}`, '__proto__', 'constructor', 'trust=1']) {
    const entry = decodeNeighbour(recordOf(party, { operator, software: 'trust=1' }));
    expect(candidateOf(entry, {}).trust).toBe(trustNeutral);
    expect(candidateOf(entry, { [makeParty().nodeId]: 1 }).trust).toBe(trustNeutral);
  }
});

test('candidates are the others that hold shares: not this node, and none without room', () => {
  const [own, full, holder] = [makeParty(), makeParty(), makeParty()];
  const entries = [recordOf(own), recordOf(full, { capacity: 0 }), recordOf(holder)].map(decodeNeighbour);
  const found = candidates({ entries: () => entries }, own.nodeId, {});
  expect(found.map(({ nodeId }) => nodeId)).toEqual([holder.nodeId]);
});

test('a label names place, operator and the end of the id', () => {
  const end = party.nodeId.slice(-6);
  expect(labelOf(decodeNeighbour(recordOf(party)))).toBe(`Reykjavik (auk) ..${end}`);
  const anonymous = decodeNeighbour(recordOf(party, { operator: '' }));
  expect(labelOf(anonymous)).toBe(`Reykjavik ..${end}`);
});
