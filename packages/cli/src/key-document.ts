import { toHex } from '@skerry/base';
import { marginOf } from '@skerry/custody';
import type { OwnedKey, Peer } from '@skerry/node';
import { nodeIdOf, seatsOf } from '@skerry/wire';

/**
 * A key as `key ls --json` and `key show --json` give it.
 *
 * @param key of the owner's keyring
 * @param peer its owner's node
 */
export function keyDocument(owned: OwnedKey, peer: Pick<Peer, 'isAlive' | 'standingOf'>) {
  const { manifest, notes, tombstone, previous } = owned;
  const { core, amendments, successor } = manifest;
  const known = new Map(notes.certificate.holders.map(holder => [holder.nodeId, holder]));
  const holders = seatsOf(manifest).map(({ nodeKey }, i) => {
    const nodeId = nodeIdOf(nodeKey);
    const { place: location = null, operator = null } = known.get(nodeId) ?? {};
    return { nodeId, location, operator, role: i < core.n ? 'primary' : 'spare', live: peer.isAlive(nodeId) };
  });
  const { live, margin, level } = marginOf(core, holders.filter(holder => holder.live).length);
  const { isExposed, remedies } = peer.standingOf(owned);
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
    margin,
    /** full: all holders live; thin; critical: one more loss leaves too few; lost: too few now */
    level,
    /** t shares may have leaked: what is under the key has to be sealed again under another */
    exposed: isExposed,
    /** points that were moved in this epoch */
    moved: amendments.length,
    /** those of them that holders voted for while the owner was away */
    movedByVotes: amendments.filter(({ votes }) => votes.length > 0).length,
    /** whether enough holders serve the epoch, so that the one before is over */
    settled: previous === null,
    /** the highest level that anything under the key asked for */
    wanted: notes.raisedTo,
    /** what its node is about to do for it, most first */
    remedies: tombstone
      ? []
      : remedies.map(remedy =>
          remedy.type === 'move' ? `move: ${remedy.reason}` : `refresh: ${remedy.why}`,
        ),
    /** the key that took its place */
    successor: successor && toHex(successor.keyId),
  };
}

/** See `keyDocument`. */
export type KeyDocument = ReturnType<typeof keyDocument>;
