import type { Invocation } from '../command.ts';
import type { ExplainDocument } from '../daemon/key-evidence.ts';
import { formatDuration } from './format.ts';
import { placeText, trustText, underRows } from './peer-text.ts';
import { renderTable } from './table.ts';
import { wrapText } from './text.ts';

type Holder = ExplainDocument['holders'][number];

/** What weighs most of what is known of a holder now, and how old it is. */
function mainText({ now }: Holder): string {
  if (now === null) return 'now in the directory no more';
  const { meaning, count, ageMs } = now.main;
  const times = count > 1 ? ` (${count} times)` : '';
  const age = ageMs === null ? '' : `, ${formatDuration(ageMs)} ago`;
  return `${meaning}${times}${age}`;
}

/**
 * Holders as they were taken to be when the key was dealt and as they are now, each with what weighs most in that.
 *
 * @param holders of `key explain --json`
 * @returns lines, each ended by a line feed
 */
export function renderThenAndNow(
  holders: readonly Holder[],
  { tableWidth: width, color }: Pick<Invocation, 'tableWidth' | 'color'>,
): string {
  const rows = holders.map(({ location, dealt, now }) => [
    placeText(location),
    dealt?.trust.toFixed(2) ?? '',
    now === null ? '' : trustText(now),
    dealt?.availability.toFixed(2) ?? '',
    now?.availability.toFixed(2) ?? '',
    dealt?.place ?? '',
    now?.placeVerdict ?? '',
  ]);
  const titles = ['holder', 'trust', 'now', 'answers', 'now', 'place', 'now'];
  const table = renderTable(rows, { columns: titles.map(title => ({ title })), width, color });
  return underRows(
    table,
    holders.map(holder => wrapText(mainText(holder), width, '  ')),
  );
}
