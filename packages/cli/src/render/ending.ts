import { SkerryError } from '@skerry/base';
import type { Invocation } from '../command.ts';

/** How far holders have taken in a revocation or a destruction, as the daemon gives it. */
type EndingDocument = {
  readonly keyId: string;
  readonly jti?: string | null;
  readonly acknowledged: number;
  readonly needed: number;
  readonly k: number;
  readonly outstanding: readonly { readonly nodeId: string; readonly code: string }[];
};

/**
 * Prints what a revocation or a destruction has come to.
 *
 * @param document as the daemon gives it
 * @param pending the code where too few holders have acknowledged it: the daemon goes on telling them
 * @param invocation of the command
 * @throws that code, naming who is missing and why
 */
export async function reportEnding(
  document: unknown,
  pending: 'REVOCATION_PENDING' | 'DESTRUCTION_PENDING',
  invocation: Pick<Invocation, 'print'>,
): Promise<void> {
  const { keyId, acknowledged, needed, k, outstanding } = document as EndingDocument;
  const who = outstanding.map(({ nodeId, code }) => `${nodeId}: ${code}`).join('; ');
  const count = `${acknowledged} of ${k} holders ${pending === 'REVOCATION_PENDING' ? 'know' : 'erased it'}`;
  if (acknowledged < needed) {
    const message = `${count} and ${needed} must; this node goes on telling the others (${who})`;
    throw new SkerryError(pending, message, { keyId, acknowledged, needed, k, who });
  }
  await invocation.print(
    document,
    () => `${count}; ${needed} were needed${who === '' ? '' : `; still told: ${who}`}\n`,
  );
}
