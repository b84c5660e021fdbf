import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, type Log, toHex } from '@skerry/base';
import { hpkeRecipient, nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeHeldKey, openHeldShare, roundContextOf } from '@skerry/custody';
import { type Deal, loadIdentity, openKey, openStore, type Peer } from '@skerry/node';
import { challengeOf, interpolate, type Share } from '@skerry/sharing';
import {
  answerInfo,
  contributionShape,
  decode,
  decodeAnswer,
  decodeRequest,
  decodeShareRecord,
  nodeIdOf,
  type RoundRequest,
} from '@skerry/wire';
import { combine } from 'shamir-secret-sharing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarm, type Swarm } from '../index.ts';
import { shareRecordsOf } from './share-records.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** One holder's answer to one round request. */
type Answer = { readonly request: RoundRequest; readonly sealed: Uint8Array };

function xor(parts: readonly Uint8Array[]): Uint8Array {
  return at(parts, 0).map((_, i) => parts.reduce((sum, part) => sum ^ at(part, i), 0));
}

/** Every subset of a list with at least `least` and at most `most` members. */
function subsets<T>(list: readonly T[], least: number, most: number): T[][] {
  const all = Array.from({ length: 2 ** list.length }, (_, bits) => list.filter((_, i) => (bits >> i) & 1));
  return all.filter(({ length }) => length >= least && length <= most);
}

function contains(haystack: Uint8Array, needle: Uint8Array): boolean {
  return Buffer.from(haystack).includes(needle);
}

describe('what a requester and an archivist get to see', () => {
  let root: string;
  let swarm: Swarm;
  let owner: Peer;
  let dealt: Deal;
  let keyId: Uint8Array;
  let shares: Map<string, Share>;
  const key = nodeRandom.bytes(32);
  const received: Uint8Array[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'skerry-secrecy-'));
    swarm = await createSwarm({
      nodeCount: 12,
      home: root,
      observe: index =>
        index === 0
          ? (direction, _, frame) => {
              if (direction === 'in') received.push(frame.slice());
            }
          : undefined,
      log: quiet,
    });
    owner = at(swarm.nodes, 0).peer();
    const slot = owner.reserveKey();
    keyId = slot.keyId;
    dealt = await owner.deal(slot, key, { risk: 'high', acceptReduced: false });
    shares = await sharesOnDisks();
  });
  afterAll(async () => {
    await swarm.close();
    await rm(root, { recursive: true, force: true });
  });

  /** The shares in the clear, by node id, as only a thief of every disk would have them. */
  async function sharesOnDisks(): Promise<Map<string, Share>> {
    const found = new Map<string, Share>();
    const holders = dealt.placement.holders.map(({ nodeId }) => nodeId);
    for (const node of swarm.nodes.filter(({ nodeId }) => holders.includes(nodeId))) {
      await swarm.stop(node.index);
      const store = await openStore(join(node.home, 'store'));
      const stored = store.get(`held/${toHex(keyId)}`);
      await store.close();
      const active = stored && decodeHeldKey(stored).active;
      if (!active) throw new Error('a holder has its share');
      const { share } = openHeldShare(nodeCrypto, active, 'SHARE_CORRUPT');
      found.set(node.nodeId, share);
      await swarm.start(node.index);
    }
    await swarm.ready();
    return found;
  }

  test('the disks hold a sharing of the key, so the tests below compare with the true shares', () => {
    const { k, t } = dealt.placement;
    expect(shares.size).toBe(k);
    expect(interpolate([...shares.values()].slice(0, t), 0).subarray(0, 32)).toEqual(key);
  });

  test('no frame that reaches the requester holds a share, the key or their hash of any kind in the clear', async () => {
    received.length = 0;
    expect((await owner.open(keyId)).key).toEqual(key);
    expect(received.length).toBeGreaterThanOrEqual(dealt.placement.t);
    const all = Buffer.concat(received);
    for (const { y } of shares.values()) expect(contains(all, y.subarray(0, 16))).toBe(false);
    expect(contains(all, key.subarray(0, 16))).toBe(false);
  });

  /** Opens the key as `Peer.open` does, and keeps every answer and every random value of the requester. */
  async function openRecorded(): Promise<{ answers: Answer[]; seeds: Uint8Array[]; opened: Uint8Array }> {
    const answers: Answer[] = [];
    const seeds: Uint8Array[] = [];
    const { streams } = owner.network;
    const { nodeSeed } = await loadIdentity(owner.home);
    const { token } = await owner.grant(keyId, owner.nodeId, { lifeMs: 60_000, uses: null });
    const { core } = dealt.manifest;
    const recording: typeof streams = {
      ...streams,
      request: async (nodeId, body, options) => {
        const answer = await streams.request(nodeId, body, options);
        const request = decodeRequest(body);
        if (request.name !== 'round') throw new Error('an open asks for rounds only');
        answers.push({ request: request.body, sealed: decodeAnswer('round', answer).sealed });
        return answer;
      },
    };
    const bytes = (length: number) => {
      const fresh = nodeRandom.bytes(length);
      seeds.push(fresh.slice());
      return fresh;
    };
    const holders = core.holders.map(({ x, nodeKey }) => ({
      x,
      nodeId: nodeIdOf(nodeKey),
      label: `holder ${x}`,
    }));
    const { key: opened } = await openKey(
      {
        streams: recording,
        nodeKey: core.dealer,
        confirmationSeed: nodeSeed,
        clock: nodeClock,
        random: { bytes },
      },
      { manifest: dealt.manifest, grant: token, holders },
    );
    return { answers, seeds, opened };
  }

  test('no proper subset of the contributions, once opened, is or sums to anything that a share alone gives', async () => {
    const { answers, seeds, opened } = await openRecorded();
    expect(opened).toEqual(key);

    const request = at(answers, 0).request;
    const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, request, 'gf256'));
    const contributions = new Map<number, Uint8Array>();
    for (const { sealed } of answers) {
      for (const x of request.set) {
        const plain = await hpkeRecipient(at(seeds, 0)).open(answerInfo(challenge, x), sealed);
        if (plain) contributions.set(x, decode(contributionShape, plain, 512, 'contribution').contribution);
      }
    }
    expect([...contributions.keys()].sort((a, b) => a - b)).toEqual(request.set);

    const sharesInSet = [...shares.values()].filter(({ x }) => request.set.includes(x));
    // lambda_i * y_i is what holder i would give without masks: interpolate with every other share zero
    const bare = new Map(
      sharesInSet.map(share => {
        const others = sharesInSet.map(other =>
          other === share ? share : { x: other.x, y: new Uint8Array(other.y.length) },
        );
        return [share.x, interpolate(others, 0)] as const;
      }),
    );
    expect(xor([...bare.values()]).subarray(0, 32)).toEqual(key);
    expect(xor([...contributions.values()]).subarray(0, 32)).toEqual(key);
    const forbidden = new Set(
      [...shares.values(), ...[...bare].map(([x, y]) => ({ x, y }))].map(({ y }) => toHex(y)),
    );
    for (const some of subsets(request.set, 1, request.set.length - 1)) {
      const sum = xor(some.map(x => contributions.get(x) as Uint8Array));
      expect(sum).not.toEqual(xor(some.map(x => bare.get(x) as Uint8Array)));
      expect(forbidden.has(toHex(sum))).toBe(false);
    }
  });

  test('the disks of t - 1 holders and every record in the DHT do not give the key, whatever is combined', async () => {
    const { t, k } = dealt.placement;
    const stolen = [...shares.values()].slice(0, t - 1);
    const archived = (await shareRecordsOf(swarm, dealt.manifest)).map(decodeShareRecord);
    expect(archived.length).toBe(k);
    const fromDht = archived
      .filter(({ x }) => !stolen.some(share => share.x === x))
      .map(({ x, ciphertext }) => ({ x, y: ciphertext.slice(0, at(stolen, 0).y.length) }));
    for (const some of subsets([...stolen, ...fromDht.slice(0, 4)], 2, t + 2)) {
      const packed = some.map(({ x, y }) => new Uint8Array([...y, x]));
      const guess = (await combine(packed)).subarray(0, 32);
      expect(guess).not.toEqual(key);
    }
  });
});
