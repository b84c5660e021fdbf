import { nodeCrypto as crypto } from '@skerry/crypto';
import { type Core, checkCore, coreHashOf, keyIdOf } from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import {
  coreSignatures,
  type DealtKey,
  dealKey,
  fixedBytes,
  signerOf,
  withAuthority,
  withCore,
} from './keys.ts';
import { codeOf, flipped, refusalOf } from './refusal.ts';

const key = dealKey();
const { core } = key;
const [first, second, ...others] = core.points as [Core['points'][0], Core['points'][0], ...Core['points']];
const [holder, ...holders] = core.holders as [Core['holders'][0], ...Core['holders']];

/** What checkCore says of a core that its owners signed. */
function verdict(broken: DealtKey): string {
  return refusalOf(() => checkCore(crypto, broken.core, coreSignatures(broken)));
}

/** The same key, signed anew, with more points or fewer. */
function withPoints(points: Core['points']): DealtKey {
  return withCore(key, { points });
}

describe('a core that its owners signed', () => {
  test('is accepted and named by its hash', () => {
    expect(checkCore(crypto, core, coreSignatures(key))).toEqual(coreHashOf(crypto, core));
  });

  test('may have 255 points, a repair budget as large as its points allow, and a box', () => {
    const large = dealKey({ t: 128, n: 200, xs: Array.from({ length: 255 }, (_, i) => i + 1) });
    const generous = withCore(large, { repairBudget: 8, box: fixedBytes('box', 81) });
    expect(() => checkCore(crypto, generous.core, coreSignatures(generous))).not.toThrow();
    const tight = withCore(dealKey({ t: 3, n: 3 }), { repairBudget: 1 });
    expect(() => checkCore(crypto, tight.core, coreSignatures(tight))).not.toThrow();
  });

  test('may be a later epoch with a predecessor and the first epoch as its origin', () => {
    const later = withCore(key, { epoch: 2, previousHash: fixedBytes('previous', 32), originEpoch: 1 });
    expect(() => checkCore(crypto, later.core, coreSignatures(later))).not.toThrow();
  });

  const zeros = new Uint8Array(32);
  const box = fixedBytes('box', 81);
  const foreign = withAuthority(key, [signerOf('foreign').key], 1).core.keyId;
  test.each<[string, DealtKey]>([
    ['the key id is not the hash of its authority and nonce', withCore(key, { keyId: foreign })],
    ['the authority needs more keys than it has', withAuthority(key, core.authority.keys, 4)],
    ['an authority key stands twice', withAuthority(key, [key.owners[0]!.key, key.owners[0]!.key], 2)],
    ['the origin epoch is later than the epoch', withCore(key, { originEpoch: 2 })],
    ['only the first epoch has no predecessor', withCore(key, { previousHash: zeros })],
    ['only the first epoch has no predecessor', withCore(key, { epoch: 2 })],
    ['a box goes with a 32-byte box key', withCore(key, { box, length: 63 })],
    ['counts break t <= n < k', withCore(key, { t: 4 })],
    ['counts break t <= n < k', withCore(key, { n: 4 })],
    ['points and holders are not k', withCore(key, { k: 5 })],
    ['points and holders are not k', withPoints([first, second, ...others.slice(1)])],
    ['points and holders are not k', withCore(key, { holders })],
    ['the repair budget lets t points move without the owner', withCore(key, { repairBudget: 2 })],
    [
      'the repair budget asks for more receipts than there are points',
      withCore(dealKey({ t: 3, n: 3 }), { repairBudget: 2 }),
    ],
    ['points do not ascend', withPoints([second, first, ...others])],
    ['points do not ascend', withPoints([first, { ...second, x: first.x }, ...others])],
    ['a verification key stands twice', withPoints([first, { ...second, vk: first.vk }, ...others])],
    ['a mask key stands twice', withPoints([first, { ...second, mk: first.mk }, ...others])],
    ['a mask key has low order', withPoints([{ ...first, mk: zeros }, second, ...others])],
    ["a holder's key has low order", withCore(key, { holders: [{ ...holder, ek: zeros }, ...holders] })],
    ['a point has two holders', withCore(key, { holders: [{ ...holder, x: holders[0]!.x }, ...holders] })],
    ['a holder has no point', withCore(key, { holders: [{ ...holder, x: 91 }, ...holders] })],
    [
      'a node holds two points',
      withCore(key, { holders: [{ ...holder, nodeKey: holders[0]!.nodeKey }, ...holders] }),
    ],
    ['a standby stands twice', withCore(key, { standby: [zeros, zeros] })],
    ['a standby holds a point', withCore(key, { standby: [holder.nodeKey] })],
    ['the dealer is its own holder or standby', withCore(key, { dealer: holder.nodeKey })],
    ['the dealer is its own holder or standby', withCore(key, { standby: [core.dealer] })],
  ])('is refused where %s', (rule, broken) => {
    expect(verdict(broken)).toBe(`CORE_INVALID: ${rule}`);
  });

  test('is judged by its rules without a single verification', () => {
    let verifications = 0;
    const counting = { ...crypto, ed25519Verify: () => ++verifications > 0, x25519: () => undefined };
    expect(codeOf(() => checkCore(counting, { ...core, dealer: holder.nodeKey }, []))).toBe('CORE_INVALID');
    expect(verifications).toBe(0);
  });
});

describe('a core that its owners did not sign', () => {
  const signatures = coreSignatures(key);
  const changes: { [F in keyof Core]?: Core[F] } = {
    dealer: signerOf('other dealer').key,
    t: 3,
    n: 2,
    length: 65,
    commitment: flipped(core.commitment),
    points: [{ ...first, mk: crypto.x25519PublicKey(fixedBytes('other mask', 32)) }, second, ...others],
    holders: [{ ...holder, nodeKey: signerOf('other node').key }, ...holders],
    standby: [],
    repairBudget: 1,
    profile: 'local',
    createdAtMs: core.createdAtMs + 1,
    policy: { ...core.policy, risk: 'low' },
    box: fixedBytes('box', 81),
  };
  test.each(Object.keys(changes) as (keyof Core)[])('is refused where %s was changed', field => {
    const changed = field === 't' ? { ...core, t: 3, n: 3 } : { ...core, [field]: changes[field] };
    expect(codeOf(() => checkCore(crypto, changed, signatures))).toBe('SIGNATURE_INVALID');
  });

  test('is refused where holders change places', () => {
    const changed = { ...core, holders: core.holders.toReversed() };
    expect(codeOf(() => checkCore(crypto, changed, signatures))).toBe('SIGNATURE_INVALID');
  });
});

describe('a key id', () => {
  const thief = dealKey({ label: 'thief' });

  test('cannot be claimed by another authority', () => {
    const claimed = withCore(thief, { keyId: core.keyId });
    expect(verdict(claimed)).toBe('CORE_INVALID: the key id is not the hash of its authority and nonce');
  });

  test('cannot be claimed by another authority under the same nonce', () => {
    const claimed = withCore(thief, { keyId: core.keyId, nonce: core.nonce });
    expect(verdict(claimed)).toBe('CORE_INVALID: the key id is not the hash of its authority and nonce');
  });

  test('cannot be claimed by its own authority under another nonce', () => {
    const claimed = withCore(key, { nonce: flipped(core.nonce) });
    expect(verdict(claimed)).toBe('CORE_INVALID: the key id is not the hash of its authority and nonce');
  });

  test('cannot be kept while fewer owners are needed, or owners change places', () => {
    const { authority, nonce, keyId } = core;
    const weaker = { ...authority, needed: 1 };
    const turned = { ...authority, keys: authority.keys.toReversed() };
    for (const other of [weaker, turned]) {
      expect(keyIdOf(crypto, other, nonce)).not.toEqual(keyId);
      expect(codeOf(() => checkCore(crypto, { ...core, authority: other }, coreSignatures(key)))).toBe(
        'CORE_INVALID',
      );
    }
  });
});
