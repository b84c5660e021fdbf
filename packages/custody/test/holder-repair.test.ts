import { at } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type HeldKey, type HolderStep, stepHolder } from '@skerry/custody';
import { amendmentOf, coreHashOf, type Manifest, proposalHashOf, type RoundRequest } from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { clockSkewMs, drillsPerHourMax } from '../parameters.ts';
import { type Fault, holdOrder } from './faults.ts';
import type { HolderNode } from './holder-node.ts';
import { makeIdentity } from './identities.ts';
import { holderOf, moveWell, outsiders, tell } from './moves.ts';
import { signRequest } from './rounds.ts';
import { createWorld, dealWell, orderDeal, type World } from './world.ts';

const counts = { t: 3, n: 4, k: 6 };
let world: World;
let manifest: Manifest;
let x: number;
let holder: HolderNode;
let successor: HolderNode;

beforeAll(async () => {
  world = createWorld(9);
  const dealt = await dealWell(world, orderDeal(world, counts));
  x = at(dealt.core.holders, 0).x;
  successor = at(outsiders(world, dealt), 0);
  const order = {
    manifest: dealt,
    x,
    reason: 'lost',
    nominees: [successor.nodeId],
    signer: world.owner,
  } as const;
  manifest = await moveWell(world, order, world.dealer.nodeKey);
  await tell(world, manifest);
  holder = holderOf(world, manifest, at(dealt.core.holders, 1).x);
});

type Trial = {
  held: HeldKey | null;
  from: Uint8Array;
  signSeed: Uint8Array;
  request: RoundRequest;
  nowMs: number;
};

function makeTrial(): Trial {
  const { core } = manifest;
  const coreHash = coreHashOf(nodeCrypto, core);
  const proposal = amendmentOf(manifest.amendments, x)!.proposal;
  const own = holder.held(core.keyId)!.active!.x;
  const others = core.points.map(point => point.x).filter(point => point !== x && point !== own);
  const nowMs = world.timeline.nowMs();
  const request: RoundRequest = {
    op: 'repair',
    keyId: core.keyId,
    epoch: core.epoch,
    coreHash,
    t: core.t,
    length: core.length,
    set: [own, ...others.slice(0, core.t - 1)].sort((a, b) => a - b),
    x,
    recipientId: successor.nodeKey,
    recipientKey: proposal.ek,
    grant: proposalHashOf(nodeCrypto, coreHash, proposal),
    roundId: nodeRandom.bytes(16),
    issuedAtMs: nowMs,
    signature: new Uint8Array(64),
  };
  const { nodeKey: from, nodeSeed: signSeed } = successor;
  return { held: holder.held(core.keyId), from, signSeed, request, nowMs };
}

function run({ held, from, signSeed, request, nowMs }: Trial): HolderStep {
  const { nodeKey, nodeSeed } = holder;
  const load = { shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 };
  const env = { crypto: nodeCrypto, random: nodeRandom, nowMs, nodeKey, nodeSeed, load, capacity: 10 };
  return stepHolder(held, env, { type: 'round', from, request: signRequest(request, signSeed) });
}

const change =
  (changes: (trial: Trial) => Partial<RoundRequest>) =>
  (trial: Trial): void => {
    trial.request = { ...trial.request, ...changes(trial) };
  };

describe('a repair', () => {
  const faults: readonly Fault<Trial>[] = [
    ['is for a key of which nothing is kept', 'KEY_UNKNOWN', trial => void (trial.held = null)],
    ['is for another epoch', 'EPOCH_MISMATCH', change(() => ({ epoch: 2 }))],
    ['is for another core', 'CORE_MISMATCH', change(() => ({ coreHash: nodeRandom.bytes(32) }))],
    ['is at zero, where the key is', 'OPERATION_REFUSED', change(() => ({ x: 0 }))],
    [
      'is of a point that did not move',
      'AMENDMENT_UNKNOWN',
      change(({ request }) => {
        const { core } = manifest;
        return { x: core.points.find(point => point.x !== x && !request.set.includes(point.x))!.x };
      }),
    ],
    ['names another proposal', 'AMENDMENT_UNKNOWN', change(() => ({ grant: nodeRandom.bytes(32) }))],
    [
      'finds a holder that has not heard of it',
      'AMENDMENT_UNKNOWN',
      ({ held }) => void held?.active?.amendments.splice(0),
    ],
    ['comes from another node', 'OPERATION_REFUSED', trial => void (trial.from = makeIdentity().nodeKey)],
    [
      'would answer to another node',
      'OPERATION_REFUSED',
      change(() => ({ recipientId: makeIdentity().nodeKey })),
    ],
    [
      'would be sealed to another key than the node gave',
      'OPERATION_REFUSED',
      change(() => ({ recipientKey: nodeCrypto.x25519PublicKey(nodeRandom.bytes(32)) })),
    ],
    [
      "is signed by another key than the node's",
      'REQUEST_SIGNATURE_INVALID',
      trial => void (trial.signSeed = nodeRandom.bytes(32)),
    ],
    ['is old', 'REQUEST_NOT_FRESH', change(({ nowMs }) => ({ issuedAtMs: nowMs - clockSkewMs - 1 }))],
    [
      'is one too many within the hour',
      'RATE_LIMITED',
      trial => {
        const expiresAtMs = trial.nowMs + 1;
        const drills = Array.from({ length: drillsPerHourMax }, () => {
          return { x, roundId: nodeRandom.bytes(16), expiresAtMs };
        });
        trial.held = trial.held && { ...trial.held, drills };
      },
    ],
    [
      'finds a ciphertext that rotted',
      'SHARE_CORRUPT',
      ({ held }) => held?.active?.ciphertext.set([1, 2, 3], 5),
    ],
  ];
  holdOrder(faults, makeTrial, run);

  it('is logged and counted before it is answered, and once for one round', () => {
    const trial = makeTrial();
    const step = run(trial);
    expect(step.effects.map(({ type }) => type)).toEqual(['store', 'audit', 'answer-sealed']);
    const again = run({ ...trial, held: step.held });
    expect(again.effects).toEqual(step.effects.slice(2));
  });

  it("is answered to nobody but its own seat: the former holder's or the owner's word is none", () => {
    const former = world.nodes.find(
      node => node.nodeId === holderOf(world, { ...manifest, amendments: [] }, x).nodeId,
    )!;
    for (const { nodeKey, nodeSeed } of [former, world.dealer]) {
      const trial = { ...makeTrial(), from: nodeKey, signSeed: nodeSeed };
      change(() => ({ recipientId: nodeKey }))(trial);
      expect(run(trial).effects.at(-1)).toEqual({ type: 'refuse', code: 'OPERATION_REFUSED' });
    }
  });
});
