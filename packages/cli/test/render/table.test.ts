import { describe, expect, it } from 'vitest';
import { renderTable } from '../../src/render/table.ts';
import { cellWidth } from '../../src/render/text.ts';

const columns = [{ title: 'name' }, { title: 'km', align: 'right' }] as const;

describe('renderTable', () => {
  it('lines up columns by the cells that text takes', () => {
    const rows = [
      ['東京', '7'],
      ['Sa\u0303o Paulo', '1,234'],
    ];
    expect(renderTable(rows, { columns })).toBe(
      'name          km\n東京           7\nSa\u0303o Paulo  1,234\n',
    );
  });

  it('cuts the widest cells until the table fits', () => {
    const rows = [
      ['a very long name indeed', '12,345'],
      ['東京東京東京東京', '1'],
    ];
    const lines = renderTable(rows, { columns, width: 20 }).trimEnd().split('\n');
    for (const line of lines) expect(cellWidth(line)).toBeLessThanOrEqual(20);
    expect(lines[1]).toBe('a very long…  12,345');
  });

  it('makes cells safe for a terminal', () => {
    const text = renderTable([['\u001b[31m\nred\u009b', '\u202e1']], { columns });
    expect(text.split('\n')).toHaveLength(3);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  });
});
