import { assert, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { type HealerEffect, type HealerEvent, proposalOf, type Remedy } from '@skerry/custody';
import { rankSuccessors } from '@skerry/placement';
import { compareManifests, type Manifest, nodeIdOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { codeOf } from './asking.ts';
import type { HealingOptions } from './healing.ts';
import { runHealing } from './healing-run.ts';
import { movePoint } from './moving.ts';
import type { Notice } from './notices.ts';
import { holdersOf } from './owner-keys.ts';
import { createPatience } from './patience.ts';
import { byNodeId, placedKey } from './placed-points.ts';
import { holderAt, isBack } from './possession.ts';
import { failuresOf } from './standing.ts';

/** Standbys of the core that answer and fit, the best first; and the same node once more. */
function nomineesFor(
  { assessor, streams }: HealingOptions['network'],
  manifest: Manifest,
  x: number,
): string[] {
  const candidates = assessor.candidates();
  const waiting = new Set(manifest.core.standby.map(nodeIdOf));
  const fitting = candidates.filter(({ nodeId }) => waiting.has(nodeId));
  const ranked = rankSuccessors(placedKey(manifest, byNodeId(candidates)), x, fitting);
  return [...ranked.map(({ nodeId }) => nodeId), holderAt(manifest, x)].filter(streams.isAlive);
}

/**
 * Heals keys that are held here, where their owners do nothing: has their holders vote for moving a failed point.
 *
 * @returns heals one, by its id in hexadecimal
 */
export function createHolderHealer(options: HealingOptions): (keyId: string) => Promise<void> {
  const { network, store, health, nodeKey, clock, log } = options;
  const { custody, streams, notices } = network;
  const patience = createPatience(health.graceMs / 4);

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
    const order = { manifest, x, reason, nominees: nomineesFor(network, manifest, x), signer: null };
    const moved = await movePoint({ streams, clock, adopt }, order);
    if (notice) await notices.tell(notice);
    const keyId = toHex(manifest.core.keyId);
    const to = nodeIdOf(moved.proposal.nodeKey);
    health.note({ keyId, x: moved.proposal.x, nodeId: to, kind: 'moved' });
    log.info('holders moved a point of a key', { keyId, x: moved.proposal.x, reason, to });
  }

  const proposalFor = (manifest: Manifest) =>
    proposalOf({ manifest, nodeKey, failures: failuresOf(health, manifest) }, clock.nowMs(), health.graceMs);

  async function carry(
    keyId: string,
    known: Manifest,
    effect: Exclude<HealerEffect, { type: 'end' }>,
  ): Promise<HealerEvent> {
    if (effect.type === 'look') {
      await custody.catchUp(keyId);
      const now = custody.manifestOf(keyId);
      return { type: 'looked', isNewer: !now || compareManifests(nodeCrypto, now, known) !== 0 };
    }
    if (effect.type === 'probe') {
      return { type: 'probed', isProved: await isBack({ ...options, ...network }, known, effect.x) };
    }
    assert(effect.remedy.type === 'move', 'holders move points and deal nothing');
    patience.wait(keyId);
    try {
      await propose(known, effect.remedy);
      patience.forget(keyId);
      return { type: 'acted' };
    } catch (error) {
      const code = codeOf(error);
      log.info('holders did not move a point yet', { keyId, x: effect.remedy.x, code });
      return { type: 'failed', code };
    }
  }

  return async keyId => {
    const known = custody.manifestOf(keyId);
    const proposal = known && proposalFor(known);
    if (!proposal || !patience.isDue(keyId)) return;
    await runHealing([proposal], async effect => carry(keyId, known, effect));
  };
}
