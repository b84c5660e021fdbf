import { fromHex, toHex } from '@skerry/base';
import { isNodeId, nodeIdOf, nodeKeyOf } from '@skerry/wire';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from './refusal.ts';
import vectors from './vectors/node-ids.json' with { type: 'json' };

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

describe('a node id', () => {
  // Made once by @libp2p/crypto 5 (generateKeyPairFromSeed) and @libp2p/peer-id 6 (peerIdFromPrivateKey).
  test.each(vectors)("is libp2p's own: $nodeId", ({ nodeKey, nodeId }) => {
    expect(nodeIdOf(fromHex(nodeKey)!)).toBe(nodeId);
    expect(toHex(nodeKeyOf(nodeId))).toBe(nodeKey);
  });

  test('gives back its key, for the least and the greatest as for any', () => {
    const keys = fc.oneof(key, fc.constantFrom(new Uint8Array(32), new Uint8Array(32).fill(255)));
    fc.assert(
      fc.property(keys, nodeKey => {
        expect(nodeKeyOf(nodeIdOf(nodeKey))).toEqual(nodeKey);
      }),
    );
  });

  test('is the one text of its key: another text is refused or another key', () => {
    fc.assert(
      fc.property(key, fc.nat(51), fc.constantFrom(...digits.split('')), (nodeKey, at, digit) => {
        const text = nodeIdOf(nodeKey);
        const altered = text.slice(0, at) + digit + text.slice(at + 1);
        fc.pre(altered !== text);
        let decoded: Uint8Array;
        try {
          decoded = nodeKeyOf(altered);
        } catch {
          return;
        }
        expect(decoded).not.toEqual(nodeKey);
        expect(nodeIdOf(decoded)).toBe(altered);
      }),
      { numRuns: 500 },
    );
  });

  const { nodeId } = vectors[0]!;
  test.each([
    ['nothing', ''],
    ['a longer text', `${nodeId}1`],
    ['a leading one more', `1${nodeId}`],
    ['a shorter text', nodeId.slice(0, -1)],
    ['a space around it', ` ${nodeId}`],
    ['a line end after it', `${nodeId}\n`],
    ['a letter that base 58 lacks', `${nodeId.slice(0, -1)}0`],
    ['a letter that the decoder has no row for', `${nodeId.slice(0, 12)}\u0100${nodeId.slice(13)}`],
    ['one more such letter', `1\u0100${nodeId.slice(1)}`],
    ['an id of an RSA key', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'],
    ['an id of a secp256k1 key', '16Uiu2HAm7txvwZbeK5g3oB3DrRhnARTEjTNorVreWJomfHJHbEu2'],
    ['an Ed25519 key past the last', `12D3KooW${'z'.repeat(44)}`],
    ['a CID', 'bafzaajaiaejcb3gvr4b4u4ujhwrpmhgcftfwrhp2ugrv2bcfqfm5lg5yuwhl2ub6'],
    ['a megabyte', '1'.repeat(1_000_000)],
  ])('is not %s', (_, text) => {
    expect(codeOf(() => nodeKeyOf(text))).toBe('MESSAGE_MALFORMED');
    expect(isNodeId(text)).toBe(false);
    expect(isNodeId(nodeId)).toBe(true);
  });
});
