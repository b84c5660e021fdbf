/** Claims of place held against physics: nothing in a fibre is faster than light in glass. */
import {
  consistentKmMax,
  fibreIndex,
  lightKmPerSecond,
  placeToleranceKm,
  sphereErrorMax,
  witnessingOperatorsMin,
  witnessWeightMin,
} from '../parameters.ts';

/** What one observer measured of a node, and what the node's claim would mean for that observer. */
export type PlaceBound = {
  /** Node id of who measured. */
  readonly observer: string;
  /** Who runs it, by its claim; null when unknown: then it counts as its own. */
  readonly operator: string | null;
  /** Whether it is the judging node itself. */
  readonly isSelf: boolean;
  /** Weight 0..1 of its word (`reporterWeight`); not read where it is the judging node itself. */
  readonly weight: number;
  /** Least round trip ever measured, ms. */
  readonly roundTripMs: number;
  /** Great circle between the observer's place and the claimed one, km. */
  readonly claimedKm: number;
};

/** A bound that a claim breaks. */
export type Contradiction = {
  readonly observer: string;
  readonly roundTripMs: number;
  /** How far the node can be from the observer, by the round trip. */
  readonly atMostKm: number;
  /** How far it would be by its claim. */
  readonly claimedKm: number;
};

/**
 * What measurements say of a claim. `consistent`: the node is shown to be within `consistentKmMax` of it.
 * `refuted`: the claim is impossible. `unverifiable`: nothing was measured that shows either. `unchecked`: this network
 * does not verify places.
 */
export type PlaceVerdict = {
  readonly verdict: 'consistent' | 'refuted' | 'unverifiable' | 'unchecked';
  /** Bounds that the claim breaks, the widest gap first; of others, too few of these refute nothing. */
  readonly by: readonly Contradiction[];
  /** How far at most the truth is from the claim by this node's own measurement, km; null without one. */
  readonly withinKm: number | null;
};

/**
 * How far a node can be at most: half the round trip at the speed of light in fibre. Radio links can be faster than
 * fibre by up to a half; docs/TRUST.md says what follows.
 *
 * @param roundTripMs 0 or more
 * @returns km
 */
export function boundKm(roundTripMs: number): number {
  return ((roundTripMs / 1000 / 2) * lightKmPerSecond) / fibreIndex;
}

/**
 * Judges a claim of place. This node's own measurement refutes it, or shows it consistent, alone. Others' do so when
 * nodes of `witnessingOperatorsMin` operators agree, each of a weight of `witnessWeightMin` or more: an observer may lie
 * about its own place or about the round trip. A measurement of others that contradicts this node's own counts nothing,
 * and neither does one by the node itself; those of its operator can refute it and not speak for it.
 *
 * The bound: fewer lying operators of that weight than `witnessingOperatorsMin` neither refute a true claim nor make a
 * false one consistent. A claim that is nearer to an observer than the truth breaks no bound of that observer; one that
 * is far from the claim and near to the truth refutes it. Nobody refutes a node that delays its answers: it looks
 * farther than it is to everybody, and so nobody shows it consistent either.
 *
 * @param claim whose it is, what was measured in any order (malformed bounds are left out), and whether this network
 *   verifies places
 */
export function judgePlace(claim: {
  readonly nodeId: string;
  readonly operator: string | null;
  readonly bounds: readonly PlaceBound[];
  readonly isVerified: boolean;
}): PlaceVerdict {
  if (!claim.isVerified) return { verdict: 'unchecked', by: [], withinKm: null };
  const bounds = claim.bounds.filter(
    bound => isSound(bound) && (bound.isSelf || isWitness(bound, claim.nodeId)),
  );
  const ownKm = bounds.filter(({ isSelf }) => isSelf).map(reachKm);
  const withinKm = ownKm.length === 0 ? null : Math.min(...ownKm);
  const broken = bounds.filter(
    bound => gapKm(bound) > 0 && (bound.isSelf || withinKm === null || gapKm(bound) <= withinKm),
  );
  const isRefuted = isShown(broken);
  const isConsistent = isShown(
    bounds.filter(
      bound =>
        reachKm(bound) <= consistentKmMax &&
        gapKm(bound) <= 0 &&
        (bound.isSelf || bound.operator === null || bound.operator !== claim.operator),
    ),
  );
  return {
    verdict: isRefuted ? 'refuted' : isConsistent ? 'consistent' : 'unverifiable',
    by: broken
      .toSorted((a, b) => gapKm(b) - gapKm(a))
      .map(({ observer, roundTripMs, claimedKm }) => ({
        observer,
        roundTripMs,
        atMostKm: boundKm(roundTripMs),
        claimedKm,
      })),
    withinKm,
  };
}

/** Whether this node itself, or nodes of enough operators, stand behind something. */
function isShown(bounds: readonly PlaceBound[]): boolean {
  const operators = new Set(bounds.map(operatorKey));
  return bounds.some(({ isSelf }) => isSelf) || operators.size >= witnessingOperatorsMin;
}

/** How far at most the truth is from the claim by one bound, km. */
function reachKm({ roundTripMs, claimedKm }: PlaceBound): number {
  return boundKm(roundTripMs) + claimedKm;
}

/** By how many km a claim is out of a bound's reach, tolerances taken off; 0 or less where it isn't. */
function gapKm({ roundTripMs, claimedKm }: PlaceBound): number {
  return claimedKm * (1 - sphereErrorMax) - placeToleranceKm - boundKm(roundTripMs);
}

function isWitness({ observer, weight }: PlaceBound, nodeId: string): boolean {
  return weight >= witnessWeightMin && observer !== nodeId;
}

function isSound({ roundTripMs, claimedKm }: PlaceBound): boolean {
  return Number.isFinite(roundTripMs) && roundTripMs >= 0 && Number.isFinite(claimedKm) && claimedKm >= 0;
}

function operatorKey({ observer, operator }: PlaceBound): string {
  return operator === null ? `node/${observer}` : `operator/${operator}`;
}
