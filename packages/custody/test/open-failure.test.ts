import type { ErrorCode } from '@skerry/base';
import { describe, expect, it } from 'vitest';
import { explainFailure } from '../src/open-failure.ts';

function explain(codes: readonly ErrorCode[], wrongSets = 0): string {
  const absent = codes.map((code, i) => ({ label: `holder ${i}`, code }));
  return explainFailure({ t: 3, k: 5, absent, wrongSets }).code;
}

describe('the reason of a failed open', () => {
  it('is a refusal only where more holders refuse than could be lying', () => {
    expect(explain(['GRANT_EXPIRED', 'GRANT_EXPIRED', 'GRANT_EXPIRED'])).toBe('GRANT_EXPIRED');
    expect(explain(['GRANT_EXPIRED', 'GRANT_EXPIRED', 'PEER_UNREACHABLE'])).toBe('KEY_UNAVAILABLE');
  });

  it('is what most of those say that refuse', () => {
    expect(explain(['CORE_MISMATCH', 'GRANT_USED_UP', 'GRANT_USED_UP'])).toBe('GRANT_USED_UP');
    expect(explain(['DELAY_PENDING', 'DELAY_PENDING', 'GRANT_INVALID', 'DELAY_PENDING'])).toBe(
      'DELAY_PENDING',
    );
  });

  it('is not a refusal where signatures are bad: that is the finding of this side', () => {
    expect(explain(['SIGNATURE_INVALID', 'SIGNATURE_INVALID', 'SIGNATURE_INVALID'])).toBe('KEY_UNAVAILABLE');
  });

  it('is a corrupt key where enough answered and no set was right, and else an unavailable one', () => {
    expect(explain([], 1)).toBe('KEY_CORRUPT');
    expect(explain(['PEER_UNREACHABLE', 'DEADLINE_EXCEEDED'], 1)).toBe('KEY_CORRUPT');
    expect(explain(['PEER_UNREACHABLE', 'DEADLINE_EXCEEDED', 'KEY_UNKNOWN'], 1)).toBe('KEY_UNAVAILABLE');
    expect(explain(['PEER_UNREACHABLE'], 0)).toBe('KEY_UNAVAILABLE');
  });
});
