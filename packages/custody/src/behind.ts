import type { ErrorCode } from '@skerry/base';

/** What holders say where the key has gone on, or where points have, since its manifest was read. */
export const behindCodes: ReadonlySet<ErrorCode> = new Set([
  'EPOCH_MISMATCH',
  'CORE_MISMATCH',
  'POINT_MOVED',
  'REPAIR_PENDING',
  'KEY_UNKNOWN',
  'KEY_NOT_ACTIVE',
  'KEY_UNAVAILABLE',
]);
