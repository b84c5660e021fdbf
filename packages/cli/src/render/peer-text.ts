import { reportsShownMax } from '../../parameters.ts';
import type { Invocation } from '../command.ts';
import type { PeerDocument, PeerRow } from '../daemon/peer-documents.ts';
import { formatCount, formatDuration } from './format.ts';
import { renderTable } from './table.ts';
import { cellWidth, printable, wrapText } from './text.ts';

type Display = Pick<Invocation, 'tableWidth' | 'color'>;
type Standing = PeerRow['standing'];
type Adds = PeerDocument['seen'][number]['adds'];
type Report = PeerDocument['reports'][number];

/** How a standing is marked beside a trust; plain evidence needs no mark. */
const standingMarks: Readonly<Record<Standing, string>> = {
  denied: 'denied',
  stated: 'stated',
  cheated: 'cheated',
  'place-refuted': 'refuted',
  evidence: '',
  newcomer: 'newcomer',
};

/**
 * A trust with a mark where it is not plain evidence.
 *
 * @param peer its trust and standing
 */
export function trustText({ trust, standing }: Pick<PeerRow, 'trust' | 'standing'>): string {
  return `${trust.toFixed(2)} ${standingMarks[standing]}`.trimEnd();
}

/**
 * A place's name and country.
 *
 * @param place null for one that is not known
 */
export function placeText(place: { readonly name: string; readonly country: string } | null): string {
  if (place === null) return 'unknown';
  return place.country === '' ? place.name : `${place.name}, ${place.country}`;
}

/** How a node is called: its place where it is known, its operator, the end of its id. */
function nodeLabel(nodeId: string, location: string | null, operator: string | null = null): string {
  const who = operator === null ? '' : ` (${operator})`;
  return `${location === null || location === '' ? '' : `${location} `}..${nodeId.slice(-6)}${who}`;
}

const milliseconds = (roundTripMs: number | null): string =>
  roundTripMs === null ? '' : `${roundTripMs.toFixed(0)} ms`;

/**
 * Peers as a table. A node id is to be copied, so it is never cut: where there is little room it has a line of its own.
 *
 * @param peers of `peers ls --json`
 * @returns lines, each ended by a line feed
 */
export function renderPeers(peers: readonly PeerRow[], { tableWidth: width, color }: Display): string {
  const rows = peers.map(peer => [
    placeText(peer.location),
    peer.placeVerdict,
    peer.operator ?? '',
    trustText(peer),
    peer.availability.toFixed(2),
    peer.alive ? 'yes' : 'no',
    milliseconds(peer.roundTripMs),
    peer.nodeId,
  ]);
  const titles = ['place', 'claim', 'operator', 'trust', 'answers', 'alive', 'round trip', 'node'];
  const columns = titles.map(title => ({ title }));
  const uncut = renderTable(rows, { columns }).split('\n').map(cellWidth);
  if (width === undefined || Math.max(...uncut) <= width) return renderTable(rows, { columns, color });
  const table = renderTable(rows, { columns: columns.slice(0, -1), width, color });
  return underRows(
    table,
    peers.map(({ nodeId }) => `  ${printable(nodeId)}\n`),
  );
}

/**
 * A table with more under each row.
 *
 * @param table with a line of titles
 * @param texts for each row, ended by a line feed
 */
export function underRows(table: string, texts: readonly string[]): string {
  const [head = '', ...lines] = table.trimEnd().split('\n');
  return [`${head}\n`, ...lines.map((line, index) => `${line}\n${texts[index]!}`)].join('');
}

/** What evidence adds, in observations' worth. */
function addsText({ availability, integrity }: Adds): string {
  const signed = (name: string, { good, bad }: Adds['availability']): string[] => [
    ...(good >= 0.005 ? [`${name} +${good.toFixed(2)}`] : []),
    ...(bad >= 0.005 ? [`${name} -${bad.toFixed(2)}`] : []),
  ];
  const texts = [...signed('availability', availability), ...signed('integrity', integrity)];
  return texts.length === 0 ? 'adds nothing now' : texts.join(', ');
}

const ago = (ageMs: number | null): string => (ageMs === null ? '' : `${formatDuration(ageMs)} ago`);

/**
 * What others say of a node, the weightiest first, and what comes of it; at most `reportsShownMax`.
 *
 * @param reports of `peers show --json` or `doctor --json`
 * @param width cells of a line; undefined for any
 */
export function renderReports(reports: readonly Report[], width: number | undefined): string {
  const says = ({ good, bad }: Adds['availability']): string => `${good.toFixed(1)}:${bad.toFixed(1)}`;
  const lines = reports.slice(0, reportsShownMax).map(report => {
    const { nodeId, location, operator, weight, says: said, adds, ageMs } = report;
    const effect = adds === null ? 'counts nothing here' : addsText(adds);
    const text = `${nodeLabel(nodeId, location, operator)}, ${ago(ageMs)}, weight ${weight.toFixed(2)}: answers ${says(said.availability)}, is right ${says(said.integrity)}; ${effect}`;
    return wrapText(text, width, '  ', '    ');
  });
  const rest = reports.length - lines.length;
  return lines.join('') + (rest > 0 ? `  and ${rest} more; --json has all\n` : '');
}

function renderSeen(seen: PeerDocument['seen'], width: number | undefined): string {
  return seen
    .map(({ meaning, count, adds, ageMs }) => {
      const often = `${formatCount(count)} ${count === 1 ? 'time' : 'times'}, last ${ago(ageMs)}`;
      return `${wrapText(meaning, width, '  ')}${wrapText(`${often}; ${addsText(adds)}`, width, '    ')}`;
    })
    .join('');
}

const verdictMeanings: Readonly<Record<PeerRow['placeVerdict'], string>> = {
  consistent: 'round trips show that it is near there',
  refuted: 'it cannot be there',
  unverifiable: 'nothing that was measured shows where it is',
  unchecked: 'this node does not verify places (verify-place)',
};

function renderPlace({ place, countsAs }: PeerDocument, width: number | undefined): string {
  const within =
    place.withinKm === null
      ? ''
      : `; by this node's own round trip it is at most ${formatCount(place.withinKm)} km from there`;
  const head = wrapText(`${place.verdict}: ${verdictMeanings[place.verdict]}${within}`, width, '  ', '    ');
  const contradictions = place.by.slice(0, reportsShownMax).map(by => {
    const { observer, location, roundTripMs, atMostKm, claimedKm } = by;
    const text = `${nodeLabel(observer, location)} measures ${roundTripMs.toFixed(1)} ms: at most ${formatCount(atMostKm)} km; by the claim it would be ${formatCount(claimedKm)} km`;
    return wrapText(text, width, '  ', '    ');
  });
  const few =
    place.by.length > 0 && place.verdict !== 'refuted'
      ? wrapText('too few, or of too little weight, to refute it', width, '  ')
      : '';
  const counted =
    countsAs === null
      ? ''
      : wrapText(
          `placement takes it to be at ${countsAs.lat}, ${countsAs.lon}, in one region with all whose claims are refuted`,
          width,
          '  ',
          '    ',
        );
  return head + contradictions.join('') + few + counted;
}

const section = (title: string, body: string): string => (body === '' ? '' : `\n${title}\n${body}`);

/**
 * A peer with all that its numbers rest on.
 *
 * @param peer of `peers show --json`
 * @param width cells of a line; undefined for any; ids are never cut
 * @returns lines, each ended by a line feed
 */
export function renderPeer(peer: PeerDocument, width: number | undefined): string {
  const { location, operator, availability, integrity, integrityEvidence, confidence, auditPeriodMs } = peer;
  const { good, bad } = integrityEvidence;
  const at = `${location.lat}, ${location.lon}`;
  const rows: [string, string][] = [
    ['node', peer.nodeId],
    ['place', `${placeText(location)} (${at}): its claim, ${peer.placeVerdict}`],
    ['operator', operator ?? 'none: the node counts as its own'],
    ['trust', `${trustText(peer)}${peer.trust === peer.earned ? '' : `; ${peer.earned.toFixed(2)} earned`}`],
    ['availability', `${availability.toFixed(2)}, the probability that it answers`],
    [
      'integrity',
      `${integrity.toFixed(2)}, with ${good.toFixed(1)} of evidence for it and ${bad.toFixed(1)} against`,
    ],
    ['confidence', `${confidence.toFixed(2)}, the part of this that is evidence`],
    ['alive', peer.alive ? 'yes' : 'no'],
    ['round trip', milliseconds(peer.roundTripMs) || 'not measured'],
    ['at least', milliseconds(peer.leastRoundTripMs) || 'not measured'],
    ['next', `${peer.next} (an audit period is ${formatDuration(auditPeriodMs)})`],
  ];
  const head = rows.map(([name, text]) => wrapText(text, width, name.padEnd(14))).join('');
  const stated =
    peer.statement === null ? '' : wrapText(`${peer.statement}, which overrides the evidence`, width, '  ');
  const nothing = peer.seen.length === 0 ? '  nothing yet\n' : '';
  return [
    head,
    section('Stated by this operator', stated),
    section('Seen by this node', renderSeen(peer.seen, width) || nothing),
    section('Said by others (good:bad), by the weight of their word', renderReports(peer.reports, width)),
    section('Its place', renderPlace(peer, width)),
  ].join('');
}
