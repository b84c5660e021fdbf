/** A grid of terminal cells, two dots wide and four high each, drawn with Unicode's Braille patterns (U+2800). */
type BrailleGrid = {
  /** Sets the dot; outside the grid it is ignored. x runs right, y down, from 0. */
  readonly set: (x: number, y: number) => void;
  /** The character of a cell; a space where no dot is set. */
  readonly cell: (column: number, row: number) => string;
};

/** Bit of each dot, by y then x (The Unicode Standard, Braille Patterns). */
const bits = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80] as const;

/**
 * Makes an empty grid.
 *
 * @param columns cells in a row
 * @param rows rows of cells
 */
export function createBrailleGrid(columns: number, rows: number): BrailleGrid {
  const cells = new Uint8Array(columns * rows);
  return {
    set(x, y) {
      if (x < 0 || y < 0 || x >= 2 * columns || y >= 4 * rows) return;
      cells[(y >> 2) * columns + (x >> 1)]! |= bits[(y & 3) * 2 + (x & 1)]!;
    },
    cell(column, row) {
      const pattern = cells[row * columns + column]!;
      return pattern === 0 ? ' ' : String.fromCodePoint(0x2800 + pattern);
    },
  };
}
