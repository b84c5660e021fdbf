import { type Profile, profiles, type Risk, riskLevels, SkerryError } from '@skerry/base';
import {
  compromiseExponents,
  dispersionWeights,
  distanceSaturationKm,
  firstWaveMin,
  levelTable,
  regionOutage,
  regionsMin,
} from '../parameters.ts';
import { type Candidate, checkCandidates, operatorOf } from './candidate.ts';
import { meanDispersion } from './distance.ts';
import {
  type Counts,
  capsOf,
  checkCounts,
  compromiseOf,
  lossProbability,
  targetsOf,
  theftProbability,
} from './sizing.ts';

/** A limit, what was reached, and how far that is from the limit: negative where it is missed. */
export type Constraint = {
  readonly name:
    | 'trust of each holder'
    | 'shares of one operator'
    | 'shares of one region'
    | 'regions'
    | 'shares of the colluding operators'
    | 'shares lost with one region';
  readonly limit: number;
  readonly value: number;
  readonly slack: number;
};

/** The fewest parties whose holders reach the threshold together, the largest first. */
export type Coalition = {
  readonly count: number;
  readonly names: readonly string[];
  readonly shares: number;
};

/**
 * What a placement promises and all that it follows from: plain JSON, the same for the same input, so that anybody
 * can re-check it with `verifyCertificate` (PROTOCOL section 6).
 */
export type PlacementCertificate = {
  readonly version: 1;
  readonly profile: Profile;
  readonly risk: Risk;
  /** A target or the trust floor is missed and that was accepted. */
  readonly reduced: boolean;
  /** Explicit counts: the targets were not asked for. */
  readonly manual: boolean;
  /** Places and operators are made up, on one machine. */
  readonly simulated: boolean;
  readonly t: number;
  readonly n: number;
  readonly k: number;
  readonly repairBudget: number;
  /** The numbers of docs/PROTOCOL.md, sizing and placement, that version 1 means. */
  readonly parameters: {
    readonly regionOutage: number;
    readonly nodeExponent: number;
    readonly operatorExponent: number;
    readonly exponentPerTrust: number;
    readonly distanceSaturationKm: number;
    readonly distanceWeight: number;
    readonly regionWeight: number;
    readonly operatorWeight: number;
    readonly dispersionWeight: number;
    readonly colludingOperators: number;
  };
  readonly targets: {
    readonly pLoss: number;
    readonly pTheft: number;
    readonly trustFloor: number;
    readonly firstWave: number;
  };
  readonly reached: {
    readonly pLoss: number;
    readonly pTheft: number;
    readonly trustFloor: number;
    /** P(at least t of the n primaries answer). */
    readonly firstWave: number;
  };
  /** In the order of the placement: n primaries, then spares. `compromise` is q. */
  readonly holders: readonly (Candidate & { readonly compromise: number })[];
  readonly constraints: readonly Constraint[];
  readonly score: {
    readonly meanTrust: number;
    readonly meanDispersion: number;
    readonly objective: number;
  };
  /** Who would have to collude, at the least, to reach t. */
  readonly cheapestCoalition: { readonly operators: Coalition; readonly regions: Coalition };
  /** How many may be lost, whichever they are, with t shares left. */
  readonly survives: {
    readonly nodes: number;
    readonly operators: number;
    readonly regions: number;
    readonly anyRegion: boolean;
  };
};

/** What a certificate is made from. */
type CertificateInput = Counts &
  Pick<PlacementCertificate, 'profile' | 'risk' | 'reduced' | 'manual' | 'simulated'> & {
    /** k of them: n primaries, then spares. */
    readonly holders: readonly Candidate[];
  };

type Party = { readonly name: string; readonly shares: number };

/** Parties with their shares, the largest first, then by name; `keyOf` tells apart what a name may not. */
function partiesOf(
  holders: readonly Candidate[],
  keyOf: (holder: Candidate) => string,
  nameOf: (holder: Candidate) => string,
): Party[] {
  return [...Map.groupBy(holders, keyOf).values()]
    .map(group => ({ name: nameOf(group[0]!), shares: group.length }))
    .sort((a, b) => b.shares - a.shares || (a.name < b.name ? -1 : 1));
}

function regionOf(holder: Candidate): string {
  return holder.place.region;
}

function sharesOf(parties: readonly Party[]): number {
  return parties.reduce((sum, party) => sum + party.shares, 0);
}

/** The fewest parties with at least `shares` shares: the largest ones. */
function coalitionOf(parties: readonly Party[], shares: number): Coalition {
  let count = 0;
  while (sharesOf(parties.slice(0, count)) < shares) count++;
  const members = parties.slice(0, count);
  return { count, names: members.map(({ name }) => name), shares: sharesOf(members) };
}

/** How many of the largest parties may go with `t` of `k` shares left. */
function lossesSurvived(parties: readonly Party[], t: number, k: number): number {
  let count = 0;
  while (k - sharesOf(parties.slice(0, count + 1)) >= t) count++;
  return count;
}

function atMost(name: Constraint['name'], limit: number, value: number): Constraint {
  return { name, limit, value, slack: limit - value };
}

function atLeast(name: Constraint['name'], limit: number, value: number): Constraint {
  return { name, limit, value, slack: value - limit };
}

function constraintsOf(
  input: CertificateInput,
  operators: readonly Party[],
  regions: readonly Party[],
): Constraint[] {
  const { t, k, holders } = input;
  const targets = targetsOf(input.profile, input.risk);
  const caps = capsOf(input, targets, input.risk);
  const colluding = operators.slice(0, levelTable[input.risk].colludingOperators);
  return [
    atLeast('trust of each holder', targets.trustFloor, Math.min(...holders.map(({ trust }) => trust))),
    atMost('shares of one operator', caps.perOperator, operators[0]!.shares),
    atMost('shares of one region', caps.perRegion, regions[0]!.shares),
    atLeast('regions', regionsMin, regions.length),
    atMost('shares of the colluding operators', t - 1 - targets.repairBudget, sharesOf(colluding)),
    atMost('shares lost with one region', k - t, regions[0]!.shares),
  ];
}

function parametersOf(risk: Risk): PlacementCertificate['parameters'] {
  return {
    regionOutage,
    nodeExponent: compromiseExponents.node,
    operatorExponent: compromiseExponents.operator,
    exponentPerTrust: compromiseExponents.perTrust,
    distanceSaturationKm,
    distanceWeight: dispersionWeights.distance,
    regionWeight: dispersionWeights.region,
    operatorWeight: dispersionWeights.operator,
    ...levelTable[risk],
  };
}

function scoreOf(holders: readonly Candidate[], risk: Risk): PlacementCertificate['score'] {
  const { dispersionWeight } = levelTable[risk];
  const meanTrust = holders.reduce((sum, holder) => sum + holder.trust, 0) / holders.length;
  const dispersion = meanDispersion(holders);
  return {
    meanTrust,
    meanDispersion: dispersion,
    objective: (1 - dispersionWeight) * meanTrust + dispersionWeight * dispersion,
  };
}

/** The holder with its fields in one order and nothing else. */
function holderOf(holder: Candidate): PlacementCertificate['holders'][number] {
  const { nodeId, place, operator, trust, availability } = holder;
  const { name, lat, lon, country, region } = place;
  return {
    nodeId,
    place: { name, lat, lon, country, region },
    operator,
    trust,
    availability,
    compromise: compromiseOf(trust),
  };
}

/**
 * Computes a placement's certificate.
 *
 * @param input valid counts and k valid holders
 * @throws SIZING_INVALID when there is no such profile or level
 */
export function certify(input: CertificateInput): PlacementCertificate {
  const { profile, risk, reduced, manual, simulated, t, n, k, holders } = input;
  const targets = targetsOf(profile, risk);
  const operators = partiesOf(holders, operatorOf, holder => holder.operator ?? holder.nodeId);
  const regions = partiesOf(holders, regionOf, regionOf);
  const regionsSurvived = lossesSurvived(regions, t, k);
  return {
    version: 1,
    profile,
    risk,
    reduced,
    manual,
    simulated,
    t,
    n,
    k,
    repairBudget: targets.repairBudget,
    parameters: parametersOf(risk),
    targets: {
      pLoss: targets.lossMax,
      pTheft: targets.theftMax,
      trustFloor: targets.trustFloor,
      firstWave: firstWaveMin,
    },
    reached: {
      pLoss: lossProbability(holders, t),
      pTheft: theftProbability(holders, t, targets.repairBudget),
      trustFloor: Math.min(...holders.map(({ trust }) => trust)),
      firstWave: 1 - lossProbability(holders.slice(0, n), t),
    },
    holders: holders.map(holderOf),
    constraints: constraintsOf(input, operators, regions),
    score: scoreOf(holders, risk),
    cheapestCoalition: { operators: coalitionOf(operators, t), regions: coalitionOf(regions, t) },
    survives: {
      nodes: k - t,
      operators: lossesSurvived(operators, t, k),
      regions: regionsSurvived,
      anyRegion: regionsSurvived >= 1,
    },
  };
}

/**
 * Whether a placement keeps the targets of its level, the trust floor and the exact rule on colluding operators.
 *
 * @param certificate computed by `certify`, or verified
 */
export function meetsTargets(certificate: PlacementCertificate): boolean {
  const { reached, targets } = certificate;
  return (
    reached.pLoss <= targets.pLoss &&
    reached.pTheft <= targets.pTheft &&
    certificate.constraints.every(({ slack }) => slack >= 0)
  );
}

/** Hard at every level, reduced and manual too. */
const hardConstraints: readonly Constraint['name'][] = [
  'shares of one operator',
  'shares of one region',
  'regions',
  'shares lost with one region',
];

/** Relative difference that two engines' powers and sines may make. */
const roundingMax = 1e-9;

/** Where two JSON values differ, as a path, or undefined where they agree. */
function differenceOf(given: unknown, expected: unknown, path: string): string | undefined {
  if (typeof given === 'number' && typeof expected === 'number') {
    const scale = Math.max(Math.abs(given), Math.abs(expected));
    return Math.abs(given - expected) <= roundingMax * scale ? undefined : path;
  }
  if (typeof given !== 'object' || typeof expected !== 'object' || given === null || expected === null) {
    return given === expected ? undefined : path;
  }
  if (Array.isArray(given) !== Array.isArray(expected)) return path;
  const names = new Set([...Object.keys(given), ...Object.keys(expected)]);
  for (const name of names) {
    if (!Object.hasOwn(given, name) || !Object.hasOwn(expected, name)) return `${path}.${name}`;
    const difference = differenceOf(Reflect.get(given, name), Reflect.get(expected, name), `${path}.${name}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function refuse(message: string, where = ''): never {
  throw new SkerryError('CERTIFICATE_INVALID', message, where === '' ? {} : { where });
}

/** The certificate made anew from the inputs that it names. */
function certifyAnew(certificate: PlacementCertificate): PlacementCertificate {
  if (typeof certificate !== 'object' || certificate === null || !Array.isArray(certificate.holders)) {
    refuse('this is no placement certificate');
  }
  if (!profiles.includes(certificate.profile) || !riskLevels.includes(certificate.risk)) {
    refuse('the certificate names no profile or risk level');
  }
  for (const flag of ['reduced', 'manual', 'simulated'] as const) {
    if (typeof certificate[flag] !== 'boolean') refuse('a flag of the certificate is not a boolean', flag);
  }
  try {
    checkCounts(certificate);
    checkCandidates(certificate.holders);
  } catch (error) {
    throw new SkerryError('CERTIFICATE_INVALID', 'the inputs in the certificate are not valid', {}, error);
  }
  if (certificate.holders.length !== certificate.k) refuse('the certificate does not name k holders');
  return certify(certificate);
}

/**
 * Re-checks a certificate from its own inputs alone: holds from here on that every figure in it follows from its
 * holders, that targets and parameters are those of docs/PROTOCOL.md, that the hard caps are kept, and that it meets
 * its targets unless it says that it is reduced or manual. (Whether the holders are what it says of them is not in
 * it; the manifest's signatures and the trust engine speak to that.)
 *
 * @param certificate JSON from anywhere
 * @throws CERTIFICATE_INVALID, with `where` naming the first figure that differs
 */
export function verifyCertificate(certificate: PlacementCertificate): void {
  const expected = certifyAnew(certificate);
  const difference = differenceOf(certificate, expected, 'certificate');
  if (difference !== undefined) refuse(`${difference} does not follow from the inputs`, difference);
  const broken = expected.constraints.find(({ name, slack }) => hardConstraints.includes(name) && slack < 0);
  if (broken !== undefined) refuse(`the placement breaks a hard cap: ${broken.name}`, broken.name);
  if (expected.manual && expected.reduced) refuse('a placement is manual or reduced, not both');
  if (!expected.manual && expected.reduced === meetsTargets(expected)) {
    refuse(
      expected.reduced
        ? 'the placement meets its targets and says reduced'
        : 'the placement misses its targets and does not say so',
    );
  }
}
