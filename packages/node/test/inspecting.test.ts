/** Owners find out who answers rounds wrongly, and take their points away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '@skerry/base';
import { nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { decodeRequest, type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEvidenceStore } from '../src/evidence-store.ts';
import { loadIdentity } from '../src/identity.ts';
import type { Peer } from '../src/peer.ts';
import {
  dealTo,
  inspectingAs,
  makeOwner,
  quiet,
  roundFor,
  startHolders,
  streamsTo,
  wrongPartOf,
} from './holders.ts';
import { until } from './hosts.ts';
import { peerOptions, startPeer } from './peers.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
});
afterEach(async () => rm(root, { recursive: true }));

test('an inspection finds out who signs wrong parts of rounds, and blames nobody else', async () => {
  const holders = await startHolders(root, 4);
  const owner = makeOwner();
  const manifest = await dealTo(holders, owner, nodeRandom.bytes(32));
  const { store } = at(holders, 0);
  const evidence = await openEvidenceStore({ store, periodMs: 1_000, clock: nodeClock, log: quiet });
  const seats = seatsOf(manifest);
  const liar = holders.find(({ nodeId }) => nodeId === nodeIdOf(at(seats, 1).nodeKey))!;
  const { request: honest, ...others } = streamsTo(holders, owner);
  let rounds = 0;
  const request: typeof honest = async (nodeId, body) => {
    const asked = decodeRequest(body);
    if (asked.name === 'round') rounds += 1;
    const isLie = nodeId === liar.nodeId && asked.name === 'round';
    return isLie ? wrongPartOf(manifest, asked.body, liar) : honest(nodeId, body);
  };
  const { inspect, judge } = inspectingAs(owner, owner, { ...others, request }, evidence);
  const { x } = at(seats, 1);
  for (let i = 0; i < 4; i++) {
    const { liars, observations } = await inspect(manifest, x);
    expect([...liars]).toEqual([x]);
    expect(observations.filter(({ kind }) => kind === 'drill-wrong').map(seen => seen.x)).not.toContain(x);
  }
  evidence.note(liar.nodeId, 'proof-wrong');
  const { liars, observations } = await inspect(manifest, at(seats, 0).x);
  expect(liars.size).toBe(0);
  expect(observations.map(({ nodeId }) => nodeId)).not.toContain(liar.nodeId);
  // a key with a delay is left alone: each grant would be announced
  rounds = 0;
  const delayed = {
    ...manifest,
    core: { ...manifest.core, policy: { ...manifest.core.policy, delayMs: 1 } },
  };
  expect(await inspect(delayed, x)).toEqual({ liars: new Set(), observations: [] });
  const part = nodeRandom.bytes(40);
  const set = [x, at(seats, 0).x].sort((a, b) => a - b);
  const asked = { ...roundFor(manifest, liar, owner, new Uint8Array(8)), set };
  await judge(delayed, { request: asked, contributions: new Map(set.map(point => [point, part])) });
  expect(part.every(byte => byte === 0)).toBe(true);
  expect(rounds).toBe(0);
  // one set of a key is looked into at a time, and none with a member that was caught
  const honestSet = [at(seats, 0).x, at(seats, 2).x].sort((a, b) => a - b);
  const wrongOf = (points: number[]) => ({
    request: { ...asked, set: points },
    contributions: new Map(points.map(point => [point, nodeRandom.bytes(40)])),
  });
  await judge(manifest, wrongOf(set));
  expect(rounds).toBe(0);
  const [first, second] = [wrongOf(honestSet), wrongOf(honestSet)];
  const judging = judge(manifest, first);
  await judge(manifest, second);
  expect([...second.contributions.values()].flatMap(bytes => [...bytes]).every(byte => byte === 0)).toBe(
    true,
  );
  expect(evidence.of(nodeIdOf(at(seats, 0).nodeKey))?.cheatedAtMs ?? null).toBeNull();
  await judging;
  expect(rounds).toBe(2 * manifest.core.t);
  // nor is anything shown where the grant is not the owner's
  const stranger = inspectingAs(makeOwner(), owner, { ...others, request: honest }, evidence);
  const refused = await stranger.inspect(manifest, x);
  expect(refused.liars.size).toBe(0);
  expect(refused.observations.every(({ kind }) => kind === 'refused')).toBe(true);
  await evidence.close();
  await Promise.all(holders.map(async holder => holder.store.close()));
});

describe('real peers', { timeout: 60_000 }, () => {
  // who answers inspections rightly and opens wrongly is found out by opens
  test.each(['inspect', 'open'] as const)(
    'of which one lies in rounds to %s lose that one, by its owner',
    async op => {
      const auditMs = 240;
      let lying: { readonly nodeId: string; readonly nodeSeed: Uint8Array } | undefined;
      let manifest: Manifest | undefined;
      const optionsOf = (index: number, bootstrap: string[] = []) =>
        peerOptions(root, index, { auditMs, bootstrap, ...(index === 0 && { capacity: 0 }) });
      const owner = await startPeer(optionsOf(0));
      const peers: Peer[] = [owner];
      for (let index = 1; index < 8; index++) {
        const self: { peer?: Peer } = {};
        const peer = await startPeer({
          ...optionsOf(index, owner.addresses()),
          conduct: {
            answer: async (_, body, honest) => {
              const asked = decodeRequest(body);
              const isLiar = lying && lying.nodeId === self.peer?.nodeId;
              const isLie = isLiar && asked.name === 'round' && asked.body.op === op;
              return isLie ? wrongPartOf(manifest!, asked.body, lying!) : honest();
            },
          },
        });
        self.peer = peer;
        peers.push(peer);
      }
      await until(() => owner.candidates().length === 7);
      const slot = owner.reserveKey();
      const [key, counts] = [nodeRandom.bytes(32), { t: 3, n: 4, k: 5 }];
      ({ manifest } = await owner.deal(slot, key, { risk: 'low', acceptReduced: true, counts }));
      const { x, nodeKey } = at(seatsOf(manifest), 0);
      const liar = peers.find(({ nodeId }) => nodeId === nodeIdOf(nodeKey))!;
      const { nodeId, nodeSeed } = await loadIdentity(liar.home);
      expect(nodeCrypto.ed25519PublicKey(nodeSeed)).toEqual(nodeKey);
      lying = { nodeId, nodeSeed };
      const owned = () => owner.keys.get(slot.keyId)!.manifest;
      await until(async () => {
        if (op === 'open') await owner.open(slot.keyId);
        return owned().amendments.length > 0;
      });
      expect(at(owned().amendments, 0)).toMatchObject({ proposal: { x, reason: 'cheated' }, votes: [] });
      const others = peers.filter(peer => peer !== liar);
      const blamed = others.filter(other => owner.network.evidence.of(other.nodeId)?.cheatedAtMs != null);
      expect(blamed).toEqual([]);
      expect(owner.network.evidence.of(liar.nodeId)?.seen.proof?.count).toBeGreaterThan(0);
      await until(() => owner.standingOf(owner.keys.get(slot.keyId)!).margin.level === 'full');
      expect((await owner.open(slot.keyId)).key).toEqual(key);
      await Promise.all(peers.map(async peer => peer.close()));
    },
  );
});
