import { SkerryError } from '@skerry/base';
import { type HeldKey, manifestOf, wipeHeldKey } from '@skerry/custody';
import { type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { ask, codeOf } from './asking.ts';
import type { CustodyOptions } from './custody-service.ts';
import type { Hands } from './custody-upkeep.ts';
import type { HeldKeys } from './held-keys.ts';
import { repairShare } from './opening.ts';
import { probeHolder } from './possession.ts';

/** Has shares made again whose points were moved here, and lets go of those whose points have moved on. */
type Succession = {
  /** Goes on with what is due, a few at once. */
  readonly look: (signal: AbortSignal) => Promise<void>;
  /** A key's share is to be made again now. */
  readonly hurry: (keyId: string) => void;
};

/** When a key's turn comes again, ms on the monotonic clock, and how much longer it waits after that. */
type Turn = { readonly dueMs: number; readonly waitMs: number };

/** Tells the other holders of the amendment that gives a point to this node: they answer no repair before. */
async function tellOthers(options: CustodyOptions, manifest: Manifest): Promise<void> {
  const { streams, nodeKey } = options;
  const own = nodeIdOf(nodeKey);
  const others = seatsOf(manifest).map(seat => nodeIdOf(seat.nodeKey));
  const deadline = { deadlineMs: parameters.noticeDeadlineMs };
  await Promise.all(
    others
      .filter(nodeId => nodeId !== own)
      .map(async nodeId => ask(streams, nodeId, 'update', manifest, deadline).catch(codeOf)),
  );
}

/** Whether the node to which a point has moved proves that it has the share. */
async function hasArrived(options: CustodyOptions, { active }: HeldKey): Promise<boolean> {
  const manifest = active && manifestOf(active);
  return manifest ? (await probeHolder(options, manifest, active.x)) === 'proof' : false;
}

/** Succession among the keys in a store. */
export function createSuccession(
  options: CustodyOptions,
  keys: HeldKeys,
  { run, inTurn, noteFailure }: Hands,
): Succession {
  const { nodeSeed, log } = options;
  const turns = new Map<string, Turn>();

  /** Works on a key's state as it is, and wipes it. */
  async function withHeld<T>(keyId: string, work: (held: HeldKey) => Promise<T>): Promise<T | undefined> {
    const held = await inTurn(keyId, async () => keys.read(keyId));
    if (held === null) return undefined;
    try {
      return await work(held);
    } finally {
      wipeHeldKey(held);
    }
  }

  async function repair(keyId: string): Promise<void> {
    const share = await withHeld(keyId, async ({ incoming }) => {
      if (!incoming) return undefined;
      await tellOthers(options, incoming.manifest);
      return repairShare(options, { ...incoming, nodeSeed });
    });
    if (share) await run(keyId, { type: 'repaired', share });
  }

  async function release(keyId: string): Promise<void> {
    const isThere = await withHeld(keyId, async held => hasArrived(options, held));
    if (isThere) await run(keyId, { type: 'release' });
  }

  async function workOn(keyId: string, work: (keyId: string) => Promise<void>): Promise<void> {
    const { waitMs } = turns.get(keyId) ?? { waitMs: parameters.successionWaitMsMin };
    const nextMs = Math.min(2 * waitMs, parameters.successionWaitMsMax);
    turns.set(keyId, { dueMs: performance.now() + waitMs * (0.75 + Math.random() / 2), waitMs: nextMs });
    try {
      await work(keyId);
    } catch (error) {
      noteFailure(error);
      if (error instanceof SkerryError) log.info('a share is still on its way', { keyId, code: error.code });
    }
  }

  return {
    hurry: keyId => void turns.delete(keyId),
    look: async signal => {
      const jobs = [
        ...keys.incomingKeyIds().map(keyId => ({ keyId, work: repair })),
        ...keys.leavingKeyIds().map(keyId => ({ keyId, work: release })),
      ];
      const wanted = new Set(jobs.map(({ keyId }) => keyId));
      for (const keyId of turns.keys()) if (!wanted.has(keyId)) turns.delete(keyId);
      const due = jobs.filter(({ keyId }) => (turns.get(keyId)?.dueMs ?? 0) <= performance.now());
      const waiting = due.slice(0, parameters.successionsPerLook);
      const go = async (): Promise<void> => {
        for (let job = waiting.shift(); job && !signal.aborted; job = waiting.shift()) {
          await workOn(job.keyId, job.work);
        }
      };
      await Promise.all(Array.from({ length: parameters.successionsAtOnce }, go));
    },
  };
}
