/** Checkers that hold what is so in a world against what was promised. */
import { at, toHex } from '@skerry/base';
import { type HeldEpoch, openHeldShare } from '@skerry/custody';
import { capsOf, targetsOf } from '@skerry/placement';
import { type Manifest, proposalHashOf, seatsOf } from '@skerry/wire';
import { healingPromises } from '../parameters.ts';
import type { Book, Sharing, TrueKey } from './truth-book.ts';
import { type Citizen, idOf } from './world.ts';

/** Holds that no operator has ever had as many shares of a sharing as open it. */
export function checkTheft(
  { findings }: Book,
  keyId: string,
  { core }: Sharing,
  operator: string,
  known: ReadonlySet<number>,
): void {
  findings.check(
    'theft',
    known.size < core.t,
    () => `${operator} has had ${known.size} shares of ${keyId}, epoch ${core.epoch}`,
  );
}

/** Holds that a node's share can be read, and is the one that was dealt. */
export function checkShare(
  { findings, worldOf }: Book,
  node: Citizen,
  keyId: string,
  { shares }: Sharing,
  epoch: HeldEpoch,
): void {
  let text = 'none';
  try {
    const { share, close } = openHeldShare(worldOf().crypto, epoch, 'SHARE_CORRUPT');
    text = toHex(share.y);
    close();
  } catch {
    // it is none: said below
  }
  const dealt = shares.get(epoch.x) ?? text;
  shares.set(epoch.x, dealt);
  const isSame = text === dealt && text !== 'none';
  findings.check(
    'share-altered',
    isSame,
    () => `${node.nodeId} has another share ${epoch.x} of ${keyId} than was dealt`,
  );
}

/** Holds that a key was not without a point for longer than healing takes, its owner's absence not counted. */
export function checkDeficit(
  { findings, nowMs }: Book,
  keyId: string,
  { deficit, ownerDownSinceMs }: TrueKey,
): void {
  if (!deficit) return;
  const downMs = ownerDownSinceMs === null ? 0 : nowMs() - Math.max(ownerDownSinceMs, deficit.sinceMs);
  const tookMs = nowMs() - deficit.sinceMs - deficit.excusedMs - downMs;
  const isInTime = tookMs <= healingPromises.recoverMs;
  findings.check(
    'margin-not-recovered',
    isInTime,
    () => `${keyId}: not full for ${Math.round(tookMs / 3_600_000)} hours`,
  );
  if (!isInTime) deficit.excusedMs += tookMs; // told once
}

/** Holds that a manifest's last amendment, which holders voted for, is the only one of its place. */
export function checkQuorum({ findings, quorums, worldOf }: Book, keyId: string, manifest: Manifest): void {
  const { amendments, activation } = manifest;
  const { proposal } = at(amendments, amendments.length - 1);
  const hash = toHex(proposalHashOf(worldOf().crypto, activation.coreHash, proposal));
  const name = toHex(proposal.previous);
  const other = quorums.get(name) ?? hash;
  quorums.set(name, hash);
  findings.check('two-quorums', other === hash, () => `${keyId}: two quorums at place ${proposal.sequence}`);
}

/** The most that have one name. */
function mostAlike(names: readonly string[]): number {
  return Math.max(0, ...[...Map.groupBy(names, name => name).values()].map(({ length }) => length));
}

/**
 * Holds that the seats of a manifest are within the caps, each of another node. Who has left for good is not counted:
 * voters that know it no more cannot count it either, and what it had is gone.
 */
export function checkPlacement({ findings, worldOf }: Book, keyId: string, manifest: Manifest): void {
  const { t, k, policy, profile } = manifest.core;
  const world = worldOf();
  const caps = capsOf({ t, k }, targetsOf(profile, policy.risk), policy.risk);
  const ids = seatsOf(manifest).map(({ nodeKey }) => idOf(nodeKey));
  findings.check('two-shares-on-one-node', new Set(ids).size === ids.length, () => keyId);
  const seats = ids.flatMap(nodeId => world.nodeById(nodeId)?.candidate ?? []);
  const operators = mostAlike(seats.map(({ operator, nodeId }) => operator ?? nodeId));
  const regions = mostAlike(seats.map(({ place }) => place.region));
  const holds = operators <= caps.perOperator && regions <= caps.perRegion;
  findings.check('caps-broken', holds, () => `${keyId}: ${operators} of an operator, ${regions} in a region`);
}

/** Holds that operations end in time. What a node did is forgotten where it went down amid it. */
export function checkOperations({ findings, operations, nowMs }: Book): void {
  for (const operation of operations) {
    const { what, keyId, by, life, sinceMs } = operation;
    if (by.life !== life || by.isDeparted) operations.delete(operation);
    else if (nowMs() - sinceMs > healingPromises.operationMs) {
      findings.check('operation-not-ended', false, () => `${what} of ${keyId} began long ago`);
      operations.delete(operation);
    }
  }
}
