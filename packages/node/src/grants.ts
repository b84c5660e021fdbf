import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { SkerryError, toHex } from '@skerry/base';
import { type Authority, type GrantClaims, grantType, parseGrantClaims } from '@skerry/wire';
import { errors, flattenedVerify, type GeneralJWS, GeneralSign } from 'jose';

const algorithm = 'EdDSA';

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function publicKeyObject(key: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(key) }, format: 'jwk' });
}

/** An owner key that signs grants: its public key and its seed, 32 bytes each. */
type GrantSigner = { readonly key: Uint8Array; readonly seed: Uint8Array };

function privateKeyObject({ key, seed }: GrantSigner): KeyObject {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: base64url(key), d: base64url(seed) };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}

/**
 * Issues a grant: a general JWS (RFC 7515 section 7.2.1) with one EdDSA signature for each signer.
 *
 * @param claims what it grants
 * @param signers distinct keys of the key's authority, at least as many as it needs
 * @returns the JWS as UTF-8 JSON, as it is presented to holders
 */
export async function issueGrant(
  claims: GrantClaims,
  signers: readonly GrantSigner[],
): Promise<Uint8Array<ArrayBuffer>> {
  const jws = new GeneralSign(new TextEncoder().encode(JSON.stringify(claims)));
  for (const signer of signers) {
    jws
      .addSignature(privateKeyObject(signer))
      .setProtectedHeader({ alg: algorithm, typ: grantType, kid: toHex(signer.key) });
  }
  return new TextEncoder().encode(JSON.stringify(await jws.sign()));
}

/** One signature of a grant: its protected header and itself, in base64url. */
type GrantSignature = { readonly protected: string; readonly signature: string };

/** The fields of an object if those, and no others, are there. */
function fieldsOf(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const isExact =
    Object.keys(value).length === names.length && names.every(name => Object.hasOwn(value, name));
  return isExact ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SkerryError('GRANT_INVALID', 'the grant is not JSON');
  }
}

function parseJws(grant: Uint8Array): Pick<GeneralJWS, 'payload'> & { signatures: GrantSignature[] } {
  const jws = fieldsOf(parseJson(grant), ['payload', 'signatures']);
  if (typeof jws?.['payload'] !== 'string' || !Array.isArray(jws['signatures'])) {
    throw new SkerryError('GRANT_INVALID', 'the grant is not a general JWS');
  }
  const signatures = jws['signatures'].map((entry: unknown) => {
    const fields = fieldsOf(entry, ['protected', 'signature']);
    if (typeof fields?.['protected'] !== 'string' || typeof fields['signature'] !== 'string') {
      throw new SkerryError(
        'GRANT_INVALID',
        "a signature of the grant has other than the grant's own headers",
      );
    }
    return { protected: fields['protected'], signature: fields['signature'] };
  });
  return { payload: jws['payload'], signatures };
}

/**
 * The authority key that made one signature of a grant, or undefined where it is not a valid one. Its header has the
 * three fields that `issueGrant` sets and no others: what an extension would mean (RFC 7515 section 4.1.11, RFC 7797)
 * never comes up.
 */
async function signerOf(
  payload: string,
  signature: GrantSignature,
  keys: ReadonlyMap<string, Uint8Array>,
): Promise<string | undefined> {
  try {
    const { protectedHeader } = await flattenedVerify(
      { ...signature, payload },
      header => {
        const fields = fieldsOf(header, ['alg', 'typ', 'kid']);
        const key = keys.get(String(fields?.['kid']));
        if (fields?.['typ'] !== grantType || !key) throw new errors.JWSInvalid('not a header of a grant');
        return publicKeyObject(key);
      },
      { algorithms: [algorithm] },
    );
    return protectedHeader?.kid;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * The claims of a grant that enough distinct keys of an authority signed. Time, key and operation are the holder's
 * to check. It verifies no more signatures than the authority has keys.
 *
 * @param grant as presented: anything
 * @param authority of the key
 * @throws GRANT_INVALID for what is no grant of this authority
 */
export async function verifyGrant(grant: Uint8Array, authority: Authority): Promise<GrantClaims> {
  const { payload, signatures } = parseJws(grant);
  if (signatures.length > authority.keys.length) {
    throw new SkerryError('GRANT_INVALID', 'the grant has more signatures than its authority has keys');
  }
  const keys = new Map(authority.keys.map(key => [toHex(key), key]));
  const signers = await Promise.all(signatures.map(async signature => signerOf(payload, signature, keys)));
  const distinct = new Set(signers.filter(signer => signer !== undefined));
  if (distinct.size < authority.needed) {
    throw new SkerryError('GRANT_INVALID', 'the grant is not signed by its authority');
  }
  return parseGrantClaims(parseJson(Buffer.from(payload, 'base64url')));
}

/**
 * What a grant says, unverified: for who gave it, or would present it.
 *
 * @param grant as presented: anything
 * @throws GRANT_INVALID for what is no grant
 */
export function readGrantClaims(grant: Uint8Array): GrantClaims {
  return parseGrantClaims(parseJson(Buffer.from(parseJws(grant).payload, 'base64url')));
}
