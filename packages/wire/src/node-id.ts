import { concatBytes, SkerryError } from '@skerry/base';
import { base58btc } from 'multiformats/bases/base58';

/** What precedes an Ed25519 public key in a libp2p peer id: identity multihash of the 36-byte protobuf form. */
const prefix = new Uint8Array([0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);

/** Base 58 of 38 bytes that begin so: checked first, since decoding takes time with the square of the length. */
const pattern = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;

/**
 * The node id (a libp2p peer id, as text: libp2p's peer-ids specification) of a node key.
 *
 * @param nodeKey 32 bytes, the node's Ed25519 public key
 * @example
 * nodeIdOf(new Uint8Array(32)).startsWith('12D3KooW'); // true
 */
export function nodeIdOf(nodeKey: Uint8Array): string {
  return base58btc.baseEncode(concatBytes(prefix, nodeKey));
}

/**
 * The node key inside a node id. Only Ed25519 identities are nodes of Skerry, and each has one text.
 *
 * @param nodeId as `nodeIdOf` makes it; from a peer or a person: anything
 * @returns 32 bytes
 * @throws MESSAGE_MALFORMED where the text is no such id
 */
export function nodeKeyOf(nodeId: string): Uint8Array<ArrayBuffer> {
  const decoded = pattern.test(nodeId) ? base58btc.baseDecode(nodeId) : prefix;
  const nodeKey = new Uint8Array(decoded.subarray(prefix.length));
  if (nodeKey.length !== 32 || nodeIdOf(nodeKey) !== nodeId) {
    throw new SkerryError('MESSAGE_MALFORMED', 'a node id is not that of an Ed25519 key');
  }
  return nodeKey;
}

/**
 * Whether a text is the id of a node of Skerry. libp2p has peers with other kinds of key, which may connect.
 *
 * @param nodeId from a peer: anything
 */
export function isNodeId(nodeId: string): boolean {
  return pattern.test(nodeId) && nodeIdOf(base58btc.baseDecode(nodeId).subarray(prefix.length)) === nodeId;
}
