import {
  type Candidate,
  greatCircleKm,
  type Placement,
  type PlacementCertificate,
  regionName,
} from '@skerry/placement';
import { nodeColumnFromWidth, unchosenShownMax } from '../../parameters.ts';
import { formatCount, formatProbability } from './format.ts';
import { type Column, renderTable } from './table.ts';
import { type Look, type Paint, printable } from './text.ts';
import { type Mark, type MarkKind, renderMap } from './world-map.ts';

/** A node of a placement, as it is shown. */
export type PlacedNode = {
  readonly node: Candidate;
  readonly role: Exclude<MarkKind, 'other'>;
  /** Its label on the map and in the table: 1, 2... for primaries, A, B... for spares, a, b... for standbys. */
  readonly label: string;
  /** The nearest holder other than itself, and the great circle to it. */
  readonly nearest: { readonly label: string; readonly km: number };
};

/** How a placement is shown. */
type PlacementOptions = {
  /** Cells across the map. */
  readonly columns: number;
  /** Cells that tables may take; undefined for any. */
  readonly tableWidth: number | undefined;
  readonly color: boolean;
  readonly paint: Paint;
  /** Nodes that might have been chosen; where they are few, those that were not are on the map too. */
  readonly candidates: readonly Candidate[];
};

/** Names of regions and operators shown of a coalition, at most. */
const namesMax = 6;

/** A, B... Z, AA, AB... */
function letters(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

/**
 * The nodes of a placement in their order: primaries, spares, standbys.
 *
 * @param placement of `planPlacement`
 */
export function placedNodes({ holders, n, standby }: Placement): PlacedNode[] {
  const named = [
    ...holders.map((node, index) =>
      index < n
        ? { node, role: 'primary' as const, label: String(index + 1) }
        : { node, role: 'spare' as const, label: letters(index - n) },
    ),
    ...standby.map((node, index) => ({
      node,
      role: 'standby' as const,
      label: letters(index).toLowerCase(),
    })),
  ];
  return named.map(placed => {
    const others = named.filter(other => other !== placed && other.role !== 'standby');
    const nearest = others
      .map(({ node, label }) => ({ label, km: greatCircleKm(node.place, placed.node.place) }))
      .reduce((best, other) => (other.km < best.km ? other : best));
    return { ...placed, nearest };
  });
}

function placeText({ place }: Candidate): string {
  const name = place.name === '' ? `${place.lat},${place.lon}` : place.name;
  return place.country === '' ? name : `${name}, ${place.country}`;
}

/** The end of a node id: libp2p's all begin alike. */
function shortId(nodeId: string): string {
  return nodeId.length <= 10 ? nodeId : `…${nodeId.slice(-8)}`;
}

function renderHolders(nodes: readonly PlacedNode[], { tableWidth, color }: PlacementOptions): string {
  const rows = nodes.map(({ node, role, label, nearest }) => [
    label,
    placeText(node),
    regionName(node.place.region),
    node.operator ?? 'unknown',
    node.trust.toFixed(2),
    role,
    `${formatCount(nearest.km)} km`,
    nearest.label,
    shortId(node.nodeId),
  ]);
  const columns: Column[] = [
    { title: '' },
    { title: 'place' },
    { title: 'region' },
    { title: 'operator' },
    { title: 'trust', align: 'right' },
    { title: 'role' },
    { title: 'nearest', align: 'right' },
    { title: 'to' },
  ];
  const roomForNodes = tableWidth === undefined || tableWidth >= nodeColumnFromWidth;
  if (roomForNodes) columns.push({ title: 'node' });
  return renderTable(rows, { columns, width: tableWidth, color });
}

/** What was asked of a placement and what it reaches: a table. */
export function renderTargets(
  certificate: PlacementCertificate,
  { tableWidth, color, paint }: Pick<PlacementOptions, 'tableWidth' | 'color' | 'paint'>,
): string {
  const { manual, targets, reached, t, n } = certificate;
  const verdict = (met: boolean): string => (met ? 'met' : manual ? 'not asked for' : 'MISSED');
  const rows = [
    [
      'P(key lost)',
      `<= ${formatProbability(targets.pLoss)}`,
      formatProbability(reached.pLoss),
      verdict(reached.pLoss <= targets.pLoss),
    ],
    [
      'P(key stolen)',
      `<= ${formatProbability(targets.pTheft)}`,
      formatProbability(reached.pTheft),
      verdict(reached.pTheft <= targets.pTheft),
    ],
    [
      'trust of each holder',
      `>= ${formatProbability(targets.trustFloor)}`,
      formatProbability(reached.trustFloor),
      verdict(reached.trustFloor >= targets.trustFloor),
    ],
    [
      `P(${t} of the first ${n} answer)`,
      `~ ${targets.firstWave}`,
      formatProbability(reached.firstWave),
      reached.firstWave >= targets.firstWave ? 'met' : 'spares are asked too',
    ],
  ];
  const table = renderTable(rows, {
    columns: [{ title: 'why so many' }, { title: 'target' }, { title: 'reached' }, { title: '' }],
    width: tableWidth,
    color,
  });
  return table.replace('MISSED', () => paint(['bold', 'red'], 'MISSED'));
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).map(printable);
  return names.length > namesMax
    ? `${shown.join(', ')} and ${names.length - namesMax} more`
    : shown.join(', ');
}

/** What a placement outlasts, and who could break it: sentences. */
export function renderPromises({ survives, cheapestCoalition, t }: PlacementCertificate): string {
  const { operators, regions } = cheapestCoalition;
  const regionNames = regions.names.map(regionName);
  const losses = [
    `any ${plural(survives.nodes, 'holder')}`,
    survives.operators === 0 ? 'no whole operator' : `any ${plural(survives.operators, 'operator')}`,
    survives.regions === 0 ? 'no whole region' : `any ${plural(survives.regions, 'region')}`,
  ];
  const lines = [
    `Survives the loss of ${losses.join(', of ')}.`,
    `To steal it, at least ${plural(operators.count, 'operator')} must collude: ${listNames(operators.names)} (${operators.shares} shares, ${t} needed).`,
    `Fewest regions that hold ${t} shares: ${regions.count}: ${listNames(regionNames)}.`,
  ];
  return lines.map(line => `${line}\n`).join('');
}

/** What must not be overlooked about a placement: a line for each. */
function renderBanners({ certificate }: Placement, paint: Paint): string {
  const { reduced, manual, simulated, risk, profile } = certificate;
  const banner = (look: Look, word: string, what: string): string => `${paint(look, ` ${word} `)} ${what}\n`;
  return [
    reduced
      ? banner(['bold', 'bgRed', 'white'], 'REDUCED', `misses the targets of ${risk} in profile ${profile}`)
      : '',
    manual
      ? banner(
          ['bold', 'bgYellow', 'black'],
          'MANUAL',
          `t, n and k were given: the targets of ${risk} were not asked for`,
        )
      : '',
    simulated ? banner(['bold', 'bgBlue', 'white'], 'SIMULATED', 'places and operators are made up') : '',
  ].join('');
}

/** The marks of a placement on a map; nodes that were not chosen only where they are few. */
function marksOf(nodes: readonly PlacedNode[], candidates: readonly Candidate[]): Mark[] {
  const chosen = new Set(nodes.map(({ node }) => node.nodeId));
  const others = candidates.filter(({ nodeId }) => !chosen.has(nodeId));
  return [
    ...nodes.map(({ node: { place }, label, role }) => ({
      lat: place.lat,
      lon: place.lon,
      label,
      kind: role,
    })),
    ...(others.length > unchosenShownMax ? [] : others).map(({ place }) => ({
      lat: place.lat,
      lon: place.lon,
      label: '∘',
      kind: 'other' as const,
    })),
  ];
}

function renderLegend(nodes: readonly PlacedNode[], marks: readonly Mark[]): string {
  const names = { primary: 'asked first', spare: 'spare', standby: 'standby, no share yet' } as const;
  const entries = (['primary', 'spare', 'standby'] as const).flatMap(role => {
    const labels = nodes.filter(node => node.role === role).map(({ label }) => label);
    if (labels.length === 0) return [];
    const range = labels.length === 1 ? labels[0]! : `${labels[0]}-${labels.at(-1)}`;
    return [`${range} ${names[role]}`];
  });
  const others = marks.some(({ kind }) => kind === 'other') ? ['∘ not chosen'] : [];
  return `  ${[...entries, ...others].join('   ')}\n`;
}

/**
 * A placement for a terminal: what to beware of, the sizing, a map of the world with the holders, a table of them,
 * the targets and what was reached, what it survives and the cheapest coalition.
 *
 * @param placement of `planPlacement`
 * @returns lines, each ended by a line feed
 */
export function renderPlacement(placement: Placement, options: PlacementOptions): string {
  const { t, n, k, risk, profile, certificate } = placement;
  const { paint, columns, color, candidates } = options;
  const nodes = placedNodes(placement);
  const marks = marksOf(nodes, candidates);
  const sizing = paint('bold', `${t} of ${k} shares bring the key back; ${n} holders are asked first.`);
  return [
    renderBanners(placement, paint),
    `${sizing} Risk ${risk}, profile ${profile}.\n\n`,
    renderMap({ marks, columns, color }),
    `${renderLegend(nodes, marks)}\n`,
    `${renderHolders(nodes, options)}\n`,
    `${renderTargets(certificate, options)}\n`,
    renderPromises(certificate),
  ].join('');
}
