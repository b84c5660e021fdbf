import { toHex } from '@skerry/base';
import { proposalOf, type Remedy } from '@skerry/custody';
import { rankSuccessors } from '@skerry/placement';
import { type Manifest, nodeIdOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { codeOf } from './asking.ts';
import type { HealingOptions } from './healing.ts';
import { movePoint } from './moving.ts';
import type { Notice } from './notices.ts';
import { holdersOf } from './owner-keys.ts';
import { createPatience } from './patience.ts';
import { holderAt, isBack } from './possession.ts';
import { failuresOf } from './standing.ts';

/**
 * Heals keys that are held here, where their owners do nothing: has their holders vote for moving a failed point.
 *
 * @returns heals one, by its id in hexadecimal; true where something changed
 */
export function createHolderHealer(options: HealingOptions): (keyId: string) => Promise<boolean> {
  const { network, store, health, nodeKey, clock, log } = options;
  const { custody, streams, notices, assessor } = network;
  const patience = createPatience(health.graceMs / 4);

  /** Standbys of the core that answer and fit, the best first; and the same node once more. */
  function nomineesFor(manifest: Manifest, leaving: string): string[] {
    const { standby, t, k, policy, profile } = manifest.core;
    const candidates = assessor.candidates();
    const [holding, waiting] = [new Set(holdersOf(manifest)), new Set(standby.map(nodeIdOf))];
    const holders = candidates.filter(({ nodeId }) => holding.has(nodeId));
    const key = { holders, t, k, risk: policy.risk, profile };
    const fitting = candidates.filter(({ nodeId }) => waiting.has(nodeId));
    const ranked = rankSuccessors(key, leaving, fitting).map(({ nodeId }) => nodeId);
    return [...ranked, leaving].filter(streams.isAlive);
  }

  async function propose(manifest: Manifest, { x, reason }: Extract<Remedy, { type: 'move' }>) {
    const leaving = holderAt(manifest, x);
    let notice: Notice | undefined;
    const adopt = async (next: Manifest): Promise<void> => {
      await custody.update(next);
      const told = [...holdersOf(next), leaving];
      const others = [...new Set(told)].filter(nodeId => nodeId !== nodeIdOf(nodeKey));
      notice = { name: 'update', body: next };
      await store.batch([notices.note(notice, others, clock.nowMs() + parameters.formerHoldersToldMs)]);
    };
    const order = { manifest, x, reason, nominees: nomineesFor(manifest, leaving), signer: null };
    const moved = await movePoint({ streams, clock, adopt }, order);
    if (notice) await notices.tell(notice);
    const { keyId } = manifest.core;
    const to = nodeIdOf(moved.proposal.nodeKey);
    log.info('holders moved a point of a key', { keyId: toHex(keyId), x: moved.proposal.x, reason, to });
  }

  return async keyId => {
    const proposalFor = (manifest: Manifest) =>
      proposalOf(
        { manifest, nodeKey, failures: failuresOf(health, manifest) },
        clock.nowMs(),
        health.graceMs,
      );
    const known = custody.manifestOf(keyId);
    if (!known || proposalFor(known) === null || !patience.isDue(keyId)) return false;
    patience.wait(keyId);
    await custody.catchUp(keyId);
    const manifest = custody.manifestOf(keyId);
    const proposal = manifest && proposalFor(manifest);
    if (!manifest || !proposal || (await isBack({ ...options, ...options.network }, manifest, proposal.x)))
      return false;
    try {
      await propose(manifest, proposal);
      patience.forget(keyId);
      return true;
    } catch (error) {
      log.info('holders did not move a point yet', { keyId, x: proposal.x, code: codeOf(error) });
      return false;
    }
  };
}
