import type { EntropyReport } from '@skerry/entropy';
import { type EntropyLabels, thresholdBits } from './entropy-figures.ts';
import { formatBytes } from './format.ts';
import { printable, truncate } from './text.ts';

/** The drawing and the plot's frame within it, in user units. */
const size = { width: 960, height: 470 } as const;
const frame = { left: 64, top: 104, right: 876, bottom: 392 } as const;

/** Bits per byte at the top of the plot. */
const bitsMax = 8;

/** Characters of the title, at most: what fits over the plot. */
const titleLengthMax = 64;

const colors = {
  ink: '#1c2733',
  faint: '#66727f',
  grid: '#e3e8ed',
  line: '#0b6aa8',
  low: '#2e7d4f',
  medium: '#b7791f',
  high: '#b3372f',
} as const;

function escapeXml(text: string): string {
  return printable(text).replace(/[<>&"']/g, character => `&#${character.charCodeAt(0)};`);
}

function yOf(bits: number): number {
  return Math.round((frame.bottom - (bits / bitsMax) * (frame.bottom - frame.top)) * 100) / 100;
}

type TextOptions = {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
};

function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', fill = colors.ink, size = 13, weight = 400 } = options;
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}" font-size="${size}" font-weight="${weight}">${escapeXml(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string, dashes = 'none'): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" stroke-dasharray="${dashes}"/>`;
}

function renderHead(report: EntropyReport, { title, mode }: EntropyLabels): string[] {
  const { bytes, window, shannon, minEntropy, risk } = report;
  const figures =
    shannon === null || minEntropy === null
      ? 'too short for an estimate'
      : `Shannon ${shannon.mean.toFixed(3)} (${shannon.min.toFixed(3)} to ${shannon.max.toFixed(3)}), min-entropy ${minEntropy.toFixed(3)} bits per byte`;
  const measured = `${formatBytes(bytes)}, ${mode} windows of ${formatBytes(window)}`;
  return [
    text(frame.left, 36, `Entropy of ${truncate(printable(title), titleLengthMax)}`, {
      size: 20,
      weight: 600,
    }),
    text(frame.left, 60, `${measured}; ${figures}`, { fill: colors.faint }),
    text(frame.right, 36, `risk ${risk}`, {
      anchor: 'end',
      size: 18,
      weight: 600,
      fill: colors[risk],
    }),
  ];
}

/** Steps of a power of two, four to eight of them over the stream; a short stream has its end only. */
function byteTicks(bytes: number): number[] {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, bytes))) - 3);
  const count = Math.floor(bytes / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

function renderAxes(bytes: number): string[] {
  const ticks = byteTicks(bytes);
  const xOf = (offset: number): number =>
    Math.round(frame.left + ((frame.right - frame.left) * offset) / Math.max(1, bytes));
  return [
    ...Array.from({ length: bitsMax / 2 + 1 }, (_, index) => 2 * index).flatMap(bits => [
      line(frame.left, yOf(bits), frame.right, yOf(bits), colors.grid),
      text(frame.left - 10, yOf(bits) + 4.5, String(bits), { anchor: 'end', fill: colors.faint }),
    ]),
    ...ticks.flatMap(offset => [
      line(xOf(offset), frame.bottom, xOf(offset), frame.bottom + 6, colors.faint),
      text(xOf(offset), frame.bottom + 23, formatBytes(offset), { anchor: 'middle', fill: colors.faint }),
    ]),
    line(frame.left, frame.top, frame.left, frame.bottom, colors.faint),
    line(frame.left, frame.bottom, frame.right, frame.bottom, colors.faint),
    text((frame.left + frame.right) / 2, frame.bottom + 48, 'offset in the stream', {
      anchor: 'middle',
      fill: colors.faint,
    }),
    `<g transform="rotate(-90 22 ${(frame.top + frame.bottom) / 2})">${text(
      22,
      (frame.top + frame.bottom) / 2,
      'bits per byte',
      {
        anchor: 'middle',
        fill: colors.faint,
      },
    )}</g>`,
  ];
}

function renderThreshold(level: 'medium' | 'high', bits: number): string[] {
  const y = yOf(bits);
  return [
    line(frame.left, y, frame.right, y, colors[level], '6 4'),
    text(frame.right + 8, y + 4.5, level, { fill: colors[level] }),
  ];
}

function renderSeries(series: readonly number[]): string[] {
  const width = frame.right - frame.left;
  // Every point stands for a stretch of the stream, and is drawn as a step over it.
  const corners = series.flatMap((bits, index) =>
    [index, index + 1].map(
      step => `${(frame.left + (width * step) / series.length).toFixed(2)},${yOf(bits)}`,
    ),
  );
  const base = `${frame.right},${frame.bottom} ${frame.left},${frame.bottom}`;
  return [
    `<polygon points="${corners.join(' ')} ${base}" fill="${colors.line}" fill-opacity="0.12"/>`,
    `<polyline points="${corners.join(' ')}" fill="none" stroke="${colors.line}" stroke-width="1.6" stroke-linejoin="round"/>`,
  ];
}

function renderLegend(): string[] {
  const y = 83;
  const entries = [
    { x: 0, label: 'Shannon entropy along the stream', stroke: colors.line, dashes: 'none' },
    { x: 300, label: 'medium risk from here on', stroke: colors.medium, dashes: '6 4' },
    { x: 540, label: 'high risk from here on', stroke: colors.high, dashes: '6 4' },
  ];
  return entries.flatMap(({ x: offset, label, stroke, dashes }) => {
    const x = frame.left + offset;
    return [line(x, y, x + 26, y, stroke, dashes), text(x + 34, y + 4.5, label, { fill: colors.faint })];
  });
}

/**
 * An entropy report as a drawing that stands alone: the series over the stream, axes, thresholds, title and legend.
 *
 * @param labels what was measured and how; the title may come from outside
 * @returns an SVG document
 */
export function renderEntropySvg(report: EntropyReport, labels: EntropyLabels): string {
  const { bytes, series } = report;
  const body = [
    `<rect width="${size.width}" height="${size.height}" fill="#fff"/>`,
    ...renderHead(report, labels),
    ...renderAxes(bytes),
  ];
  if (series.length === 0) {
    const middle = (frame.left + frame.right) / 2;
    body.push(
      text(middle, (frame.top + frame.bottom) / 2, 'no estimate under 256 bytes', { anchor: 'middle' }),
    );
  } else {
    const { medium, high } = thresholdBits(report);
    body.push(
      ...renderSeries(series),
      ...renderThreshold('medium', medium),
      ...renderThreshold('high', high),
      ...renderLegend(),
    );
  }
  const { width, height } = size;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'DejaVu Sans', Arial, sans-serif" role="img">`,
    `<title>${escapeXml(`Entropy of ${labels.title}`)}</title>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}
