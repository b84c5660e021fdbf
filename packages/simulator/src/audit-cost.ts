/** What audits cost a node, by the size of its network: worked out, and for small networks counted by the plan itself. */
import { type AuditableKey, auditPace, emptyAuditHistory, planAudits } from '@skerry/custody';
import { encodeAnswer, encodeRequest } from '@skerry/wire';
import { auditCost, beginningMs } from '../parameters.ts';
import type { Chance } from './chance.ts';
import type { Findings, Row } from './scenario.ts';
import { meanOf, rounded } from './statistics.ts';

const hourMs = 3_600_000;

/** A sealed part of a share of 32 bytes: the part, its node's signature, their heads, and what HPKE adds. */
const sealedBytes = 1 + 2 + 32 + 2 + 64 + 54;

/** Requests in an hour: for proofs, and in drills. */
type Requests = { readonly proofs: number; readonly drills: number };

/** Different nodes met in so many draws. */
function metIn(draws: number, others: number): number {
  return others * (1 - Math.exp(-draws / others));
}

/** Keys that each node owns, holders of each, how many of them open it, and copies of its manifest. */
type AuditLoad = Readonly<Record<'keysPerNode' | 'holderCount' | 'threshold' | 'manifestCopies', number>>;

/** What a node asks in an hour, from how many keys it owns, holds and stores, and the pace of audits. */
function workOut(
  size: number,
  { keysPerNode, holderCount, threshold, manifestCopies }: AuditLoad,
): Requests & { readonly subjects: number } {
  const { periodMs, jitter, proofsPerDrill, budgetPerHour } = auditPace;
  const owned = keysPerNode * holderCount;
  const held = keysPerNode * holderCount * (holderCount - 1);
  const stored = keysPerNode * manifestCopies * holderCount;
  const subjects = metIn(owned + held + stored, size - 1);
  const audits = subjects / ((periodMs * (1 - jitter / 2) + auditCost.lookMs / 2) / hourMs);
  const drilled = metIn(held, size - 1) / subjects / (proofsPerDrill + 1);
  const wanted = audits * (1 - drilled + drilled * threshold);
  // In the long run a sixth of the budget is kept for what is due at once.
  const part = Math.min(1, (budgetPerHour * (5 / 6)) / wanted);
  return { subjects, proofs: part * audits * (1 - drilled), drills: part * audits * drilled * threshold };
}

/** The keys that node 0 may audit, of all that the nodes of a network own. */
function dealToNode0(size: number, chance: Chance): AuditableKey[] {
  const { keysPerNode, holderCount, threshold, manifestCopies } = auditCost;
  const someNodes = (count: number): Set<number> => {
    const some = new Set<number>();
    while (some.size < count) some.add(chance.below(size));
    return some;
  };
  return Array.from({ length: size * keysPerNode }, (_, index) => index).flatMap(index => {
    const isOwned = index < keysPerNode;
    const holders = someNodes(holderCount);
    const why = isOwned
      ? 'owner'
      : holders.has(0)
        ? 'holder'
        : chance.unit() < manifestCopies / size
          ? 'server'
          : null;
    if (why === null) return [];
    return [
      {
        keyId: String(index).padStart(8, '0'),
        t: threshold,
        why,
        holders: [...holders].map((node, i) => ({ x: i + 1, nodeId: String(node) })),
      },
    ];
  });
}

/** What one node asks in an hour, as its plan has it. */
function count(size: number, chance: Chance): Requests {
  const { lookMs, settledHours, countedHours, threshold } = auditCost;
  const keys = dealToNode0(size, chance);
  let history = emptyAuditHistory(beginningMs);
  let [proofs, drills] = [0, 0];
  for (let atMs = 0; atMs < (settledHours + countedHours) * hourMs; atMs += lookMs) {
    const plan = planAudits({ self: '0', keys, history, nowMs: beginningMs + atMs, random: chance });
    history = plan.history;
    if (atMs < settledHours * hourMs) continue;
    for (const { kind } of plan.audits) {
      if (kind === 'drill') drills += threshold;
      else proofs += 1;
    }
  }
  return { proofs: proofs / countedHours, drills: drills / countedHours };
}

/** Bytes of a request and its answer, as the wire format has them. */
function bytesOf(threshold: number): Requests {
  const zeros = (length: number) => new Uint8Array(length);
  const key = { keyId: zeros(32), epoch: 1, coreHash: zeros(32) };
  const probe = encodeRequest('probe', { ...key, x: 1, nonce: zeros(32) });
  const proof = encodeAnswer('probe', { signature: zeros(64), nodeSignature: zeros(64) });
  const round = encodeRequest('round', {
    ...key,
    op: 'drill',
    t: threshold,
    length: 32,
    set: Array.from({ length: threshold }, (_, index) => index + 1),
    x: 9,
    recipientId: zeros(32),
    recipientKey: zeros(32).fill(9),
    grant: zeros(0),
    roundId: zeros(16),
    issuedAtMs: beginningMs,
    signature: zeros(64),
  });
  const part = encodeAnswer('round', { sealed: zeros(sealedBytes) });
  return { proofs: probe.length + proof.length, drills: round.length + part.length };
}

/**
 * Bytes that a node sends in a day for audits. A node asks as much as it is asked.
 *
 * @param size nodes of the network
 * @param load what each has to audit
 */
export function auditBytesPerDay(size: number, load: AuditLoad): number {
  const { proofs, drills } = workOut(size, load);
  const bytes = bytesOf(Math.round(load.threshold));
  return 24 * (proofs * bytes.proofs + drills * bytes.drills);
}

/** One row for each size of network. A node asks as much as it is asked, so it sends and gets each message once. */
export function auditCosts(chance: Chance, findings: Findings): Row[] {
  const bytes = bytesOf(auditCost.threshold);
  const { sizes, countedSizes, countedNodes, tolerance } = auditCost;
  return sizes.map(size => {
    const { subjects, proofs, drills } = workOut(size, auditCost);
    const requests = proofs + drills;
    const counts = countedSizes.includes(size)
      ? Array.from({ length: countedNodes }, () => count(size, chance))
      : [];
    const counted = meanOf(counts.map(one => one.proofs + one.drills));
    findings.check(
      'cost-not-as-stated',
      counted === null || Math.abs(counted / requests - 1) <= tolerance,
      () => `${size} nodes: ${counted} requests an hour, not ${requests}`,
    );
    return {
      nodes: size,
      subjects: Math.round(subjects),
      proofsPerHour: rounded(proofs),
      drillRequestsPerHour: rounded(drills),
      requestsPerHour: rounded(requests),
      requestsCounted: rounded(counted),
      messagesPerHour: Math.round(4 * requests),
      bytesPerHour: Math.round(2 * (proofs * bytes.proofs + drills * bytes.drills)),
    };
  });
}
