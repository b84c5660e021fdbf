import { equalBytes, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type DealOrder, pendingLifeMs } from '@skerry/custody';
import type { Placement } from '@skerry/placement';
import { keyIdOf, type Manifest } from '@skerry/wire';
import { codeOf } from './asking.ts';
import { type Deal, dealKey } from './dealing.ts';
import type { Ending } from './ending.ts';
import type { OwnedKey } from './keyring.ts';
import type { Notice } from './notices.ts';
import { holdersOf, type OwnerKeys, type OwnershipOptions } from './owner-keys.ts';
import type { KeySlot, Protection } from './ownership.ts';

/** What it takes to deal besides the keyring. */
type DealHands = {
  /** Opens an epoch that is not active yet. */
  readonly openPending: (manifest: Manifest) => Promise<Uint8Array>;
};

/** What tells holders that a key's epoch is active. */
export function activationNotice({ core, activation }: Manifest): Notice {
  return { name: 'activate', body: { keyId: core.keyId, activation } };
}

/**
 * Deals, and has the manifest stored with the notices of its activation before any holder is told to serve it.
 *
 * @param order what to deal
 * @param entryOf the keyring's entry by the manifest and its placement
 * @param noticeMs how long holders are told
 */
export async function dealAs(
  options: OwnershipOptions,
  keys: OwnerKeys,
  { openPending }: DealHands,
  order: DealOrder,
  entryOf: (manifest: Manifest, placement: Placement) => OwnedKey,
  noticeMs: number,
): Promise<Deal> {
  const { network, store, keyring, nodeKey, nodeSeed, clock } = options;
  const { streams, notices } = network;
  const storeManifest = async (manifest: Manifest, placement: Placement): Promise<void> =>
    keys.inTurn(toHex(order.keyId), async () => {
      const untilMs = clock.nowMs() + noticeMs;
      await store.batch([
        keyring.change(entryOf(manifest, placement)),
        notices.note(activationNotice(manifest), holdersOf(manifest), untilMs),
      ]);
    });
  const dealing = { streams, nodeKey, nodeSeed, clock, random: nodeRandom, storeManifest, openPending };
  const dealt = await dealKey(dealing, order);
  await notices.settle(activationNotice(dealt.manifest), dealt.silent);
  return dealt;
}

/** A keyId means one key for ever: dealt anew, it would hide the first one from its owner. */
function checkSlot({ keyring }: OwnershipOptions, { signer }: OwnerKeys, { keyId, nonce }: KeySlot): void {
  if (!equalBytes(keyIdOf(nodeCrypto, signer.authority, nonce), keyId)) {
    throw new SkerryError('CORE_INVALID', 'the key id is not one of this owner and nonce');
  }
  const owned = keyring.get(keyId);
  if (owned?.tombstone) throw new SkerryError('KEY_DESTROYED');
  if (owned) throw new SkerryError('EPOCH_MISMATCH', 'the key id was dealt already: reserve another');
}

/**
 * Deals new keys of an owner.
 *
 * @returns deals a key, of a slot that was not dealt before
 */
export function createDeals(
  options: OwnershipOptions,
  keys: OwnerKeys,
  hands: DealHands & { readonly destroy: (keyId: Uint8Array) => Promise<Ending> },
): (slot: KeySlot, key: Uint8Array, protection: Protection) => Promise<Deal> {
  const { network, keyring, clock, log } = options;
  const { signer, labelsOf, place } = keys;

  /** Destroys what a failed deal may have left: some holder may serve the key, and nobody would ever ask for it. */
  async function takeBack(keyId: Uint8Array): Promise<void> {
    try {
      if (keyring.get(keyId)) await hands.destroy(keyId);
    } catch (error) {
      const code = codeOf(error);
      log.error('what a failed deal left could not be destroyed', { keyId: toHex(keyId), code });
    }
  }

  return async (slot, key, protection) => {
    checkSlot(options, keys, slot);
    const release = keys.claim(slot.keyId);
    const { measuredRisk = null, kind = 'sealed', alias = null, risk } = protection;
    const entryOf = (manifest: Manifest, { certificate }: Placement): OwnedKey => {
      const at = { createdAtMs: clock.nowMs(), raisedTo: risk };
      const notes = { ...at, certificate, measuredRisk, kind, alias, labels: labelsOf(manifest), former: [] };
      return { manifest, previous: null, notes, revokedBefore: 0, tombstone: null };
    };
    const placed: DealOrder['place'] = excluded => place(protection, excluded);
    const order = { ...slot, key, signer, previous: null, delayMs: 0, place: placed };
    try {
      const dealt = await dealAs(options, keys, hands, order, entryOf, pendingLifeMs);
      await network.publishManifest(dealt.manifest);
      return dealt;
    } catch (error) {
      await takeBack(slot.keyId);
      throw error;
    } finally {
      release();
    }
  };
}
