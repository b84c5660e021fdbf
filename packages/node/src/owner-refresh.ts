import { type Risk, SkerryError, toHex, wipe } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import type { DealOrder } from '@skerry/custody';
import type { Placement } from '@skerry/placement';
import { coreHashOf, type Manifest, receiptsNeeded, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { Deal } from './dealing.ts';
import type { OwnedKey } from './keyring.ts';
import type { Notice } from './notices.ts';
import type { OpenedKey } from './opening.ts';
import { activationNotice, dealAs } from './owner-deals.ts';
import { holdersOf, type OwnerKeys, type OwnershipOptions } from './owner-keys.ts';
import type { Protection } from './ownership.ts';
import { probeHolder } from './possession.ts';

/** How a key is to be protected from its next epoch on; what is left out stays as it is. */
export type NewProtection = Partial<Pick<Protection, 'risk' | 'acceptReduced' | 'counts'>>;

/** What a node does to deal keys of its owner anew. */
type Refreshing = {
  /**
   * Deals an own key anew, as its next epoch: the same key, by shares that go with none of those before. What was sealed
   * under it opens as before. Holders of the epoch before let go of it once the new one is served.
   *
   * @throws KEY_UNKNOWN, KEY_DESTROYED; what `open` and `dealKey` throw, in which case the epoch before stays in force,
   *   unless some holder serves the new one already: then this node goes on telling the others
   */
  readonly refresh: (keyId: Uint8Array, protection: NewProtection) => Promise<Deal>;
  /** Goes on with an epoch that was stored and not confirmed, if there is one; true where none is left. */
  readonly settle: (keyId: Uint8Array) => Promise<boolean>;
};

/** What it takes to deal anew besides the keyring. */
type RefreshHands = {
  readonly open: (keyId: Uint8Array) => Promise<OpenedKey>;
  readonly openPending: (manifest: Manifest) => Promise<Uint8Array>;
};

/** The protection of a key's next epoch: what is asked for, and else what it has. */
function protectionAfter({ manifest, notes }: OwnedKey, wanted: NewProtection): Protection {
  const { t, n, k, policy } = manifest.core;
  const counts = wanted.counts ?? (policy.manual ? { t, n, k } : undefined);
  const risk: Risk = wanted.risk ?? notes.raisedTo;
  return { risk, acceptReduced: wanted.acceptReduced ?? policy.reduced, ...(counts && { counts }) };
}

/** The new epoch is served: those that hold the one before, and nothing of this one, may let go of it. */
async function confirm(
  { network, store, keyring, clock }: OwnershipOptions,
  { inTurn }: OwnerKeys,
  keyId: Uint8Array,
): Promise<void> {
  const { notices } = network;
  const notice = await inTurn(toHex(keyId), async () => {
    const owned = keyring.get(keyId);
    if (!owned?.previous || owned.tombstone) return undefined;
    const { manifest, previous } = owned;
    const now = new Set(holdersOf(manifest));
    const former = holdersOf(previous).filter(nodeId => !now.has(nodeId));
    const update: Notice = { name: 'update', body: manifest };
    const untilMs = clock.nowMs() + parameters.formerHoldersToldMs;
    await store.batch([
      keyring.change({ ...owned, previous: null }),
      ...(former.length > 0 ? [notices.note(update, former, untilMs)] : []),
    ]);
    return former.length > 0 ? update : undefined;
  });
  if (notice) await notices.tell(notice);
}

/** New epochs of an owner's keys. */
export function createRefreshing(
  options: OwnershipOptions,
  keys: OwnerKeys,
  hands: RefreshHands,
): Refreshing {
  const { network, keyring } = options;
  const { notices } = network;
  const { signer, labelsOf, place } = keys;

  /** Deals the epoch after the one that the keyring has. */
  async function dealNext(keyId: Uint8Array, key: Uint8Array, wanted: NewProtection): Promise<Deal> {
    const before = keys.ownedKey(keyId); // an open may have found a newer one
    const { core } = before.manifest;
    const protection = protectionAfter(before, wanted);
    const placed: DealOrder['place'] = excluded => place(protection, excluded);
    const previous = { epoch: core.epoch, coreHash: coreHashOf(nodeCrypto, core) };
    const { nonce, policy } = core;
    const order = { keyId, nonce, key, signer, previous, delayMs: policy.delayMs, place: placed };
    const entryOf = (manifest: Manifest, { certificate }: Placement): OwnedKey => {
      const now = keys.ownedKey(keyId);
      const notes = { ...now.notes, certificate, labels: labelsOf(manifest), former: [] };
      return { ...now, manifest, previous: now.manifest, notes };
    };
    return dealAs(options, keys, hands, order, entryOf, parameters.formerHoldersToldMs);
  }

  async function settle(keyId: Uint8Array): Promise<boolean> {
    const owned = keyring.get(keyId);
    if (!owned?.previous || owned.tombstone) return true;
    const { manifest } = owned;
    await notices.tell(activationNotice(manifest));
    // who took the notice in may be gone, and the points of who did not may be others' by now
    const probing = { streams: network.streams, random: nodeRandom };
    const proofs = await Promise.all(
      seatsOf(manifest).map(async ({ x }) => probeHolder(probing, manifest, x)),
    );
    if (proofs.filter(proof => proof === 'proof').length < receiptsNeeded(manifest.core)) return false;
    await network.publishManifest(manifest);
    await confirm(options, keys, keyId);
    return true;
  }

  return {
    refresh: async (keyId, wanted) => {
      keys.ownedKey(keyId);
      const release = keys.claim(keyId);
      try {
        if (!(await settle(keyId))) {
          throw new SkerryError('DEPOSIT_FAILED', 'too few holders serve the last new epoch yet');
        }
        const { key } = await hands.open(keyId);
        const dealt = await dealNext(keyId, key, wanted).finally(() => wipe(key));
        await network.publishManifest(dealt.manifest);
        await confirm(options, keys, keyId);
        return dealt;
      } finally {
        release();
      }
    },
    settle: async keyId => !keys.isClaimed(keyId) && settle(keyId),
  };
}
