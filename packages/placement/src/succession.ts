import type { Profile, Risk } from '@skerry/base';
import { levelTable } from '../parameters.ts';
import { type Candidate, operatorOf } from './candidate.ts';
import { certify, meetsTargets, type PlacementCertificate } from './certificate.ts';
import { dispersionDistance } from './distance.ts';
import { capsOf, targetsOf, theftProbability } from './sizing.ts';

/** A point of a key: who holds it, and who held it before in this epoch, since they may have copies of its share. */
export type PlacedPoint = {
  readonly x: number;
  /** Null where nothing is known of it. */
  readonly holder: Candidate | null;
  readonly former: readonly Candidate[];
};

/** A key's points as they are placed, and what they are held to. */
export type PlacedKey = {
  readonly points: readonly PlacedPoint[];
  readonly t: number;
  readonly k: number;
  readonly risk: Risk;
  readonly profile: Profile;
};

/** Whether a candidate may take a point beside those that others have, or had. */
function createFit({ points, t, k, risk, profile }: PlacedKey, x: number): (candidate: Candidate) => boolean {
  const caps = capsOf({ t, k }, targetsOf(profile, risk), risk);
  const others = points.filter(point => point.x !== x);
  const everOf = ({ holder, former }: PlacedPoint): Candidate[] => [...(holder ? [holder] : []), ...former];
  const knownTo = others.map(point => new Set(everOf(point).map(operatorOf)));
  const taken = new Set(others.flatMap(point => everOf(point).map(({ nodeId }) => nodeId)));
  const regions = others.flatMap(({ holder }) => (holder ? [holder.place.region] : []));
  return candidate => {
    const operator = operatorOf(candidate);
    return (
      !taken.has(candidate.nodeId) &&
      knownTo.filter(operators => operators.has(operator)).length < caps.perOperator &&
      regions.filter(region => region === candidate.place.region).length < caps.perRegion
    );
  };
}

/**
 * Nodes that may take a point under the hard caps of the key's level, the best first: those over its trust floor, by the
 * placement's own objective with the other holders; then the others. What an operator's nodes held before counts
 * against it as what they hold: they may have kept copies.
 *
 * @param key as it is placed now
 * @param x the point that moves; its holder is none of the result
 * @param candidates nodes as they are known
 * @throws SIZING_INVALID where there is no such level or profile
 */
export function rankSuccessors(key: PlacedKey, x: number, candidates: readonly Candidate[]): Candidate[] {
  const { points, risk, profile } = key;
  const { trustFloor } = targetsOf(profile, risk);
  const { dispersionWeight } = levelTable[risk];
  const leaving = points.find(point => point.x === x)?.holder?.nodeId;
  const staying = points.flatMap(({ x: other, holder }) => (holder && other !== x ? [holder] : []));
  const fits = createFit(key, x);
  const ranked = candidates
    .filter(candidate => candidate.nodeId !== leaving && fits(candidate))
    .map(candidate => {
      const distances = staying.map(holder => dispersionDistance(candidate, holder));
      const mean = distances.reduce((sum, distance) => sum + distance, 0) / Math.max(1, distances.length);
      const worth = (1 - dispersionWeight) * candidate.trust + dispersionWeight * mean;
      return { candidate, isTrusted: candidate.trust >= trustFloor, worth };
    });
  ranked.sort(
    (a, b) =>
      Number(b.isTrusted) - Number(a.isTrusted) ||
      b.worth - a.worth ||
      (a.candidate.nodeId < b.candidate.nodeId ? -1 : 1),
  );
  return ranked.map(({ candidate }) => candidate);
}

/**
 * The certificate of a placement in which one holder takes another's place, by what is known of all of them now. It says
 * `reduced` where the level's targets are missed so.
 *
 * @param certificate as it was
 * @param leaving node id of the holder that goes
 * @param successor who comes
 * @param candidates nodes as they are known now; holders of which nothing is known stay as they were
 */
export function certifySuccession(
  certificate: PlacementCertificate,
  leaving: string,
  successor: Candidate,
  candidates: readonly Candidate[],
): PlacementCertificate {
  const now = new Map(candidates.map(candidate => [candidate.nodeId, candidate]));
  const holders = certificate.holders.map(holder => {
    return holder.nodeId === leaving ? successor : (now.get(holder.nodeId) ?? holder);
  });
  const { profile, risk, manual, simulated, t, n, k } = certificate;
  const input = { profile, risk, manual, simulated, t, n, k, holders };
  const met = certify({ ...input, reduced: false });
  return manual || meetsTargets(met) ? met : certify({ ...input, reduced: true });
}

/**
 * P(theft) of a placement where former holders may still have copies of shares, each of which is stolen as a stranger's
 * would be.
 *
 * @param certificate of the holders now
 * @param strays copies by the node id of who holds the point now
 * @returns probability 0..1
 */
export function theftWithStrays(
  certificate: PlacementCertificate,
  strays: ReadonlyMap<string, number>,
): number {
  const holders = certificate.holders.map(holder => {
    return { ...holder, strays: strays.get(holder.nodeId) ?? 0 };
  });
  return theftProbability(holders, certificate.t, certificate.repairBudget);
}
