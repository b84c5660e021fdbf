/**
 * Makes the frozen vectors of type 1 from fixed inputs. They were made once: a difference from type1.json is a change
 * of protocol. `node test/vectors/make-type1.ts > test/vectors/type1.json` writes them anew.
 */
import { preimage, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import {
  challengeOf,
  combineContributions,
  commitPayload,
  contribute,
  deriveShareKeys,
  type Operation,
  type Point,
  packKey,
  provePossession,
  type RoundContext,
  type Share,
  type ShareKeys,
} from '@skerry/sharing';
import { invert, lagrangeCoefficient, multiply } from '../../src/field.ts';

const fieldPairs: [number, number][] = [
  [0x57, 0x83],
  [0x57, 0x13],
  [0xff, 0xff],
  [0x80, 0x02],
  [1, 0xe5],
  [0, 0xab],
];

/** `length` bytes that follow from a label. */
function fixedBytes(label: string, length: number): Uint8Array<ArrayBuffer> {
  return nodeCrypto.hkdf(new Uint8Array(32).fill(7), new Uint8Array(0), preimage('test', label), length);
}

/** A share of the polynomials whose coefficients are given, the payload first: Horner's rule. */
function shareAt(x: number, coefficients: readonly Uint8Array[]): Share {
  const y = new Uint8Array(coefficients[0]!.length);
  for (const coefficient of coefficients.toReversed()) {
    for (let i = 0; i < y.length; i++) y[i] = multiply(y[i]!, x) ^ coefficient[i]!;
  }
  return { x, y };
}

type CaseInputs = {
  readonly name: string;
  readonly keyBytes: number;
  readonly t: number;
  readonly points: readonly number[];
  readonly epoch: number;
  readonly originEpoch: number;
  readonly rounds: readonly { readonly op: Operation; readonly x: number; readonly set: readonly number[] }[];
};

type CaseKey = Pick<RoundContext, 'keyId' | 'epoch' | 't' | 'length'> & {
  readonly name: string;
  readonly holders: readonly (Point & ShareKeys & { readonly share: Share })[];
};

function makeRound({ name, holders, ...key }: CaseKey, { op, x, set }: CaseInputs['rounds'][number]) {
  const ctx: RoundContext = {
    ...key,
    scheme: 'gf256',
    op,
    coreHash: fixedBytes(`${name} core hash`, 32),
    set,
    x,
    recipientId: fixedBytes(`${name} ${op} recipient`, 32),
    recipientKey: fixedBytes(`${name} ${op} recipient key`, 32),
    authHash: fixedBytes(`${name} ${op} authorisation`, 32),
    roundId: fixedBytes(`${name} ${op} round`, 16),
  };
  const answers = holders
    .filter(holder => set.includes(holder.x))
    .map(({ x, share, ...keys }) => ({
      x,
      contribution: contribute(nodeCrypto, { ctx, points: holders, share, keys }),
    }));
  return {
    op,
    x,
    set: [...set],
    coreHash: toHex(ctx.coreHash),
    recipientId: toHex(ctx.recipientId),
    recipientKey: toHex(ctx.recipientKey),
    authHash: toHex(ctx.authHash),
    roundId: toHex(ctx.roundId),
    challenge: toHex(challengeOf(nodeCrypto, ctx)),
    lambdas: set.map((_, i) => lagrangeCoefficient(set, i, x)),
    contributions: answers.map(answer => toHex(answer.contribution)),
    result: toHex(combineContributions(ctx, answers)),
  };
}

function makeCase({ name, keyBytes, t, points, epoch, originEpoch, rounds }: CaseInputs) {
  const keyId = fixedBytes(`${name} key id`, 32);
  const key = fixedBytes(`${name} key`, keyBytes);
  let drawn = 0;
  const random = { bytes: (length: number) => fixedBytes(`${name} random ${drawn++}`, length) };
  const { payload, box } = packKey({ crypto: nodeCrypto, random, key, keyId });
  const length = payload.length;
  const coefficients = [payload];
  for (let i = 1; i < t; i++) coefficients.push(fixedBytes(`${name} coefficient ${i}`, length));
  const shares = points.map(x => shareAt(x, coefficients));
  const holders = shares.map(share => ({
    share,
    x: share.x,
    ...deriveShareKeys(nodeCrypto, { share, keyId, epoch, length }),
  }));
  const nonce = fixedBytes(`${name} nonce`, 32);
  return {
    name,
    keyId: toHex(keyId),
    epoch,
    originEpoch,
    t,
    length,
    key: toHex(key),
    payload: toHex(payload),
    box: box && toHex(box),
    boxAad: toHex(preimage('box', keyId)),
    commitment: toHex(commitPayload(nodeCrypto, { keyId, originEpoch, payload })),
    coefficients: coefficients.map(toHex),
    nonce: toHex(nonce),
    shares: holders.map(({ share, x, signSeed, vk, maskSeed, mk }) => ({
      x,
      y: toHex(share.y),
      signSeed: toHex(signSeed),
      vk: toHex(vk),
      maskSeed: toHex(maskSeed),
      mk: toHex(mk),
      possession: toHex(provePossession(nodeCrypto, signSeed, { keyId, epoch, x, nonce })),
    })),
    rounds: rounds.map(round => makeRound({ name, keyId, epoch, t, length, holders }, round)),
  };
}

/** Every vector of type 1, as type1.json holds them. */
export function makeVectors() {
  return {
    products: fieldPairs.map(([a, b]) => [a, b, multiply(a, b)]),
    inverses: [1, 2, 3, 0x53, 0xca, 0xff].map(a => [a, invert(a)]),
    cases: [
      makeCase({
        name: '3 of 5, a 16-byte key',
        keyBytes: 16,
        t: 3,
        points: [7, 32, 101, 200, 255],
        epoch: 1,
        originEpoch: 1,
        rounds: [
          { op: 'open', x: 0, set: [7, 101, 255] },
          { op: 'inspect', x: 32, set: [7, 101, 200] },
          { op: 'repair', x: 200, set: [7, 32, 101] },
          { op: 'drill', x: 255, set: [32, 101, 200] },
        ],
      }),
      makeCase({
        name: '2 of 4, a boxed key, a later epoch',
        keyBytes: 100,
        t: 2,
        points: [1, 2, 128, 254],
        epoch: 300,
        originEpoch: 299,
        rounds: [
          { op: 'open', x: 0, set: [1, 254] },
          { op: 'repair', x: 2, set: [128, 254] },
        ],
      }),
      makeCase({
        name: '5 of 7, a 64-byte key, the largest epoch',
        keyBytes: 64,
        t: 5,
        points: [3, 23, 24, 25, 127, 129, 250],
        epoch: 0xffff_ffff,
        originEpoch: 65_536,
        rounds: [{ op: 'open', x: 0, set: [3, 23, 24, 25, 250] }],
      }),
    ],
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(makeVectors(), null, 2)}\n`);
