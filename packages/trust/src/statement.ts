import { allowedTrustMin, vouchedTrustMin } from '../parameters.ts';

/** What an operator may say of a node in a word. */
export const statementWords = ['allow', 'vouch', 'deny'] as const;

/**
 * What an operator states of a node or of another operator, by its own knowledge: a trust of 0 to 1 that stands for
 * all evidence; `deny`, the same as 0; or that trust is at least neutral (`allow`), or enough for high risk (`vouch`),
 * whatever the evidence says.
 */
export type TrustStatement = number | (typeof statementWords)[number];

/** Statements by node id, or by `operator:NAME`. */
export type TrustStatements = Readonly<Record<string, TrustStatement>>;

/**
 * The statement that applies to a node: its own comes before its operator's.
 *
 * @param nodeId the node's
 * @param operator who runs it, by its claim; null when unknown
 * @returns null where there is none
 */
export function statementOn(
  statements: TrustStatements,
  nodeId: string,
  operator: string | null,
): TrustStatement | null {
  const names = [nodeId, ...(operator === null ? [] : [`operator:${operator}`])];
  const name = names.find(candidate => Object.hasOwn(statements, candidate));
  return name === undefined ? null : statements[name]!;
}

/**
 * The trust that a statement gives.
 *
 * @param statement of this node's operator
 * @param earned trust by evidence alone, 0 to 1
 */
export function statedTrust(statement: TrustStatement, earned: number): number {
  if (statement === 'allow') return Math.max(earned, allowedTrustMin);
  if (statement === 'vouch') return Math.max(earned, vouchedTrustMin);
  return statement === 'deny' ? 0 : statement;
}
