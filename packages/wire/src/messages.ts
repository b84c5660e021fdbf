import { type ErrorCode, isErrorCode, preimage, SkerryError } from '@skerry/base';
import {
  directoryPageMax,
  grantBytesMax,
  messageBytesMax,
  nodeRecordBytesMax,
  payloadBytesMax,
  payloadBytesMin,
  sharesMax,
} from '../parameters.ts';
import { activationShape, type Receipt, receiptShape } from './activation.ts';
import { authorityShape, authoritySignaturesShape, coreShape } from './core.ts';
import {
  bytes,
  decode,
  encode,
  integer,
  list,
  type Shape,
  type TypeOf,
  text,
  timeMs,
  tuple,
  word,
} from './shapes.ts';
import { ciphertextShape } from './share-record.ts';

const epoch = integer(1, 0xffff_ffff);

/** The dealer asks a node to hold one share of a key. Signed by the dealer's node key. */
const offerFields = {
  keyId: bytes(32),
  epoch,
  authority: authorityShape,
  nonce: bytes(16),
  dealer: bytes(32),
  holder: bytes(32),
  length: integer(payloadBytesMin, payloadBytesMax),
  issuedAtMs: timeMs,
  expiresAtMs: timeMs,
};
const unsignedOfferShape = tuple(offerFields);
/** See `offerFields`. */
export const offerShape = tuple({ ...offerFields, signature: bytes(64) });
/** An OFFER. */
export type Offer = TypeOf<typeof offerShape>;

/** What an offer signs. */
export function offerPreimage(offer: Omit<Offer, 'signature'>): Uint8Array {
  return preimage('offer', unsignedOfferShape.pack(offer));
}

/** The node's yes: a fresh HPKE key for this key and epoch, signed by the node. */
export const acceptShape = tuple({ ek: bytes(32), expiresAtMs: timeMs, signature: bytes(64) });
/** An ACCEPT. */
export type Accept = TypeOf<typeof acceptShape>;

/** What an accept signs: the offer it answers and the key it gives. */
export function acceptPreimage(offer: Offer, ek: Uint8Array, expiresAtMs: number): Uint8Array {
  return preimage('accept', offerPreimage(offer), ek, expiresAtMs);
}

/** A whole share on its way to its holder: core, signatures, ciphertext, and its key sealed to the holder's ek. */
export const depositShape = tuple({
  core: coreShape,
  signatures: authoritySignaturesShape,
  pointsSignatures: authoritySignaturesShape,
  x: integer(1, sharesMax),
  ciphertext: ciphertextShape,
  sealedDek: bytes(6 + 32 + 32 + 16),
});
/** A DEPOSIT. */
export type Deposit = TypeOf<typeof depositShape>;

/** The HPKE info that binds a sealed DEK to its core, point, holder and ciphertext. */
export function depositInfo(
  coreHash: Uint8Array,
  x: number,
  nodeKey: Uint8Array,
  ciphertextHash: Uint8Array,
): Uint8Array {
  return preimage('deposit', coreHash, x, nodeKey, ciphertextHash);
}

/** Operations of a round. */
export const operations = ['open', 'inspect'] as const;

/** A requester's call for one contribution. Signed over the round's challenge by the grant's confirmation key. */
export const roundRequestShape = tuple({
  op: word(operations),
  keyId: bytes(32),
  epoch,
  coreHash: bytes(32),
  t: integer(2, sharesMax),
  length: integer(payloadBytesMin, payloadBytesMax),
  set: list(integer(1, sharesMax), 2, sharesMax),
  x: integer(0, sharesMax),
  recipientId: bytes(32),
  recipientKey: bytes(32),
  grant: bytes(1, grantBytesMax),
  roundId: bytes(16),
  issuedAtMs: timeMs,
  signature: bytes(64),
});
/** A round request. */
export type RoundRequest = TypeOf<typeof roundRequestShape>;

/** What a request signs: the challenge, which binds every field of the round, and its time. */
export function requestPreimage(challenge: Uint8Array, issuedAtMs: number): Uint8Array {
  return preimage('request', challenge, issuedAtMs);
}

/** A contribution with its node's signature; it travels sealed to the recipient's key. */
export const contributionShape = tuple({
  contribution: bytes(payloadBytesMin, payloadBytesMax),
  signature: bytes(64),
});
/** A contribution. */
export type Contribution = TypeOf<typeof contributionShape>;

/** What a contribution's signature covers. */
export function contributionPreimage(challenge: Uint8Array, x: number, contribution: Uint8Array): Uint8Array {
  return preimage('contribution', challenge, x, contribution);
}

/** The HPKE info that binds a sealed answer to its round and point. */
export function answerInfo(challenge: Uint8Array, x: number): Uint8Array {
  return preimage('answer', challenge, x);
}

/** A call for a proof that the holder has its share. */
export const probeShape = tuple({ keyId: bytes(32), epoch, x: integer(1, sharesMax), nonce: bytes(32) });
/** A possession probe. */
export type Probe = TypeOf<typeof probeShape>;

/** A late joiner's call for what its neighbour's directory holds, a page at a time. */
export const directoryRequestShape = tuple({ offset: integer(0, 1_000_000) });

/** One page of a directory. */
export const directoryPageShape = tuple({
  records: list(bytes(1, nodeRecordBytesMax), 0, directoryPageMax),
  total: integer(0, 1_000_000),
});

/** An empty answer: done. */
const doneShape = tuple({});
const activateShape = tuple({ keyId: bytes(32), activation: activationShape });
const sealedAnswerShape = tuple({ sealed: bytes(6 + 32 + 16, 512) });
const possessionShape = tuple({ signature: bytes(64) });

/** The body of each request by name. */
type Bodies = {
  offer: Offer;
  deposit: Deposit;
  activate: TypeOf<typeof activateShape>;
  round: RoundRequest;
  probe: Probe;
  directory: TypeOf<typeof directoryRequestShape>;
};

/** The answer to each request by name. */
type Answers = {
  offer: Accept;
  deposit: Receipt;
  activate: object;
  round: TypeOf<typeof sealedAnswerShape>;
  probe: TypeOf<typeof possessionShape>;
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
    directory: { body: directoryRequestShape, answer: directoryPageShape },
  };

/** A decoded request, by name. */
export type Request = { [N in RequestName]: { name: N; body: RequestBody<N> } }[RequestName];

const requestNames = Object.keys(requestShapes) as RequestName[];
const envelopeShape = tuple({
  version: integer(1, 1),
  name: word(requestNames),
  body: bytes(1, messageBytesMax),
});
const answerEnvelopeShape = tuple({ code: text(64), body: bytes(0, messageBytesMax) });

/** A request's canonical bytes. */
export function encodeRequest<N extends RequestName>(name: N, body: RequestBody<N>): Uint8Array<ArrayBuffer> {
  return encode(envelopeShape, { version: 1, name, body: encode(requestShapes[name].body, body) });
}

function decodeNamed<N extends RequestName>(name: N, body: Uint8Array): Request {
  return { name, body: decode(requestShapes[name].body, body, messageBytesMax, name) } as Request;
}

/**
 * A request from a peer, checked in size, form and bounds.
 *
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED
 */
export function decodeRequest(received: Uint8Array): Request {
  const { name, body } = decode(envelopeShape, received, messageBytesMax, 'request');
  return decodeNamed(name, body);
}

/** An answer's canonical bytes. */
export function encodeAnswer<N extends RequestName>(
  name: N,
  answer: RequestAnswer<N>,
): Uint8Array<ArrayBuffer> {
  return encode(answerEnvelopeShape, { code: '', body: encode(requestShapes[name].answer, answer) });
}

/** A refusal's canonical bytes: the error code and nothing else, since the peer may be anybody. */
export function encodeRefusal(code: ErrorCode): Uint8Array<ArrayBuffer> {
  return encode(answerEnvelopeShape, { code, body: new Uint8Array(0) });
}

/**
 * The answer to a request of that name.
 *
 * @throws the peer's own code where it refused; PROTOCOL_UNSUPPORTED for a code that this version does not know;
 * MESSAGE_TOO_LARGE, MESSAGE_MALFORMED for what is not an answer
 */
export function decodeAnswer<N extends RequestName>(name: N, received: Uint8Array): RequestAnswer<N> {
  const { code, body } = decode(answerEnvelopeShape, received, messageBytesMax, 'answer');
  if (code !== '') {
    throw new SkerryError(isErrorCode(code) ? code : 'PROTOCOL_UNSUPPORTED', '', { by: 'peer' });
  }
  return decode(requestShapes[name].answer, body, messageBytesMax, `${name} answer`);
}
