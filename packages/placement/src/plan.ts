import { type Profile, type Risk, riskLevels } from '@skerry/base';
import { levelTable, standbyMax, targetTable, thresholdMin } from '../parameters.ts';
import { type Candidate, checkCandidates, operatorOf } from './candidate.ts';
import { certify, meetsTargets, type PlacementCertificate } from './certificate.ts';
import { dispersionDistance } from './distance.ts';
import { distanceWithin, poolOf } from './pool.ts';
import { refuseCounts, refuseLevel } from './refusal.ts';
import { type Choice, chooseHolders, type Level, type Minima, noMinima, searchCounts } from './search.ts';
import { type Counts, capsOf, checkCounts, exactThresholdMin, primaryCount, targetsOf } from './sizing.ts';

/** What is asked of a placement. */
export type PlacementRequest = {
  /** Nodes that may hold a share; the dealer's own is not among them. */
  readonly candidates: readonly Candidate[];
  readonly risk: Risk;
  readonly profile: Profile;
  /** Whether a placement that misses the level's targets, under its hard caps, is better than none. */
  readonly acceptReduced: boolean;
  /** Explicit t, n, k: skips the targets and the trust floor, never the hard caps. */
  readonly counts?: Counts | undefined;
  /** Whether places and operators are made up; the certificate says so. Default false. */
  readonly simulated?: boolean | undefined;
};

/** Who holds a key's shares, and why. */
export type Placement = Counts & {
  /** R: points that may be moved in an epoch without the owner. */
  readonly repairBudget: number;
  readonly risk: Risk;
  readonly profile: Profile;
  /** Whether a target or the trust floor is missed; the certificate has what was asked and what was reached. */
  readonly reduced: boolean;
  /** Whether the counts were given. */
  readonly manual: boolean;
  /** k of them: n primaries, spread out, then spares. */
  readonly holders: readonly Candidate[];
  /** Replacements under the same caps, the best first, at most `standbyMax`. */
  readonly standby: readonly Candidate[];
  readonly certificate: PlacementCertificate;
};

/** Orders holders so that each prefix is trusted and spread out: the best next to those before it, each time. */
function orderHolders(holders: readonly Candidate[], risk: Risk): Candidate[] {
  const { dispersionWeight } = levelTable[risk];
  const left = [...holders];
  const ordered: Candidate[] = [];
  while (left.length > 0) {
    const others = ordered.length === 0 ? holders : ordered;
    const worths = left.map(candidate => {
      const distances = others.map(other => dispersionDistance(candidate, other));
      const mean = distances.reduce((sum, distance) => sum + distance, 0) / others.length;
      return (1 - dispersionWeight) * candidate.trust + dispersionWeight * mean;
    });
    ordered.push(...left.splice(worths.indexOf(Math.max(...worths)), 1));
  }
  return ordered;
}

/**
 * Nodes that could take over a share: ranked by the objective of the set after the swap, summed over all holders
 * that they may replace under the caps, so that one that fits anywhere comes before one that fits one place.
 */
function chooseStandby(choice: Choice, level: Level): Candidate[] {
  const { pool, members } = choice;
  const caps = capsOf(choice, level.targets, level.risk);
  const { dispersionWeight } = levelTable[level.risk];
  const sharesIn = (groups: Int32Array, candidate: number): number =>
    members.filter(member => groups[member] === groups[candidate]).length;
  const ranked: { candidate: number; worth: number }[] = [];
  for (let candidate = 0; candidate < pool.candidates.length; candidate++) {
    if (members.includes(candidate)) continue;
    const operatorFull = sharesIn(pool.operator, candidate) >= caps.perOperator;
    const regionFull = sharesIn(pool.region, candidate) >= caps.perRegion;
    const distances = members.map(member => distanceWithin(pool, candidate, member));
    const sum = distances.reduce((total, distance) => total + distance, 0);
    let worth = 0;
    for (const [slot, member] of members.entries()) {
      if (operatorFull && pool.operator[member] !== pool.operator[candidate]) continue;
      if (regionFull && pool.region[member] !== pool.region[candidate]) continue;
      const mean = (sum - distances[slot]!) / (members.length - 1);
      worth += (1 - dispersionWeight) * pool.trust[candidate]! + dispersionWeight * mean;
    }
    if (worth > 0) ranked.push({ candidate, worth });
  }
  ranked.sort((a, b) => b.worth - a.worth || a.candidate - b.candidate);
  return ranked.slice(0, standbyMax).map(({ candidate }) => pool.candidates[candidate]!);
}

/** The placement that a choice makes. */
function placementOf(
  request: PlacementRequest,
  level: Level,
  choice: Choice,
  leastPrimaries: number,
): Placement {
  const { counts } = request;
  const { risk, profile } = level;
  const { t, k } = choice;
  const holders = orderHolders(
    choice.members.map(member => choice.pool.candidates[member]!),
    risk,
  );
  const n = counts?.n ?? primaryCount(holders, t, leastPrimaries);
  const manual = counts !== undefined;
  const input = { t, n, k, profile, risk, manual, simulated: request.simulated ?? false, holders };
  const reduced = !manual && !meetsTargets(certify({ ...input, reduced: false }));
  return {
    t,
    n,
    k,
    repairBudget: level.targets.repairBudget,
    risk,
    profile,
    reduced,
    manual,
    holders,
    standby: chooseStandby(choice, level),
    certificate: certify({ ...input, reduced }),
  };
}

function eligible(candidates: readonly Candidate[], trustFloor: number): Candidate[] {
  return candidates.filter(({ trust }) => trust >= trustFloor);
}

/**
 * The least bad choice of a level that cannot be met, under its hard caps: with a threshold for which the operator
 * cap keeps its promise, if there is one; then with the smallest miss; then with the highest of the profile's
 * trust floors, or none.
 */
function chooseReduced(candidates: readonly Candidate[], level: Level, minima: Minima): Choice | undefined {
  const floors = riskLevels.map(risk => targetTable[level.profile][risk].trustFloor);
  const lower = floors.filter(floor => floor <= level.targets.trustFloor).sort((a, b) => b - a);
  for (const threshold of [exactThresholdMin(level.targets, level.risk), thresholdMin]) {
    let best: Choice | undefined;
    let size = 0;
    for (const floor of [...lower, 0]) {
      const t = Math.max(threshold, minima.t);
      const pool = eligible(candidates, floor);
      if (pool.length === size) continue;
      size = pool.length;
      const choice = searchCounts(pool, level, { ...minima, t });
      if (choice !== undefined && choice.miss < (best?.miss ?? Number.POSITIVE_INFINITY)) best = choice;
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

/** One call of `planPlacement`, with the levels placed so far: a level needs those below it. */
type Planning = {
  readonly request: PlacementRequest;
  readonly met: Map<Risk, Placement | undefined>;
  readonly best: Map<Risk, Placement | undefined>;
};

/** What the nearest lower level that has a placement on the same network has. */
function minimaBelow(risk: Risk, placementAt: (lower: Risk) => Placement | undefined): Minima {
  const lower = riskLevels[riskLevels.indexOf(risk) - 1];
  if (lower === undefined) return noMinima;
  const placement = placementAt(lower);
  if (placement === undefined) return minimaBelow(lower, placementAt);
  const { t, n, k, holders } = placement;
  const regions = new Set(holders.map(({ place }) => place.region)).size;
  const operators = new Set(holders.map(operatorOf)).size;
  return { t, n, k, regions, operators };
}

function levelOf({ profile }: PlacementRequest, risk: Risk): Level {
  return { profile, risk, targets: targetsOf(profile, risk) };
}

/** The placement that meets a level, if there is one. */
function placeMet(planning: Planning, risk: Risk): Placement | undefined {
  if (planning.met.has(risk)) return planning.met.get(risk);
  const { request } = planning;
  const level = levelOf(request, risk);
  const minima = minimaBelow(risk, lower => placeMet(planning, lower));
  const t = Math.max(minima.t, exactThresholdMin(level.targets, risk));
  const trusted = eligible(request.candidates, level.targets.trustFloor);
  const choice = searchCounts(trusted, level, { ...minima, t });
  const met = choice?.miss === 0 ? placementOf(request, level, choice, minima.n) : undefined;
  planning.met.set(risk, met);
  return met;
}

/** The placement that meets a level, or else the best reduced one, if there is one. */
function placeBest(planning: Planning, risk: Risk): Placement | undefined {
  if (planning.best.has(risk)) return planning.best.get(risk);
  const { request } = planning;
  let best = placeMet(planning, risk);
  if (best === undefined) {
    const level = levelOf(request, risk);
    const minima = minimaBelow(risk, lower => placeBest(planning, lower));
    const choice = chooseReduced(request.candidates, level, minima);
    if (choice !== undefined) best = placementOf(request, level, choice, minima.n);
  }
  planning.best.set(risk, best);
  return best;
}

/**
 * Chooses who holds a key's shares: the smallest k, then t, with which the best-placed candidates meet the level's
 * targets under its hard caps (PROTOCOL sections 5 and 6; docs/adr/0003-sizing.md). The same candidates, in any
 * order, give the same placement. A level never has fewer holders or a lower threshold than a level below it on the same
 * network, nor, as far as its caps and trust floor allow, fewer regions or operators: a higher risk is never served with
 * less, and refused where its tighter caps fit on less only.
 *
 * @param request what is asked
 * @returns holders, standbys and the certificate; `reduced` where the level is missed and that was accepted
 * @throws PLACEMENT_INFEASIBLE when the network cannot reach the level, or its hard caps, with the figures and what
 *   would help
 * @throws SHARE_COUNTS_INVALID for counts that break 2 <= t <= n < k <= 255
 * @throws SIZING_INVALID, PLACE_INVALID for candidates that are not well formed
 */
export function planPlacement(request: PlacementRequest): Placement {
  const { candidates, risk, counts } = request;
  const level = levelOf(request, risk);
  checkCandidates(candidates);
  if (counts !== undefined) {
    checkCounts(counts);
    const choice = chooseHolders(poolOf(candidates), level, counts, noMinima);
    if (choice === undefined) return refuseCounts(candidates, level, counts);
    return placementOf(request, level, choice, counts.n);
  }
  const planning: Planning = { request, met: new Map(), best: new Map() };
  const met = placeMet(planning, risk);
  if (met !== undefined) return met;
  const best = placeBest(planning, risk);
  if (best !== undefined && request.acceptReduced) return best;
  const below = minimaBelow(risk, lower => placeBest(planning, lower));
  return refuseLevel(candidates, level, best?.certificate, below);
}
