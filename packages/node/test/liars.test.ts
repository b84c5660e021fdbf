import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, type SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { roundContextOf } from '@skerry/custody';
import { challengeOf } from '@skerry/sharing';
import {
  custodyProtocol,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRefusal,
  encodeRequest,
  type GrantClaims,
  type Manifest,
  nodeIdOf,
  nodeKeyOf,
  type RoundRequest,
  requestPreimage,
} from '@skerry/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadIdentity } from '../src/identity.ts';
import type { Peer } from '../src/peer.ts';
import { createPeerStreams, type PeerStreams } from '../src/streams.ts';
import { grantTo, makeOwner, type Owner, type Party, quiet, roundFor, wrongPartOf } from './holders.ts';
import { startPeers, untilTheyMeet } from './peers.ts';

/** What a holder answers a round with, given its honest answer. */
type Lie = (request: RoundRequest, honest: () => Promise<Uint8Array>, holder: Party) => Promise<Uint8Array>;

const key = nodeRandom.bytes(40);
const counts = { t: 3, n: 4, k: 5 };
let root: string;
let peers: Peer[];
let parties: Party[];
let manifest: Manifest;
let owner: Owner;
/** What each peer does instead of answering rounds, by node id. */
const lies = new Map<string, Lie>();
const lying: PeerStreams[] = [];

/** Has a peer answer by its honest custody service, save for rounds when it is to lie. */
async function mayLie({ network }: Peer, party: Party): Promise<void> {
  await network.streams.close();
  lying.push(
    await createPeerStreams({
      host: network.host,
      protocol: custodyProtocol,
      handle: async (from, body) => {
        const honest = async (): Promise<Uint8Array> => network.custody.handle(from, body);
        const lie = lies.get(party.nodeId);
        const request = lie && decodeRequest(body);
        return request?.name === 'round' ? lie!(request.body, honest, party) : honest();
      },
      log: quiet,
    }),
  );
}

async function partyOf({ home }: Peer): Promise<Owner> {
  const { nodeSeed, ownerSeed, nodeId } = await loadIdentity(home);
  const authority = { keys: [nodeCrypto.ed25519PublicKey(ownerSeed)], needed: 1 };
  const { signer } = makeOwner();
  return { nodeSeed, ownerSeed, nodeId, nodeKey: nodeKeyOf(nodeId), signer: { ...signer, authority } };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
  peers = await startPeers(root, 6);
  const all = await Promise.all(peers.map(partyOf));
  owner = at(all, 0);
  parties = all.slice(1);
  const slot = at(peers, 0).reserveKey();
  const protection = { risk: 'low', acceptReduced: true, counts } as const;
  ({ manifest } = await at(peers, 0).deal(slot, key, protection));
  for (const [i, party] of parties.entries()) await mayLie(at(peers, i + 1), party);
  await untilTheyMeet(peers);
});
afterAll(async () => {
  lies.clear();
  await Promise.all(lying.map(async streams => streams.close()));
  await Promise.all(peers.map(async peer => peer.close()));
  await rm(root, { recursive: true });
});

const firstAnswers = new Map<string, Promise<Uint8Array>>();
const never = new Promise<never>(() => undefined);
const liesByName: Readonly<Record<string, Lie>> = {
  'a wrong contribution, signed and sealed as it should be': async (request, _honest, holder) =>
    wrongPartOf(manifest, request, holder),
  'a sealed answer of noise': async () => encodeAnswer('round', { sealed: nodeRandom.bytes(200) }),
  noise: async () => nodeRandom.bytes(300),
  'noise as long as a frame takes': async () => nodeRandom.bytes(1_000_000),
  nothing: async () => never,
  'the right answer, too late': async (_request, honest) => sleep(2_500).then(honest),
  'the right answer, a little late': async (_request, honest) => sleep(200).then(honest),
  'its answer to an earlier round': async (_request, honest, { nodeId }) => {
    if (!firstAnswers.has(nodeId)) firstAnswers.set(nodeId, honest());
    return firstAnswers.get(nodeId)!;
  },
  'a refusal that it has no reason for': async () => encodeRefusal('KEY_UNKNOWN'),
  'that the grant is used up': async () => encodeRefusal('GRANT_USED_UP'),
  'that it is busy': async () => encodeRefusal('TOO_BUSY'),
};

/** Has so many holders lie while something is done; those that are asked first, as far as that is known. */
async function whileLying<T>(count: number, lie: Lie, work: () => Promise<T>): Promise<T> {
  const { streams } = at(peers, 0).network;
  const roundTripMs = ({ nodeId }: Party): number => streams.roundTripMs(nodeId) ?? 0;
  const liars = parties.toSorted((a, b) => roundTripMs(a) - roundTripMs(b)).slice(0, count);
  for (const { nodeId } of liars) lies.set(nodeId, lie);
  try {
    return await work();
  } finally {
    lies.clear();
  }
}

async function opened(): Promise<Uint8Array> {
  return (await at(peers, 0).open(manifest.core.keyId)).key;
}

describe('holders that answer rounds with', () => {
  test.each(Object.entries(liesByName))(
    '%s never keep the key from its owner, up to k - t',
    async (_, lie) => {
      await whileLying(counts.k - counts.t, lie, async () => {
        for (let i = 0; i < 2; i++) expect(await opened()).toEqual(key);
      });
      expect(await opened()).toEqual(key);
    },
  );

  const prompt = Object.entries(liesByName).filter(([name]) => !/late|nothing|busy/.test(name));
  test.each(prompt)(
    '%s, with fewer than t honest ones, end an open by a code and in time',
    async (name, lie) => {
      const startMs = performance.now();
      const outcome = await whileLying(counts.k - counts.t + 1, lie, async () =>
        opened().then(toHex, (error: SkerryError) => error.code),
      );
      expect(performance.now() - startMs).toBeLessThan(10_000);
      // who repeats its first answer has given one right one
      const rights = name === 'its answer to an earlier round' ? [toHex(key)] : [];
      expect([...rights, 'KEY_UNAVAILABLE', 'KEY_CORRUPT', 'GRANT_USED_UP']).toContain(outcome);
    },
  );
});

describe('a real peer that asks a holder for a round', () => {
  const nowS = (): number => Math.floor(Date.now() / 1000);

  /** What a holder answers a node that may open, once something was changed: the code, or undefined for an answer. */
  async function codeOf(
    claims: Partial<GrantClaims>,
    change: Partial<RoundRequest> = {},
    by: Owner = owner,
    rightlySigned = true,
  ): Promise<string | undefined> {
    const [asking, holder] = [at(parties, 0), at(parties, 1)];
    const grant = await grantTo(by, manifest, asking, claims);
    const changed = { ...roundFor(manifest, holder, asking, grant), ...change };
    const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, changed, manifest.core.scheme));
    const preimage = requestPreimage(challenge, changed.issuedAtMs);
    const signature = nodeCrypto.ed25519Sign(asking.nodeSeed, preimage);
    const request = rightlySigned ? { ...changed, signature } : changed;
    return send(encodeRequest('round', request));
  }

  async function send(body: Uint8Array): Promise<string | undefined> {
    const answer = await at(lying, 0).request(at(parties, 1).nodeId, body, { deadlineMs: 5_000 });
    try {
      decodeAnswer('round', answer);
      return undefined;
    } catch (error) {
      return (error as SkerryError).code;
    }
  }

  test('gets an answer with a good grant, and a code with any other', async () => {
    expect(await codeOf({})).toBeUndefined();
    expect(await codeOf({ nbf: nowS() - 3_000, exp: nowS() - 2_000 })).toBe('GRANT_EXPIRED');
    expect(await codeOf({ nbf: nowS() + 2_000, exp: nowS() + 3_000 })).toBe('GRANT_EXPIRED');
    expect(await codeOf({ sub: at(parties, 2).nodeId })).toBe('GRANT_INVALID');
    expect(await codeOf({ keyId: toHex(nodeRandom.bytes(32)) })).toBe('GRANT_INVALID');
    expect(await codeOf({}, {}, makeOwner())).toBe('GRANT_INVALID');
    expect(await codeOf({ cnf: toHex(at(parties, 2).nodeKey) })).toBe('REQUEST_SIGNATURE_INVALID');
    const jti = toHex(nodeRandom.bytes(16));
    const exp = nowS() + 60;
    expect(await codeOf({ jti, exp, uses: 1 })).toBeUndefined();
    expect(await codeOf({ jti, exp, uses: 1 })).toBe('GRANT_USED_UP');
  });

  test('of another epoch, core, threshold, set or time, or signed by nobody, gets a code', async () => {
    const { core } = manifest;
    expect(await codeOf({}, { epoch: core.epoch + 1 })).toBe('EPOCH_MISMATCH');
    expect(await codeOf({}, { coreHash: nodeRandom.bytes(32) })).toBe('CORE_MISMATCH');
    expect(await codeOf({}, { t: core.t - 1 })).toBe('THRESHOLD_MISMATCH');
    const others = core.holders.filter(({ nodeKey }) => nodeIdOf(nodeKey) !== at(parties, 1).nodeId);
    const set = others.map(({ x }) => x).sort((a, b) => a - b);
    expect(await codeOf({}, { set: set.slice(0, core.t) })).toBe('NOT_IN_SET');
    expect(await codeOf({}, { issuedAtMs: Date.now() - 600_000 })).toBe('REQUEST_NOT_FRESH');
    expect(await codeOf({}, { roundId: nodeRandom.bytes(16) }, owner, false)).toBe(
      'REQUEST_SIGNATURE_INVALID',
    );
    expect(await opened()).toEqual(key);
  });

  test("that was another node's, word for word, gets nothing that it can open, and takes no use", async () => {
    const [asking, holder] = [at(parties, 0), at(parties, 1)];
    const grant = await grantTo(owner, manifest, asking, { uses: 1 });
    const body = encodeRequest('round', roundFor(manifest, holder, asking, grant));
    expect(await send(body)).toBeUndefined();
    const thief = at(lying, 3);
    const replayed = await thief.request(holder.nodeId, body, { deadlineMs: 5_000 });
    expect(() => decodeAnswer('round', replayed)).toThrow(expect.objectContaining({ code: 'GRANT_INVALID' }));
    expect(await send(body)).toBeUndefined(); // the same round again is idempotent
  });
});
