import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, SkerryError, toHex } from '@skerry/base';
import type { Remedy } from '@skerry/custody';
import { type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { codeOf } from './asking.ts';
import type { HealingOptions } from './healing.ts';
import type { OwnedKey } from './keyring.ts';
import { createPatience } from './patience.ts';
import { isBack, probeHolder } from './possession.ts';
import type { Standing } from './standing.ts';

/**
 * Heals keys of this node's owner.
 *
 * @returns heals one: looks first whether somebody else did, and asks its holder once more; true where something changed
 */
export function createOwnerHealer(
  options: HealingOptions,
  standingOf: (owned: OwnedKey) => Standing,
): (owned: OwnedKey) => Promise<boolean> {
  const { ownership, health, log } = options;
  const patience = createPatience(health.graceMs / 4);

  async function carryOut({ manifest }: OwnedKey, remedy: Remedy): Promise<boolean> {
    const { keyId } = manifest.core;
    if (remedy.type === 'refresh') {
      const wanted = remedy.why === 'reduced' ? { acceptReduced: false } : {};
      const { manifest: next } = await ownership.refresh(keyId, wanted);
      log.info('a key was dealt anew', { keyId: toHex(keyId), why: remedy.why, epoch: next.core.epoch });
      return true;
    }
    const { x, reason } = remedy;
    const mayBeBack = reason === 'absent' || reason === 'lost';
    if (mayBeBack && (await isBack({ ...options, ...options.network }, manifest, x))) return false;
    const { proposal } = await ownership.move(keyId, x, reason);
    log.info('a point of a key was moved', {
      keyId: toHex(keyId),
      x,
      reason,
      to: nodeIdOf(proposal.nodeKey),
    });
    return true;
  }

  async function attempt(owned: OwnedKey, remedy: Remedy): Promise<boolean> {
    const name = `${toHex(owned.manifest.core.keyId)}/${remedy.type}`;
    if (!patience.isDue(name)) return false;
    patience.wait(name);
    try {
      const isDone = await carryOut(owned, remedy);
      if (isDone) patience.forget(name);
      return isDone;
    } catch (error) {
      const fields = { keyId: toHex(owned.manifest.core.keyId), remedy: remedy.type, code: codeOf(error) };
      log.warn('a key could not be healed yet', fields);
      return false;
    }
  }

  return async owned => {
    if (owned.previous && !(await ownership.settle(owned.manifest.core.keyId))) return false;
    const { remedies } = standingOf(owned);
    if (remedies.length === 0) return false;
    if (await ownership.lookAgain(owned.manifest)) return true;
    for (const remedy of remedies) if (await attempt(owned, remedy)) return true;
    return false;
  };
}

/** A point that was to be moved: whose it is now, and whether its share is there; or why it stayed. */
export type RepairedPoint = {
  readonly x: number;
  readonly from: string;
  readonly to: string;
  readonly isRepaired: boolean;
  /** Why it was not moved, or null. */
  readonly code: ErrorCode | null;
};

/** Waits until the holder of a point proves its share, or the time is over. */
async function hasShare(options: HealingOptions, manifest: Manifest, x: number): Promise<boolean> {
  const endMs = performance.now() + parameters.repairWaitMs;
  for (;;) {
    if ((await probeHolder({ ...options, ...options.network }, manifest, x)) === 'proof') return true;
    if (performance.now() >= endMs) return false;
    await sleep(parameters.repairLookMs);
  }
}

/**
 * Moves points of a key at once, without a grace: those whose holders do not prove their shares now, or one that its
 * operator names, and waits until the shares are there.
 *
 * @param who node id of a holder whose point is to be moved whatever it proves; null for those that do not
 * @returns what became of each such point
 * @throws KEY_UNKNOWN, KEY_DESTROYED; USAGE where the node holds no point of the key
 */
export async function repairNow(
  options: HealingOptions,
  keyId: Uint8Array,
  who: string | null,
): Promise<RepairedPoint[]> {
  const { keyring, ownership, network, random } = options;
  const before = keyring.get(keyId);
  if (before && !before.tombstone) await ownership.lookAgain(before.manifest);
  const manifest = ownership.ownedManifest(keyId);
  const points = seatsOf(manifest).map(({ x, nodeKey }) => ({ x, from: nodeIdOf(nodeKey) }));
  if (who !== null && !points.some(({ from }) => from === who)) {
    throw new SkerryError('USAGE', 'the node holds no share of the key', { nodeId: who });
  }
  const probes = points.map(async point => {
    const isWell = (await probeHolder({ ...network, random }, manifest, point.x)) === 'proof';
    return { ...point, isWanted: who === null ? !isWell : point.from === who };
  });
  const wanted = (await Promise.all(probes)).filter(({ isWanted }) => isWanted);
  const moved: RepairedPoint[] = [];
  // one after the other, since each amendment follows the one before
  for (const { x, from } of wanted) {
    try {
      const { proposal } = await ownership.move(keyId, x, who === null ? 'absent' : 'moved');
      moved.push({ x, from, to: nodeIdOf(proposal.nodeKey), isRepaired: false, code: null });
    } catch (error) {
      moved.push({ x, from, to: from, isRepaired: false, code: codeOf(error) });
    }
  }
  const now = ownership.ownedManifest(keyId);
  return Promise.all(
    moved.map(async point =>
      point.code === null ? { ...point, isRepaired: await hasShare(options, now, point.x) } : point,
    ),
  );
}
