import { type Crypto, preimage, SkerryError, toHex } from '@skerry/base';
import { payloadBytesMax, payloadBytesMin, shareRecordBytesMax, sharesMax } from '../parameters.ts';
import { authorityShape, authoritySignaturesShape, checkAuthority, keyIdOf, pointsHashOf } from './core.ts';
import { bytes, decode, encode, integer, list, type TypeOf, tuple } from './shapes.ts';

/** A share's ciphertext: y || x and a 16-byte tag. */
export const ciphertextShape = bytes(payloadBytesMin + 17, payloadBytesMax + 17);

/**
 * One share's ciphertext in the DHT, with all that a validator needs to check it alone: the authority signed the
 * points, and the share's own key signed the rest, so only who has the share can replace the record.
 */
export const shareRecordShape = tuple({
  keyId: bytes(32),
  epoch: integer(1, 0xffff_ffff),
  x: integer(1, sharesMax),
  /** The latest amendment of x; 0 from the dealer. */
  sequence: integer(0, 512),
  ciphertext: ciphertextShape,
  points: list(tuple({ x: integer(1, sharesMax), vk: bytes(32) }), 3, sharesMax),
  authority: authorityShape,
  nonce: bytes(16),
  signatures: authoritySignaturesShape,
  signature: bytes(64),
});
/** See `shareRecordShape`. */
export type ShareRecord = TypeOf<typeof shareRecordShape>;

/** The DHT path of a share's ciphertext. */
export function shareRecordPath(keyId: Uint8Array, epoch: number, x: number): string {
  return `/skerry/share/${toHex(keyId)}/${epoch}/${x}`;
}

/** What the share's verification key signs in its record. */
export function shareRecordPreimage(
  crypto: Crypto,
  record: Pick<ShareRecord, 'keyId' | 'epoch' | 'x' | 'sequence' | 'ciphertext' | 'points'>,
): Uint8Array {
  const { keyId, epoch, x, sequence, ciphertext, points } = record;
  const pointsHash = pointsHashOf(crypto, keyId, epoch, points);
  return preimage('share-record', keyId, epoch, x, sequence, crypto.sha256(ciphertext), pointsHash);
}

/** A share record's canonical bytes. */
export function encodeShareRecord(record: ShareRecord): Uint8Array<ArrayBuffer> {
  return encode(shareRecordShape, record);
}

/**
 * A share record in its shape; `checkShareRecord` says whether it is true.
 *
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED
 */
export function decodeShareRecord(received: Uint8Array): ShareRecord {
  return decode(shareRecordShape, received, shareRecordBytesMax, 'share record');
}

/**
 * A share record that holds on its own and is the one its DHT path names.
 *
 * @param path DHT path
 * @param received from a peer: anything
 * @throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, RECORD_INVALID, SIGNATURE_INVALID
 */
export function checkShareRecord(crypto: Crypto, path: string, received: Uint8Array): ShareRecord {
  const record = decodeShareRecord(received);
  const { authority, points } = record;
  const point = points.find(({ x }) => x === record.x);
  const ascending = points.every(({ x }, i) => i === 0 || x > points[i - 1]!.x);
  const named = toHex(keyIdOf(crypto, authority, record.nonce)) === toHex(record.keyId);
  if (!named || !point || !ascending || shareRecordPath(record.keyId, record.epoch, record.x) !== path) {
    throw new SkerryError('RECORD_INVALID', 'a share record contradicts its path, key id or points');
  }
  checkAuthority(
    crypto,
    authority,
    pointsHashOf(crypto, record.keyId, record.epoch, points),
    record.signatures,
  );
  if (!crypto.ed25519Verify(point.vk, shareRecordPreimage(crypto, record), record.signature)) {
    throw new SkerryError('SIGNATURE_INVALID', "a share record is not signed by its share's key");
  }
  return record;
}

/**
 * Orders two valid records of one share: the higher sequence is newer, and the same sequence is no newer.
 *
 * @returns positive when `a` is newer than `b`
 */
export function compareShareRecords(a: ShareRecord, b: ShareRecord): number {
  return a.sequence - b.sequence;
}
