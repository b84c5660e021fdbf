import { at, concatBytes, type ErrorCode, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type DealerEvent, startDeal, stepDealer } from '@skerry/custody';
import { splitPayload } from '@skerry/sharing';
import {
  type Activation,
  acceptPreimage,
  decodeAnswer,
  encodeAnswer,
  encodeRefusal,
  offerPreimage,
} from '@skerry/wire';
import { describe, expect, it } from 'vitest';
import {
  activationTriesMax,
  dealAttemptsMax,
  dealStepMs,
  offerLifeMs,
  offersPerKeyMax,
  pendingLifeMs,
} from '../parameters.ts';
import type { HolderNode } from './holder-node.ts';
import { makeIdentity } from './identities.ts';
import {
  createWorld,
  type DealOutcome,
  deal,
  type Fate,
  type Message,
  nodeOf,
  open,
  orderDeal,
  type World,
} from './world.ts';

const counts = { t: 2, n: 3, k: 4 };
type Step = 'offer' | 'deposit' | 'activate';

function errorIn({ result }: DealOutcome): SkerryError {
  if (!(result instanceof SkerryError)) throw new Error('the deal failed');
  return result;
}

function serving({ nodes }: World, keyId: Uint8Array): HolderNode[] {
  return nodes.filter(node => node.held(keyId)?.active);
}

/** Lets every offer and pending share lapse. */
async function lapse(world: World): Promise<void> {
  await world.timeline.run(world.timeline.nowMs() + pendingLifeMs + offerLifeMs);
  for (const node of world.nodes) await node.expire();
}

/** Receipts in each activation that a holder was sent. */
function receiptCounts({ received }: World): number[] {
  return received.flatMap(({ request }) =>
    request.name === 'activate' ? [request.body.activation.receipts.length] : [],
  );
}

function wiped(buffers: readonly Uint8Array[]): boolean {
  return buffers.every(buffer => buffer.every(byte => byte === 0));
}

function deks({ effects }: DealOutcome): Uint8Array[] {
  return effects.flatMap(effect => (effect.type === 'deposit' ? [effect.share.dek] : []));
}

/** An answer to a holder's latest offer that its node signed, with another key in it. */
function acceptWith(world: World, holder: string, ek: Uint8Array, signs: boolean): Uint8Array {
  const offers = world.received.filter(
    ({ request, ...to }) => to.holder === holder && request.name === 'offer',
  );
  const { request } = at(offers, offers.length - 1);
  if (request.name !== 'offer') throw new Error('an offer');
  const expiresAtMs = world.timeline.nowMs() + offerLifeMs;
  const { nodeSeed } = signs ? nodeOf(world, holder) : makeIdentity();
  const signature = nodeCrypto.ed25519Sign(nodeSeed, acceptPreimage(request.body, ek, expiresAtMs));
  return encodeAnswer('offer', { ek, expiresAtMs, signature });
}

function receiptWith(bytes: Uint8Array, change: 'x' | 'nodeSignature' | 'shareSignature'): Uint8Array {
  const receipt = decodeAnswer('deposit', bytes);
  const changed = change === 'x' ? { x: (receipt.x % 255) + 1 } : { [change]: nodeRandom.bytes(64) };
  return encodeAnswer('deposit', { ...receipt, ...changed });
}

/** The last receipt that another holder gave. */
function receiptOfAnother(world: World, { holder, bytes }: Message): Uint8Array {
  return (
    world.answered.findLast(message => message.name === 'deposit' && message.holder !== holder)?.bytes ??
    bytes
  );
}

type Lie = (world: World, message: Message) => Fate;
const answers =
  (bytes: (world: World, message: Message) => Uint8Array): Lie =>
  (world, message) =>
    message.leg === 'answer' ? { bytes: bytes(world, message) } : {};
const misbehaviours: readonly (readonly [string, Step, ErrorCode, Lie])[] = [
  ...(['offer', 'deposit'] as const).flatMap((step): [string, Step, ErrorCode, Lie][] => [
    ['never gets it', step, 'DEADLINE_EXCEEDED', (_, { leg }) => ({ lost: leg === 'request' })],
    ['is silent', step, 'DEADLINE_EXCEEDED', (_, { leg }) => ({ lost: leg === 'answer' })],
    ['is late', step, 'DEADLINE_EXCEEDED', (_, { leg }) => (leg === 'answer' ? { delayMs: dealStepMs } : {})],
    ['refuses', step, 'QUOTA_EXCEEDED', answers(() => encodeRefusal('QUOTA_EXCEEDED'))],
    ['talks nonsense', step, 'MESSAGE_MALFORMED', answers(() => nodeRandom.bytes(100))],
  ]),
  [
    'gives a key under a false name',
    'offer',
    'SIGNATURE_INVALID',
    answers((world, { holder }) => acceptWith(world, holder, nodeRandom.bytes(32), false)),
  ],
  [
    'gives a key of low order',
    'offer',
    'MESSAGE_MALFORMED',
    answers((world, { holder }) => acceptWith(world, holder, new Uint8Array(32), true)),
  ],
  [
    'gives the receipt of another point',
    'deposit',
    'SIGNATURE_INVALID',
    answers((_, { bytes }) => receiptWith(bytes, 'x')),
  ],
  ['gives the receipt of another holder', 'deposit', 'SIGNATURE_INVALID', answers(receiptOfAnother)],
  [
    'gives a receipt that its node did not sign',
    'deposit',
    'SIGNATURE_INVALID',
    answers((_, { bytes }) => receiptWith(bytes, 'nodeSignature')),
  ],
  [
    'gives a receipt that its share did not sign',
    'deposit',
    'SIGNATURE_INVALID',
    answers((_, { bytes }) => receiptWith(bytes, 'shareSignature')),
  ],
];

describe('a deal', () => {
  it.each(misbehaviours)('does without a holder that %s (%s)', async (_, step, __, lie) => {
    const world = createWorld(6);
    const order = orderDeal(world, counts);
    const bad = order.place(new Set()).holders[1]!.nodeId;
    world.fate = message => (message.holder === bad && message.name === step ? lie(world, message) : {});
    const outcome = await deal(world, order);
    if (!('manifest' in Object(outcome.result))) throw errorIn(outcome);
    expect(new Set(receiptCounts(world))).toEqual(new Set([counts.k]));
    const names = serving(world, order.keyId).map(({ nodeId }) => nodeId);
    expect(names).toHaveLength(counts.k);
    expect(names).not.toContain(bad);
    await lapse(world);
    for (const node of world.nodes) expect(node.disk.size).toBe(names.includes(node.nodeId) ? 1 : 0);
    expect(wiped([outcome.payload, ...deks(outcome)])).toBe(true);
  });

  it.each(misbehaviours)(
    'fails with its reason and leaves nothing where all but too few %s (%s)',
    async (_, step, code, lie) => {
      const world = createWorld(5);
      const order = orderDeal(world, counts);
      const bad = new Set(
        order
          .place(new Set())
          .holders.slice(0, 2)
          .map(({ nodeId }) => nodeId),
      );
      world.fate = message => (bad.has(message.holder) && message.name === step ? lie(world, message) : {});
      const outcome = await deal(world, order);
      expect(errorIn(outcome)).toMatchObject({ code: 'PLACEMENT_INFEASIBLE', kind: 'refused' });
      for (const nodeId of bad) expect(errorIn(outcome).message).toContain(`${nodeId}: ${code}`);
      await lapse(world);
      for (const { disk } of world.nodes) expect(disk.size).toBe(0);
      expect(wiped([outcome.payload, ...deks(outcome)])).toBe(true);
    },
  );

  it('gives up after some attempts, each of which another holder spoiled', async () => {
    const world = createWorld(12);
    const order = orderDeal(world, counts);
    const bad = new Map<number, string>();
    world.fate = ({ holder, name, leg }) => {
      const attempt = Math.round((world.timeline.nowMs() - 1_790_000_000_000) / dealStepMs);
      if (name !== 'deposit' || leg !== 'answer') return {};
      if (!bad.has(attempt)) bad.set(attempt, holder);
      return { lost: bad.get(attempt) === holder };
    };
    const outcome = await deal(world, order);
    expect(errorIn(outcome).code).toBe('DEPOSIT_FAILED');
    expect(bad.size).toBe(dealAttemptsMax);
    for (const nodeId of bad.values()) expect(errorIn(outcome).message).toContain(nodeId);
    expect(wiped([outcome.payload, ...deks(outcome)])).toBe(true);
    await lapse(world);
    for (const { disk } of world.nodes) expect(disk.size).toBe(0);
  });

  it('does not begin where it has no room or no key', () => {
    const world = createWorld(3);
    const env = { crypto: nodeCrypto, random: nodeRandom, nowMs: 0, ...world.dealer };
    const start = (order: ReturnType<typeof orderDeal>) => () => startDeal(env, order);
    expect(start(orderDeal(world, counts))).toThrow(
      expect.objectContaining({ code: 'PLACEMENT_INFEASIBLE' }),
    );
    const roomy = createWorld(6);
    for (const key of [new Uint8Array(0), new Uint8Array(65_537)]) {
      expect(start(orderDeal(roomy, counts, { key }))).toThrow(
        expect.objectContaining({ code: 'SECRET_EMPTY' }),
      );
    }
  });

  it('takes its time into account: an offer outlives the attempts, and a pending share the deal', () => {
    expect(offerLifeMs).toBeGreaterThan(2 * dealAttemptsMax * dealStepMs);
    expect(pendingLifeMs).toBeGreaterThan((2 * dealAttemptsMax + activationTriesMax) * dealStepMs);
  });

  it('survives messages that come twice', async () => {
    const world = createWorld(5);
    world.fate = () => ({ copies: 2 });
    const order = orderDeal(world, counts);
    expect((await deal(world, order)).result).toHaveProperty('manifest');
    expect(serving(world, order.keyId)).toHaveLength(counts.k);
  });

  it('does without a holder whose room for the key is taken by strangers', async () => {
    const world = createWorld(6);
    const order = orderDeal(world, counts);
    const squatted = nodeOf(world, order.place(new Set()).holders[0]!.nodeId);
    for (let i = 0; i < offersPerKeyMax; i++) {
      const { nodeKey: dealer, nodeSeed } = makeIdentity();
      const nowMs = world.timeline.nowMs();
      const { keyId, nonce, signer } = order;
      const terms = {
        keyId,
        epoch: 1,
        authority: signer.authority,
        nonce,
        dealer,
        holder: squatted.nodeKey,
        length: 64,
      };
      const offer = { ...terms, issuedAtMs: nowMs, expiresAtMs: nowMs + offerLifeMs };
      const signature = nodeCrypto.ed25519Sign(nodeSeed, offerPreimage(offer));
      await squatted.handle(dealer, { name: 'offer', body: { ...offer, signature } });
    }
    expect((await deal(world, order)).result).toHaveProperty('manifest');
    expect(serving(world, order.keyId)).not.toContain(squatted);
    await lapse(world);
    expect(squatted.disk.size).toBe(0);
  });
});

describe('an activation', () => {
  it('is sent again to those that missed it', async () => {
    const world = createWorld(4);
    const order = orderDeal(world, counts);
    const lostOnce = new Set<string>();
    world.fate = ({ holder, name }) => {
      const lost = name === 'activate' && !lostOnce.has(holder);
      if (lost) lostOnce.add(holder);
      return { lost };
    };
    expect((await deal(world, order)).result).toHaveProperty('manifest');
    expect(serving(world, order.keyId)).toHaveLength(counts.k);
  });

  it('that enough holders confirm is a deal, though one of them is silent', async () => {
    const world = createWorld(4);
    const order = orderDeal(world, counts);
    world.fate = ({ holder, name }) => ({ lost: name === 'activate' && holder === world.nodes[0]!.nodeId });
    expect((await deal(world, order)).result).toHaveProperty('manifest');
    expect(serving(world, order.keyId)).toHaveLength(counts.k - 1);
  });

  it('that too few confirm fails after some tries', async () => {
    const world = createWorld(4);
    const order = orderDeal(world, counts);
    const silent = world.nodes.slice(0, 2).map(({ nodeId }) => nodeId);
    world.fate = ({ holder, name }) => ({ lost: name === 'activate' && silent.includes(holder) });
    const outcome = await deal(world, order);
    expect(errorIn(outcome)).toMatchObject({ code: 'DEPOSIT_FAILED', metadata: { acknowledged: 2, k: 4 } });
    const sent = outcome.effects.filter(effect => effect.type === 'activate' && effect.nodeId === silent[0]);
    expect(sent).toHaveLength(activationTriesMax);
    expect(wiped([outcome.payload])).toBe(true);
  });
});

describe('a dealer that vanishes', () => {
  it('at any step leaves a key that k holders serve, or nothing, once the manifest that one has reached the others', async () => {
    const world = createWorld(5);
    const { effects } = await deal(world, orderDeal(world, counts));
    expect(effects.map(({ type }) => type)).toEqual([
      ...Array.from({ length: 4 }, () => 'offer'),
      'split',
      ...Array.from({ length: 4 }, () => 'deposit'),
      'store-manifest',
      ...Array.from({ length: 4 }, () => 'activate'),
      'done',
    ]);
    const firstActivation = effects.findIndex(({ type }) => type === 'activate');
    for (let crash = 0; crash < effects.length; crash++) {
      const world = createWorld(5);
      const order = orderDeal(world, counts);
      const { result } = await deal(world, order, index => index === crash);
      expect(result).toBe('vanished');
      const [manifest] = world.nodes.flatMap(({ published }) => published);
      if (manifest) await relay(world, order.keyId, manifest.activation);
      await lapse(world);
      const left = serving(world, order.keyId);
      expect(left).toHaveLength(crash > firstActivation ? counts.k : 0);
      expect(new Set(left.map(node => toHex(node.held(order.keyId)!.active!.coreHash))).size).toBeLessThan(2);
      for (const node of world.nodes) expect(node.disk.size).toBe(left.includes(node) ? 1 : 0);
      const opened = manifest && (await open(world, manifest, makeIdentity()));
      expect(opened?.key).toEqual(manifest && order.key);
    }
  });

  async function relay(world: World, keyId: Uint8Array, activation: Activation): Promise<void> {
    for (const node of world.nodes.filter(({ disk }) => disk.size > 0)) {
      await node.handle(makeIdentity().nodeKey, { name: 'activate', body: { keyId, activation } });
    }
  }
});

describe("the dealer's machine", () => {
  function begin() {
    const world = createWorld(5);
    const order = orderDeal(world, counts);
    const env = { crypto: nodeCrypto, random: nodeRandom, nowMs: world.timeline.nowMs(), ...world.dealer };
    return { world, order, env, started: startDeal(env, order) };
  }

  it('ignores answers to what it does not wait for', async () => {
    const { env, started } = begin();
    const nodeId = makeIdentity().nodeId;
    const shares = await splitPayload(nodeRandom.bytes(64), 3, 2);
    const events: DealerEvent[] = [
      { type: 'offer-answered', nodeId, answer: 'QUOTA_EXCEEDED' },
      { type: 'split', shares },
      { type: 'deposit-answered', nodeId, answer: 'QUOTA_EXCEEDED' },
      { type: 'manifest-stored' },
      { type: 'activate-answered', nodeId, answer: {} },
    ];
    for (const event of events) {
      expect(stepDealer(env, started.state, event)).toEqual({ state: started.state, effects: [] });
    }
    expect(wiped(shares.map(({ y }) => y))).toBe(true);
  });

  it('ends, and wipes what it has, when the world could not do its part', () => {
    const { env, started } = begin();
    const error = new SkerryError('STORE_FAILED');
    expect(wiped([started.state.payload])).toBe(false);
    const failed = stepDealer(env, started.state, { type: 'failed', error });
    expect(failed.effects).toEqual([{ type: 'fail', error }]);
    expect(wiped([failed.state.payload])).toBe(true);
    expect(stepDealer(env, failed.state, { type: 'failed', error })).toEqual({
      state: failed.state,
      effects: [],
    });
  });

  it('wipes the keys of the shares that it was about to deposit', async () => {
    const { world, env, started } = begin();
    let { state } = started;
    for (const effect of started.effects) {
      if (effect.type !== 'offer') throw new Error('a deal begins with offers');
      const { nodeId, offer } = effect;
      const { nodeSeed } = nodeOf(world, nodeId);
      const ek = nodeCrypto.x25519PublicKey(nodeRandom.bytes(32));
      const signature = nodeCrypto.ed25519Sign(nodeSeed, acceptPreimage(offer, ek, 1));
      const answer = { ek, expiresAtMs: 1, signature };
      state = stepDealer(env, state, { type: 'offer-answered', nodeId, answer }).state;
    }
    const shares = await splitPayload(state.payload, counts.k, counts.t);
    const { state: depositing, effects } = stepDealer(env, state, { type: 'split', shares });
    const shareKeys = effects.flatMap(effect => (effect.type === 'deposit' ? [effect.share.dek] : []));
    expect(shareKeys).toHaveLength(counts.k);
    expect(wiped(shares.map(({ y }) => y))).toBe(true);
    expect(wiped(shareKeys)).toBe(false);
    stepDealer(env, depositing, { type: 'failed', error: new SkerryError('STORE_FAILED') });
    expect(wiped(shareKeys)).toBe(true);
  });

  it("copies the key, which stays its owner's", () => {
    const { order, env, started } = begin();
    const before = concatBytes(order.key);
    stepDealer(env, started.state, { type: 'failed', error: new SkerryError('STORE_FAILED') });
    expect(order.key).toEqual(before);
  });
});
