import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, type ErrorCode, SkerryError, toHex } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type Doubt, type Sight } from '@skerry/custody';
import type { ObservationKind } from '@skerry/trust';
import {
  decodeRequest,
  encodeAnswer,
  encodeManifest,
  type Manifest,
  manifestPath,
  probeAnswerPreimage,
} from '@skerry/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countsInOpen, startAuditing } from '../src/auditing.ts';
import { type EvidenceStore, openEvidenceStore } from '../src/evidence-store.ts';
import type { Outdated } from '../src/healing.ts';
import type { OwnedKey } from '../src/keyring.ts';
import type { PeerStreams } from '../src/streams.ts';
import {
  dealTo,
  type Holder,
  inspectingAs,
  makeOwner,
  makeParty,
  type Owner,
  quiet,
  startHolders,
  streamsTo,
  tombstoneOf,
  wrongPartOf,
} from './holders.ts';

const auditMs = 80;
let directory: string;
let holders: Holder[];
let owner: Owner;
let manifest: Manifest;
let evidence: EvidenceStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skerry-'));
  holders = await startHolders(directory, 4);
  owner = makeOwner();
  manifest = await dealTo(holders, owner, nodeRandom.bytes(32));
  const { store } = at(holders, 0);
  evidence = await openEvidenceStore({ store, periodMs: 10 * auditMs, clock: nodeClock, log: quiet });
});
afterEach(async () => {
  await evidence.close();
  await Promise.all(holders.map(async ({ store }) => store.close()));
  await rm(directory, { recursive: true });
});

type Request = PeerStreams['request'];

/** Set where the owner destroys its key while audits of it are under way. */
let tombstone: OwnedKey['tombstone'];
/** Manifests that a server stores, and how many were read since others last had a turn. */
let storedCount: number;
let readsInTurn: number;
/** What audits made of holders' health, and which of them said that their keys had gone on. */
let sights: Omit<Sight, 'atMs'>[];
let outdateds: Outdated[];
const doubts = new Map<string, Doubt>();
beforeEach(() => {
  tombstone = null;
  [sights, outdateds] = [[], []];
  doubts.clear();
  [storedCount, readsInTurn] = [1, 0];
});

/** Audits as the owner, as the first holder, or as a stranger that stores the manifest, until something holds. */
async function auditAs(
  who: 'owner' | 'holder' | 'server',
  isEnough: () => boolean,
  change: (request: Request) => Request = request => request,
): Promise<void> {
  const [first] = holders as [Holder, ...Holder[]];
  const party = who === 'owner' ? owner : who === 'holder' ? first : makeParty();
  const streams = streamsTo(holders, party);
  const owned = { manifest, tombstone: null } as unknown as OwnedKey;
  const stop = startAuditing({
    host: {
      nodeId: party.nodeId,
      connectedNodes: () => holders.map(({ nodeId }) => nodeId),
      shelf: {
        paths: () =>
          Array.from({ length: who === 'server' ? storedCount : 0 }, () => manifestPath(manifest.core.keyId)),
        read: () => {
          readsInTurn += 1;
          return encodeManifest(manifest);
        },
      },
    },
    streams: { ...streams, request: change(streams.request) },
    custody:
      who === 'holder'
        ? first.service
        : { servedKeyIds: () => [], manifestOf: () => undefined, holding: async () => undefined },
    keyring: {
      list: async () => (who === 'owner' ? [owned] : []),
      get: () => (who === 'owner' ? { ...owned, tombstone } : undefined),
    },
    ownership: inspectingAs(owner, party, streams, evidence),
    evidence,
    health: { note: sight => void sights.push(sight), doubts: () => doubts },
    onOutdated: outdated => void outdateds.push(outdated),
    nodeKey: party.nodeKey,
    auditMs,
    clock: nodeClock,
    random: nodeRandom,
    log: quiet,
  });
  for (let i = 0; i < 400 && !isEnough(); i++) await sleep(20);
  await stop();
}

const countOf = ({ nodeId }: Holder, kind: ObservationKind): number =>
  evidence.of(nodeId)?.seen[kind]?.count ?? 0;
const allHave =
  (kind: ObservationKind, count: number, among = holders) =>
  () =>
    among.every(holder => countOf(holder, kind) >= count);

/** Answers to probes of one holder, by another hand. */
const answering =
  (victim: Holder, answer: (body: Uint8Array) => Promise<Uint8Array>) =>
  (request: Request): Request =>
  async (nodeId, body, options) =>
    nodeId === victim.nodeId && decodeRequest(body).name === 'probe'
      ? answer(body)
      : request(nodeId, body, options);

describe('audits', () => {
  test('by an owner, and by who stores a manifest, have each holder prove its share', async () => {
    await auditAs('owner', allHave('proof', 2));
    for (const holder of holders)
      expect(Object.keys(evidence.of(holder.nodeId)?.seen ?? {})).toEqual(['proof']);
    const before = holders.map(holder => countOf(holder, 'proof'));
    await auditAs('server', () => holders.every((holder, i) => countOf(holder, 'proof') > before[i]!));
    expect(allHave('proof', 3)()).toBe(true);
  });

  test('let others have a turn between any two manifests, however many strangers have stored here', async () => {
    storedCount = 200;
    let [mostInTurn, reads] = [0, 0];
    const watch = (): void => {
      mostInTurn = Math.max(mostInTurn, readsInTurn);
      reads += readsInTurn;
      readsInTurn = 0;
      watching = setImmediate(watch);
    };
    let watching = setImmediate(watch);
    await auditAs('server', () => reads >= storedCount);
    clearImmediate(watching);
    expect(mostInTurn).toBeLessThanOrEqual(2);
  });

  test('by an owner are inspections now and then, which say nothing of proofs: who refuses them stays as away', async () => {
    await auditAs('owner', () => holders.some(holder => countOf(holder, 'drill-right') > 0));
    expect(holders.some(holder => countOf(holder, 'drill-right') > 0)).toBe(true);
    expect(new Set(sights.map(({ kind }) => kind))).toEqual(new Set(['well']));
  });

  test('by a holder are of the others, and now and then a drill', async () => {
    const others = holders.slice(1);
    await auditAs('holder', () => others.some(holder => countOf(holder, 'drill-right') > 0));
    expect(allHave('proof', 1, others)()).toBe(true);
    expect(evidence.of(at(holders, 0).nodeId)).toBeUndefined();
  });

  test('find a lost share, which counts once; of a key that a stranger dealt only where it was proved before', async () => {
    const keyId = toHex(manifest.core.keyId);
    const loser = at(holders, 3);
    const gone = answering(loser, async () => {
      throw new SkerryError('KEY_UNKNOWN');
    });
    await auditAs('server', allHave('proof', 3, holders.slice(0, 3)), gone);
    expect(evidence.of(loser.nodeId)).toBeUndefined();
    await auditAs('owner', allHave('proof', 8, holders.slice(0, 3)), gone);
    expect(countOf(loser, 'share-lost')).toBe(1);
    expect(loser.store.get(`held/${keyId}`)).toBeDefined();

    const other = at(holders, 2);
    const before = countOf(other, 'proof');
    let isGone = false;
    await auditAs(
      'server',
      () => countOf(other, 'share-lost') > 0,
      request => async (nodeId, body, options) => {
        isGone ||= countOf(other, 'proof') > before;
        if (isGone && nodeId === other.nodeId) throw new SkerryError('KEY_UNKNOWN');
        return request(nodeId, body, options);
      },
    );
    expect(countOf(other, 'share-lost')).toBe(1);
  });

  test('hold no share against a holder that had it of another core: its dealer may never have activated that', async () => {
    const first = manifest;
    let asked = 0;
    await auditAs(
      'server',
      () => asked > 12,
      request => async (nodeId, body, options) => {
        const probe = decodeRequest(body);
        if (probe.name === 'probe' && probe.body.epoch === 2) asked += 1;
        if (allHave('proof', 1)()) manifest = { ...first, core: { ...first.core, epoch: 2 } };
        return request(nodeId, body, options);
      },
    );
    for (const holder of holders) expect(countOf(holder, 'share-lost')).toBe(0);
  });

  test('blame no holder where drills never come out right: who dealt may have dealt shares that do not fit', async () => {
    let rounds = 0;
    await auditAs(
      'holder',
      () => rounds > 6,
      request => async (nodeId, body, options) => {
        const asked = decodeRequest(body);
        if (asked.name !== 'round') return request(nodeId, body, options);
        rounds += 1;
        return wrongPartOf(manifest, asked.body, holders.find(holder => holder.nodeId === nodeId)!);
      },
    );
    await sleep(auditMs);
    for (const holder of holders) expect(countOf(holder, 'drill-wrong')).toBe(0);
  });

  test('take a wrong proof that its node signed for cheating, and one that it did not sign for no such thing', async () => {
    const [cheat, garbler] = [at(holders, 1), at(holders, 2)];
    const wrong = async (body: Uint8Array, seed: Uint8Array): Promise<Uint8Array> => {
      const request = decodeRequest(body);
      if (request.name !== 'probe') throw new Error('a probe');
      const signature = nodeRandom.bytes(64);
      const signed = probeAnswerPreimage(request.body, signature);
      return encodeAnswer('probe', { signature, nodeSignature: nodeCrypto.ed25519Sign(seed, signed) });
    };
    const lying = answering(cheat, async body => wrong(body, cheat.nodeSeed));
    const garbling = answering(garbler, async body => wrong(body, nodeRandom.bytes(32)));
    await auditAs(
      'owner',
      () => countOf(cheat, 'proof-wrong') > 0 && countOf(garbler, 'contribution-wrong') > 0,
      request => garbling(lying(request)),
    );
    expect(evidence.of(cheat.nodeId)?.cheatedAtMs).not.toBeNull();
    expect(evidence.of(garbler.nodeId)?.cheatedAtMs).toBeNull();
  });

  test('hold absence against one of many, and against nobody where nobody answers', async () => {
    const absent = answering(at(holders, 0), async () => {
      throw new SkerryError('PEER_UNREACHABLE');
    });
    let asked = 0;
    await auditAs(
      'owner',
      () => asked > 20,
      () => async () => {
        asked += 1;
        throw new SkerryError('PEER_UNREACHABLE');
      },
    );
    expect(evidence.nodeIds()).toEqual([]);
    await auditAs('owner', () => countOf(at(holders, 0), 'unreachable') > 0, absent);
    expect(countOf(at(holders, 0), 'unreachable')).toBeGreaterThan(0);
    for (const holder of holders.slice(1)) expect(countOf(holder, 'unreachable')).toBe(0);
  });

  test("say nothing of a key that was destroyed, or of a stranger's that may have two cores", async () => {
    let asked = 0;
    const codes = ['KEY_DESTROYED', 'CORE_MISMATCH', 'EPOCH_MISMATCH'] as const;
    await auditAs(
      'server',
      () => asked > 16,
      () => async () => {
        throw new SkerryError(at(codes, asked++ % codes.length));
      },
    );
    expect(evidence.nodeIds()).toEqual([]);
  });

  test('hold it against a holder that it says an own key is destroyed which is not', async () => {
    const liar = at(holders, 0);
    let asked = 0;
    const refusing = answering(liar, async () => {
      asked += 1;
      throw new SkerryError('KEY_DESTROYED');
    });
    tombstone = tombstoneOf(owner, manifest);
    await auditAs('owner', () => asked > 3, refusing);
    expect(countOf(liar, 'share-lost')).toBe(0);
    tombstone = null;
    await auditAs('owner', () => countOf(liar, 'share-lost') > 0, refusing);
    expect(countOf(liar, 'share-lost')).toBe(1);
  });

  test('have it cost to be too busy for ever, or to have another core of an own key than was dealt', async () => {
    const [busy, other] = [at(holders, 0), at(holders, 1)];
    const refusing = (holder: Holder, code: 'TOO_BUSY' | 'CORE_MISMATCH') =>
      answering(holder, async () => {
        throw new SkerryError(code);
      });
    await auditAs(
      'owner',
      () => countOf(busy, 'silent') > 1 && countOf(other, 'share-lost') > 0,
      request => refusing(busy, 'TOO_BUSY')(refusing(other, 'CORE_MISMATCH')(request)),
    );
    expect(countOf(busy, 'silent')).toBeGreaterThan(1);
    expect(countOf(other, 'share-lost')).toBe(1);
  });

  test('show how holders are: well, away, without their share, or there at least', async () => {
    const [away, loser, pending, mover] = holders as [Holder, Holder, Holder, Holder];
    const codes = new Map<string, ErrorCode>([
      [away.nodeId, 'PEER_UNREACHABLE'],
      [loser.nodeId, 'KEY_UNKNOWN'],
      [pending.nodeId, 'REPAIR_PENDING'],
      [mover.nodeId, 'POINT_MOVED'],
    ]);
    let isRefusing = false;
    const refusing =
      (request: Request): Request =>
      async (nodeId, body, options) => {
        const code = isRefusing ? codes.get(nodeId) : undefined;
        if (code) throw new SkerryError(code);
        return request(nodeId, body, options);
      };
    const kindsOf = (holder: Holder) =>
      new Set(sights.filter(({ nodeId }) => nodeId === holder.nodeId).map(({ kind }) => kind));
    const allSeen = (): boolean => holders.every(holder => kindsOf(holder).size > 0);
    await auditAs('owner', allSeen, refusing);
    for (const holder of holders) expect([...kindsOf(holder)]).toEqual(['well']);

    [sights, isRefusing] = [[], true];
    await auditAs('owner', allSeen, refusing);
    expect(holders.map(holder => [...kindsOf(holder)])).toEqual([['absent'], ['lost'], ['lost'], ['there']]);
    expect(new Set(outdateds.map(({ nodeId }) => nodeId))).toEqual(new Set([mover.nodeId]));
    expect(countOf(pending, 'share-lost')).toBe(0);

    // of a key that this node only stores, nobody's word moves anything
    [sights, outdateds] = [[], []];
    await auditAs('server', () => kindsOf(away).size > 0 && kindsOf(mover).size > 0, refusing);
    expect(kindsOf(loser).has('lost')).toBe(false);
    expect(outdateds).toEqual([]);
  });

  test('leave whoever was caught cheating out of drills, and go without where too few are left', async () => {
    const [cheat, second] = [at(holders, 1), at(holders, 2)];
    const drilled = new Set<string>();
    const watching =
      (request: Request): Request =>
      async (nodeId, body, options) => {
        if (decodeRequest(body).name === 'round') drilled.add(nodeId);
        return request(nodeId, body, options);
      };
    evidence.note(cheat.nodeId, 'proof-wrong');
    await auditAs('holder', () => countOf(second, 'drill-right') > 0, watching);
    expect([...drilled].toSorted()).toEqual([second.nodeId, at(holders, 3).nodeId].toSorted());
    evidence.note(second.nodeId, 'proof-wrong');
    drilled.clear();
    const before = countOf(cheat, 'proof');
    await auditAs('holder', () => countOf(cheat, 'proof') > before + 12, watching);
    expect(drilled.size).toBe(0);
  });
});

test("an open of another owner's key holds against nobody what its dealer can bring about", () => {
  expect(countsInOpen('drill-wrong', false)).toBe(false);
  expect(countsInOpen('share-lost', false)).toBe(false);
  expect(countsInOpen('drill-wrong', true)).toBe(true);
  expect(countsInOpen('share-lost', true)).toBe(true);
  expect(countsInOpen('contribution', false)).toBe(true);
  expect(countsInOpen('silent', true)).toBe(false);
});
