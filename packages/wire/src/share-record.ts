import { type Crypto, compareBytes, equalBytes, preimage, SkerryError, toHex } from '@skerry/base';
import {
  amendmentsMax,
  payloadBytesMax,
  payloadBytesMin,
  shareRecordBytesMax,
  sharesMax,
} from '../parameters.ts';
import { authorityShape, authoritySignaturesShape, checkAuthority, keyIdOf } from './authority.ts';
import { epochShape, pointsHashOf, xShape } from './core.ts';
import { ascends } from './order.ts';
import { bytes, decode, encode, integer, list, type TypeOf, tuple } from './shapes.ts';

/** A share's ciphertext: y || x and a 16-byte tag. */
export const ciphertextShape = bytes(payloadBytesMin + 17, payloadBytesMax + 17);

/**
 * One share's ciphertext in the DHT, with all that a validator needs to check it alone: the authority signed the
 * points, and the share's own key signed the rest, so only who has the share can replace the record.
 */
const shareRecordShape = tuple({
  keyId: bytes(32),
  epoch: epochShape,
  x: xShape,
  /** Of the latest amendment of x; 0 from the dealer. */
  sequence: integer(0, amendmentsMax),
  ciphertext: ciphertextShape,
  points: list(tuple({ x: xShape, vk: bytes(32) }), 3, sharesMax),
  authority: authorityShape,
  nonce: bytes(16),
  signatures: authoritySignaturesShape,
  signature: bytes(64),
});
/** A share's record in the DHT; `checkShareRecord` says whether it is true. */
export type ShareRecord = TypeOf<typeof shareRecordShape>;

/**
 * The DHT path of a share's ciphertext.
 *
 * @param keyId 32 bytes
 * @param epoch from 1
 * @param x of the share, 1 to 255
 */
export function shareRecordPath(keyId: Uint8Array, epoch: number, x: number): string {
  return `/skerry/share/${toHex(keyId)}/${epoch}/${x}`;
}

/**
 * What the share's verification key signs in its record. Authority and nonce are bound by the keyId.
 *
 * @param record all that is signed
 */
export function shareRecordPreimage(
  crypto: Crypto,
  record: Pick<ShareRecord, 'keyId' | 'epoch' | 'x' | 'sequence' | 'ciphertext' | 'points'>,
): Uint8Array {
  const { keyId, epoch, x, sequence, ciphertext, points } = record;
  const pointsHash = pointsHashOf(crypto, keyId, epoch, points);
  return preimage('share-record', keyId, epoch, x, sequence, crypto.sha256(ciphertext), pointsHash);
}

/** A share record's canonical bytes, owned by the caller. */
export function encodeShareRecord(record: ShareRecord): Uint8Array<ArrayBuffer> {
  return encode(shareRecordShape, record);
}

/**
 * A share record in its shape; `checkShareRecord` says whether it is true.
 *
 * @param received from a peer or a disk: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED
 */
export function decodeShareRecord(received: Uint8Array): ShareRecord {
  return decode(shareRecordShape, received, shareRecordBytesMax, 'share record');
}

/**
 * A share record that holds on its own and is the one its DHT path names.
 *
 * @param path DHT path, from a peer: anything
 * @param received from a peer: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, RECORD_INVALID, SIGNATURE_INVALID
 */
export function checkShareRecord(crypto: Crypto, path: string, received: Uint8Array): ShareRecord {
  const record = decodeShareRecord(received);
  const { authority, points } = record;
  const point = points.find(({ x }) => x === record.x);
  const named =
    shareRecordPath(record.keyId, record.epoch, record.x) === path &&
    equalBytes(keyIdOf(crypto, authority, record.nonce), record.keyId);
  if (!named || !point || !ascends(points.map(({ x }) => x))) {
    throw new SkerryError('RECORD_INVALID', 'a share record contradicts its path, key id or points');
  }
  const pointsHash = pointsHashOf(crypto, record.keyId, record.epoch, points);
  checkAuthority(crypto, authority, pointsHash, record.signatures);
  if (!crypto.ed25519Verify(point.vk, shareRecordPreimage(crypto, record), record.signature)) {
    throw new SkerryError('SIGNATURE_INVALID', "a share record is not signed by its share's key");
  }
  return record;
}

/**
 * Orders two valid records of one share: the higher sequence is newer, then the lower bytes, so that all nodes that
 * see the same records keep the same one.
 *
 * @returns positive when `a` is newer than `b`, 0 only when they are the same
 */
export function compareShareRecords(a: ShareRecord, b: ShareRecord): number {
  const bySequence = a.sequence - b.sequence;
  return bySequence === 0 ? compareBytes(encodeShareRecord(b), encodeShareRecord(a)) : bySequence;
}
