import type { KeyDocument } from '../key-document.ts';
import { printable } from './text.ts';

/** A grant as `key show --json` gives it; `exp` is seconds since 1970. */
type GrantDocument = {
  readonly jti: string;
  readonly to: string;
  readonly exp: number;
  readonly uses: number | null;
  readonly revoked: boolean;
};

/** The grants of a key, and the deletions that its holders signed. */
export type Endings = {
  readonly grants: readonly GrantDocument[];
  readonly deletions: readonly { readonly nodeId: string; readonly at: string; readonly signature: string }[];
};

/** What `key repair --json` gives. */
export type RepairDocument = KeyDocument & {
  readonly points: readonly {
    readonly x: number;
    readonly from: string;
    readonly to: string;
    readonly repaired: boolean;
    readonly code: string | null;
  }[];
};

/** A key for a person. */
export function keyText(key: KeyDocument): string {
  const marks = marksOf(key).join(' ');
  const holders = key.holders.map(({ location, operator, live, role }) => {
    const place = location === null ? 'unknown' : `${location.name}, ${location.country}`;
    return printable(
      `  ${live ? 'live' : 'DOWN'}  ${role.padEnd(7)}  ${place} (${operator ?? 'no operator'})`,
    );
  });
  const shares = key.destroyed
    ? ['shares  destroyed: nothing brings the key back']
    : [`shares  ${key.t} of ${key.k}; ${key.live} live, margin ${key.margin} (${key.level})`, ...holders];
  return [
    `key     ${key.keyId}${key.alias === null ? '' : ` (${printable(key.alias)})`}`,
    `kind    ${key.kind}, for ${key.purpose === 'file' ? 'a sealed file' : 'bytes'}, epoch ${key.epoch}, risk ${key.risk}, profile ${key.profile} ${marks}`.trimEnd(),
    ...shares,
    ...adviceOn(key),
    '',
  ].join('\n');
}

function marksOf({ destroyed, reduced, manual, exposed }: KeyDocument): string[] {
  const marks = { DESTROYED: destroyed, REDUCED: reduced, MANUAL: manual, EXPOSED: exposed && !destroyed };
  return Object.entries(marks).flatMap(([mark, isSet]) => (isSet ? [mark] : []));
}

/** What is about to be done for a key, or has to be. */
function adviceOn({ destroyed, exposed, risk, wanted, remedies, successor, settled }: KeyDocument): string[] {
  if (destroyed) return [];
  const lines = [
    exposed ? 'danger  so many shares may have leaked that it is not safe: skerry reseal what it sealed' : '',
    wanted === risk ? '' : `wanted  ${wanted}: something under it asks for more than it was dealt for`,
    remedies.length === 0 ? '' : `due     ${remedies.join(', ')}`,
    settled ? '' : 'due     more holders have to serve the new epoch before the one before ends',
    successor === null ? '' : `after   ${successor} took its place`,
  ];
  return lines.filter(line => line !== '');
}

/** The grants that are good, two lines each so that no terminal cuts an id. */
function grantsText({ grants, destroyed }: KeyDocument & Endings): string {
  return grants
    .filter(({ revoked }) => !revoked && !destroyed)
    .map(({ jti, to, exp, uses }) => {
      const until = new Date(exp * 1000).toISOString().replace('.000', '');
      const often = uses === null ? '' : `, ${uses} ${uses === 1 ? 'use' : 'uses'} at each holder`;
      return `grant   ${jti} until ${until}${often}\n        to ${to}\n`;
    })
    .join('');
}

/** The grants that are good, or what shows that a key is gone, and what nothing shows. */
export function endingsText(key: KeyDocument & Endings): string {
  if (!key.destroyed) return grantsText(key);
  const signed = key.deletions.map(
    ({ nodeId, at }) => `erased  by ${nodeId}\n        on ${at}, which it signed\n`,
  );
  const honest =
    'note    a holder that had copied its share before can not be shown to have erased the copy\n';
  return `${signed.join('')}${honest}`;
}

/** What a repair has come to, for a person. */
export function repairText({ points }: RepairDocument): string {
  if (points.length === 0) return 'every holder proved its share: nothing was moved\n';
  return points
    .map(
      ({ from, to, repaired }) =>
        `${from}\n  -> ${to}${repaired ? '' : ', which still has its share made'}\n`,
    )
    .join('');
}
