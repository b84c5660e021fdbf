import { assert } from '@skerry/base';
import { climbsMax, climbWorkMax, swapsMax } from '../parameters.ts';
import { augment } from './flow.ts';
import { type Aim, distanceWithin, type Pool } from './pool.ts';

/** A smaller gain is rounding: taking it could go round in circles. */
const gainMin = 1e-12;

/** A partial or whole set, with what is needed to judge a change in constant time. */
type Selection = {
  readonly members: number[];
  readonly chosen: Uint8Array;
  readonly operatorShares: Int32Array;
  readonly regionShares: Int32Array;
  operators: number;
  regions: number;
  /** For each member, its distance to every candidate. */
  readonly columns: Float64Array[];
  /** For each candidate, the sum of its distances to the members. */
  readonly sums: Float64Array;
};

function emptySelection(pool: Pool): Selection {
  const size = pool.candidates.length;
  return {
    members: [],
    chosen: new Uint8Array(size),
    operatorShares: new Int32Array(pool.operatorCount),
    regionShares: new Int32Array(pool.regionCount),
    operators: 0,
    regions: 0,
    columns: [],
    sums: new Float64Array(size),
  };
}

/** Counts a member's share in (+1) or out (-1). */
function count(pool: Pool, selection: Selection, candidate: number, change: 1 | -1): void {
  const { operatorShares, regionShares } = selection;
  const operator = pool.operator[candidate]!;
  const region = pool.region[candidate]!;
  selection.chosen[candidate] = change === 1 ? 1 : 0;
  operatorShares[operator] = operatorShares[operator]! + change;
  regionShares[region] = regionShares[region]! + change;
  if (operatorShares[operator] === (change === 1 ? 1 : 0)) selection.operators += change;
  if (regionShares[region] === (change === 1 ? 1 : 0)) selection.regions += change;
}

/** Puts `incoming` into a slot, new or in place of the member there. */
function put(pool: Pool, selection: Selection, slot: number, incoming: number): void {
  const outgoing = selection.members[slot];
  if (outgoing !== undefined) count(pool, selection, outgoing, -1);
  count(pool, selection, incoming, 1);
  const column = selection.columns[slot] ?? new Float64Array(pool.candidates.length);
  for (let candidate = 0; candidate < column.length; candidate++) {
    const distance = distanceWithin(pool, candidate, incoming);
    selection.sums[candidate] = selection.sums[candidate]! + distance - column[candidate]!;
    column[candidate] = distance;
  }
  selection.members[slot] = incoming;
  selection.columns[slot] = column;
}

/** What one unit of trust, and of distance to one member, adds to the objective. */
function unitsOf(aim: Aim): { trust: number; distance: number } {
  return {
    trust: (1 - aim.dispersionWeight) / aim.k,
    distance: (2 * aim.dispersionWeight) / (aim.k * (aim.k - 1)),
  };
}

/** Takes the best candidate that the caps allow, after `first` if given, until there are k or none is left. */
function chooseGreedily(pool: Pool, aim: Aim, first: number | undefined): Selection {
  const selection = emptySelection(pool);
  if (first !== undefined) put(pool, selection, 0, first);
  const { operatorShares, regionShares } = selection;
  const units = unitsOf(aim);
  while (selection.members.length < aim.k) {
    let best = -1;
    let bestGain = Number.NEGATIVE_INFINITY;
    for (let candidate = 0; candidate < pool.candidates.length; candidate++) {
      const ofOperator = operatorShares[pool.operator[candidate]!]!;
      const ofRegion = regionShares[pool.region[candidate]!]!;
      if (selection.chosen[candidate] === 1) continue;
      if (ofOperator >= aim.caps.perOperator || ofRegion >= aim.caps.perRegion) continue;
      let gain = units.trust * pool.trust[candidate]! + units.distance * selection.sums[candidate]!;
      if (ofRegion === 0 && selection.regions < aim.regionsWanted) gain += 1;
      if (ofOperator === 0 && selection.operators < aim.operatorsWanted) gain += 1;
      if (gain > bestGain + gainMin) {
        best = candidate;
        bestGain = gain;
      }
    }
    if (best === -1) break;
    put(pool, selection, selection.members.length, best);
  }
  return selection;
}

/** What a swap changes in what is wanted before anything else: 1 for each region or operator towards it. */
function wantedGain(pool: Pool, aim: Aim, selection: Selection, incoming: number, outgoing: number): number {
  const { operatorShares, regionShares } = selection;
  let gain = 0;
  const [regionIn, regionOut] = [pool.region[incoming]!, pool.region[outgoing]!];
  if (regionIn !== regionOut) {
    const change = (regionShares[regionIn] === 0 ? 1 : 0) - (regionShares[regionOut] === 1 ? 1 : 0);
    gain += Math.min(selection.regions + change, aim.regionsWanted);
    gain -= Math.min(selection.regions, aim.regionsWanted);
  }
  const [operatorIn, operatorOut] = [pool.operator[incoming]!, pool.operator[outgoing]!];
  if (operatorIn !== operatorOut) {
    const change = (operatorShares[operatorIn] === 0 ? 1 : 0) - (operatorShares[operatorOut] === 1 ? 1 : 0);
    gain += Math.min(selection.operators + change, aim.operatorsWanted);
    gain -= Math.min(selection.operators, aim.operatorsWanted);
  }
  return gain;
}

/** Makes the one swap that gains most within the caps; false when none gains. */
function swapBest(pool: Pool, aim: Aim, selection: Selection): boolean {
  const { members, sums, columns, operatorShares, regionShares } = selection;
  const units = unitsOf(aim);
  const worth = (candidate: number): number =>
    units.trust * pool.trust[candidate]! + units.distance * sums[candidate]!;
  const worths = Float64Array.from(members, worth);
  const cheapest = Math.min(...worths);
  const satisfied = selection.regions >= aim.regionsWanted && selection.operators >= aim.operatorsWanted;
  let best = { gain: gainMin, slot: -1, incoming: -1 };
  for (let incoming = 0; incoming < pool.candidates.length; incoming++) {
    if (selection.chosen[incoming] === 1) continue;
    const worthIn = worth(incoming);
    if (satisfied && worthIn - cheapest <= best.gain) continue;
    const operator = pool.operator[incoming]!;
    const region = pool.region[incoming]!;
    const operatorFull = operatorShares[operator]! >= aim.caps.perOperator;
    const regionFull = regionShares[region]! >= aim.caps.perRegion;
    for (let slot = 0; slot < members.length; slot++) {
      const outgoing = members[slot]!;
      if (operatorFull && pool.operator[outgoing] !== operator) continue;
      if (regionFull && pool.region[outgoing] !== region) continue;
      const gain =
        worthIn -
        worths[slot]! -
        units.distance * columns[slot]![incoming]! +
        wantedGain(pool, aim, selection, incoming, outgoing);
      if (gain > best.gain) best = { gain, slot, incoming };
    }
  }
  if (best.slot === -1) return false;
  put(pool, selection, best.slot, best.incoming);
  return true;
}

/** A set that no swap improves, and its objective with 1 for each region and operator wanted and had. */
type Optimum = { readonly members: readonly number[]; readonly score: number };

/** The set that greedy choice from `first`, augmenting paths and swaps come to. */
function climb(pool: Pool, aim: Aim, first: number | undefined): Optimum {
  let selection = chooseGreedily(pool, aim, first);
  if (selection.members.length < aim.k) {
    const completed = augment(pool, aim, selection.members);
    assert(completed !== undefined, 'a set within the caps extends to the maximum flow');
    selection = emptySelection(pool);
    for (const [slot, member] of completed.entries()) put(pool, selection, slot, member);
  }
  for (let swap = 0; swap < swapsMax && swapBest(pool, aim, selection); swap++);
  const units = unitsOf(aim);
  let score =
    Math.min(selection.regions, aim.regionsWanted) + Math.min(selection.operators, aim.operatorsWanted);
  for (const member of selection.members) {
    score += units.trust * pool.trust[member]! + (units.distance / 2) * selection.sums[member]!;
  }
  return { members: selection.members, score };
}

/**
 * A good set of k under the caps: a greedy one, completed to k by augmenting paths, then single swaps, the best first,
 * until none gains (Borodin, Lee, Ye, arXiv 1203.6397: within a factor of 2 where one cap family binds; measured far
 * nearer). Where two families block every swap it would get stuck, so it starts again from other first members, the
 * most trusted ones, as far as `climbWorkMax` goes: many nodes leave enough ways round. Ties go to the lower node id.
 *
 * @param pool the candidates; some set of k fits under the caps
 * @param aim what the set is for
 * @returns k ascending indices
 */
export function searchLocally(pool: Pool, aim: Aim): number[] {
  const climbs = Math.min(climbsMax, Math.floor(climbWorkMax / (pool.candidates.length * aim.k)));
  const trusted = pool.candidates.map((_, index) => index);
  trusted.sort((a, b) => pool.trust[b]! - pool.trust[a]! || a - b);
  let best = climb(pool, aim, undefined);
  for (const first of trusted.slice(1, climbs)) {
    const next = climb(pool, aim, first);
    if (next.score > best.score + gainMin) best = next;
  }
  return best.members.toSorted((a, b) => a - b);
}
