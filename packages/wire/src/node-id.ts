import { concatBytes, SkerryError } from '@skerry/base';
import { base58btc } from 'multiformats/bases/base58';

/** What precedes an Ed25519 public key in a libp2p peer id: identity multihash of the 36-byte protobuf form. */
const prefix = new Uint8Array([0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);
const keyBytes = 32;

/**
 * The node id (a libp2p peer id, as text) of a node key.
 *
 * @param nodeKey 32 bytes, the node's Ed25519 public key
 * @example
 * nodeIdOf(new Uint8Array(32)).startsWith('12D3KooW'); // true
 */
export function nodeIdOf(nodeKey: Uint8Array): string {
  return base58btc.baseEncode(concatBytes(prefix, nodeKey));
}

/**
 * The node key inside a node id. Only Ed25519 identities are nodes of Skerry.
 *
 * @param nodeId as `nodeIdOf` makes it
 * @returns 32 bytes
 * @throws MESSAGE_MALFORMED where the text is no such id
 */
export function nodeKeyOf(nodeId: string): Uint8Array<ArrayBuffer> {
  try {
    const decoded = base58btc.baseDecode(nodeId);
    if (decoded.length === prefix.length + keyBytes && prefix.every((byte, i) => decoded[i] === byte)) {
      return new Uint8Array(decoded.subarray(prefix.length));
    }
  } catch {
    // not base 58: the error below says it
  }
  throw new SkerryError('MESSAGE_MALFORMED', 'a node id is not that of an Ed25519 key');
}
