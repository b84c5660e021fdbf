import { SkerryError } from '@skerry/base';
import { grantUsesMax, sharesMax } from '../parameters.ts';
import { ascends } from './order.ts';

/** Operations of a round that a grant may allow. */
export const grantedOperations = ['open', 'inspect'] as const;

/** The fixed `typ` of a grant's protected header: no other JWS passes for one (RFC 8725 section 3.11). */
export const grantType = 'skerry-grant+jws';

/** What a grant says: its subject may run an operation on a key until it expires. */
export type GrantClaims = {
  /** Key id, 64 hexadecimal digits. */
  readonly keyId: string;
  readonly epoch: number | null;
  readonly op: (typeof grantedOperations)[number];
  /** Node id of the subject. */
  readonly sub: string;
  /** The confirmation key: Ed25519 public key, 64 hexadecimal digits. It signs every request. */
  readonly cnf: string;
  /** Unique id of the grant, for uses and revocation. */
  readonly jti: string;
  /** Seconds since 1970. */
  readonly nbf: number;
  /** Seconds since 1970. */
  readonly exp: number;
  /** Rounds allowed at each holder; null for no count. */
  readonly uses: number | null;
  /** Points that may answer, at least two, ascending, where uses must be exact; null for all. */
  readonly among: readonly number[] | null;
};

/** The last second of the year 9999. */
export const secondsMax = 253_402_300_800;

/** Whether a text may be the id of a grant. */
export function isGrantId(text: string): boolean {
  return /^[0-9a-zA-Z_-]{8,64}$/.test(text);
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

/**
 * The claims of a grant whose signatures were verified.
 *
 * @param payload parsed JSON: anything
 * @throws GRANT_INVALID naming the claim that is missing or out of bounds
 */
export function parseGrantClaims(payload: unknown): GrantClaims {
  if (typeof payload !== 'object' || payload === null) throw new SkerryError('GRANT_INVALID');
  const { keyId, epoch, op, sub, cnf, jti, nbf, exp, uses, among, ...rest } = payload as Record<
    string,
    unknown
  >;
  const operation = grantedOperations.find(name => name === op);
  const amongValid =
    among === null ||
    (Array.isArray(among) &&
      among.length >= 2 &&
      among.every(x => isWhole(x, 1, sharesMax)) &&
      ascends(among));
  const rules: readonly [string, boolean][] = [
    ['keyId', matches(keyId, /^[0-9a-f]{64}$/)],
    ['epoch', epoch === null || isWhole(epoch, 1, 0xffff_ffff)],
    ['op', operation !== undefined],
    ['sub', matches(sub, /^[1-9A-HJ-NP-Za-km-z]{40,64}$/)],
    ['cnf', matches(cnf, /^[0-9a-f]{64}$/)],
    ['jti', typeof jti === 'string' && isGrantId(jti)],
    ['nbf', isWhole(nbf, 0, secondsMax)],
    ['exp', isWhole(exp, 0, secondsMax) && isWhole(nbf, 0, exp - 1)],
    ['uses', uses === null || isWhole(uses, 1, grantUsesMax)],
    ['among', amongValid],
    ['(unknown)', Object.keys(rest).length === 0],
  ];
  const broken = rules.find(([, holds]) => !holds);
  if (broken) throw new SkerryError('GRANT_INVALID', `the grant's ${broken[0]} is missing or out of bounds`);
  return { keyId, epoch, op: operation, sub, cnf, jti, nbf, exp, uses, among } as GrantClaims;
}
