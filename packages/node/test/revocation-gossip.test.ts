import { at } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { encodeRevocation, keyIdOf, type Revocation, revocationHashOf, revocationTopic } from '@skerry/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Host } from '../src/host.ts';
import { joinRevocations, type RevocationGossip } from '../src/revocation-gossip.ts';
import { makeOwner } from './holders.ts';
import { recordingLog, startHosts, until } from './hosts.ts';

const owner = makeOwner();
let hosts: Host[];
let members: RevocationGossip[];
let heard: string[][];
beforeEach(async () => {
  // a line: what the second says reaches the third only by way of the first
  hosts = await startHosts(3, { meshPeersMax: 0 });
  await at(hosts, 1).deny([at(hosts, 2).nodeId]);
  await at(hosts, 2).deny([at(hosts, 1).nodeId]);
  heard = hosts.map(() => []);
  members = hosts.map((host, i) =>
    joinRevocations({
      host,
      onRevocation: ({ grant }) => heard[i]?.push(grant?.jti ?? 'all'),
      clock: nodeClock,
      log: recordingLog(),
    }),
  );
});
afterEach(async () => {
  await Promise.all(members.map(async member => member.close()));
  await Promise.all(hosts.map(async host => host.close()));
});

/** A revocation of the owner's, of one grant by default. */
function revocation(terms: Partial<Revocation> = {}): Revocation {
  const nonce = nodeRandom.bytes(16);
  const { authority } = owner.signer;
  const exp = Math.floor(Date.now() / 1000) + 60;
  const unsigned = {
    keyId: keyIdOf(nodeCrypto, authority, nonce),
    authority,
    nonce,
    grant: { jti: 'grantNumber1', exp },
    issuedBefore: null,
    ...terms,
  };
  return { ...unsigned, signatures: owner.signer.sign(revocationHashOf(nodeCrypto, unsigned)) };
}

/** Says it until the others have had the chance to hear: a topic takes a moment to form. */
async function sayUntil(revoked: () => Revocation, isDone: () => boolean): Promise<void> {
  await until(async () => {
    await at(members, 1).publish(revoked());
    await new Promise(resolve => setTimeout(resolve, 50));
    return isDone();
  });
}

test('a revocation that one says reaches those that have no connection to it', async () => {
  await sayUntil(revocation, () => at(heard, 2).length > 0);
  expect(at(hosts, 2).isConnected(at(hosts, 1).nodeId)).toBe(false);
  expect(at(heard, 2)[0]).toBe('grantNumber1');
});

test('what has expired is not passed on, and what is forged costs its sender', async () => {
  await sayUntil(revocation, () => at(heard, 2).length > 0);
  const past = Math.floor(Date.now() / 1000) - 1_000;
  await at(members, 1).publish(revocation({ grant: { jti: 'expiredGrant', exp: past } }));
  await at(members, 1).publish(revocation({ grant: null, issuedBefore: 1 }));
  const { gossip } = at(hosts, 1).libp2p.services;
  for (let i = 0; i < 3; i++) {
    const forged = { ...revocation(), grant: { jti: `forgedGrant${i}`, exp: past + 2_000 } };
    await gossip.publish(revocationTopic, encodeRevocation(forged));
  }
  const judge = at(hosts, 0).libp2p.services.gossip as unknown as { getScore: (nodeId: string) => number };
  await until(() => judge.getScore(at(hosts, 1).nodeId) < 0);
  expect(new Set([...at(heard, 0), ...at(heard, 2)])).toEqual(new Set(['grantNumber1']));
});
