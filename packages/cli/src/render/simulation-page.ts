import type { Figure, Row, ScenarioReport } from '@skerry/simulator';

/** A plot: figures over days, with words for them. */
type Plot = {
  readonly title: string;
  readonly says: string;
  readonly columns: readonly string[];
  /** Powers of ten on the vertical axis. */
  readonly isLog?: boolean;
};

const plots: readonly Plot[] = [
  {
    title: 'Shares beyond the threshold',
    says: 'how many more holders a key may lose: the mean of all keys, and the key with the fewest',
    columns: ['spareMean', 'spareLeast'],
  },
  { title: 'Keys with all their shares', says: 'as a part of all keys', columns: ['full'] },
  { title: 'Repairs', says: 'points moved to another node in a day', columns: ['movesPerDay'] },
  {
    title: 'Traffic',
    says: 'bytes that a node sends in a day to heal, audits apart',
    columns: ['bytesPerNodeDay'],
  },
  {
    title: 'P(loss)',
    says: 'that fewer than t holders of a key answer at a moment: mean and worst key',
    columns: ['pLossMean', 'pLossMost'],
    isLog: true,
  },
  {
    title: 'P(theft)',
    says: 'that enough holders are compromised, with copies that former holders may have: the worst key',
    columns: ['pTheftMost'],
    isLog: true,
  },
  { title: 'Keys lost', says: 'since the beginning', columns: ['lost'] },
];

const size = { width: 520, height: 220 } as const;
const frame = { left: 64, top: 14, right: 508, bottom: 188 } as const;
const colors = ['#0b6aa8', '#b3372f'] as const;

const style = `body{font:15px/1.45 system-ui,sans-serif;color:#1c2733;background:#fff;margin:2rem auto;max-width:1120px;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1rem;margin:0}p{margin:.2rem 0 .6rem}.faint{color:#5b6773}
.ok{color:#2e7d4f}.bad{color:#b3372f}.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:1.2rem 2rem;margin:1.5rem 0}
svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#5b6773}
table{border-collapse:collapse;margin:.4rem 0 1.5rem}td,th{padding:.15rem .9rem .15rem 0;text-align:right;border-bottom:1px solid #e3e8ed}td:first-child,th:first-child{text-align:left}
code{background:#f2f5f8;padding:.1rem .3rem}.scroll{overflow-x:auto}`;

function escapeHtml(text: string): string {
  return text.replace(/[<>&"']/g, character => `&#${character.charCodeAt(0)};`);
}

const textOf = (figure: Figure | undefined): string => (figure === null ? '–' : String(figure ?? ''));

/** Steps of 1, 2 or 5 times a power of ten, some four of them up to the top. */
function ticksTo(top: number): number[] {
  const raw = top / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= raw) ?? raw;
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, index) => index * step);
}

/** What stands at which height of the frame: 0 at the bottom, 1 at the top. */
type Scale = { readonly at: (value: number) => number; readonly ticks: readonly number[] };

function scaleOf(values: readonly number[], isLog: boolean): Scale {
  const most = Math.max(...values);
  if (!isLog) {
    const least = Math.min(0, ...values);
    const top = most > least ? most * 1.08 : least + 1;
    return { at: value => (value - least) / (top - least), ticks: ticksTo(top) };
  }
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(most) + 1e-9)];
  const span = Math.max(1, high - low);
  const step = Math.ceil(span / 5);
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => 10 ** (low + index * step));
  return { at: value => (Math.log10(value) - low) / span, ticks };
}

const tickText = (value: number, isLog: boolean): string =>
  isLog ? `1e${Math.round(Math.log10(value))}` : String(Number(value.toPrecision(6)));

/** A plot as SVG; undefined where there is nothing to draw. */
function drawPlot({ columns, isLog = false, title }: Plot, rows: readonly Row[]): string | undefined {
  const pointsOf = (column: string): [day: number, value: number][] =>
    rows.flatMap(row => {
      const [day, value] = [row['day'], row[column]];
      const isDrawn = typeof day === 'number' && typeof value === 'number' && (!isLog || value > 0);
      return isDrawn ? [[day, value]] : [];
    });
  const lines = columns.map(pointsOf).filter(points => points.length > 0);
  const all = lines.flat();
  if (all.length === 0) return undefined;
  const lastDay = Math.max(...all.map(([day]) => day));
  const scale = scaleOf(
    all.map(([, value]) => value),
    isLog,
  );
  const x = (day: number): string => (frame.left + (day / lastDay) * (frame.right - frame.left)).toFixed(1);
  const y = (value: number): string =>
    (frame.bottom - scale.at(value) * (frame.bottom - frame.top)).toFixed(1);
  const grid = scale.ticks.map(
    tick =>
      `<line x1="${frame.left}" x2="${frame.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#e3e8ed"/><text x="${frame.left - 6}" y="${Number(y(tick)) + 4}" text-anchor="end">${tickText(tick, isLog)}</text>`,
  );
  const days = ticksTo(lastDay).map(
    day => `<text x="${x(day)}" y="${frame.bottom + 16}" text-anchor="middle">${day}</text>`,
  );
  const drawn = lines.map(
    (points, index) =>
      `<polyline fill="none" stroke="${colors[index % colors.length]}" stroke-width="1.6" points="${points.map(([day, value]) => `${x(day)},${y(value)}`).join(' ')}"/>`,
  );
  const legend = columns.map(
    (column, index) =>
      `<text x="${frame.right}" y="${frame.bottom + 30}" dx="${-90 * (columns.length - 1 - index)}" text-anchor="end" style="fill:${colors[index % colors.length]}">${escapeHtml(column)}</text>`,
  );
  return `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(title)}">${[...grid, ...days, ...drawn, ...(columns.length > 1 ? legend : [])].join('')}<text x="${frame.left}" y="${frame.bottom + 30}">days</text></svg>`;
}

function tableOf(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))];
  const head = names.map(name => `<th>${escapeHtml(name)}</th>`).join('');
  const body = rows.map(
    row => `<tr>${names.map(name => `<td>${escapeHtml(textOf(row[name]))}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll"><table><tr>${head}</tr>${body.join('')}</table></div>`;
}

/**
 * A report as a page of plots: HTML with SVG, that needs nothing from elsewhere.
 *
 * @param report of a scenario
 * @param command that runs it again
 */
export function renderSimulationPage(report: ScenarioReport, command: string): string {
  const { scenario, seed, ok, checkers, figures, violations } = report;
  const tables = Object.entries(figures).filter((entry): entry is [string, readonly Row[]] =>
    Array.isArray(entry[1]),
  );
  const singles = Object.entries(figures).filter(([, figure]) => !Array.isArray(figure));
  const daily = tables.find(([name]) => name === 'daily')?.[1] ?? [];
  const drawn = plots.flatMap(plot => {
    const svg = drawPlot(plot, daily);
    if (svg === undefined) return [];
    return [`<section><h2>${plot.title}</h2><p class="faint">${plot.says}</p>${svg}</section>`];
  });
  const found = Object.entries(checkers).map(([checker, count]) => ({ checker, violations: count }));
  const verdict = ok
    ? '<span class="ok">every checker holds</span>'
    : '<span class="bad">a checker is violated</span>';
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(scenario)}, seed ${seed}</title><style>${style}</style>`,
    `<h1>${escapeHtml(scenario)}, seed ${seed}: ${verdict}</h1><p class="faint">Virtual time. The same again: <code>${escapeHtml(command)}</code></p>`,
    ...violations.map(one => `<p class="bad">${escapeHtml(one)}</p>`),
    `<div class="plots">${drawn.join('')}</div>`,
    `<h2>Figures</h2>${tableOf(singles.map(([figure, value]) => ({ figure, value: value as Figure })))}`,
    `<h2>Checkers</h2>${tableOf(found)}`,
    ...tables.map(([name, rows]) => `<h2>${escapeHtml(name)}</h2>${tableOf(rows)}`),
    '</html>\n',
  ].join('\n');
}
