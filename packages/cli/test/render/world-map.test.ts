import { describe, expect, it } from 'vitest';
import { cellWidth } from '../../src/render/text.ts';
import { type Mark, renderMap } from '../../src/render/world-map.ts';

const linesOf = (marks: readonly Mark[], columns = 100): string[] =>
  renderMap({ marks, columns, color: false }).trimEnd().split('\n');

const mark = (lat: number, lon: number, label: string, kind: Mark['kind'] = 'primary'): Mark => ({
  lat,
  lon,
  label,
  kind,
});

/** Where a label stands: its column and row. */
function cellOf(lines: readonly string[], label: string): [column: number, row: number] {
  const row = lines.findIndex(line => line.includes(label));
  return [lines[row]?.indexOf(label) ?? -1, row];
}

describe('renderMap', () => {
  it('shows land where there is land, and sea where there is none', () => {
    const lines = linesOf([]);
    const at = (lat: number, lon: number): string => {
      const column = Math.floor((((lon - 11 + 540) % 360) / 360) * 100);
      return lines[Math.floor((84 - lat) / 360 / 0.02)]?.[column] ?? ' ';
    };
    for (const [lat, lon] of [
      [23, 10],
      [-10, -55],
      [60, 100],
      [-25, 135],
      [45, -100],
      [72, -40],
    ] as const) {
      expect(at(lat, lon)).toBe('⣿');
    }
    for (const [lat, lon] of [
      [0, -140],
      [-40, 80],
      [35, -40],
      [-50, -120],
    ] as const) {
      expect(at(lat, lon)).toBe(' ');
    }
  });

  it.each([40, 60, 80, 100])('is at most %i columns wide, and shaped like the world', columns => {
    const lines = linesOf([mark(64, -22, '1'), mark(-34, 151, 'A', 'spare')], columns);
    const widths = lines.map(cellWidth);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    expect(Math.max(...widths)).toBeGreaterThan(0.9 * columns);
    expect(lines.length).toBeGreaterThan(columns / 6);
    expect(lines.length).toBeLessThan(columns / 4.5);
  });

  it('puts marks in the cells of their places', () => {
    // 3.6 degrees a column from 169 degrees west, 7.2 a row from 84 north.
    const lines = linesOf([mark(64.1, -21.9, '1'), mark(-33.9, 151.2, '2'), mark(0, 11, 'A', 'spare')]);
    expect(cellOf(lines, '1')).toEqual([Math.floor((169 - 21.9) / 3.6), Math.floor((84 - 64.1) / 7.2)]);
    expect(cellOf(lines, '2')).toEqual([Math.floor((169 + 151.2) / 3.6), Math.floor((84 + 33.9) / 7.2)]);
    expect(cellOf(lines, 'A')).toEqual([50, 11]);
  });

  it('shows every mark of one place, apart from each other and near it', () => {
    const labels = Array.from({ length: 12 }, (_, index) => `${index + 1}`);
    const lines = linesOf(labels.map(label => mark(50, 8, label)));
    const found = lines.flatMap((line, row) =>
      [...line.matchAll(/\d+/g)].map(match => ({ label: match[0], row, column: match.index })),
    );
    expect(found.map(({ label }) => label).sort()).toEqual(labels.toSorted());
    for (const { row, column } of found) {
      expect(Math.abs(row - 4)).toBeLessThanOrEqual(4);
      expect(Math.abs(column - 49)).toBeLessThanOrEqual(9);
    }
  });

  it('lets other nodes give way', () => {
    const marks = [mark(50, 8, '∘', 'other'), mark(50, 8, '1'), mark(10, 100, '∘', 'other')];
    const text = linesOf(marks).join('\n');
    expect(text).toContain('1');
    expect(text.match(/∘/g)).toHaveLength(1);
  });

  it('takes places at the ends of the world', () => {
    const edges = [
      mark(90, 0, '1'),
      mark(-90, 0, '2'),
      mark(10, 180, '3'),
      mark(10, -180, '4'),
      mark(0, -169, 'AA'),
    ];
    const lines = linesOf([...edges, mark(0, -169.01, 'BB')]);
    for (const { label } of edges) expect(cellOf(lines, label)[1]).toBeGreaterThanOrEqual(0);
    expect(cellOf(lines, 'BB')[0]).toBe(98);
    expect(Math.max(...lines.map(cellWidth))).toBeLessThanOrEqual(100);
  });

  it('uses colours only when told, and then only adds them', () => {
    const marks = [mark(50, 8, '1'), mark(10, 100, 'A', 'spare')];
    const plain = renderMap({ marks, columns: 60, color: false });
    const colored = renderMap({ marks, columns: 60, color: true });
    expect(plain).not.toContain('\u001b');
    // oxlint takes control characters in a pattern for a slip.
    const codes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
    expect(colored).toMatch(codes);
    expect(colored.replace(codes, '').replace(/ +$/gm, '')).toBe(plain);
  });
});
