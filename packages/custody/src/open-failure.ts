import { type ErrorCode, errorTable, SkerryError } from '@skerry/base';

/** How an open stood when it was given up. */
type FailedOpen = {
  readonly t: number;
  readonly k: number;
  /** Holders that did not do their part, as they are called in messages, and why. */
  readonly absent: readonly { readonly label: string; readonly code: ErrorCode }[];
  /** Sets that answered and whose sum was not the committed payload. */
  readonly wrongSets: number;
};

/** Whether a code is a holder's own no. A bad signature is this side's finding, and a pending delay is a not yet. */
function isRefusal(code: ErrorCode): boolean {
  return code === 'DELAY_PENDING' || (errorTable[code].kind === 'refused' && code !== 'SIGNATURE_INVALID');
}

/** The code that stands most often in a list, of equals the first. */
function commonest(codes: readonly ErrorCode[]): ErrorCode | undefined {
  const counts = new Map<ErrorCode, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/**
 * Why an open failed, for a person. Where so many holders refuse that fewer than t are left, what most of them
 * say is the reason: k - t liars alone cannot bring it about. Else too few answered, or enough did and no set was
 * right. It names who did not do its part, and blames nobody for a wrong sum.
 *
 * @returns an error of the commonest refusal's code, KEY_UNAVAILABLE or KEY_CORRUPT
 */
export function explainFailure({ t, k, absent, wrongSets }: FailedOpen): SkerryError {
  const who = absent.map(({ label, code }) => `${label}: ${code}`).join('; ');
  const metadata = { threshold: t, holders: k, missing: absent.length, who };
  const refusals = absent.map(({ code }) => code).filter(isRefusal);
  const refusal = commonest(refusals);
  if (refusal !== undefined && refusals.length > k - t) {
    return new SkerryError(refusal, `${errorTable[refusal].meaning} (${who})`, metadata);
  }
  if (wrongSets > 0 && k - absent.length >= t) {
    const message = `${wrongSets} sets of ${t} holders answered, and none gave the key that was committed to`;
    return new SkerryError('KEY_CORRUPT', message, { ...metadata, sets: wrongSets });
  }
  const message = `${absent.length} of ${k} holders did not answer and ${t} are needed: ${who}`;
  return new SkerryError('KEY_UNAVAILABLE', message, metadata);
}
