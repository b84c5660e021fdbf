import { toHex } from '@skerry/base';
import type { OwnedKey } from '@skerry/node';
import { nodeIdOf } from '@skerry/wire';

/**
 * A key as `key ls --json` and `key show --json` give it.
 *
 * @param key of the owner's keyring
 * @param isAlive whether a node answers
 */
export function keyDocument({ manifest, notes, tombstone }: OwnedKey, isAlive: (nodeId: string) => boolean) {
  const { core } = manifest;
  const known = new Map(notes.certificate.holders.map(holder => [holder.nodeId, holder]));
  const holders = core.holders.map(({ nodeKey }, i) => {
    const nodeId = nodeIdOf(nodeKey);
    const { place: location = null, operator = null } = known.get(nodeId) ?? {};
    return { nodeId, location, operator, role: i < core.n ? 'primary' : 'spare', live: isAlive(nodeId) };
  });
  const live = holders.filter(holder => holder.live).length;
  return {
    keyId: toHex(core.keyId),
    kind: 'extractable',
    purpose: notes.kind === 'sealed' ? 'file' : 'bytes',
    destroyed: tombstone !== null,
    alias: notes.alias,
    epoch: core.epoch,
    risk: core.policy.risk,
    measuredRisk: notes.measuredRisk,
    profile: core.profile,
    reduced: core.policy.reduced,
    manual: core.policy.manual,
    simulated: core.policy.simulated,
    t: core.t,
    n: core.n,
    k: core.k,
    createdAt: new Date(core.createdAtMs).toISOString(),
    holders,
    live,
    margin: live - core.t,
  };
}

/** See `keyDocument`. */
export type KeyDocument = ReturnType<typeof keyDocument>;
