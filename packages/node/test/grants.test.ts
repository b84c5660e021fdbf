import { at, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type Authority, type GrantClaims, grantType, nodeIdOf } from '@skerry/wire';
import { GeneralSign } from 'jose';
import { describe, expect, test } from 'vitest';
import { issueGrant, verifyGrant } from '../src/grants.ts';

type Signer = { readonly key: Uint8Array; readonly seed: Uint8Array };
type Jws = { payload: string; signatures: Record<string, unknown>[] } & Record<string, unknown>;

function makeSigner(): Signer {
  const seed = nodeRandom.bytes(32);
  return { key: nodeCrypto.ed25519PublicKey(seed), seed };
}

const signers = [makeSigner(), makeSigner(), makeSigner()] as const;
const stranger = makeSigner();
const [first, second] = signers;
const authority: Authority = { keys: signers.map(({ key }) => key), needed: 2 };
const alone: Authority = { keys: [first.key], needed: 1 };

const subject = makeSigner();
const claims: GrantClaims = {
  keyId: 'ab'.repeat(32),
  epoch: null,
  op: 'open',
  sub: nodeIdOf(subject.key),
  cnf: toHex(subject.key),
  jti: 'a-grant-for-tests',
  nbf: 1_000,
  exp: 2_000,
  uses: 3,
  among: [1, 2],
};

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const encoded = (value: unknown): string => Buffer.from(bytes(value)).toString('base64url');
const honest = { alg: 'EdDSA', typ: grantType, kid: toHex(first.key) };

async function jwsOf(by: readonly Signer[] = [first]): Promise<Jws> {
  return JSON.parse(new TextDecoder().decode(await issueGrant(claims, by))) as Jws;
}

/** Signs any header and payload as the first key, by hand, as an authority that is tricked into it would. */
function signed(header: object, payload: string = encoded(claims)): Record<string, unknown> {
  const head = encoded(header);
  const signature = nodeCrypto.ed25519Sign(first.seed, bytes(`${head}.${payload}`));
  return { protected: head, signature: Buffer.from(signature).toString('base64url') };
}

async function refused(grant: unknown, by: Authority = alone): Promise<void> {
  await expect(verifyGrant(bytes(grant), by)).rejects.toMatchObject({ code: 'GRANT_INVALID' });
}

describe('a grant', () => {
  test('of enough distinct keys of the authority gives its claims, in whatever order they signed', async () => {
    expect(await verifyGrant(await issueGrant(claims, [first]), alone)).toEqual(claims);
    expect(await verifyGrant(await issueGrant(claims, [second, first]), authority)).toEqual(claims);
    expect(await verifyGrant(await issueGrant(claims, signers), authority)).toEqual(claims);
  });

  test('signed by hand as RFC 7515 says is one, so the tests below refuse what they change and no more', async () => {
    const payload = encoded(claims);
    expect(await verifyGrant(bytes({ payload, signatures: [signed(honest)] }), alone)).toEqual(claims);
  });

  test('of too few, of one key twice, or of keys of others is none', async () => {
    await refused(await jwsOf([first]), authority);
    const once = await jwsOf([first]);
    await refused({ ...once, signatures: [once.signatures[0], once.signatures[0]] }, authority);
    await refused(await jwsOf([first, stranger]), authority);
    await refused(await jwsOf([stranger]));
    await refused({ ...once, signatures: [] });
  });

  test("claiming another's key id, with or without that key's own signature, is none", async () => {
    const { payload, signatures } = await jwsOf([stranger]);
    const header = { ...honest, kid: toHex(first.key) };
    await refused({ payload, signatures: [{ ...at(signatures, 0), protected: encoded(header) }] });
    await refused({ payload: encoded({ ...claims, uses: null }), signatures: [signed(honest)] });
  });

  test('one bad signature beside enough good ones does not spoil it, and more than keys are not looked at', async () => {
    const jws = await jwsOf([first, second]);
    const bad = at((await jwsOf([stranger])).signatures, 0);
    expect(await verifyGrant(bytes({ ...jws, signatures: [bad, ...jws.signatures] }), authority)).toEqual(
      claims,
    );
    await refused({ ...jws, signatures: [...jws.signatures, bad, bad] }, authority);
  });

  test.each([
    ['another typ', { ...honest, typ: 'JWT' }],
    ['no typ', { alg: 'EdDSA', kid: toHex(first.key) }],
    ['no alg', { typ: grantType, kid: toHex(first.key) }],
    ['alg none', { ...honest, alg: 'none' }],
    ['alg HS256', { ...honest, alg: 'HS256' }],
    ['alg ES256', { ...honest, alg: 'ES256' }],
    ['alg Ed25519, which names the same scheme', { ...honest, alg: 'Ed25519' }],
    ['an alg that is no text', { ...honest, alg: ['EdDSA'] }],
    ['no kid', { alg: 'EdDSA', typ: grantType }],
    ['a kid in capitals', { ...honest, kid: toHex(first.key).toUpperCase() }],
    ['a kid from the prototype', { ...honest, kid: 'constructor' }],
    ['a crit', { ...honest, crit: ['exp'], exp: 1 }],
    ['a key of its own', { ...honest, jwk: { kty: 'OKP', crv: 'Ed25519', x: encoded('key') } }],
    ['an address of a key', { ...honest, jku: 'https://example.org/keys' }],
    ['an unencoded payload', { ...honest, b64: false, crit: ['b64'] }],
    ['b64 without crit', { ...honest, b64: false }],
    ['an unknown field', { ...honest, cty: 'json' }],
    ['a header that is a list', [honest]],
  ])('with %s in its header is none', async (_, header) => {
    await refused({ payload: encoded(claims), signatures: [signed(header)] });
  });

  test('with an HMAC under the public key, which everybody has, is none', async () => {
    const jws = await new GeneralSign(bytes(claims))
      .addSignature(first.key)
      .setProtectedHeader({ ...honest, alg: 'HS256' })
      .sign();
    await refused(jws);
  });

  test('with an unprotected header, or other fields around it, is none', async () => {
    const { payload, signatures } = await jwsOf();
    const signature = at(signatures, 0);
    await refused({ payload, signatures: [{ ...signature, header: { kid: toHex(first.key) } }] });
    await refused({ payload, signatures: [{ ...signature, extra: 1 }] });
    await refused({ payload, signatures, extra: 1 });
    await refused(`{"payload":${JSON.stringify(payload)},"signatures":[],"__proto__":{}}`);
    await refused({ payload, ...signature });
    await refused(`${encoded(honest)}.${payload}.${String(signature['signature'])}`);
  });

  test('that is not JSON, or of another shape, is none', async () => {
    const { payload, signatures } = await jwsOf();
    for (const grant of ['', 'null', '[]', '7', '"text"', '{}', '{"payload":1,"signatures":[]}', '{{']) {
      await refused(grant);
    }
    await refused({ payload, signatures: {} });
    for (const entry of [null, 1, 'text', [], { protected: 1, signature: 2 }]) {
      await refused({ payload, signatures: [entry] });
    }
    await expect(verifyGrant(new Uint8Array([0xff, 0xfe]), alone)).rejects.toMatchObject({
      code: 'GRANT_INVALID',
    });
    await refused('['.repeat(16_384));
    expect(signatures.length).toBe(1);
  });

  test.each([
    ['no JSON', encoded('{')],
    ['no object', encoded('null')],
    ['other claims', encoded({ ...claims, admin: true })],
    ['nothing', ''],
    ['bytes that are no text', Buffer.from([0xff]).toString('base64url')],
  ])('whose payload is %s is none, though the authority signed it', async (_, payload) => {
    await refused({ payload, signatures: [signed(honest, payload)] });
  });

  test('with more signatures than there are keys is not looked at, though each of them verifies', async () => {
    const signature = signed(honest);
    await refused({ payload: encoded(claims), signatures: Array.from({ length: 2_000 }, () => signature) });
    const long = { ...signature, protected: encoded({ ...honest, x: 'a'.repeat(10_000) }) };
    await refused({ payload: encoded(claims), signatures: [long, long, long] }, authority);
  });

  test('of an authority whose key is no point of the curve is none', async () => {
    const key = new Uint8Array(32).fill(0xff);
    const header = { ...honest, kid: toHex(key) };
    await refused({ payload: encoded(claims), signatures: [signed(header)] }, { keys: [key], needed: 1 });
  });
});
