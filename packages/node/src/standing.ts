import { type Risk, toHex } from '@skerry/base';
import {
  type Failure,
  isExposed,
  isTheftOver,
  type Margin,
  marginOf,
  type Remedy,
  remediesFor,
} from '@skerry/custody';
import type { Counts } from '@skerry/placement';
import type { TrustStatement } from '@skerry/trust';
import { type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { codeOf } from './asking.ts';
import type { HealingOptions } from './healing.ts';
import type { HealthStore } from './health-store.ts';
import type { OwnedKey } from './keyring.ts';

/** How a key of this node's owner stands, as this node sees it. */
export type Standing = {
  readonly margin: Margin;
  /** Why holders have failed, by their points. */
  readonly failures: ReadonlyMap<number, Failure>;
  /** Whether t shares may have leaked: what is under the key has to be sealed again under another. */
  readonly isExposed: boolean;
  /** What is to be done for it, most first. */
  readonly remedies: readonly Remedy[];
};

/** Why holders of a key have failed, by what this node's audits saw: by their points. */
export function failuresOf(health: HealthStore, manifest: Manifest): Map<number, Failure> {
  const keyId = toHex(manifest.core.keyId);
  const failures = new Map<number, Failure>();
  if (health.isAllWell()) return failures;
  for (const { x, nodeKey } of seatsOf(manifest)) {
    const failure = health.failureOf({ keyId, x, nodeId: nodeIdOf(nodeKey) });
    if (failure) failures.set(x, failure);
  }
  return failures;
}

function isDenied(statement: TrustStatement | null): boolean {
  return statement === 'deny' || statement === 0;
}

/** How owned keys stand. */
export function createStandings({
  network,
  ownership,
  health,
  refreshMs,
  clock,
}: HealingOptions): (owned: OwnedKey) => Standing {
  const { evidence, assessor } = network;
  const plans = new Map<string, { readonly isFeasible: boolean; readonly untilMs: number }>();

  /** Holders that may have given their share away. */
  function suspectsOf(manifest: Manifest): Map<number, 'cheated' | 'denied'> {
    const suspects = new Map<number, 'cheated' | 'denied'>();
    for (const { x, nodeKey } of seatsOf(manifest)) {
      const nodeId = nodeIdOf(nodeKey);
      const cheatedAtMs = evidence.of(nodeId)?.cheatedAtMs ?? null;
      if (cheatedAtMs !== null) suspects.set(x, 'cheated');
      else if (isDenied(assessor.statementOn(nodeId))) suspects.set(x, 'denied');
    }
    return suspects;
  }

  /** Whether a reduced key could have its level's targets now. Planning takes long where there are many nodes. */
  function canLift({ manifest }: OwnedKey): boolean {
    const { keyId, t, n, k, policy } = manifest.core;
    if (!policy.reduced) return false;
    const name = `${policy.risk}${policy.manual ? `/${toHex(keyId)}` : ''}`;
    const known = plans.get(name);
    if (known && known.untilMs > performance.now()) return known.isFeasible;
    const isFeasible = isFeasibleNow(policy.risk, policy.manual ? { t, n, k } : undefined);
    plans.set(name, { isFeasible, untilMs: performance.now() + health.graceMs / 4 });
    return isFeasible;
  }

  function isFeasibleNow(risk: Risk, counts: Counts | undefined): boolean {
    try {
      return !ownership.plan({ risk, acceptReduced: false, ...(counts && { counts }) }).reduced;
    } catch (error) {
      codeOf(error); // a bug is thrown on
      return false;
    }
  }

  return (owned: OwnedKey): Standing => {
    const { manifest, notes } = owned;
    const failures = failuresOf(health, manifest);
    const suspects = suspectsOf(manifest);
    const { raisedTo } = notes;
    const over = { isTheftOver: isTheftOver(manifest, notes.certificate), canLift: canLift(owned) };
    const remedies = remediesFor(
      { manifest, failures, suspects, raisedTo, ...over },
      clock.nowMs(),
      refreshMs,
    );
    const margin = marginOf(manifest.core, manifest.core.k - failures.size);
    const wasExposed = notes.exposed === true;
    return { margin, failures, isExposed: wasExposed || isExposed({ manifest, suspects }), remedies };
  };
}
