import { SkerryError } from '@skerry/base';
import { availabilityDefault, plannedShareCountMax, regionsMin, trustNeutral } from '../parameters.ts';
import { type Candidate, operatorOf } from './candidate.ts';
import type { PlacementCertificate } from './certificate.ts';
import { type Level, type Minima, noMinima } from './search.ts';
import { type Counts, capsOf, exactThresholdMin, lossProbability, theftProbability } from './sizing.ts';

/** What a network has, or a placement needs. */
type Figures = { readonly nodes: number; readonly operators: number; readonly regions: number };

function figuresOf(candidates: readonly Candidate[]): Figures {
  return {
    nodes: candidates.length,
    operators: new Set(candidates.map(operatorOf)).size,
    regions: new Set(candidates.map(({ place }) => place.region)).size,
  };
}

/** What the hard caps of t and k need at the least. */
function needsOf(counts: Pick<Counts, 't' | 'k'>, level: Level): Figures {
  const caps = capsOf(counts, level.targets, level.risk);
  return {
    nodes: counts.k,
    operators: Math.ceil(counts.k / caps.perOperator),
    regions: Math.max(regionsMin, Math.ceil(counts.k / caps.perRegion)),
  };
}

/** The counts that a level comes to with nodes just at its floor, each its own operator and region. */
function plainCounts(level: Level): Pick<Counts, 't' | 'k'> | undefined {
  const { lossMax, theftMax, trustFloor, repairBudget } = level.targets;
  for (let k = 3; k <= plannedShareCountMax; k++) {
    const members = Array.from({ length: k }, (_, index) => ({
      nodeId: `${index}`,
      operator: null,
      trust: Math.max(trustFloor, trustNeutral),
      availability: availabilityDefault,
      place: { region: `${index}` },
    }));
    for (let t = exactThresholdMin(level.targets, level.risk); t < k; t++) {
      if (lossProbability(members, t) > lossMax) break;
      if (theftProbability(members, t, repairBudget) <= theftMax) return { t, k };
    }
  }
  return undefined;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What is missing, as "3 more nodes, 1 more region"; empty when nothing can be counted. */
function missing(has: Figures, needs: Figures): string {
  const parts: string[] = [];
  for (const [noun, lacking] of [
    ['node', needs.nodes - has.nodes],
    ['operator', needs.operators - has.operators],
    ['region', needs.regions - has.regions],
  ] as const) {
    if (lacking > 0) parts.push(`${lacking} more ${noun}${lacking === 1 ? '' : 's'}`);
  }
  return parts.join(', ');
}

function figure(probability: number): string {
  return probability.toExponential(1);
}

/** What could be had, if anything. */
function reachedOf(best: PlacementCertificate | undefined, below: Minima): string {
  if (best !== undefined) {
    const { t, k, reached } = best;
    return `Best within reach: ${t} of ${k} with P(loss) ${figure(reached.pLoss)} and P(theft) ${figure(reached.pTheft)}; --accept-reduced takes it.`;
  }
  if (below === noMinima) return 'No placement keeps its hard caps.';
  return `Its hard caps leave no room for the ${below.t} of ${below.k} that a lower level has here: ask for that.`;
}

/**
 * Refuses a level that the network cannot reach, with the figures and what would help.
 *
 * @param candidates all of them
 * @param level the level asked for
 * @param best the certificate of the reduced placement that could be accepted, if there is one
 * @param below what the nearest lower level has here
 * @throws PLACEMENT_INFEASIBLE always
 */
export function refuseLevel(
  candidates: readonly Candidate[],
  level: Level,
  best: PlacementCertificate | undefined,
  below: Minima,
): never {
  const { lossMax, theftMax, trustFloor } = level.targets;
  const trusted = candidates.filter(({ trust }) => trust >= trustFloor);
  const [all, eligible] = [figuresOf(candidates), figuresOf(trusted)];
  const counts = plainCounts(level);
  const needs = counts === undefined ? undefined : needsOf(counts, level);
  const lacking = needs === undefined ? '' : missing(eligible, needs);
  const help =
    lacking === ''
      ? 'more operators and regions, or nodes with more trust and availability'
      : `${lacking}, with trust of at least ${trustFloor}`;
  throw new SkerryError(
    'PLACEMENT_INFEASIBLE',
    `the network cannot reach ${level.risk} of profile ${level.profile} (P(loss) <= ${lossMax}, P(theft) <= ${theftMax}, trust >= ${trustFloor}): ` +
      `of ${plural(all.nodes, 'node')}, ${eligible.nodes} have the trust, of ${plural(eligible.operators, 'operator')} in ${plural(eligible.regions, 'region')}. ` +
      `${reachedOf(best, below)} What would help: ${help}.`,
    {
      risk: level.risk,
      profile: level.profile,
      candidates: all.nodes,
      operators: all.operators,
      regions: all.regions,
      eligible: eligible.nodes,
      eligibleOperators: eligible.operators,
      eligibleRegions: eligible.regions,
      trustFloor,
      pLossTarget: lossMax,
      pTheftTarget: theftMax,
      ...(best === undefined
        ? {}
        : { bestT: best.t, bestK: best.k, bestPLoss: best.reached.pLoss, bestPTheft: best.reached.pTheft }),
      help,
    },
  );
}

/**
 * Refuses explicit counts whose hard caps the network cannot keep.
 *
 * @param candidates all of them
 * @param level the level whose caps hold
 * @param counts the counts asked for
 * @throws PLACEMENT_INFEASIBLE always
 */
export function refuseCounts(candidates: readonly Candidate[], level: Level, counts: Counts): never {
  const { t, k } = counts;
  const has = figuresOf(candidates);
  const caps = capsOf(counts, level.targets, level.risk);
  const lacking = missing(has, needsOf(counts, level));
  const help = lacking === '' ? 'nodes of other operators in other regions' : lacking;
  throw new SkerryError(
    'PLACEMENT_INFEASIBLE',
    `${t} of ${k} does not fit under the hard caps of ${level.risk} (${caps.perOperator} an operator, ${caps.perRegion} a region) on ` +
      `${plural(has.nodes, 'node')} of ${plural(has.operators, 'operator')} in ${plural(has.regions, 'region')}. What would help: ${help}.`,
    {
      risk: level.risk,
      profile: level.profile,
      t,
      n: counts.n,
      k,
      candidates: has.nodes,
      operators: has.operators,
      regions: has.regions,
      sharesPerOperatorMax: caps.perOperator,
      sharesPerRegionMax: caps.perRegion,
      help,
    },
  );
}
