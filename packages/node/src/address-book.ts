import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import type { NodeLibp2p } from './node-libp2p.ts';

/** libp2p's name for a node. */
export type PeerId = ReturnType<typeof peerIdFromString>;

/** Where nodes can be dialled, by node id. */
type AddressBook = {
  /**
   * Replaces what is known of a node's addresses.
   *
   * @returns whether there was a usable address
   */
  readonly learn: (nodeId: string, addresses: readonly string[]) => Promise<boolean>;
  readonly isConnected: (nodeId: string) => boolean;
};

/**
 * libp2p's name for a node id.
 *
 * @throws MESSAGE_MALFORMED where the text is no peer id
 */
export function peerIdOf(nodeId: string): PeerId {
  try {
    return peerIdFromString(nodeId);
  } catch (error) {
    throw new SkerryError('MESSAGE_MALFORMED', 'not a node id', {}, error);
  }
}

/** The node id in a multiaddr's last `/p2p/`, or undefined. */
export function nodeIdIn(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(component => component.name === 'p2p')?.value;
}

/** Keeps addresses in libp2p's peer store, from which it dials. */
export function createAddressBook(libp2p: NodeLibp2p): AddressBook {
  return {
    learn: async (nodeId, addresses) => {
      const multiaddrs = addresses
        .slice(0, parameters.addressesPerPeerMax)
        .flatMap(address => parse(address, nodeId));
      if (multiaddrs.length === 0) return false;
      await libp2p.peerStore.patch(peerIdOf(nodeId), { multiaddrs });
      return true;
    },
    isConnected: nodeId => libp2p.getConnections(peerIdOf(nodeId)).some(({ status }) => status === 'open'),
  };
}

/** An address that a peer gave, where it is one and names no other node. */
function parse(address: string, nodeId: string): Multiaddr[] {
  try {
    const parsed = multiaddr(address);
    return (nodeIdIn(parsed) ?? nodeId) === nodeId ? [parsed] : [];
  } catch {
    return [];
  }
}
