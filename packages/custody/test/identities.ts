import { type ErrorCode, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import type { AuthoritySigner } from '@skerry/custody';
import { type Authority, checkAuthority, type GrantClaims, nodeIdOf, parseGrantClaims } from '@skerry/wire';

/** A node's keys. */
export type Identity = {
  readonly nodeId: string;
  readonly nodeKey: Uint8Array;
  readonly nodeSeed: Uint8Array;
};

/** A node with fresh keys. */
export function makeIdentity(): Identity {
  const nodeSeed = nodeRandom.bytes(32);
  const nodeKey = nodeCrypto.ed25519PublicKey(nodeSeed);
  return { nodeId: nodeIdOf(nodeKey), nodeKey, nodeSeed };
}

/** An authority of fresh keys, of which the first ones sign, or those asked for. */
export function makeSigner(
  keyCount = 1,
  needed = keyCount,
): AuthoritySigner & { readonly as: (indices: readonly number[]) => AuthoritySigner } {
  const seeds = Array.from({ length: keyCount }, () => nodeRandom.bytes(32));
  const authority = { keys: seeds.map(seed => nodeCrypto.ed25519PublicKey(seed)), needed };
  const as = (indices: readonly number[]): AuthoritySigner => ({
    authority,
    sign: message =>
      indices.map(index => ({ index, signature: nodeCrypto.ed25519Sign(seeds[index]!, message) })),
  });
  return { ...as(seeds.slice(0, needed).map((_, index) => index)), as };
}

type SignedClaims = {
  readonly claims: unknown;
  readonly signatures: readonly { readonly index: number; readonly signature: string }[];
};

/** A grant, in a form of these tests' own: what a JWS looks like is no matter of custody. */
export function signGrant(signer: AuthoritySigner, claims: GrantClaims): Uint8Array {
  const signed = signer.sign(nodeCrypto.sha256(Buffer.from(JSON.stringify(claims))));
  const signatures = signed.map(({ index, signature }) => ({ index, signature: toHex(signature) }));
  const grant: SignedClaims = { claims, signatures };
  return new Uint8Array(Buffer.from(JSON.stringify(grant)));
}

/** The claims of a grant that the authority signed, or why there are none. */
export function verifyGrant(grant: Uint8Array, authority: Authority): GrantClaims | ErrorCode {
  const { claims, signatures } = JSON.parse(Buffer.from(grant).toString()) as SignedClaims;
  try {
    const decoded = signatures.map(({ index, signature }) => {
      return { index, signature: new Uint8Array(Buffer.from(signature, 'hex')) };
    });
    checkAuthority(nodeCrypto, authority, nodeCrypto.sha256(Buffer.from(JSON.stringify(claims))), decoded);
    return parseGrantClaims(claims);
  } catch (error) {
    if (error instanceof SkerryError) return 'GRANT_INVALID';
    throw error;
  }
}
