import { decodeCanonical, type Encodable, type ErrorCode, encodeCanonical, errorTable } from '@skerry/base';
import { nodeCrypto as crypto, hpkeOverheadBytes } from '@skerry/crypto';
import {
  acceptPreimage,
  answerInfo,
  type Contribution,
  contributionPreimage,
  contributionShape,
  decode,
  decodeAnswer,
  decodeRequest,
  depositInfo,
  directoryPageMax,
  encode,
  encodeAnswer,
  encodeRefusal,
  encodeRequest,
  type Offer,
  offerPreimage,
  probeAnswerPreimage,
  type RequestName,
  requestPreimage,
} from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { messageBytesMax, nodeRecordBytesMax } from '../parameters.ts';
import { depositShape, roundRequestShape } from '../src/messages.ts';
import { exampleContribution, exampleExchanges, requestNames } from './examples.ts';
import { fixedBytes } from './keys.ts';
import { codeOf, errorOf, flipped } from './refusal.ts';

const { offer, round, deposit, directory } = exampleExchanges;
const lowOrder = new Uint8Array(32);

function requestOf(name: RequestName): Uint8Array {
  return encodeRequest(name, exampleExchanges[name].body);
}

function answerOf(name: RequestName): Uint8Array {
  return encodeAnswer(name, exampleExchanges[name].answer);
}

describe('a request', () => {
  test.each(requestNames)('%s comes back as it was made', name => {
    expect(decodeRequest(requestOf(name))).toEqual({ name, body: exampleExchanges[name].body });
  });

  test('is refused as unsupported in another version, or under a name that this one does not know', () => {
    const body = encodeCanonical([]);
    const unknown = ['repair', '', 'constructor', '__proto__', 'toString', 'Offer'];
    for (const name of unknown) {
      expect(codeOf(() => decodeRequest(encodeCanonical([1, name, body])))).toBe('PROTOCOL_UNSUPPORTED');
    }
    for (const version of [0, 2, 65_535]) {
      expect(codeOf(() => decodeRequest(encodeCanonical([version, 'probe', body])))).toBe(
        'PROTOCOL_UNSUPPORTED',
      );
    }
  });

  test('is refused where its envelope is not one', () => {
    const { keyId } = offer.body;
    const envelopes = [[], [1, 'probe'], [1, 'probe', keyId, 0], ['1', 'probe', keyId], [1, 7, keyId]];
    for (const envelope of [...envelopes, [1, 'probe', 'body'], [1, 'n'.repeat(33), keyId], 1, null, keyId]) {
      expect(codeOf(() => decodeRequest(encodeCanonical(envelope)))).toBe('MESSAGE_MALFORMED');
    }
  });

  test.each(requestNames)('%s is refused with the body of another', name => {
    for (const other of requestNames.filter(candidate => candidate !== name)) {
      const [version, , body] = decodeCanonical(requestOf(other), messageBytesMax) as Encodable[];
      const renamed = encodeCanonical([version!, name, body!]);
      expect(['MESSAGE_MALFORMED', 'MESSAGE_TOO_LARGE']).toContain(codeOf(() => decodeRequest(renamed)));
    }
  });

  test('is refused by its size before it is read, and its body by what its name allows', () => {
    expect(codeOf(() => decodeRequest(new Uint8Array(messageBytesMax + 1)))).toBe('MESSAGE_TOO_LARGE');
    const others = requestNames.filter(name => name !== 'deposit' && name !== 'update');
    const codes = others.map(name =>
      codeOf(() => decodeRequest(encodeCanonical([1, name, new Uint8Array(100_000)]))),
    );
    expect(new Set(codes)).toEqual(new Set(['MESSAGE_TOO_LARGE']));
    const padded = encodeCanonical([1, 'deposit', new Uint8Array(depositShape.bytesMax + 1)]);
    expect(codeOf(() => decodeRequest(padded))).toBe('MESSAGE_TOO_LARGE');
  });

  test('of the largest kind fits into a message', () => {
    expect(depositShape.bytesMax).toBeLessThan(messageBytesMax - 64);
    expect(roundRequestShape.bytesMax).toBeLessThan(20_000);
  });

  test.each<[string, object]>([
    ['op', { op: 'steal', grant: new Uint8Array(33) }],
    ['epoch', { epoch: 0 }],
    ['t', { t: 1 }],
    ['length', { length: 97 }],
    ['set', { set: [3] }],
    ['set[1]', { set: [3, 0] }],
    ['x', { x: 256 }],
    ['recipientKey', { recipientKey: lowOrder }],
    ['grant', { grant: new Uint8Array(16_385) }],
    ['roundId', { roundId: new Uint8Array(15) }],
    ['signature', { signature: new Uint8Array(63) }],
  ])('round is refused for a %s out of bounds', (field, change) => {
    const bytes = encodeRequest('round', { ...round.body, ...change });
    expect(() => decodeRequest(bytes)).toThrow(`round.${field} is not`);
  });

  test('round is taken with a grant for every operation but a drill and a repair', () => {
    const drill = { ...round.body, op: 'drill' as const, x: 90, grant: new Uint8Array(0) };
    expect(decodeRequest(encodeRequest('round', drill)).body).toEqual(drill);
    const repair = { ...drill, op: 'repair' as const, grant: new Uint8Array(32) };
    expect(decodeRequest(encodeRequest('round', repair)).body).toEqual(repair);
    const { grant } = round.body;
    for (const body of [
      { ...drill, grant },
      { ...drill, grant: repair.grant },
      { ...repair, grant },
      { ...repair, grant: drill.grant },
      { ...round.body, grant: drill.grant },
      { ...round.body, grant: repair.grant },
    ]) {
      const bytes = encodeRequest('round', body);
      expect(codeOf(() => decodeRequest(bytes))).toBe('MESSAGE_MALFORMED');
      expect(() => decodeRequest(bytes)).toThrow('round is not a drill without a grant');
    }
  });

  test.each<[string, object]>([
    ['ciphertext', { ciphertext: new Uint8Array(49) }],
    ['sealedDek', { sealedDek: new Uint8Array(85) }],
    ['pointsSignatures', { pointsSignatures: [] }],
    ['core.standby', { core: { ...deposit.body.core, standby: Array.from({ length: 33 }, () => lowOrder) } }],
    ['core.repairBudget', { core: { ...deposit.body.core, repairBudget: 9 } }],
    ['core.box', { core: { ...deposit.body.core, box: new Uint8Array(80) } }],
    ['core.box', { core: { ...deposit.body.core, box: new Uint8Array(65_553) } }],
    ['core.scheme', { core: { ...deposit.body.core, scheme: 'ristretto255' } }],
    ['core.version', { core: { ...deposit.body.core, version: 2 } }],
  ])('deposit is refused for a %s out of bounds', (field, change) => {
    const bytes = encodeRequest('deposit', { ...deposit.body, ...change });
    expect(() => decodeRequest(bytes)).toThrow(`deposit.${field} is not`);
  });
});

describe('an answer', () => {
  test.each(requestNames)('to %s comes back as it was made', name => {
    expect(decodeAnswer(name, answerOf(name))).toEqual(exampleExchanges[name].answer);
  });

  /** Requests whose answers have one form: what a signature among them means is in what it signs. */
  const sameForm: readonly (readonly string[])[] = [['activate', 'update', 'revoke']];

  test.each(requestNames)('to %s is refused where it answers something else', name => {
    // a record is any bytes, whose form is looked at when they are read
    const alike =
      name === 'manifest'
        ? [name, 'round', 'destroy']
        : (sameForm.find(names => names.includes(name)) ?? [name]);
    const others = requestNames.filter(other => !alike.includes(other));
    for (const other of others) {
      const code = codeOf(() => decodeAnswer(name, answerOf(other)));
      expect(['MESSAGE_MALFORMED', 'MESSAGE_TOO_LARGE']).toContain(code);
    }
  });

  test.each(Object.keys(errorTable) as ErrorCode[])(
    'that refuses with %s is thrown as that, said by a peer',
    code => {
      const error = errorOf(() => decodeAnswer('probe', encodeRefusal(code)));
      expect(error).toMatchObject({ code, metadata: { by: 'peer' } });
    },
  );

  test.each(['NO_SUCH_CODE', 'constructor', '__proto__', 'toString', 'x'])(
    'that refuses with %s, which is no code of this version, is unsupported',
    code => {
      const refusal = encodeCanonical([code, new Uint8Array(0)]);
      expect(codeOf(() => decodeAnswer('round', refusal))).toBe('PROTOCOL_UNSUPPORTED');
    },
  );

  test('is no answer where it refuses and answers, or has a code that is no text', () => {
    const body = encodeCanonical([]);
    for (const answer of [
      ['KEY_UNKNOWN', body],
      ['K\n', new Uint8Array(0)],
      [null, body],
      ['', null],
      [''],
    ]) {
      expect(codeOf(() => decodeAnswer('activate', encodeCanonical(answer)))).toBe('MESSAGE_MALFORMED');
    }
    expect(codeOf(() => decodeAnswer('activate', encodeCanonical(['a'.repeat(65), body])))).toBe(
      'MESSAGE_MALFORMED',
    );
  });

  test('is refused by its size before it is read, and its body by what its name allows', () => {
    expect(codeOf(() => decodeAnswer('directory', new Uint8Array(messageBytesMax + 1)))).toBe(
      'MESSAGE_TOO_LARGE',
    );
    const others = requestNames.filter(name => name !== 'directory' && name !== 'manifest');
    const codes = others.map(name =>
      codeOf(() => decodeAnswer(name, encodeCanonical(['', new Uint8Array(1000)]))),
    );
    expect(new Set(codes)).toEqual(new Set(['MESSAGE_TOO_LARGE']));
  });

  test('with a full page of the longest directory entries fits into a message', () => {
    const records = Array.from({ length: directoryPageMax }, () => new Uint8Array(nodeRecordBytesMax));
    const page = { records, total: 1_000_000 };
    expect(decodeAnswer('directory', encodeAnswer('directory', page))).toEqual(page);
    const longer = { ...page, records: [...records, ...records] };
    expect(codeOf(() => decodeAnswer('directory', encodeAnswer('directory', longer)))).toBe(
      'MESSAGE_TOO_LARGE',
    );
    expect(directory.answer.records).toHaveLength(1);
  });

  test('to an offer is refused with a key of low order, to which nothing may be sealed', () => {
    const accept = encodeAnswer('offer', { ...offer.answer, ek: lowOrder });
    expect(() => decodeAnswer('offer', accept)).toThrow('offer answer.ek is not an X25519 key');
  });

  test.each([
    [33, -1],
    [96, 1],
  ])('to a round takes a sealed contribution of %i bytes, and not a byte less or more', (length, over) => {
    const contribution: Contribution = {
      contribution: new Uint8Array(length),
      signature: new Uint8Array(64),
    };
    const sealed = new Uint8Array(encode(contributionShape, contribution).length + hpkeOverheadBytes);
    expect(decodeAnswer('round', encodeAnswer('round', { sealed }))).toEqual({ sealed });
    const wrong = encodeAnswer('round', { sealed: new Uint8Array(sealed.length + over) });
    expect(['MESSAGE_MALFORMED', 'MESSAGE_TOO_LARGE']).toContain(codeOf(() => decodeAnswer('round', wrong)));
  });
});

describe('a contribution', () => {
  test('comes back as it was made, in memory of its own', () => {
    const encoded = encode(contributionShape, exampleContribution);
    const decoded = decode(contributionShape, encoded, 512, 'contribution');
    expect(decoded).toEqual(exampleContribution);
    encoded.fill(0);
    expect(decoded).toEqual(exampleContribution);
  });
});

describe('what is signed or bound', () => {
  const [a, b] = [fixedBytes('a', 32), fixedBytes('b', 32)];
  const probe = { keyId: a, epoch: 1, coreHash: a, x: 1, nonce: a };
  const other: Offer = { ...offer.body, issuedAtMs: offer.body.issuedAtMs + 1 };

  test('depends on every part', () => {
    const families = [
      [
        acceptPreimage(offer.body, a, 1),
        acceptPreimage(other, a, 1),
        acceptPreimage(offer.body, b, 1),
        acceptPreimage(offer.body, a, 2),
      ],
      [
        depositInfo(a, 1, a, a),
        depositInfo(b, 1, a, a),
        depositInfo(a, 2, a, a),
        depositInfo(a, 1, b, a),
        depositInfo(a, 1, a, b),
      ],
      [requestPreimage(a, 1), requestPreimage(b, 1), requestPreimage(a, 2)],
      [
        contributionPreimage(a, 1, a),
        contributionPreimage(b, 1, a),
        contributionPreimage(a, 2, a),
        contributionPreimage(a, 1, b),
      ],
      [answerInfo(a, 1), answerInfo(b, 1), answerInfo(a, 2)],
      [offerPreimage(offer.body), offerPreimage(other)],
      [
        probeAnswerPreimage(probe, a),
        probeAnswerPreimage(probe, b),
        probeAnswerPreimage({ ...probe, keyId: b }, a),
        probeAnswerPreimage({ ...probe, epoch: 2 }, a),
        probeAnswerPreimage({ ...probe, coreHash: b }, a),
        probeAnswerPreimage({ ...probe, x: 2 }, a),
        probeAnswerPreimage({ ...probe, nonce: b }, a),
      ],
    ];
    const all = families.flat().map(bytes => Buffer.from(bytes).toString('hex'));
    expect(new Set(all).size).toBe(all.length);
  });

  const changes: { [F in keyof Offer]?: Offer[F] } = {
    keyId: a,
    epoch: 2,
    authority: { ...offer.body.authority, needed: 1 },
    nonce: fixedBytes('other nonce', 16),
    dealer: a,
    holder: a,
    length: 65,
    issuedAtMs: 1,
    expiresAtMs: 1,
  };
  test.each(Object.keys(changes) as (keyof Offer)[])('an offer is signed with its %s', field => {
    const { dealer, signature } = offer.body;
    expect(crypto.ed25519Verify(dealer, offerPreimage(offer.body), signature)).toBe(true);
    const changed = { ...offer.body, [field]: changes[field] };
    expect(crypto.ed25519Verify(dealer, offerPreimage(changed), signature)).toBe(false);
  });

  test("an offer's signature is over everything but itself", () => {
    const changed = { ...offer.body, signature: flipped(offer.body.signature) };
    expect(offerPreimage(changed)).toEqual(offerPreimage(offer.body));
  });
});
