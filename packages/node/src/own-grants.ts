import { type Clock, toHex } from '@skerry/base';
import type { GrantClaims } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { createRecent } from './recent.ts';

/** How long a grant that the owner gives itself is good, in ms; it opens with one for half of that. */
export const ownGrantLifeMs = 60_000;

/** A grant with what it says. */
type OwnGrant = Pick<GrantClaims, 'nbf' | 'exp'> & { readonly token: Uint8Array };

/**
 * The grants by which an owner opens its own keys, each presented while half its life is left: so that holders verify
 * the signatures of one, and not of each open's own.
 *
 * @param issue a fresh one, good for `ownGrantLifeMs`
 * @returns gives the token to present. `revokedBefore` is the key's: a grant from before is not presented again
 */
export function createOwnGrants(
  issue: (keyId: Uint8Array) => Promise<OwnGrant>,
  clock: Clock,
): (keyId: Uint8Array, revokedBefore: number) => Promise<Uint8Array> {
  const recent = createRecent<Promise<OwnGrant>>(parameters.ownGrantsKeptMax);
  // One from the future was given by a clock that was set back since: holders would refuse it until then.
  const isFresh = ({ nbf, exp }: OwnGrant): boolean => {
    const nowMs = clock.nowMs();
    return nbf * 1000 <= nowMs && exp * 1000 - nowMs > ownGrantLifeMs / 2;
  };
  return async (keyId, revokedBefore) => {
    const name = `${toHex(keyId)}/${revokedBefore}`;
    const known = await recent.get(name, async () => issue(keyId)).catch(() => undefined);
    if (known && isFresh(known)) return known.token;
    recent.forget(name);
    return (await recent.get(name, async () => issue(keyId))).token;
  };
}
