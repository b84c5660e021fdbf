import { toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import type { HeldEpoch } from '@skerry/custody';
import { type GrantClaims, nodeIdOf } from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { issueGrant } from '../src/grants.ts';
import { createHolderMemory } from '../src/holder-memory.ts';
import { makeOwner, type Owner } from './holders.ts';

const owner = makeOwner();
const stranger = makeOwner();
const claims: GrantClaims = {
  keyId: toHex(nodeRandom.bytes(32)),
  epoch: null,
  op: 'open',
  sub: nodeIdOf(owner.nodeKey),
  cnf: toHex(owner.nodeKey),
  jti: 'a-grant',
  nbf: 1_000,
  exp: 2_000,
  uses: null,
  among: null,
};

/** An epoch of a key, as far as its grants go. */
function epochOf({ signer }: Owner, coreHash: Uint8Array): HeldEpoch {
  return { core: { authority: signer.authority }, coreHash } as unknown as HeldEpoch;
}

async function grantOf({ signer, ownerSeed }: Owner, jti: string): Promise<Uint8Array> {
  return issueGrant({ ...claims, jti }, [{ key: signer.authority.keys[0]!, seed: ownerSeed }]);
}

describe('what a holder remembers', () => {
  test('of a grant is that its signatures were verified, for this very core and these very bytes', async () => {
    const memory = createHolderMemory();
    const coreHash = nodeRandom.bytes(32);
    const grant = await grantOf(owner, 'the-first-grant');
    expect(await memory.claimsOf(grant, epochOf(owner, coreHash))).toMatchObject({ jti: 'the-first-grant' });
    // Under this core's hash there is one authority only: another in its place shows that nothing was verified anew.
    const known = await memory.claimsOf(grant, epochOf(stranger, coreHash));
    expect(known).toMatchObject({ jti: 'the-first-grant' });
    const refused = { code: 'GRANT_INVALID' };
    const otherCore = epochOf(stranger, nodeRandom.bytes(32));
    await expect(memory.claimsOf(grant, otherCore)).rejects.toMatchObject(refused);
    const altered = new Uint8Array(grant);
    altered[20]! ^= 1;
    await expect(memory.claimsOf(altered, epochOf(owner, coreHash))).rejects.toMatchObject(refused);
    const forged = await grantOf(stranger, 'the-first-grant');
    await expect(memory.claimsOf(forged, epochOf(owner, coreHash))).rejects.toMatchObject(refused);
  });

  test('of a grant is nothing where it was refused', async () => {
    const memory = createHolderMemory();
    const coreHash = nodeRandom.bytes(32);
    const grant = await grantOf(owner, 'the-second-grant');
    const refused = { code: 'GRANT_INVALID' };
    await expect(memory.claimsOf(grant, epochOf(stranger, coreHash))).rejects.toMatchObject(refused);
    expect(await memory.claimsOf(grant, epochOf(owner, coreHash))).toMatchObject({ jti: 'the-second-grant' });
  });

  test('of agreements is for one core of a key, and wiped when another comes or the key is forgotten', () => {
    const { pairSecretsOf, forget } = createHolderMemory();
    const [first, second] = [nodeRandom.bytes(32), nodeRandom.bytes(32)];
    const secrets = [nodeRandom.bytes(32), nodeRandom.bytes(32)] as const;
    pairSecretsOf('key')(first).set(1, secrets[0]);
    expect(pairSecretsOf('key')(first).get(1)).toBe(secrets[0]);
    expect(pairSecretsOf('other')(first).size).toBe(0);
    expect(pairSecretsOf('key')(second).size).toBe(0);
    expect(secrets[0]).toEqual(new Uint8Array(32));
    pairSecretsOf('key')(second).set(1, secrets[1]);
    forget('key');
    expect(secrets[1]).toEqual(new Uint8Array(32));
    expect(pairSecretsOf('key')(second).size).toBe(0);
  });
});
