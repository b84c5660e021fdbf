import type { Profile, Risk } from '@skerry/base';
import { levelTable } from '../parameters.ts';
import { type Candidate, operatorOf } from './candidate.ts';
import { certify, meetsTargets, type PlacementCertificate } from './certificate.ts';
import { dispersionDistance } from './distance.ts';
import { capsOf, targetsOf, theftProbability } from './sizing.ts';

/** A key's holders as they are, and what they are held to. */
export type PlacedKey = {
  /** In the placement's order; those of which nothing is known are left out. */
  readonly holders: readonly Candidate[];
  readonly t: number;
  readonly k: number;
  readonly risk: Risk;
  readonly profile: Profile;
};

function countIn(holders: readonly Candidate[], nameOf: (holder: Candidate) => string, name: string): number {
  return holders.filter(holder => nameOf(holder) === name).length;
}

const regionOf = ({ place }: Candidate): string => place.region;

/**
 * Nodes that may take a holder's place under the hard caps of the key's level, the best first: those over its trust floor,
 * by the placement's own objective with the other holders; then the others.
 *
 * @param key as it is placed now
 * @param leaving node id of the holder that goes; it is none of the result
 * @param candidates nodes as they are known; holders among them are passed over
 * @throws SIZING_INVALID where there is no such level or profile
 */
export function rankSuccessors(
  key: PlacedKey,
  leaving: string,
  candidates: readonly Candidate[],
): Candidate[] {
  const { risk, profile } = key;
  const targets = targetsOf(profile, risk);
  const caps = capsOf(key, targets, risk);
  const { dispersionWeight } = levelTable[risk];
  const staying = key.holders.filter(({ nodeId }) => nodeId !== leaving);
  const taken = new Set([leaving, ...staying.map(({ nodeId }) => nodeId)]);
  const fits = (candidate: Candidate): boolean =>
    countIn(staying, operatorOf, operatorOf(candidate)) < caps.perOperator &&
    countIn(staying, regionOf, regionOf(candidate)) < caps.perRegion;
  const ranked = candidates
    .filter(candidate => !taken.has(candidate.nodeId) && fits(candidate))
    .map(candidate => {
      const distances = staying.map(holder => dispersionDistance(candidate, holder));
      const mean = distances.reduce((sum, distance) => sum + distance, 0) / Math.max(1, distances.length);
      const worth = (1 - dispersionWeight) * candidate.trust + dispersionWeight * mean;
      return { candidate, isTrusted: candidate.trust >= targets.trustFloor, worth };
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
