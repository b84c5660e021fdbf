import { at } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type HeldKey, stepHolder } from '@skerry/custody';
import { deriveShareKeys, splitPayload } from '@skerry/sharing';
import {
  type Activation,
  activationPreimage,
  type Core,
  coreHashOf,
  type Deposit,
  nodeIdOf,
  offerPreimage,
  pointsHashOf,
  receiptPreimage,
} from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { laterPendingLifeMs, retiredLifeMs } from '../parameters.ts';
import { shareAad } from '../src/held-share.ts';
import { makeIdentity } from './identities.ts';
import { change, claim, codeIn, makeRoundTrial, runRound } from './round-trials.ts';
import { makeScene, refusalOf, type Scene } from './scenes.ts';
import { nodeOf } from './world.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await makeScene();
});

/** The first holder, serving epoch 1, after it accepted an offer for a later epoch. */
function offered(epoch: number): { held: HeldKey; ek: Uint8Array } {
  const { signature: _, ...first } = scene.request('offer');
  const nowMs = scene.world.timeline.nowMs();
  const terms = { ...first, epoch, issuedAtMs: nowMs, expiresAtMs: nowMs + 1000 };
  const { nodeKey: from, nodeSeed } = scene.world.dealer;
  const offer = { ...terms, signature: nodeCrypto.ed25519Sign(nodeSeed, offerPreimage(terms)) };
  const { held } = stepHolder(scene.state('active'), scene.env(), { type: 'offer', from, offer });
  return { held: held!, ek: at(held!.offers, 0).ek };
}

/** A later epoch of the scene's key, dealt by hand. */
async function dealEpoch(epoch: number, ek: Uint8Array) {
  const { core: last } = scene.manifest;
  const shares = await splitPayload(nodeRandom.bytes(last.length), last.k, last.t);
  const holders = shares.map(({ x }, i) => ({
    ...at(last.holders, i),
    x,
    ek: i === 0 ? ek : nodeRandom.bytes(32),
  }));
  const keys = shares.map(share => {
    return {
      x: share.x,
      ...deriveShareKeys(nodeCrypto, { share, keyId: last.keyId, epoch, length: last.length }),
    };
  });
  const points = keys.map(({ x, vk, mk }) => ({ x, vk, mk })).sort((a, b) => a.x - b.x);
  const previousHash = coreHashOf(nodeCrypto, last);
  const core: Core = { ...last, epoch, previousHash, points, holders };
  const coreHash = coreHashOf(nodeCrypto, core);
  const dek = nodeRandom.bytes(32);
  const { x, y } = at(shares, 0);
  const { sign } = scene.world.owner;
  const deposit: Deposit = {
    core,
    signatures: sign(coreHash),
    pointsSignatures: sign(pointsHashOf(nodeCrypto, core.keyId, epoch, points)),
    x,
    ciphertext: nodeCrypto.aeadSeal(dek, new Uint8Array([...y, x]), shareAad(core.keyId, epoch, x)),
    sealedDek: new Uint8Array(86),
  };
  const receipts = holders
    .map((holder, i) => {
      const signed = receiptPreimage(coreHash, holder.x, holder.nodeKey);
      const { nodeSeed } = nodeOf(scene.world, nodeIdOf(holder.nodeKey));
      return {
        x: holder.x,
        nodeSignature: nodeCrypto.ed25519Sign(nodeSeed, signed),
        shareSignature: nodeCrypto.ed25519Sign(at(keys, i).signSeed, signed),
      };
    })
    .sort((a, b) => a.x - b.x);
  const preimage = activationPreimage(coreHash, receipts);
  const signature = nodeCrypto.ed25519Sign(scene.world.dealer.nodeSeed, preimage);
  const activation: Activation = { coreHash, receipts, signature };
  return { deposit, dek, activation };
}

/** The first holder with epoch 1 active and a later one pending, and what activates that. */
async function withPending(epoch: number) {
  const { held, ek } = offered(epoch);
  const { deposit, dek, activation } = await dealEpoch(epoch, ek);
  const from = scene.world.dealer.nodeKey;
  const step = stepHolder(held, scene.env(), { type: 'deposit', from, deposit });
  expect(step.effects.map(({ type }) => type)).toEqual(['open-dek']);
  const kept = stepHolder(step.held, scene.env(), { type: 'dek-opened', deposit, dek }).held!;
  return { kept, activation, from };
}

describe('epochs', () => {
  it('do not mix: the active one is served until the next is activated, and that one from then on', async () => {
    const { kept, activation, from } = await withPending(2);
    const trial = makeRoundTrial(scene, makeIdentity());
    const { core, coreHash } = kept.pending!;
    const set = core.points.map(({ x }) => x).filter(x => x !== kept.pending!.x);
    const later = {
      ...trial,
      request: {
        ...trial.request,
        epoch: 2,
        coreHash,
        set: [kept.pending!.x, at(set, 0)].sort((a, b) => a - b),
      },
    };
    expect(codeIn(runRound({ ...trial, held: kept }))).toBeUndefined();
    expect(codeIn(runRound({ ...later, held: kept }))).toBe('KEY_NOT_ACTIVE');
    const { held } = stepHolder(kept, scene.env(), { type: 'activate', from, activation });
    expect(codeIn(runRound({ ...trial, held }))).toBe('EPOCH_MISMATCH');
    expect(codeIn(runRound({ ...later, held }))).toBeUndefined();
    expect(held).toMatchObject({ pending: null, active: { core: { epoch: 2 } } });
  });

  it('only rise: neither an offer nor a deposit of one that is served, or of one before, is taken', async () => {
    const { kept, activation, from } = await withPending(3);
    const { held } = stepHolder(kept, scene.env(), { type: 'activate', from, activation });
    for (const epoch of [1, 2, 3]) {
      const { signature: _, ...first } = scene.request('offer');
      const nowMs = scene.world.timeline.nowMs();
      const terms = { ...first, epoch, issuedAtMs: nowMs, expiresAtMs: nowMs + 1000 };
      const offer = {
        ...terms,
        signature: nodeCrypto.ed25519Sign(scene.world.dealer.nodeSeed, offerPreimage(terms)),
      };
      expect(refusalOf(stepHolder(held, scene.env(), { type: 'offer', from, offer }), held)).toBe(
        'EPOCH_MISMATCH',
      );
    }
  });

  it('leave a pending one to lapse without touching the active one', async () => {
    const { kept } = await withPending(2);
    const after = (ms: number) => ({ ...scene.env(), nowMs: scene.world.timeline.nowMs() + ms });
    expect(stepHolder(kept, after(86_400_000), { type: 'expire' }).held).toMatchObject({
      pending: kept.pending,
    });
    const { held } = stepHolder(kept, after(laterPendingLifeMs), { type: 'expire' });
    expect(held).toEqual({ ...scene.state('active'), offers: [], pending: null });
  });

  it('are opened before they are active by a grant that names them, and by no other', async () => {
    const { kept } = await withPending(2);
    const trial = makeRoundTrial(scene, makeIdentity());
    const { core, coreHash, x } = kept.pending!;
    const others = core.points.filter(point => point.x !== x).map(point => point.x);
    const set = [x, ...others.slice(0, core.t - 1)].sort((a, b) => a - b);
    const opening = { ...trial, held: kept, request: { ...trial.request, epoch: 2, coreHash, set } };
    expect(codeIn(runRound(opening))).toBe('KEY_NOT_ACTIVE');
    claim(() => ({ epoch: 2 }))(opening);
    expect(codeIn(runRound(opening))).toBeUndefined();
    change(() => ({ op: 'drill', x: at(others, others.length - 1) }))(opening);
    expect(codeIn(runRound(opening))).toBe('KEY_NOT_ACTIVE');
  });

  it('leave the one before for a grace, unserved, and then nothing of it in the files', async () => {
    const { kept, activation, from } = await withPending(2);
    const { held } = stepHolder(kept, scene.env(), { type: 'activate', from, activation });
    const { active: before } = kept;
    expect(held?.retired?.epoch).toEqual(before);
    const nowMs = scene.world.timeline.nowMs() + retiredLifeMs;
    const expired = stepHolder(held, { ...scene.env(), nowMs }, { type: 'expire' });
    const shares = [{ epoch: 1, x: before!.x }];
    expect(expired.held).toMatchObject({ retired: null, erasures: shares });
    expect(expired.effects).toEqual([
      { type: 'store' },
      { type: 'erase', tombstone: null, shares, isKept: false },
    ]);
    const erased = stepHolder(expired.held, scene.env(), { type: 'erased', tombstone: null });
    expect(erased).toMatchObject({ held: { erasures: [] }, effects: [{ type: 'store' }] });
    // a crash before that: it is due again at once
    expect(stepHolder(expired.held, scene.env(), { type: 'expire' }).effects).toEqual(expired.effects);
  });

  it('share what was counted: an activation forgets no use of a grant', async () => {
    const { kept, activation, from } = await withPending(2);
    const use = { jti: 'counted', roundId: nodeRandom.bytes(16), expiresAtMs: 1 };
    const { held } = stepHolder({ ...kept, uses: [use] }, scene.env(), {
      type: 'activate',
      from,
      activation,
    });
    expect(held?.uses).toEqual([use]);
  });
});
