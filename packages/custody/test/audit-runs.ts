import { nodeRandom } from '@skerry/crypto';
import {
  type Audit,
  type AuditableKey,
  type AuditHistory,
  type AuditPace,
  type Doubt,
  emptyAuditHistory,
  planAudits,
} from '@skerry/custody';
import { auditPace } from '../parameters.ts';

/** An audit that was planned, and when: ms from the start. */
export type Done = Audit & { readonly atMs: number };

/** Plans audits every so often for some hours, as node 0, and returns all of them. */
export function runAudits(
  keys: readonly AuditableKey[],
  options: {
    readonly hours: number;
    readonly pace?: Partial<AuditPace>;
    readonly startMs?: number;
    readonly everyMs?: number;
    readonly doubts?: ReadonlyMap<string, Doubt>;
    readonly keysAt?: (hour: number) => readonly AuditableKey[];
  },
): Done[] {
  const { hours, startMs = 0, everyMs = 60_000, keysAt = () => keys, doubts } = options;
  const pace = { ...auditPace, ...options.pace };
  const done: Done[] = [];
  let history: AuditHistory = emptyAuditHistory(startMs);
  for (let atMs = 0; atMs < hours * 3_600_000; atMs += everyMs) {
    const now = keysAt(Math.floor(atMs / 3_600_000));
    const plan = planAudits({
      self: '0',
      keys: now,
      history,
      nowMs: startMs + atMs,
      random: nodeRandom,
      pace,
      ...(doubts && { doubts }),
    });
    history = plan.history;
    done.push(...plan.audits.map(audit => ({ ...audit, atMs })));
  }
  return done;
}
