/**
 * Whatever a peer sends, every decoder and validator gives a value that would be sent as those very bytes, or refuses
 * it by a code of ours, at a bounded cost. `SKERRY_FUZZ_RUNS` sets the cases of each (`npm run fuzz`).
 */
import { type Crypto, equalBytes, isErrorCode, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import {
  checkKeyRecord,
  checkShareRecord,
  contributionShape,
  decode,
  decodeAnswer,
  decodeManifest,
  decodeNodeRecord,
  decodeRequest,
  decodeRevocation,
  decodeShareRecord,
  encode,
  encodeAnswer,
  encodeManifest,
  encodeRefusal,
  encodeRequest,
  encodeRevocation,
  encodeShareRecord,
  encodeTombstone,
  manifestPath,
  nodeIdOf,
  nodeKeyOf,
  parseGrantClaims,
  type RequestBody,
  type RequestName,
  shareRecordPath,
} from '@skerry/wire';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseManifest } from '../src/manifest.ts';
import { nodeRecordShape } from '../src/node-record.ts';
import {
  boxedKey,
  exampleClaims,
  exampleContribution,
  exampleExchanges,
  exampleKey,
  exampleNodeRecord,
  exampleRevocation,
  exampleShareRecord,
  exampleTombstone,
  requestNames,
} from './examples.ts';
import { manifestOf, revocationOf, shareRecordOf, tombstoneOf } from './keys.ts';
import { nestings, spoiledBytes, spoiledValues } from './mutations.ts';

const runs = Number(process.env['SKERRY_FUZZ_RUNS'] ?? 1000);
const timeoutMs = Math.max(20_000, runs * 20);

/** Verifications that judging one record may cost: 16 owners, the dealer, two for each of 255 receipts. */
const verificationsMax = 16 + 1 + 2 * 255;

type Target = {
  readonly name: string;
  readonly examples: readonly Uint8Array[];
  /** Decodes; returns what the value would be sent as. */
  readonly read: (crypto: Crypto, bytes: Uint8Array) => Uint8Array;
};

const manifests = [exampleKey, boxedKey].map(key => encodeManifest(manifestOf(key)));
const tombstones = [exampleTombstone, tombstoneOf(boxedKey)].map(encodeTombstone);
const manifestAt = manifestPath(exampleKey.core.keyId);
const shareRecords = [
  exampleShareRecord,
  shareRecordOf(exampleKey, 7, { sequence: 1 }),
  shareRecordOf(boxedKey, 128),
].map(encodeShareRecord);
const shareAt = shareRecordPath(exampleKey.core.keyId, 1, 7);

const targets: Target[] = [
  {
    name: 'manifest',
    examples: manifests,
    read: (crypto, bytes) => encodeManifest(decodeManifest(crypto, bytes)),
  },
  {
    name: 'manifest, unverified',
    examples: manifests,
    read: (_, bytes) => encodeManifest(parseManifest(bytes)),
  },
  {
    name: 'key record',
    examples: [...manifests, ...tombstones],
    read: (crypto, bytes) => {
      const record = checkKeyRecord(crypto, manifestAt, bytes);
      return record.type === 'tombstone'
        ? encodeTombstone(record.tombstone)
        : encodeManifest(record.manifest);
    },
  },
  {
    name: 'revocation',
    examples: [exampleRevocation, revocationOf(exampleKey)].map(encodeRevocation),
    read: (crypto, bytes) => encodeRevocation(decodeRevocation(crypto, bytes)),
  },
  {
    name: 'share record, unverified',
    examples: shareRecords,
    read: (_, bytes) => encodeShareRecord(decodeShareRecord(bytes)),
  },
  {
    name: 'share record',
    examples: shareRecords,
    read: (crypto, bytes) => encodeShareRecord(checkShareRecord(crypto, shareAt, bytes)),
  },
  {
    name: 'node record',
    examples: [exampleNodeRecord],
    read: (crypto, bytes) => encode(nodeRecordShape, decodeNodeRecord(crypto, bytes)),
  },
  {
    name: 'contribution',
    examples: [encode(contributionShape, exampleContribution)],
    read: (_, bytes) => encode(contributionShape, decode(contributionShape, bytes, 512, 'contribution')),
  },
  { name: 'request', examples: requestNames.map(requestOf), read: (_, bytes) => reencode(bytes) },
  ...requestNames.map(name => ({
    name: `answer to ${name}`,
    examples: [encodeAnswer(name, exampleExchanges[name].answer), encodeRefusal('KEY_UNKNOWN')],
    read: (_: Crypto, bytes: Uint8Array) => encodeAnswer(name, decodeAnswer(name, bytes)),
  })),
];

function requestOf(name: RequestName): Uint8Array {
  return encodeRequest(name, exampleExchanges[name].body);
}

function reencode(bytes: Uint8Array): Uint8Array {
  const { name, body } = decodeRequest(bytes);
  return encodeRequest(name, body as RequestBody<typeof name>);
}

/** Primitives that count verifications; the credulous ones find every signature good, and so see more of the code. */
function countingCrypto(credulous: boolean): { crypto: Crypto; verifications: () => number } {
  let count = 0;
  const ed25519Verify: Crypto['ed25519Verify'] = (key, message, signature) => {
    count++;
    return credulous || nodeCrypto.ed25519Verify(key, message, signature);
  };
  return { crypto: { ...nodeCrypto, ed25519Verify }, verifications: () => count };
}

/** Undefined where the work was refused by our code; anything else that it throws goes on. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SkerryError) || !isErrorCode(error.code)) throw error;
    return undefined;
  }
}

/** What became of bytes: `refused`, `taken` as they are, or what should never be. */
function outcome({ read }: Target, bytes: Uint8Array, credulous: boolean): string {
  const { crypto, verifications } = countingCrypto(credulous);
  const again = attempt(() => read(crypto, bytes));
  if (verifications() > verificationsMax) return 'too dear';
  if (again === undefined) return 'refused';
  return equalBytes(again, bytes) ? 'taken' : `taken as ${toHex(again)}`;
}

const options = { numRuns: runs };

describe.each(targets)('fuzz: the $name', target => {
  const limits = { timeout: timeoutMs };
  const noise = fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 1, arbitrary: nestings },
  );

  test('is taken unspoiled, so that spoiling begins at what is good', () => {
    const [first] = target.examples;
    expect(outcome(target, first!, false)).toBe('taken');
  });

  test('is refused, or taken as it is, from random bytes', limits, () => {
    fc.assert(
      fc.property(noise, bytes => {
        expect(outcome(target, bytes, true)).toMatch(/^(refused|taken)$/);
      }),
      options,
    );
  });

  test('is refused, or taken as it is, with bytes changed, put in, taken out or cut off', limits, () => {
    fc.assert(
      fc.property(spoiledBytes(target.examples), fc.boolean(), (bytes, credulous) => {
        expect(outcome(target, bytes, credulous)).toMatch(/^(refused|taken)$/);
      }),
      options,
    );
  });

  test('is refused, or taken as it is, with parts changed, put in, taken out or swapped', limits, () => {
    fc.assert(
      fc.property(spoiledValues(target.examples), fc.boolean(), (bytes, credulous) => {
        expect(outcome(target, bytes, credulous)).toMatch(/^(refused|taken)$/);
      }),
      options,
    );
  });
});

describe('fuzz: the claims of a grant', () => {
  const names = Object.keys(exampleClaims);
  const change = fc.record({
    name: fc.constantFrom(...names, '__proto__', 'constructor', 'extra'),
    value: fc.jsonValue(),
  });

  test('are refused, or taken as they are, from any JSON', { timeout: timeoutMs }, () => {
    fc.assert(
      fc.property(fc.jsonValue(), payload => {
        expect(attempt(() => parseGrantClaims(payload))).toBeUndefined();
      }),
      options,
    );
  });

  test('are refused, or taken as they are, with one changed', { timeout: timeoutMs }, () => {
    fc.assert(
      fc.property(change, ({ name, value }) => {
        const entries = [...Object.entries(exampleClaims).filter(([other]) => other !== name), [name, value]];
        const members = entries.map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member)}`);
        const payload: unknown = JSON.parse(`{${members.join()}}`);
        const claims = attempt(() => parseGrantClaims(payload));
        expect(claims ?? payload).toEqual(payload);
      }),
      options,
    );
  });
});

describe('fuzz: texts from peers', () => {
  const nodeId = nodeIdOf(exampleKey.dealer.key);
  const nearIds = fc
    .tuple(fc.nat(51), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([at, put]) => nodeId.slice(0, at) + put + nodeId.slice(at + put.length));

  test('are node ids in one spelling or refused', { timeout: timeoutMs }, () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), nearIds), text => {
        const nodeKey = attempt(() => nodeKeyOf(text));
        expect(nodeKey === undefined ? text : nodeIdOf(nodeKey)).toBe(text);
      }),
      options,
    );
  });

  test('are no paths of a record but its own', { timeout: timeoutMs }, () => {
    const near = (path: string) =>
      fc
        .tuple(fc.nat(path.length), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 }))
        .map(([at, cut, put]) => path.slice(0, at) + put + path.slice(at + cut));
    const { crypto } = countingCrypto(true);
    fc.assert(
      fc.property(fc.oneof(near(manifestAt), near(shareAt), fc.string({ unit: 'binary' })), path => {
        expect(attempt(() => checkKeyRecord(crypto, path, manifests[0]!)) !== undefined).toBe(
          path === manifestAt,
        );
        expect(attempt(() => checkShareRecord(crypto, path, shareRecords[0]!)) !== undefined).toBe(
          path === shareAt,
        );
      }),
      { numRuns: Math.ceil(runs / 10) },
    );
  });
});
