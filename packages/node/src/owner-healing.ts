import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, SkerryError, toHex } from '@skerry/base';
import type { HealerEffect, HealerEvent, Remedy } from '@skerry/custody';
import { type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { codeOf } from './asking.ts';
import type { HealingOptions } from './healing.ts';
import { runHealing } from './healing-run.ts';
import type { OwnedKey } from './keyring.ts';
import { createPatience } from './patience.ts';
import { isBack, probeHolder } from './possession.ts';
import type { Standing } from './standing.ts';

/** Carries a remedy out. */
async function act(
  { ownership, health, log }: HealingOptions,
  keyId: Uint8Array,
  remedy: Remedy,
): Promise<void> {
  const name = toHex(keyId);
  if (remedy.type === 'refresh') {
    const wanted = remedy.why === 'reduced' ? { acceptReduced: false } : {};
    const { manifest } = await ownership.refresh(keyId, wanted);
    log.info('a key was dealt anew', { keyId: name, why: remedy.why, epoch: manifest.core.epoch });
    return;
  }
  const { x, reason } = remedy;
  const { proposal } = await ownership.move(keyId, x, reason);
  const to = nodeIdOf(proposal.nodeKey);
  health.note({ keyId: name, x, nodeId: to, kind: 'moved' });
  log.info('a point of a key was moved', { keyId: name, x, reason, to });
}

/**
 * Heals keys of this node's owner.
 *
 * @returns heals one by what is due for it, and then waits ever longer while that fails
 */
export function createOwnerHealer(
  options: HealingOptions,
  standingOf: (owned: OwnedKey) => Standing,
): (owned: OwnedKey) => Promise<void> {
  const { ownership, network, health, log } = options;
  const patience = createPatience(health.graceMs / 4);
  const nameOf = (keyId: Uint8Array, { type }: Remedy): string => `${toHex(keyId)}/${type}`;

  async function carry(
    { manifest }: OwnedKey,
    effect: Exclude<HealerEffect, { type: 'end' }>,
  ): Promise<HealerEvent> {
    const { keyId } = manifest.core;
    if (effect.type === 'look') {
      return { type: 'looked', isNewer: (await ownership.lookAgain(manifest)) !== undefined };
    }
    if (effect.type === 'probe') {
      return { type: 'probed', isProved: await isBack({ ...options, ...network }, manifest, effect.x) };
    }
    const name = nameOf(keyId, effect.remedy);
    patience.wait(name);
    try {
      await act(options, keyId, effect.remedy);
      patience.forget(name);
      return { type: 'acted' };
    } catch (error) {
      const code = codeOf(error);
      log.warn('a key could not be healed yet', { keyId: toHex(keyId), remedy: effect.remedy.type, code });
      return { type: 'failed', code };
    }
  }

  return async owned => {
    const { keyId } = owned.manifest.core;
    const isSettled = !owned.previous || (await ownership.settle(keyId));
    // an epoch that too few serve needs more holders, and no other epoch
    const remedies = standingOf(owned).remedies.filter(({ type }) => isSettled || type === 'move');
    const due = remedies.filter(remedy => patience.isDue(nameOf(keyId, remedy)));
    if (due.length > 0) await runHealing(due, async effect => carry(owned, effect));
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
