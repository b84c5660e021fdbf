import { type Log, SkerryError } from '@skerry/base';
import { bytes, decode, encode, timeMs, tuple } from '@skerry/wire';
import type { Store, StoreChange } from './store.ts';

/** A holder's signed word that it has erased its share of a key that was destroyed. */
export type Deletion = {
  readonly nodeId: string;
  /** When it came, Unix ms. */
  readonly atMs: number;
  /** By the holder's node key, over `deletionPreimage`: 64 bytes. */
  readonly signature: Uint8Array;
};

/** The deletions that holders have signed, for as long as the owner has the key's tombstone: what can be shown of its end. */
type Deletions = {
  /** The change that notes a deletion; its signature was checked. */
  readonly change: (keyId: string, deletion: Deletion) => StoreChange;
  /** Those of a key, in the order of their node ids. @throws STORE_FAILED */
  readonly list: (keyId: string) => Promise<Deletion[]>;
};

const prefix = 'deletion/';
const shape = tuple({ atMs: timeMs, signature: bytes(64) });

/** The deletions in a node's store. */
export function createDeletions(store: Pick<Store, 'get' | 'keys'>, log: Log): Deletions {
  function read(key: string): Deletion | undefined {
    try {
      const stored = store.get(key);
      const nodeId = key.slice(key.lastIndexOf('/') + 1);
      return stored && { nodeId, ...decode(shape, stored, shape.bytesMax, 'deletion') };
    } catch (error) {
      if (!(error instanceof SkerryError) || error.code === 'STORE_FAILED') throw error;
      log.error('a deletion that a holder signed is damaged on disk: it is left out', { key });
      return undefined;
    }
  }

  return {
    change: (keyId, { nodeId, atMs, signature }) => ({
      type: 'put',
      key: `${prefix}${keyId}/${nodeId}`,
      value: encode(shape, { atMs, signature }),
    }),
    list: async keyId => {
      const deletions: Deletion[] = [];
      for await (const key of store.keys(`${prefix}${keyId}/`)) {
        const deletion = read(key);
        if (deletion) deletions.push(deletion);
      }
      return deletions;
    },
  };
}
