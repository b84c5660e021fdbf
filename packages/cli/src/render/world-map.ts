import { mapLatitudes } from '../../parameters.ts';
import { createBrailleGrid } from './braille.ts';
import { drawLand, projectPlace, type WorldView } from './land.ts';
import { createPaint, type Look } from './text.ts';

/** What a mark stands for; `other` marks give way to the rest and may be left out. */
export type MarkKind = 'primary' | 'spare' | 'standby' | 'other';

/** Something on the map. */
export type Mark = {
  /** Degrees north. */
  readonly lat: number;
  /** Degrees east. */
  readonly lon: number;
  /** What is written there: one to three characters of one cell each. */
  readonly label: string;
  readonly kind: MarkKind;
};

/** What a map shows. */
type MapOptions = {
  readonly marks: readonly Mark[];
  /** Cells across. */
  readonly columns: number;
  /** Whether to use colours. */
  readonly color: boolean;
};

type Cell = { text: string; look: Look | undefined };

const looks: Readonly<Record<MarkKind, Look>> = {
  primary: ['bold', 'greenBright'],
  spare: ['bold', 'cyanBright'],
  standby: ['bold', 'magentaBright'],
  other: 'yellow',
};

/** Cells that a mark may be moved by, down or up, to stand clear of others. A cell is twice as high as wide. */
const shiftRowsMax = 4;
const shifts = Array.from({ length: 2 * shiftRowsMax + 1 }, (_, row) => row - shiftRowsMax)
  .flatMap(down =>
    Array.from({ length: 4 * shiftRowsMax + 1 }, (_, column) => ({ down, right: column - 2 * shiftRowsMax })),
  )
  .sort((a, b) => Math.hypot(a.right, 2 * a.down) - Math.hypot(b.right, 2 * b.down));

/** Whether a label fits at a cell with room around it, so that neighbours do not read as one. */
function isFree(marked: readonly boolean[][], column: number, row: number, length: number): boolean {
  const line = marked[row];
  if (line === undefined || column < 0 || column + length > line.length) return false;
  return !line.slice(Math.max(0, column - 1), column + length + 1).includes(true);
}

function placeMarks(cells: Cell[][], marks: readonly Mark[], view: WorldView): void {
  const rows = cells.length;
  const columns = cells[0]!.length;
  const marked = cells.map(line => line.map(() => false));
  const inOrder = [
    ...marks.filter(({ kind }) => kind !== 'other'),
    ...marks.filter(({ kind }) => kind === 'other'),
  ];
  for (const { label, kind, ...at } of inOrder) {
    const [x, y] = projectPlace(view, at);
    const column = Math.max(0, Math.min(columns - label.length, Math.floor(x / 2)));
    const row = Math.max(0, Math.min(rows - 1, Math.floor(y / 4)));
    const tried = kind === 'other' ? shifts.slice(0, 1) : shifts;
    const shift = tried.find(({ down, right }) => isFree(marked, column + right, row + down, label.length));
    if (shift === undefined) continue;
    const from = column + shift.right;
    const line = cells[row + shift.down]!;
    // A blank on either side, so that the label is legible on land without colours too.
    for (const beside of [from - 1, from + label.length]) {
      if (line[beside] !== undefined) line[beside] = { text: ' ', look: undefined };
    }
    for (let index = 0; index < label.length; index++) {
      line[from + index] = { text: label.charAt(index), look: looks[kind] };
      marked[row + shift.down]![from + index] = true;
    }
  }
}

/**
 * A map of the world (plate carrée, land in Braille dots) with marks on it. A mark stands in the cell of its place,
 * or, where that is taken, in the nearest free one.
 *
 * @param options see `MapOptions`
 * @returns lines of at most `columns` cells, each ended by a line feed; without colour, without trailing spaces
 * @example
 * renderMap({ marks: [{ lat: 64.1, lon: -21.9, label: '1', kind: 'primary' }], columns: 80, color: false });
 */
export function renderMap({ marks, columns, color }: MapOptions): string {
  const { north, south, pole } = mapLatitudes;
  const bottom = marks.some(({ lat }) => lat < south) ? pole : south;
  const rows = Math.ceil((2 * columns * (north - bottom)) / 360 / 4);
  const view = { width: 2 * columns, height: 4 * rows, north };
  const grid = createBrailleGrid(columns, rows);
  drawLand(view, grid.set);
  const cells = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column): Cell => {
      const text = grid.cell(column, row);
      return { text, look: text === ' ' ? undefined : 'dim' };
    }),
  );
  placeMarks(cells, marks, view);
  const paint = createPaint(color);
  return cells.map(line => `${renderLine(line, paint).trimEnd()}\n`).join('');
}

/** A line of cells, with one escape sequence for each run of one look. */
function renderLine(line: readonly Cell[], paint: ReturnType<typeof createPaint>): string {
  let text = '';
  for (let from = 0; from < line.length; ) {
    let to = from;
    while (to < line.length && line[to]!.look === line[from]!.look) to += 1;
    const run = line.slice(from, to).map(cell => cell.text);
    const { look } = line[from]!;
    text += look === undefined ? run.join('') : paint(look, run.join(''));
    from = to;
  }
  return text;
}
