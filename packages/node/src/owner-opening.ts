import { setTimeout as sleep } from 'node:timers/promises';
import { assert, SkerryError, toHex } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { behindCodes, type RoundObservation, type WrongSet } from '@skerry/custody';
import { grantBytesMax, type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { countsInOpen, seenInRound } from './auditing.ts';
import type { Inspecting } from './inspecting.ts';
import { type OpenedKey, openKey } from './opening.ts';
import { createOwnGrants, ownGrantLifeMs } from './own-grants.ts';
import type { OwnerKeys, OwnershipOptions } from './owner-keys.ts';

/** What a node does to open keys. */
type Opening = {
  /** Opens a key: with a grant, or as its owner. Throws as `openKey`, and KEY_UNKNOWN, KEY_DESTROYED. */
  readonly open: (keyId: Uint8Array, grant?: Uint8Array) => Promise<OpenedKey>;
  /** Opens an epoch of an own key that is not active yet; the key is the caller's to wipe. */
  readonly openPending: (manifest: Manifest) => Promise<Uint8Array>;
};

const isBehind = (error: unknown): boolean => error instanceof SkerryError && behindCodes.has(error.code);

/** Holders would take a request with a grant that is longer than any for malformed, and seem to be at fault. */
function checkLength(grant: Uint8Array): void {
  if (grant.length > grantBytesMax) throw new SkerryError('GRANT_INVALID', 'the grant is longer than any');
}

/** The terms of the grants that an owner gives itself. */
const ownTerms = { lifeMs: ownGrantLifeMs, uses: null };

/** Who opens, what it knows of keys, and what it does where somebody was wrong. */
type Opener = {
  readonly options: OwnershipOptions;
  readonly keys: OwnerKeys;
  readonly judge: Inspecting['judge'];
};

/** Opens by one manifest, and notes what is seen of its holders. */
async function openWith(
  { options, keys, judge }: Opener,
  manifest: Manifest,
  grant: Uint8Array,
): Promise<OpenedKey> {
  const { network, nodeKey, nodeSeed, clock } = options;
  const { streams, evidence } = network;
  const { keyId } = manifest.core;
  const owned = keys.findOwned(keyId);
  const holders = seatsOf(manifest).map(seat => {
    const nodeId = nodeIdOf(seat.nodeKey);
    return { x: seat.x, nodeId, label: owned?.notes.labels[nodeId] ?? keys.nameOf(nodeId) };
  });
  const onObserved = (observations: readonly RoundObservation[]): void => {
    for (const observation of observations) {
      const kind = seenInRound(observation);
      if (kind === undefined || !countsInOpen(kind, owned !== undefined)) continue;
      if (kind === 'share-lost') evidence.noteLost(observation.nodeId, toHex(keyId));
      else evidence.note(observation.nodeId, kind);
    }
  };
  const opening = { streams, nodeKey, confirmationSeed: nodeSeed, clock, random: nodeRandom, onObserved };
  const onWrong = (wrong: WrongSet): void => void judge(manifest, wrong);
  return openKey({ ...opening, ...(owned && { onWrong }) }, { manifest, grant, holders });
}

/** Opens by the first manifest, and where holders say that the key has gone on, by the next one. */
async function openInTurn(
  opener: Opener,
  [manifest, ...others]: readonly Manifest[],
  grant: Uint8Array,
): Promise<OpenedKey> {
  assert(manifest !== undefined, 'there is a manifest to open by');
  try {
    return await openWith(opener, manifest, grant);
  } catch (error) {
    if (!isBehind(error) || others.length === 0) throw error;
    return openInTurn(opener, others, grant);
  }
}

/** Opens by what is known of the key, and where that may be old, once more by what the network knows. */
async function openLately(opener: Opener, manifest: Manifest, grant: Uint8Array): Promise<OpenedKey> {
  const { keys } = opener;
  const over = new AbortController();
  // an open that takes long may be by an old manifest: so that one is looked for meanwhile
  const late = sleep(parameters.lookAgainMs, undefined, { signal: over.signal }).then(
    async () => keys.lookAgain(manifest),
    async () => undefined,
  );
  late.catch(() => undefined); // it is looked at below
  try {
    return await openWith(opener, manifest, grant);
  } catch (error) {
    if (!isBehind(error)) throw error;
    over.abort();
    const newer = (await late.catch(() => undefined)) ?? (await keys.lookAgain(manifest));
    if (newer) return openWith(opener, newer, grant);
    // a new epoch that holders do not serve yet, and may from the next moment on: by the former one, and then by it again
    const before = keys.findOwned(manifest.core.keyId)?.previous;
    if (!before) throw error;
    return openInTurn(opener, [before, manifest], grant);
  } finally {
    over.abort();
  }
}

/** Opens keys of others by their grants, and own ones. */
export function createOpening(
  options: OwnershipOptions,
  keys: OwnerKeys,
  judge: Inspecting['judge'],
): Opening {
  const opener: Opener = { options, keys, judge };
  const self = nodeIdOf(options.nodeKey);
  const ownGrant = createOwnGrants(
    async keyId => keys.issueFor(await keys.findOwnManifest(keyId), self, ownTerms),
    options.clock,
  );
  return {
    open: async (keyId, presented) => {
      const manifest = await keys.findManifest(keyId);
      const owned = keys.findOwned(keyId);
      if (presented) checkLength(presented);
      const grant = presented ?? (await ownGrant(keyId, owned?.revokedBefore ?? 0));
      return openLately(opener, manifest, grant);
    },
    openPending: async manifest => {
      const { epoch } = manifest.core;
      const { token } = await keys.issueFor(manifest, self, { ...ownTerms, epoch });
      return (await openWith(opener, manifest, token)).key;
    },
  };
}
