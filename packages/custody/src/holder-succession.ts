import { type Crypto, concatBytes, equalBytes, SkerryError, wipe } from '@skerry/base';
import type { Share } from '@skerry/sharing';
import {
  acceptancePreimage,
  amendmentOf,
  checkAmendments,
  checkManifest,
  checkSuccessor,
  compareChains,
  compareManifests,
  coreHashOf,
  countShared,
  type Manifest,
  nodeIdOf,
  type RequestBody,
  seatsOf,
} from '@skerry/wire';
import {
  erasuresMax,
  nominationLifeMs,
  nominationsPerKeyMax,
  offersPerDealerMax,
  sharesPerDealerMax,
} from '../parameters.ts';
import { emptyKey, type HeldEpoch, type HeldKey, isSeated, latestEpochOf, manifestOf } from './held-key.ts';
import { openHeldShare, shareAad } from './held-share.ts';
import type { HolderEffect, HolderEnv, HolderStep } from './holder.ts';
import { refuseUnless } from './holder-round.ts';

type Nomination = HeldKey['nominations'][number];

const updated: HolderEffect = { type: 'answer', answer: { name: 'update', body: {} } };

/** Whether a node may hold a point beside what it keeps of the key: never two shares of one epoch. */
function hasNoOther(held: HeldKey, epoch: number, x: number): boolean {
  const { active, pending, incoming } = held;
  const points = [
    ...[active, pending].map(kept => kept && { epoch: kept.core.epoch, x: kept.x }),
    incoming && { epoch: incoming.manifest.core.epoch, x: incoming.x },
  ];
  return points.every(kept => kept === null || kept.epoch !== epoch || kept.x === x);
}

/**
 * Says whether this node will hold a point that an amendment may move to it. The same question gets the same key,
 * however often it comes and whoever asks.
 *
 * @param held the key as stored
 * @param env time, randomness, keys and quotas
 * @param from the node key of who asks, proven by its connection
 * @param asked the point, and of which sharing
 * @throws EPOCH_MISMATCH for an epoch before the one known here; NOMINATION_REFUSED where this node holds another
 *   point of that epoch; QUOTA_EXCEEDED
 */
export function takeNomination(
  held: HeldKey | null,
  env: HolderEnv,
  from: Uint8Array,
  asked: RequestBody<'nominate'>,
): HolderStep {
  const { crypto, nowMs, load } = env;
  const { keyId, epoch, coreHash, x } = asked;
  const state = held ?? emptyKey(keyId);
  refuseUnless(epoch >= latestEpochOf(state), 'EPOCH_MISMATCH');
  refuseUnless(hasNoOther(state, epoch, x), 'NOMINATION_REFUSED');
  const isSame = (known: Nomination): boolean => known.x === x && equalBytes(known.coreHash, coreHash);
  const known = state.nominations.find(isSame);
  const others = state.nominations.filter(other => !isSame(other) && other.expiresAtMs > nowMs);
  const hasRoom =
    load.shares < env.capacity &&
    load.sharesOfDealer < sharesPerDealerMax &&
    load.offersOfDealer < offersPerDealerMax &&
    others.length < nominationsPerKeyMax;
  refuseUnless(known !== undefined || hasRoom, 'QUOTA_EXCEEDED');
  const ekSeed = known?.ekSeed ?? env.random.bytes(32);
  const ek = known?.ek ?? crypto.x25519PublicKey(ekSeed);
  const expiresAtMs = nowMs + nominationLifeMs;
  const signature = crypto.ed25519Sign(env.nodeSeed, acceptancePreimage(coreHash, x, ek, expiresAtMs));
  const nomination = { epoch, coreHash, x, ek, ekSeed, asker: known?.asker ?? from, expiresAtMs };
  const body = { ek, acceptance: { expiresAtMs, signature } };
  return {
    held: { ...state, nominations: [...others, nomination] },
    effects: [{ type: 'store' }, { type: 'answer', answer: { name: 'nominate', body } }],
  };
}

/**
 * What is kept of an active epoch once another took its place: nothing but for the grace.
 *
 * @param held the key as stored
 * @param nowMs Unix ms
 * @param coreHash of the core that takes its place; a share of the same one needs no grace
 */
export function retire(
  held: HeldKey,
  nowMs: number,
  coreHash?: Uint8Array,
): Pick<HeldKey, 'active' | 'retired' | 'erasures'> {
  const { active, retired, erasures } = held;
  if (active === null || (coreHash && equalBytes(active.coreHash, coreHash)))
    return { active: null, retired, erasures };
  const before = retired ? [{ epoch: retired.epoch.core.epoch, x: retired.epoch.x }] : [];
  return {
    active: null,
    retired: { epoch: active, retiredAtMs: nowMs },
    erasures: [...erasures, ...before].slice(-erasuresMax),
  };
}

/** Removes what the store's files still have of shares that are gone. */
export function eraseAll({ erasures }: HeldKey): HolderEffect[] {
  return erasures.length === 0 ? [] : [{ type: 'erase', tombstone: null, shares: erasures, isKept: false }];
}

/** The point that a manifest gives to this node, where it said that it would hold it with that key. */
function nominationFor(held: HeldKey, env: HolderEnv, manifest: Manifest): Nomination | undefined {
  const seat = seatsOf(manifest).find(({ nodeKey }) => equalBytes(nodeKey, env.nodeKey));
  return seat && held.nominations.find(({ x, ek }) => x === seat.x && equalBytes(ek, seat.ek));
}

/** Whether a share that was made again here is the one of the last amendment of its point. */
function isMadeFor({ amendments, x, sequence }: HeldEpoch): boolean {
  return (amendmentOf(amendments, x)?.proposal.sequence ?? 0) === sequence;
}

/** The state of a key with a manifest that is newer than what was known, and no more checks to be made. */
function adopt(held: HeldKey, env: HolderEnv, manifest: Manifest, coreHash: Uint8Array): HeldKey {
  const { active, pending, incoming } = held;
  const { activation, amendments, successor } = manifest;
  const left = { manifest, coreHash, leftAtMs: env.nowMs };
  let next = held;
  if (active && equalBytes(active.coreHash, coreHash)) {
    next = { ...held, active: { ...active, amendments, successor } };
  } else {
    next = { ...held, ...retire(held, env.nowMs) };
    if (pending && equalBytes(pending.coreHash, coreHash)) {
      next = { ...next, pending: null, active: { ...pending, activation, amendments, successor } };
    }
  }
  const isHeld = next.active !== null && isSeated(next.active, env.nodeKey) && isMadeFor(next.active);
  const nomination = isHeld ? undefined : nominationFor(held, env, manifest);
  const isUnderWay = incoming && equalBytes(incoming.coreHash, coreHash);
  const mine = seatsOf(manifest).find(({ nodeKey }) => equalBytes(nodeKey, env.nodeKey));
  const isStillMine =
    isUnderWay && mine?.x === incoming.x && equalBytes(mine.ek, env.crypto.x25519PublicKey(incoming.ekSeed));
  if (isStillMine) next = { ...next, incoming: { ...incoming, manifest } };
  else if (nomination) {
    const { x, ekSeed } = nomination;
    const nominations = next.nominations.filter(other => other !== nomination);
    next = { ...next, nominations, incoming: { manifest, coreHash, x, ekSeed } };
  } else next = { ...next, incoming: null };
  const isGone = next.active === null && next.incoming === null;
  const votes = next.votes.filter(vote => equalBytes(vote.coreHash, coreHash));
  return { ...next, votes, left: isGone ? left : null };
}

/** The newest manifest that is known of a key here, with the hash of its core. */
function newestOf({
  active,
  incoming,
  left,
}: HeldKey): { manifest: Manifest; coreHash: Uint8Array } | undefined {
  const served = active && manifestOf(active);
  if (active && served) return { manifest: served, coreHash: active.coreHash };
  return incoming ?? left ?? undefined;
}

/** Whether a manifest is of a core of which something is kept here, so that it is worth verifying. */
function concerns(held: HeldKey, coreHash: Uint8Array): boolean {
  const { active, retired, incoming, left, pending, nominations } = held;
  if (active || retired || incoming || left) return true;
  return [pending, ...nominations].some(kept => kept && equalBytes(kept.coreHash, coreHash));
}

/** A manifest of a core that is known here, with what is new in it; undefined where nothing is. */
function mergeKnown(
  crypto: Crypto,
  known: Manifest,
  { amendments, successor }: Manifest,
  coreHash: Uint8Array,
): Manifest | undefined {
  const { core } = known;
  checkAmendments(crypto, { core, amendments }, coreHash, countShared(known.amendments, amendments));
  if (successor) checkSuccessor(crypto, core, successor);
  const isLonger = compareChains(crypto, coreHash, amendments, known.amendments) > 0;
  const chain = isLonger ? amendments : known.amendments;
  const merged = { ...known, amendments: chain, successor: known.successor ?? successor };
  return isLonger || merged.successor !== known.successor ? merged : undefined;
}

/**
 * Takes in what the manifest of a key says that was not known here, whoever brought it, since it proves itself: a later
 * epoch, points that were moved, the key that took this one's place. What a later epoch, or a point's going, leaves here
 * is kept until its time is over, and not served.
 *
 * @param held the key as stored
 * @param env time and crypto
 * @param from the node key of who brought it
 * @param manifest as received
 * @throws KEY_UNKNOWN, EPOCH_MISMATCH and CORE_MISMATCH where another is known that is newer, and what
 *   `checkManifest` throws
 */
export function takeUpdate(
  held: HeldKey | null,
  env: HolderEnv,
  from: Uint8Array,
  manifest: Manifest,
): HolderStep {
  const { crypto } = env;
  const { core } = manifest;
  const coreHash = coreHashOf(crypto, core);
  if (held === null || !concerns(held, coreHash)) throw new SkerryError('KEY_UNKNOWN');
  const known = newestOf(held);
  let news: Manifest | undefined = manifest;
  if (known && equalBytes(known.coreHash, coreHash)) {
    news = mergeKnown(crypto, known.manifest, manifest, coreHash);
  } else {
    refuseUnless(!known || core.epoch >= known.manifest.core.epoch, 'EPOCH_MISMATCH');
    refuseUnless(!known || compareManifests(crypto, manifest, known.manifest) > 0, 'CORE_MISMATCH');
    checkManifest(crypto, manifest);
  }
  if (!news) return { held, effects: [updated] };
  const next = adopt(held, env, news, coreHash);
  const fields = { epoch: core.epoch, amendments: news.amendments.length, from: nodeIdOf(from) };
  const { active, incoming } = next;
  return {
    held: next,
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'update', fields },
      ...eraseAll(next),
      updated,
      ...(active ? [{ type: 'publish', held: active } as const] : []),
      ...(incoming ? [{ type: 'repair' } as const] : []),
    ],
  };
}

/**
 * Keeps a share that was made again here, under a fresh key of its own.
 *
 * @param held the key as stored
 * @param env time, randomness and crypto
 * @param share as a round gave it; wiped here
 * @throws SHARE_MISMATCH where it is not the one of its point
 */
export function keepRepaired(held: HeldKey | null, env: HolderEnv, share: Share): HolderStep {
  const { crypto, random, nowMs } = env;
  const incoming = held?.incoming;
  if (!held || incoming?.x !== share.x) {
    wipe(share.y);
    return { held, effects: [] };
  }
  const { manifest, coreHash, x } = incoming;
  const { core } = manifest;
  const dek = random.bytes(32);
  const plaintext = concatBytes(share.y, new Uint8Array([x]));
  const ciphertext = crypto.aeadSeal(dek, plaintext, shareAad(core.keyId, core.epoch, x));
  wipe(plaintext, share.y);
  const active: HeldEpoch = {
    ...manifest,
    coreHash,
    x,
    ciphertext,
    dek,
    depositedAtMs: nowMs,
    sequence: amendmentOf(manifest.amendments, x)?.proposal.sequence ?? 0,
  };
  openHeldShare(crypto, active, 'SHARE_MISMATCH').close();
  const next = { ...held, ...retire(held, nowMs, coreHash), active, incoming: null, left: null };
  return {
    held: next,
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'repair', fields: { epoch: core.epoch, x, sequence: active.sequence } },
      ...eraseAll(next),
      { type: 'publish', held: active },
    ],
  };
}

/**
 * Lets go of a share whose point has moved to a node that has it now.
 *
 * @param held the key as stored
 * @param env time and crypto
 */
export function releaseShare(held: HeldKey | null, env: HolderEnv): HolderStep {
  const active = held?.active;
  const manifest = active && manifestOf(active);
  if (!held || !manifest || isSeated(active, env.nodeKey)) return { held, effects: [] };
  const { coreHash, core, x } = active;
  const left = { manifest, coreHash, leftAtMs: env.nowMs };
  const erasures = [...held.erasures, { epoch: core.epoch, x }].slice(-erasuresMax);
  const next = { ...held, active: null, left, erasures };
  return {
    held: next,
    effects: [
      { type: 'store' },
      { type: 'audit', event: 'release', fields: { epoch: core.epoch, x } },
      ...eraseAll(next),
    ],
  };
}

/**
 * The store's files have nothing any more of the shares that were let go.
 *
 * @param held the key as stored
 */
export function forgetErased(held: HeldKey | null): HolderStep {
  if (held === null || held.erasures.length === 0) return { held, effects: [] };
  return { held: { ...held, erasures: [] }, effects: [{ type: 'store' }] };
}
