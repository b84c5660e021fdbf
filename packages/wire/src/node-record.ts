import { type Crypto, compareBytes, equalBytes, preimage, SkerryError } from '@skerry/base';
import {
  addressesMax,
  addressLengthMax,
  nodeRecordBytesMax,
  observationsMax,
  observedHundredthsMax,
  roundTripTenthsMsMax,
} from '../parameters.ts';
import {
  bytes,
  decode,
  encode,
  integer,
  list,
  nullable,
  type TypeOf,
  text,
  timeMs,
  tuple,
  where,
} from './shapes.ts';

/** A place as a node claims it; degrees are in millionths, since floats have no place in signed records. */
const placeClaimShape = tuple({
  name: text(128),
  latitudeE6: integer(-90_000_000, 90_000_000),
  longitudeE6: integer(-180_000_000, 180_000_000),
  country: where(
    text(2),
    country => /^([A-Z]{2})?$/.test(country),
    'an ISO 3166-1 code of two capitals, or empty',
  ),
});

const hundredthsShape = integer(0, observedHundredthsMax);

/** What a node has itself seen of another: outcomes in hundredths, as they weigh today, and the least round trip. */
const observationShape = tuple({
  /** Its node key. */
  subject: bytes(32),
  availabilityGood: hundredthsShape,
  availabilityBad: hundredthsShape,
  integrityGood: hundredthsShape,
  integrityBad: hundredthsShape,
  /** Null where none was measured. */
  roundTripTenthsMs: nullable(integer(0, roundTripTenthsMsMax)),
});

const claims = {
  version: integer(1, 1),
  nodeKey: bytes(32),
  /** Higher replaces lower; a node keeps it across restarts. */
  sequence: integer(0, Number.MAX_SAFE_INTEGER),
  issuedAtMs: timeMs,
  expiresAtMs: timeMs,
  addresses: list(text(addressLengthMax), 0, addressesMax),
  place: placeClaimShape,
  /** Who runs the node; empty where nobody is named, and then the node counts as its own operator. */
  operator: text(64),
  /** Shares the node is willing to hold. */
  capacity: integer(0, 0xffff_ffff),
  software: text(64),
  /** Ascending by subject. What is known of others beside these is told in other entries. */
  observations: list(observationShape, 0, observationsMax),
};

const claimsShape = tuple(claims);

export const nodeRecordShape = tuple({ ...claims, signature: bytes(64) });
/** A node's signed entry in the directory. It says nothing of the node's own trust: nobody would believe it. */
export type NodeRecord = TypeOf<typeof nodeRecordShape>;

/**
 * Signs a node's own directory entry.
 *
 * @param nodeSeed 32 bytes; stays the caller's
 * @param record everything but the signature
 * @returns the entry's canonical bytes, owned by the caller
 */
export function signNodeRecord(
  crypto: Crypto,
  nodeSeed: Uint8Array,
  record: Omit<NodeRecord, 'signature'>,
): Uint8Array<ArrayBuffer> {
  const signature = crypto.ed25519Sign(nodeSeed, preimage('node-record', claimsShape.pack(record)));
  return encode(nodeRecordShape, { ...record, signature });
}

/**
 * A directory entry that its node signed.
 *
 * @param received from a peer: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, RECORD_INVALID, SIGNATURE_INVALID
 */
export function decodeNodeRecord(crypto: Crypto, received: Uint8Array): NodeRecord {
  const record = decode(nodeRecordShape, received, nodeRecordBytesMax, 'node record');
  if (record.expiresAtMs <= record.issuedAtMs) {
    throw new SkerryError('RECORD_INVALID', 'a node record expires before it was issued');
  }
  const subjects = record.observations.map(({ subject }) => subject);
  if (!subjects.every((subject, i) => i === 0 || compareBytes(subject, subjects[i - 1]!) > 0)) {
    throw new SkerryError('RECORD_INVALID', "a node record's observations do not ascend");
  }
  if (subjects.some(subject => equalBytes(subject, record.nodeKey))) {
    throw new SkerryError('RECORD_INVALID', 'a node record observes its own node');
  }
  const signed = preimage('node-record', claimsShape.pack(record));
  if (!crypto.ed25519Verify(record.nodeKey, signed, record.signature)) {
    throw new SkerryError('SIGNATURE_INVALID', 'a node record is not signed by its node');
  }
  return record;
}
