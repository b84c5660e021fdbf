import { type Clock, type Log, SkerryError, toHex } from '@skerry/base';
import {
  bytes,
  decode,
  encode,
  flag,
  type GrantClaims,
  integer,
  nodeIdOf,
  nodeKeyOf,
  nullable,
  secondsMax,
  tuple,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { Store, StoreChange } from './store.ts';

/** A grant that this home's owner gave, as it is remembered until it has expired. */
export type GivenGrant = Pick<GrantClaims, 'keyId' | 'jti' | 'sub' | 'exp' | 'uses'> & {
  readonly isRevoked: boolean;
};

/** The grants that this home's owner gave, so that they can be listed and taken back. */
export type GivenGrants = {
  /** The change that notes a grant. */
  readonly change: (grant: GivenGrant) => StoreChange;
  /** Those of a key that have not expired; what has is forgotten. @throws STORE_FAILED */
  readonly list: (keyId: Uint8Array) => Promise<GivenGrant[]>;
  /** The grant of that id, if this home gave it. @throws STORE_FAILED */
  readonly find: (jti: string) => Promise<GivenGrant | undefined>;
};

const prefix = 'grant/';
const shape = tuple({
  node: bytes(32),
  exp: integer(0, secondsMax),
  uses: nullable(integer(1, Number.MAX_SAFE_INTEGER)),
  isRevoked: flag,
});

function decodeGrant(key: string, stored: Uint8Array): GivenGrant {
  const [keyId = '', jti = ''] = key.slice(prefix.length).split('/');
  const { node, ...rest } = decode(shape, stored, shape.bytesMax, 'given grant');
  return { keyId, jti, sub: nodeIdOf(node), ...rest };
}

/** The given grants in a node's store. */
export function createGivenGrants(store: Store, clock: Clock, log: Log): GivenGrants {
  /** A note that is damaged must not keep the others from being revoked. */
  function readOne(key: string): GivenGrant | undefined {
    try {
      const stored = store.get(key);
      return stored && decodeGrant(key, stored);
    } catch (error) {
      if (!(error instanceof SkerryError) || error.code === 'STORE_FAILED') throw error;
      log.error('the note of a given grant is damaged on disk: it is left out', { key });
      return undefined;
    }
  }

  async function read(path: string): Promise<GivenGrant[]> {
    const grants: GivenGrant[] = [];
    const expired: StoreChange[] = [];
    for await (const key of store.keys(path)) {
      const grant = readOne(key);
      if (!grant) continue;
      if (grant.exp * 1000 + parameters.clockSkewMs > clock.nowMs()) grants.push(grant);
      else expired.push({ type: 'del', key });
    }
    if (expired.length > 0) await store.batch(expired);
    return grants;
  }

  return {
    change: ({ keyId, jti, sub, exp, uses, isRevoked }) => ({
      type: 'put',
      key: `${prefix}${keyId}/${jti}`,
      value: encode(shape, { node: nodeKeyOf(sub), exp, uses, isRevoked }),
    }),
    list: async keyId => read(`${prefix}${toHex(keyId)}/`),
    find: async jti => (await read(prefix)).find(grant => grant.jti === jti),
  };
}
