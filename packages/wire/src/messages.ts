import { type ErrorCode, isErrorCode, preimage, SkerryError } from '@skerry/base';
import {
  directoryPageMax,
  directoryTotalMax,
  grantBytesMax,
  manifestBytesMax,
  messageBytesMax,
  nodeRecordBytesMax,
  payloadBytesMax,
  payloadBytesMin,
  sharesMax,
} from '../parameters.ts';
import { activationShape, type Receipt, receiptShape } from './activation.ts';
import { acceptanceShape, proposalShape } from './amendment.ts';
import { authorityShape, authoritySignaturesShape } from './authority.ts';
import { coreShape, epochShape, xShape } from './core.ts';
import { exchangeKeyShape } from './exchange-key.ts';
import { grantedOperations } from './grant.ts';
import { type Manifest, manifestShape } from './manifest.ts';
import { type Revocation, revocationShape } from './revocation.ts';
import {
  bytes,
  decode,
  encode,
  integer,
  list,
  nullable,
  type Shape,
  type TypeOf,
  text,
  timeMs,
  tuple,
  where,
  word,
} from './shapes.ts';
import { ciphertextShape } from './share-record.ts';
import { type Tombstone, tombstoneShape } from './tombstone.ts';

/** What HPKE adds: suite id, encapsulated key, tag (RFC 9180 section 4). */
const hpkeOverheadBytes = 6 + 32 + 16;

const lengthShape = integer(payloadBytesMin, payloadBytesMax);

const offerFields = {
  keyId: bytes(32),
  epoch: epochShape,
  authority: authorityShape,
  nonce: bytes(16),
  dealer: bytes(32),
  holder: bytes(32),
  length: lengthShape,
  issuedAtMs: timeMs,
  expiresAtMs: timeMs,
};
const unsignedOfferShape = tuple(offerFields);
/** The dealer asks a node to hold one share of a key. Signed by the dealer's node key. */
export const offerShape = tuple({ ...offerFields, signature: bytes(64) });
/** An OFFER: the dealer asks a node to hold one share of a key. Signed by the dealer's node key. */
export type Offer = TypeOf<typeof offerShape>;

/**
 * What an offer signs.
 *
 * @param offer its signature, if it has one already, counts for nothing
 */
export function offerPreimage(offer: Omit<Offer, 'signature'>): Uint8Array {
  return preimage('offer', unsignedOfferShape.pack(offer));
}

const acceptShape = tuple({ ek: exchangeKeyShape, expiresAtMs: timeMs, signature: bytes(64) });
/** An ACCEPT: the node's yes, with a fresh HPKE key for this key and epoch, signed by the node. */
export type Accept = TypeOf<typeof acceptShape>;

/**
 * What an accept signs: the offer it answers and the key it gives.
 *
 * @param offer as it was received
 * @param ek 32 bytes, the node's fresh X25519 key
 * @param expiresAtMs until when it waits for the deposit, Unix ms
 */
export function acceptPreimage(offer: Offer, ek: Uint8Array, expiresAtMs: number): Uint8Array {
  return preimage('accept', offerPreimage(offer), ek, expiresAtMs);
}

export const depositShape = tuple({
  core: coreShape,
  signatures: authoritySignaturesShape,
  pointsSignatures: authoritySignaturesShape,
  x: xShape,
  ciphertext: ciphertextShape,
  sealedDek: bytes(hpkeOverheadBytes + 32),
});
/** A DEPOSIT: core, signatures, a share's ciphertext, and the key to it sealed to the holder's ek. */
export type Deposit = TypeOf<typeof depositShape>;

/**
 * The HPKE info that binds a sealed DEK to its core, point, holder and ciphertext.
 *
 * @param coreHash 32 bytes
 * @param x the point
 * @param nodeKey the holder, 32 bytes
 * @param ciphertextHash SHA-256 of the share's ciphertext
 */
export function depositInfo(
  coreHash: Uint8Array,
  x: number,
  nodeKey: Uint8Array,
  ciphertextHash: Uint8Array,
): Uint8Array {
  return preimage('deposit', coreHash, x, nodeKey, ciphertextHash);
}

const roundFieldsShape = tuple({
  op: word([...grantedOperations, 'drill', 'repair']),
  keyId: bytes(32),
  epoch: epochShape,
  coreHash: bytes(32),
  t: integer(2, sharesMax),
  length: lengthShape,
  set: list(xShape, 2, sharesMax),
  x: integer(0, sharesMax),
  recipientId: bytes(32),
  recipientKey: exchangeKeyShape,
  /** Of a drill empty, as the core itself allows it; of a repair the hash of the proposal that allows it. */
  grant: bytes(0, grantBytesMax),
  roundId: bytes(16),
  issuedAtMs: timeMs,
  signature: bytes(64),
});
const grantLengths: Readonly<Record<string, number>> = { drill: 0, repair: 32 };
export const roundRequestShape = where(
  roundFieldsShape,
  ({ op, grant }) => (grantLengths[op] === undefined ? grant.length > 32 : grant.length === grantLengths[op]),
  'a drill without a grant, a repair with a hash, or another operation with a grant',
);
/**
 * A requester's call for one contribution. Signed over the round's challenge by the grant's confirmation key, for a
 * drill by the verification key of the drilling holder's own share, for a repair by the node key of who is to hold it.
 */
export type RoundRequest = TypeOf<typeof roundRequestShape>;

/**
 * What a request signs: the challenge, which binds every field of the round, and its time.
 *
 * @param challenge 32 bytes
 * @param issuedAtMs Unix ms
 */
export function requestPreimage(challenge: Uint8Array, issuedAtMs: number): Uint8Array {
  return preimage('request', challenge, issuedAtMs);
}

/** A contribution with its node's signature; it travels sealed to the recipient's key. */
export const contributionShape = tuple({
  contribution: bytes(payloadBytesMin, payloadBytesMax),
  signature: bytes(64),
});
/** A holder's masked part, as many bytes as the payload, and its node's signature. */
export type Contribution = TypeOf<typeof contributionShape>;

/**
 * What a contribution's signature covers.
 *
 * @param challenge 32 bytes
 * @param x the holder's point
 * @param contribution secret until the round is over; the preimage is too
 */
export function contributionPreimage(challenge: Uint8Array, x: number, contribution: Uint8Array): Uint8Array {
  return preimage('contribution', challenge, x, contribution);
}

/**
 * The HPKE info that binds a sealed answer to its round and point.
 *
 * @param challenge 32 bytes
 * @param x the holder's point
 */
export function answerInfo(challenge: Uint8Array, x: number): Uint8Array {
  return preimage('answer', challenge, x);
}

const probeShape = tuple({
  keyId: bytes(32),
  epoch: epochShape,
  coreHash: bytes(32),
  x: xShape,
  nonce: bytes(32),
});
/** A call for a proof that the holder has its share of a core. The nonce is the auditor's own. */
export type Probe = TypeOf<typeof probeShape>;

/**
 * What a holder's node signs of its answer to a probe. It binds the core: a holder answers for the core that it took a
 * share of, and an owner that shows others another one of the same epoch can't turn a true proof into a wrong one.
 *
 * @param probe as it was asked
 * @param signature the proof, under the share's verification key, 64 bytes
 */
export function probeAnswerPreimage(probe: Probe, signature: Uint8Array): Uint8Array {
  return preimage('probe-answer', probeShape.pack(probe), signature);
}

/** Asks a node whether it will hold a point of a sharing. */
const nominationShape = tuple({ keyId: bytes(32), epoch: epochShape, coreHash: bytes(32), x: xShape });
/** The node's yes: the HPKE key to which it wants the share sealed, and its word (`acceptancePreimage`). */
const nomineeShape = tuple({ ek: exchangeKeyShape, acceptance: acceptanceShape });

/**
 * Asks a holder for its vote on what follows in a chain: on a proposal, or, where there is none, for what it voted for
 * before in that place.
 */
const ballotShape = tuple({
  keyId: bytes(32),
  coreHash: bytes(32),
  /** What the proposal follows. */
  previous: bytes(32),
  offered: nullable(tuple({ proposal: proposalShape, acceptance: acceptanceShape })),
});
/** A holder's vote (`votePreimage`), for what was proposed or for what it voted for before in its place. */
const votedShape = tuple({ proposal: proposalShape, x: xShape, signature: bytes(64) });

/** Asks for what a node knows of a key. */
const keyRequestShape = tuple({ keyId: bytes(32) });
/** A key's record, as it stands in the DHT (`checkKeyRecord`). */
const keyRecordShape = tuple({ record: bytes(1, manifestBytesMax) });

/** A late joiner's call for what its neighbour's directory holds, a page at a time. */
const directoryRequestShape = tuple({ offset: integer(0, directoryTotalMax) });

/** One page of a directory. */
const directoryPageShape = tuple({
  records: list(bytes(1, nodeRecordBytesMax), 0, directoryPageMax),
  total: integer(0, directoryTotalMax),
});

/** An empty answer: done. */
const doneShape = tuple({});
const activateShape = tuple({ keyId: bytes(32), activation: activationShape });
/** A contribution of the shortest payload: the heads of an array and two byte strings, the payload, a signature. */
const contributionBytesMin = 1 + 2 + payloadBytesMin + 2 + 64;
const sealedAnswerShape = tuple({
  sealed: bytes(hpkeOverheadBytes + contributionBytesMin, hpkeOverheadBytes + contributionShape.bytesMax),
});
/** A proof of possession, under the share's verification key, and the node's signature over it (`probeAnswerPreimage`). */
const possessionShape = tuple({ signature: bytes(64), nodeSignature: bytes(64) });
/** A holder's word that it erased what it kept of a destroyed key (`deletionPreimage`). */
const deletionShape = tuple({ signature: bytes(64) });

/** The body of each request by name. */
type Bodies = {
  offer: Offer;
  deposit: Deposit;
  activate: TypeOf<typeof activateShape>;
  round: RoundRequest;
  probe: Probe;
  nominate: TypeOf<typeof nominationShape>;
  vote: TypeOf<typeof ballotShape>;
  update: Manifest;
  manifest: TypeOf<typeof keyRequestShape>;
  revoke: Revocation;
  destroy: Tombstone;
  directory: TypeOf<typeof directoryRequestShape>;
};

/** The answer to each request by name. */
type Answers = {
  offer: Accept;
  deposit: Receipt;
  activate: object;
  round: TypeOf<typeof sealedAnswerShape>;
  probe: TypeOf<typeof possessionShape>;
  nominate: TypeOf<typeof nomineeShape>;
  vote: TypeOf<typeof votedShape>;
  update: object;
  manifest: TypeOf<typeof keyRecordShape>;
  revoke: object;
  destroy: TypeOf<typeof deletionShape>;
  directory: TypeOf<typeof directoryPageShape>;
};

/** The name of a request. */
export type RequestName = keyof Bodies;
/** The body of a request by name. */
export type RequestBody<N extends RequestName> = Bodies[N];
/** The answer to a request by name. */
export type RequestAnswer<N extends RequestName> = Answers[N];

const requestShapes: { readonly [N in RequestName]: { body: Shape<Bodies[N]>; answer: Shape<Answers[N]> } } =
  {
    offer: { body: offerShape, answer: acceptShape },
    deposit: { body: depositShape, answer: receiptShape },
    activate: { body: activateShape, answer: doneShape },
    round: { body: roundRequestShape, answer: sealedAnswerShape },
    probe: { body: probeShape, answer: possessionShape },
    nominate: { body: nominationShape, answer: nomineeShape },
    vote: { body: ballotShape, answer: votedShape },
    update: { body: manifestShape, answer: doneShape },
    manifest: { body: keyRequestShape, answer: keyRecordShape },
    revoke: { body: revocationShape, answer: doneShape },
    destroy: { body: tombstoneShape, answer: deletionShape },
    directory: { body: directoryRequestShape, answer: directoryPageShape },
  };

/** A decoded request, by name. */
export type Request = { [N in RequestName]: { name: N; body: RequestBody<N> } }[RequestName];

/** Leads every request. The version and the name are looked at before the body, which may be another version's. */
const envelopeShape = tuple({
  version: integer(0, 0xffff),
  name: text(32),
  body: bytes(1, messageBytesMax),
});
const version = 1;
const answerEnvelopeShape = tuple({ code: text(64), body: bytes(0, messageBytesMax) });

/**
 * A request's canonical bytes.
 *
 * @param name of the request
 * @param body one that the request's shape would accept
 * @returns bytes owned by the caller
 */
export function encodeRequest<N extends RequestName>(name: N, body: RequestBody<N>): Uint8Array<ArrayBuffer> {
  return encode(envelopeShape, { version, name, body: encode(requestShapes[name].body, body) });
}

function isRequestName(name: string): name is RequestName {
  return Object.hasOwn(requestShapes, name);
}

/**
 * A request from a peer, checked in size, form and bounds.
 *
 * @param received from a peer: anything
 * @throws PROTOCOL_UNSUPPORTED for a version or a name that this version does not know; MESSAGE_TOO_LARGE,
 * MESSAGE_MALFORMED
 */
export function decodeRequest(received: Uint8Array): Request {
  const { version: spoken, name, body } = decode(envelopeShape, received, messageBytesMax, 'request');
  if (spoken !== version || !isRequestName(name)) {
    throw new SkerryError('PROTOCOL_UNSUPPORTED', '', { version: spoken, name });
  }
  const shape = requestShapes[name].body as Shape<object>;
  return { name, body: decode(shape, body, messageBytesMax, name) } as Request;
}

/**
 * An answer's canonical bytes.
 *
 * @param name of the request
 * @param answer one that the request's shape would accept
 * @returns bytes owned by the caller
 */
export function encodeAnswer<N extends RequestName>(
  name: N,
  answer: RequestAnswer<N>,
): Uint8Array<ArrayBuffer> {
  return encode(answerEnvelopeShape, { code: '', body: encode(requestShapes[name].answer, answer) });
}

/**
 * A refusal's canonical bytes: the error code and nothing else, since the peer may be anybody.
 *
 * @param code why
 * @returns bytes owned by the caller
 */
export function encodeRefusal(code: ErrorCode): Uint8Array<ArrayBuffer> {
  return encode(answerEnvelopeShape, { code, body: new Uint8Array(0) });
}

/**
 * The answer to a request of that name.
 *
 * @param name of the request
 * @param received from a peer: anything
 * @throws the peer's own code where it refused; PROTOCOL_UNSUPPORTED for a code that this version does not know;
 * MESSAGE_TOO_LARGE, MESSAGE_MALFORMED for what is not an answer
 */
export function decodeAnswer<N extends RequestName>(name: N, received: Uint8Array): RequestAnswer<N> {
  const { code, body } = decode(answerEnvelopeShape, received, messageBytesMax, 'answer');
  if (code !== '') {
    if (body.length > 0) throw new SkerryError('MESSAGE_MALFORMED', 'a refusal has a body');
    throw new SkerryError(isErrorCode(code) ? code : 'PROTOCOL_UNSUPPORTED', '', { by: 'peer' });
  }
  return decode(requestShapes[name].answer, body, messageBytesMax, `${name} answer`);
}
