/** Points that are moved: nominations, amendments, the share made again, and the holder that lets go of it. */
import { at, equalBytes, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { openHeldShare, stepHolder } from '@skerry/custody';
import { coreHashOf, type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { graveLifeMs, nominationsPerKeyMax } from '../parameters.ts';
import type { HolderNode } from './holder-node.ts';
import { makeIdentity } from './identities.ts';
import { holderOf, moveWell, outsiders, repairAt, tell } from './moves.ts';
import { createWorld, dealWell, open, orderDeal, type World } from './world.ts';

const counts = { t: 3, n: 4, k: 5 };
const key = nodeRandom.bytes(32);
let world: World;
let manifest: Manifest;
/** The point that moves, who holds it, and who is to. */
let x: number;
let leaver: HolderNode;
let successor: HolderNode;

beforeEach(async () => {
  world = createWorld(8);
  manifest = await dealWell(world, orderDeal(world, counts, { key }));
  x = at(manifest.core.holders, 0).x;
  leaver = holderOf(world, manifest, x);
  successor = at(outsiders(world, manifest), 0);
});

/** The share that a node holds, in the clear. */
function shareAt(node: HolderNode): string {
  const { active } = node.held(manifest.core.keyId)!;
  const { share, close } = openHeldShare(nodeCrypto, active!, 'SHARE_CORRUPT');
  const text = `${share.x} ${toHex(share.y)}`;
  close();
  return text;
}

/** Moves the point to the successor, by the owner's word. */
async function moveIt(changes: { nominees?: string[]; of?: Manifest } = {}): Promise<Manifest> {
  const { nominees = [successor.nodeId], of = manifest } = changes;
  const order = { manifest: of, x, reason: 'absent', nominees, signer: world.owner } as const;
  return moveWell(world, order, world.dealer.nodeKey);
}

const keyIdOf = (): Uint8Array => manifest.core.keyId;

describe('a point that is moved', () => {
  it('has its share made again, the same to the byte, under a key of its own, and the key opens', async () => {
    const before = shareAt(leaver);
    const { dek, ciphertext } = leaver.held(keyIdOf())!.active!;
    const moved = await moveIt();
    world.fate = ({ holder }) => ({ lost: holder === leaver.nodeId });
    await tell(world, moved);
    expect(successor.repairs).toEqual([toHex(keyIdOf())]);
    expect(successor.held(keyIdOf())).toMatchObject({ active: null, incoming: { x } });
    expect(await repairAt(world, successor, keyIdOf())).toBeUndefined();
    const held = successor.held(keyIdOf())!;
    expect(shareAt(successor)).toBe(before);
    expect(held).toMatchObject({ incoming: null, nominations: [], active: { x, sequence: 1 } });
    expect(equalBytes(held.active!.dek, dek)).toBe(false);
    expect(equalBytes(held.active!.ciphertext, ciphertext)).toBe(false);
    expect(successor.published.at(-1)).toEqual(moved);
    const opened = await open(world, moved, makeIdentity());
    expect(opened.key).toEqual(key);
  });

  it('leaves its former holder with a share that it serves until the new one has proved itself', async () => {
    const moved = await moveIt();
    await tell(world, moved, [...seatsOf(moved).map(seat => nodeIdOf(seat.nodeKey)), leaver.nodeId]);
    expect((await open(world, manifest, makeIdentity())).key).toEqual(key);
    await repairAt(world, successor, keyIdOf());
    await leaver.step(keyIdOf(), { type: 'release' });
    expect(leaver.held(keyIdOf())).toMatchObject({ active: null, left: { manifest: moved }, erasures: [] });
    expect(leaver.audit.at(-1)).toMatchObject({ event: 'release', fields: { epoch: 1, x } });
    // it says where the point went, for as long as it remembers
    const probe = {
      keyId: keyIdOf(),
      epoch: 1,
      coreHash: coreHashOf(nodeCrypto, manifest.core),
      x,
      nonce: nodeRandom.bytes(32),
    };
    const env = { ...envOf(leaver) };
    const step = stepHolder(leaver.held(keyIdOf()), env, { type: 'probe', probe });
    expect(step.effects).toEqual([{ type: 'refuse', code: 'POINT_MOVED' }]);
    world.timeline.after(graveLifeMs, () => undefined);
    await world.timeline.run();
    await leaver.expire();
    expect(leaver.held(keyIdOf())).toBeNull();
  });

  it('is not let go by who still holds it', async () => {
    const before = shareAt(leaver);
    await leaver.step(keyIdOf(), { type: 'release' });
    expect(shareAt(leaver)).toBe(before);
  });

  it('may go on while its share is still on its way, and back to where it was', async () => {
    const [, second] = outsiders(world, manifest) as [HolderNode, HolderNode];
    const moved = await moveIt();
    await tell(world, moved);
    const again = await moveIt({ of: moved, nominees: [second.nodeId] });
    await tell(world, again, [...seatsOf(again).map(seat => nodeIdOf(seat.nodeKey)), successor.nodeId]);
    expect(successor.held(keyIdOf())).toMatchObject({
      active: null,
      incoming: null,
      left: { manifest: again },
    });
    expect(await repairAt(world, second, keyIdOf())).toBeUndefined();
    const back = await moveIt({ of: again, nominees: [leaver.nodeId] });
    await tell(world, back, [...seatsOf(back).map(seat => nodeIdOf(seat.nodeKey)), second.nodeId]);
    expect(leaver.held(keyIdOf())).toMatchObject({ incoming: { x }, active: { x, sequence: 0 } });
    expect(await repairAt(world, leaver, keyIdOf())).toBeUndefined();
    expect(leaver.held(keyIdOf())).toMatchObject({ incoming: null, active: { x, sequence: 3 } });
    expect((await open(world, back, makeIdentity())).key).toEqual(key);
  });

  it('goes back to a holder that lost its disk, by a fresh key', async () => {
    leaver.disk.clear();
    const moved = await moveIt({ nominees: [leaver.nodeId] });
    await tell(world, moved);
    expect(await repairAt(world, leaver, keyIdOf())).toBeUndefined();
    expect((await open(world, moved, makeIdentity())).key).toEqual(key);
  });

  it('goes to no node that holds another point, or has no room', async () => {
    const other = holderOf(world, manifest, at(manifest.core.holders, 1).x);
    const third = at(outsiders(world, manifest), 1);
    third.capacity = 0;
    const moved = await moveIt({ nominees: [other.nodeId, third.nodeId, successor.nodeId] });
    expect(nodeIdOf(at(moved.amendments, 0).proposal.nodeKey)).toBe(successor.nodeId);
    await expect(moveIt({ nominees: [other.nodeId, third.nodeId] })).rejects.toMatchObject({
      code: 'PLACEMENT_INFEASIBLE',
      message: expect.stringMatching(/NOMINATION_REFUSED.*QUOTA_EXCEEDED/),
    });
  });

  it('is repaired by no fewer than t others, who learn of it before they answer', async () => {
    const moved = await moveIt();
    await tell(world, moved, [successor.nodeId]);
    expect(await repairAt(world, successor, keyIdOf())).toBe('KEY_UNAVAILABLE');
    const others = seatsOf(moved).filter(seat => seat.x !== x);
    await tell(
      world,
      moved,
      others.slice(0, 2).map(seat => nodeIdOf(seat.nodeKey)),
    );
    expect(await repairAt(world, successor, keyIdOf())).toBe('KEY_UNAVAILABLE');
    await tell(world, moved);
    expect(await repairAt(world, successor, keyIdOf())).toBeUndefined();
  });
});

/** What a step of a node may use. */
function envOf({ nodeKey, nodeSeed }: HolderNode) {
  const load = { shares: 0, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 };
  const nowMs = world.timeline.nowMs();
  return { crypto: nodeCrypto, random: nodeRandom, nowMs, nodeKey, nodeSeed, load, capacity: 10 };
}

describe('a nomination', () => {
  const nominate = (node: HolderNode, changes: object = {}) => {
    const { keyId } = manifest.core;
    const nomination = { keyId, epoch: 1, coreHash: coreHashOf(nodeCrypto, manifest.core), x, ...changes };
    const from = makeIdentity().nodeKey;
    return stepHolder(node.held(keyId), envOf(node), { type: 'nominate', from, nomination });
  };
  const codeIn = ({ effects }: ReturnType<typeof nominate>) => effects.find(({ type }) => type === 'refuse');

  it('gets the same key whoever asks, and another for another sharing', () => {
    const first = nominate(successor);
    const { held } = first;
    const env = envOf(successor);
    const again = stepHolder(held, env, {
      type: 'nominate',
      from: makeIdentity().nodeKey,
      nomination: { keyId: keyIdOf(), epoch: 1, coreHash: coreHashOf(nodeCrypto, manifest.core), x },
    });
    expect(again.held?.nominations).toEqual(held?.nominations);
    const other = nominate(successor, { coreHash: nodeRandom.bytes(32) });
    expect(other.held?.nominations[0]?.ek).not.toEqual(held?.nominations[0]?.ek);
  });

  it('is refused for an epoch that is over, a second point, and where there is no room', () => {
    expect(codeIn(nominate(leaver, { epoch: 0 }))).toMatchObject({ code: 'EPOCH_MISMATCH' });
    const another = at(manifest.core.holders, 1).x;
    expect(codeIn(nominate(leaver, { x: another }))).toMatchObject({ code: 'NOMINATION_REFUSED' });
    let { held } = nominate(successor);
    for (let i = 1; i <= nominationsPerKeyMax; i++) {
      const nomination = { keyId: keyIdOf(), epoch: 1, coreHash: nodeRandom.bytes(32), x };
      const step = stepHolder(held, envOf(successor), { type: 'nominate', from: leaver.nodeKey, nomination });
      const refused = step.effects.some(
        effect => effect.type === 'refuse' && effect.code === 'QUOTA_EXCEEDED',
      );
      expect(refused).toBe(i === nominationsPerKeyMax);
      held = step.held;
    }
  });
});

describe('a manifest that is brought', () => {
  it('is taken by who holds something of the key, and by nobody else', async () => {
    const moved = await moveIt();
    const stranger = at(outsiders(world, moved), 1);
    expect(await tell(world, moved, [stranger.nodeId])).toEqual(['KEY_UNKNOWN']);
    expect(await tell(world, manifest, [leaver.nodeId])).toEqual([undefined]);
    expect(leaver.audit.filter(({ event }) => event === 'update')).toEqual([]);
  });

  it('changes nothing where it is older, and is refused where it does not hold', async () => {
    const moved = await moveIt();
    const other = holderOf(world, manifest, at(manifest.core.holders, 1).x);
    await tell(world, moved, [other.nodeId]);
    const before = other.disk.get(toHex(keyIdOf()));
    await tell(world, manifest, [other.nodeId]);
    expect(other.disk.get(toHex(keyIdOf()))).toBe(before);
    const [amendment] = moved.amendments as [Manifest['amendments'][number]];
    const forged = { ...amendment, proposal: { ...amendment.proposal, x: at(manifest.core.holders, 1).x } };
    const third = holderOf(world, manifest, at(manifest.core.holders, 2).x);
    expect(await tell(world, { ...moved, amendments: [forged] }, [third.nodeId])).toEqual([
      'AMENDMENT_INVALID',
    ]);
    // what else it says of a core that is known is not looked at, and not kept
    const { signatures, activation } = manifest;
    const damaged = {
      ...moved,
      signatures: [],
      activation: { ...activation, receipts: activation.receipts.slice(1) },
    };
    expect(damaged.signatures).not.toEqual(signatures);
    await third.step(keyIdOf(), { type: 'update', from: other.nodeKey, manifest: damaged });
    expect(third.held(keyIdOf())?.active).toMatchObject({
      signatures,
      activation,
      amendments: moved.amendments,
    });
  });
});
