import { toHex } from '@skerry/base';
import { regionName } from '@skerry/placement';
import type { SwarmNode } from '@skerry/swarm';
import type { Invocation } from '../command.ts';
import { writeText } from '../io.ts';
import type { OnceObserver, OnceResult } from '../once.ts';
import { renderEntropy } from './entropy-text.ts';
import { formatBytes, formatDuration } from './format.ts';
import { renderPlacement } from './placement.ts';
import { renderTable } from './table.ts';
import { printable } from './text.ts';
import { renderMap } from './world-map.ts';

type Display = Pick<Invocation, 'paint' | 'figureColumns' | 'tableWidth' | 'color'>;

/** The nodes of a swarm that is up: a map, a table, and how to go on. */
export function renderReady(nodes: readonly SwarmNode[], display: Display): string {
  const { paint, figureColumns, tableWidth, color } = display;
  const marks = nodes.map(({ place, index }) => {
    return { lat: place.lat, lon: place.lon, label: String(index + 1), kind: 'primary' } as const;
  });
  const rows = nodes.map(({ index, place, operator, nodeId, home }) => {
    return [String(index + 1), place.name, regionName(place.region), operator, nodeId, home];
  });
  const columns = [
    { title: '', align: 'right' } as const,
    { title: 'place' },
    { title: 'region' },
    { title: 'operator' },
    { title: 'node' },
    { title: 'home' },
  ];
  return [
    paint('bold', `${nodes.length} nodes are up`),
    ' (places and operators are simulated)\n\n',
    renderMap({ marks, columns: figureColumns, color }),
    '\n',
    renderTable(rows, { columns, width: tableWidth, color }),
    `\nTry: npx skerry status --home ${printable(nodes[0]?.home ?? '')}\nCtrl-C stops them.\n`,
  ].join('');
}

/** Shows the main job as it goes on, and sums it up. */
type OnceText = OnceObserver & {
  /** What happened, in a table. */
  readonly summary: (result: OnceResult) => string;
};

/** Writes each step to standard output as it is done; nothing with --json, where only the result is written. */
export function createOnceText(invocation: Invocation, nodes: readonly SwarmNode[]): OnceText {
  const { paint, figureColumns, tableWidth, color } = invocation;
  let step = 0;
  const write = async (title: string, text: string): Promise<void> => {
    if (invocation.json) return;
    step++;
    const heading = paint('bold', `${step}. ${title}`);
    await writeText(invocation.io.stdout, `${heading}\n\n${text}\n`);
  };
  const nameOf = ({ place, operator }: SwarmNode): string => `${place.name} (${operator})`;
  return {
    measured: async (report, placement, candidates) => {
      await write(`Started ${nodes.length} real peers`, `${nodes.map(nameOf).join(', ')}\n`);
      const options = {
        title: 'the file',
        mode: 'block',
        columns: figureColumns,
        paint,
        plot: undefined,
      } as const;
      await write('Measured', renderEntropy(report, options));
      await write(
        'Planned',
        renderPlacement(placement, { columns: figureColumns, tableWidth, color, paint, candidates }),
      );
    },
    sealed: async ({ keyId, placement, report, downgraded }, sealMs) => {
      const { t, n, k } = placement;
      const lines = [
        `${formatBytes(report.bytes)} encrypted (age v1), and its key ${toHex(keyId).slice(0, 16)}.. split in ${k} shares,`,
        `each under its own key at its own holder: ${t} of them open it, ${n} are asked first, ${k - n} are spare.`,
        `It took ${formatDuration(sealMs)}.${downgraded ? ' DOWNGRADED: the level is below the one measured.' : ''}`,
      ];
      await write('Sealed', `${lines.join('\n')}\n`);
    },
    stopped: async stopped => {
      await write(`Stopped ${stopped.length} holders at once`, `${stopped.map(nameOf).join('\n')}\n`);
    },
    summary: ({ sealed, stopped, unsealed, sealMs, openMs }) => {
      const { placement, report, risk } = sealed;
      const marks = [
        placement.reduced ? 'REDUCED' : '',
        placement.manual ? 'MANUAL' : '',
        placement.certificate.simulated ? 'SIMULATED places and operators' : '',
      ].filter(mark => mark !== '');
      const rows = [
        ['file', formatBytes(report.bytes)],
        ['risk', `${risk}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`],
        ['holders', `${placement.t} of ${placement.k} needed`],
        ['stopped', stopped.map(nameOf).join(', ')],
        ['sealed in', formatDuration(sealMs)],
        [
          'key opened in',
          `${formatDuration(unsealed.keyMs)}, ${unsealed.sets} set${unsealed.sets === 1 ? '' : 's'} of holders asked`,
        ],
        ['file opened in', formatDuration(openMs)],
        ['bytes', paint(['bold', 'green'], 'the same, every one')],
      ];
      const heading = paint('bold', `${step + 1}. Opened again, without them`);
      return `${heading}\n\n${renderTable(rows, { columns: [{ title: '' }, { title: '' }], width: tableWidth, color })}`;
    },
  };
}
