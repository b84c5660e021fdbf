import { preimage, SkerryError } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import { decodeNodeRecord, directoryPageMax, encode, type NodeRecord, signNodeRecord } from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import {
  messageBytesMax,
  nodeRecordBytesMax,
  observationsMax,
  observedHundredthsMax,
  roundTripTenthsMsMax,
} from '../parameters.ts';
import { nodeRecordShape } from '../src/node-record.ts';
import { signerOf } from './keys.ts';
import { codeOf, flipped, refusalOf } from './refusal.ts';

const node = signerOf('node');

/** What the node saw of a node whose key begins with a number; the node's own begins with another. */
function observationOf(first: number): NodeRecord['observations'][number] {
  const subject = new Uint8Array(32).fill(first, 0, 2);
  return {
    subject,
    availabilityGood: 1234,
    availabilityBad: 0,
    integrityGood: 65_535,
    integrityBad: 1,
    roundTripTenthsMs: 312,
  };
}

const claims: Omit<NodeRecord, 'signature'> = {
  version: 1,
  nodeKey: node.key,
  sequence: 7,
  issuedAtMs: 1_790_000_000_000,
  expiresAtMs: 1_790_003_600_000,
  addresses: ['/ip4/127.0.0.1/tcp/4001', '/dns4/node.example/tcp/443'],
  place: { name: 'Reykjavík', latitudeE6: 64_150_000, longitudeE6: -21_940_000, country: 'IS' },
  operator: 'Example',
  capacity: 1000,
  software: 'skerry/0.1.0',
  observations: [observationOf(1), { ...observationOf(2), roundTripTenthsMs: null }],
};

function sign(changes: Partial<typeof claims> = {}, signer = node): Uint8Array {
  return signNodeRecord(crypto, signer.seed, { ...claims, ...changes });
}

describe('a node record', () => {
  test('comes back as its node signed it', () => {
    const { signature, ...rest } = decodeNodeRecord(crypto, sign());
    expect(rest).toEqual(claims);
    expect(signature).toHaveLength(64);
  });

  test('may name no operator, no place and no address', () => {
    const place = { name: '', latitudeE6: 0, longitudeE6: 0, country: '' };
    const record = decodeNodeRecord(crypto, sign({ operator: '', place, addresses: [] }));
    expect(record).toMatchObject({ operator: '', place, addresses: [] });
  });

  test('is refused where another node signed it', () => {
    expect(codeOf(() => decodeNodeRecord(crypto, sign({}, signerOf('other'))))).toBe('SIGNATURE_INVALID');
  });

  test('is refused where any byte was changed', () => {
    const encoded = sign();
    for (let at = 0; at < encoded.length; at++) {
      expect(() => decodeNodeRecord(crypto, flipped(encoded, at))).toThrow(SkerryError);
    }
  });

  const changes: Partial<typeof claims> = {
    nodeKey: signerOf('other').key,
    sequence: 8,
    issuedAtMs: claims.issuedAtMs + 1,
    expiresAtMs: claims.expiresAtMs + 1,
    addresses: claims.addresses.toReversed(),
    place: { ...claims.place, country: 'DE' },
    operator: 'Other',
    capacity: 1001,
    software: '',
    observations: [observationOf(1)],
  };
  test.each(Object.keys(changes) as (keyof typeof claims)[])('is refused with another %s', field => {
    const record = { ...decodeNodeRecord(crypto, sign()), [field]: changes[field] };
    expect(codeOf(() => decodeNodeRecord(crypto, encode(nodeRecordShape, record)))).toBe('SIGNATURE_INVALID');
  });

  test.each([0, -1])('is refused where it expires %i ms after it was issued', lifeMs => {
    const expiresAtMs = claims.issuedAtMs + lifeMs;
    expect(codeOf(() => decodeNodeRecord(crypto, sign({ expiresAtMs })))).toBe('RECORD_INVALID');
  });

  const first = node.key[0]!;
  test.each<[string, NodeRecord['observations']]>([
    ['one subject twice', [observationOf(1), observationOf(1)]],
    ['subjects that descend', [observationOf(2), observationOf(1)]],
    ['a word about itself', [{ ...observationOf(1), subject: node.key }]],
    [
      'a word about itself among others',
      [observationOf(first - 1), { ...observationOf(1), subject: node.key }, observationOf(first + 1)],
    ],
  ])('is refused with %s', (_, observations) => {
    expect(codeOf(() => decodeNodeRecord(crypto, sign({ observations })))).toBe('RECORD_INVALID');
  });

  test('has room for as much as it may say, and a page of such entries for all of them', () => {
    const wide = (length: number): string => 'é'.repeat(length);
    const largest = sign({
      sequence: Number.MAX_SAFE_INTEGER,
      addresses: Array.from({ length: 8 }, () => 'a'.repeat(256)),
      place: { ...claims.place, name: wide(128) },
      operator: wide(64),
      software: wide(64),
      observations: Array.from({ length: observationsMax }, (_, i) => {
        const most = observedHundredthsMax;
        const counts = {
          availabilityGood: most,
          availabilityBad: most,
          integrityGood: most,
          integrityBad: most,
        };
        return { ...observationOf(i), ...counts, roundTripTenthsMs: roundTripTenthsMsMax };
      }),
    });
    expect(decodeNodeRecord(crypto, largest).observations).toHaveLength(32);
    expect(nodeRecordBytesMax - 4096).toBeGreaterThanOrEqual(32 * 50 + 2);
    expect(directoryPageMax * (nodeRecordBytesMax + 3)).toBeLessThan(messageBytesMax - 100);
  });

  const place = claims.place;
  const seen = observationOf(1);
  test.each<[string, Partial<typeof claims>]>([
    ['version', { version: 2 }],
    ['nodeKey', { nodeKey: node.key.slice(1) }],
    ['sequence', { sequence: -1 }],
    ['issuedAtMs', { issuedAtMs: -1 }],
    ['expiresAtMs', { expiresAtMs: 253_402_300_800_001 }],
    ['addresses', { addresses: Array.from({ length: 9 }, () => '/ip4/127.0.0.1/tcp/1') }],
    ['addresses[0]', { addresses: ['a'.repeat(257)] }],
    ['place.name', { place: { ...place, name: 'n'.repeat(129) } }],
    ['place.name', { place: { ...place, name: 'two\nlines' } }],
    ['place.name', { place: { ...place, name: 'mirrored \u202e' } }],
    ['place.latitudeE6', { place: { ...place, latitudeE6: 90_000_001 } }],
    ['place.longitudeE6', { place: { ...place, longitudeE6: -180_000_001 } }],
    ['place.country', { place: { ...place, country: 'is' } }],
    ['place.country', { place: { ...place, country: 'I' } }],
    ['place.country', { place: { ...place, country: 'ISL' } }],
    ['operator', { operator: '\u001b[2J' }],
    ['operator', { operator: 'o'.repeat(65) }],
    ['capacity', { capacity: 2 ** 32 }],
    ['software', { software: 's'.repeat(65) }],
    ['observations', { observations: Array.from({ length: 33 }, (_, i) => observationOf(i)) }],
    ['observations[0].subject', { observations: [{ ...seen, subject: new Uint8Array(31) }] }],
    ['observations[0].availabilityGood', { observations: [{ ...seen, availabilityGood: 65_536 }] }],
    ['observations[0].availabilityBad', { observations: [{ ...seen, availabilityBad: -1 }] }],
    ['observations[0].integrityGood', { observations: [{ ...seen, integrityGood: 65_536 }] }],
    ['observations[0].integrityBad', { observations: [{ ...seen, integrityBad: -1 }] }],
    ['observations[0].roundTripTenthsMs', { observations: [{ ...seen, roundTripTenthsMs: 65_536 }] }],
  ])('is refused for a %s out of bounds', (field, change) => {
    expect(refusalOf(() => decodeNodeRecord(crypto, sign(change)))).toContain(
      `MESSAGE_MALFORMED: node record.${field} is not`,
    );
  });

  test('is refused by its size before it is read', () => {
    expect(codeOf(() => decodeNodeRecord(crypto, new Uint8Array(nodeRecordBytesMax + 1)))).toBe(
      'MESSAGE_TOO_LARGE',
    );
    const addresses = Array.from({ length: 8 }, () => '\u4e00'.repeat(256));
    expect(codeOf(() => decodeNodeRecord(crypto, sign({ addresses })))).toBe('MESSAGE_TOO_LARGE');
  });

  test('is not made from what its node signed for another purpose', () => {
    const { signature: _, ...unsigned } = decodeNodeRecord(crypto, sign());
    const signature = crypto.ed25519Sign(node.seed, preimage('other-record', 1));
    const encoded = encode(nodeRecordShape, { ...unsigned, signature });
    expect(codeOf(() => decodeNodeRecord(crypto, encoded))).toBe('SIGNATURE_INVALID');
  });
});
