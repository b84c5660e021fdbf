import { at, type Random } from '@skerry/base';
import { auditPace } from '../parameters.ts';
import type { Doubt } from './health.ts';

/** Why a node cares about a key: it owns it, holds a share of it, or stores its manifest for the DHT. */
type AuditReason = 'owner' | 'holder' | 'server';

/** A key that a node may audit, as its manifest says. */
export type AuditableKey = {
  /** In hexadecimal. */
  readonly keyId: string;
  readonly t: number;
  readonly why: AuditReason;
  readonly holders: readonly { readonly x: number; readonly nodeId: string }[];
};

/**
 * An audit to be done now. A `proof` is a probe of that point. A `drill` is a round with the subject among those that are
 * asked first: of the own point of a key that is held here, or, as an inspection, of some point of one that is owned.
 */
export type Audit = {
  readonly kind: 'proof' | 'drill';
  readonly keyId: string;
  /** The subject's point. */
  readonly x: number;
  /** The subject. */
  readonly nodeId: string;
};

/** What was planned for one subject. */
type Subject = {
  /** Its last audit, or when it was first seen, Unix ms. */
  readonly lastMs: number;
  /** When it is due next, Unix ms. */
  readonly dueMs: number;
  /** Its last audits that were proofs, since a drill. */
  readonly proofs: number;
  /** The key of its last proof for each reason; the next in order is the next key. Empty before the first. */
  readonly lastKeyIds: Readonly<Record<AuditReason, string>>;
};

/** What was audited when; plain data, so that a restart can keep it. */
export type AuditHistory = {
  readonly subjects: ReadonlyMap<string, Subject>;
  /** Audits that the budget allows at once, and when it was last counted, Unix ms. */
  readonly allowance: number;
  readonly countedAtMs: number;
  /** What each reason is owed of the budget. */
  readonly owed: Readonly<Record<AuditReason, number>>;
};

/** How often, and how much: `auditPace` of the parameters, where each has its reason. */
export type AuditPace = {
  readonly periodMs: number;
  readonly doubtedParts: Readonly<Record<Doubt, number>>;
  readonly jitter: number;
  readonly budgetPerHour: number;
  readonly proofsPerDrill: number;
  readonly weights: Readonly<Record<AuditReason, number>>;
  readonly forgetMs: number;
  readonly subjectsMax: number;
};

const reasons: readonly AuditReason[] = ['owner', 'holder', 'server'];
const hourMs = 3_600_000;

/**
 * The history of a node that has audited nobody.
 *
 * @param nowMs Unix ms
 */
export function emptyAuditHistory(nowMs: number): AuditHistory {
  const owed = { owner: 0, holder: 0, server: 0 };
  return { subjects: new Map(), allowance: 0, countedAtMs: nowMs, owed };
}

/** Audits that a full allowance has: a sixth of an hour's, so that with the rest over the hour it is never more. */
function allowanceMax({ budgetPerHour }: AuditPace): number {
  return Math.max(1, budgetPerHour / 6);
}

/** The allowance after some time. It grows by what the hour has beside one full allowance. */
function refill({ allowance, countedAtMs }: AuditHistory, nowMs: number, pace: AuditPace): number {
  const perMs = (pace.budgetPerHour - allowanceMax(pace)) / hourMs;
  return Math.min(allowanceMax(pace), allowance + Math.max(0, nowMs - countedAtMs) * perMs);
}

/** A number from 0 up to 1, of 32 random bits. */
function fraction(random: Random): number {
  return new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32;
}

/** A key of a subject, and its point there. */
type Aim = { readonly key: AuditableKey; readonly x: number };

/** A subject with its keys, and the best reason to audit it. */
type Due = {
  readonly nodeId: string;
  readonly subject: Subject;
  readonly aims: readonly Aim[];
  readonly why: AuditReason;
};

/** Each subject's keys; of too many subjects those with the best reasons. */
function aimsOf(keys: readonly AuditableKey[], self: string, { subjectsMax }: AuditPace): Map<string, Aim[]> {
  const aims = new Map<string, Aim[]>();
  for (const why of reasons) {
    for (const key of keys) {
      if (key.why !== why) continue;
      for (const { x, nodeId } of key.holders) {
        const known = aims.get(nodeId);
        if (known) known.push({ key, x });
        else if (nodeId !== self && aims.size < subjectsMax) aims.set(nodeId, [{ key, x }]);
      }
    }
  }
  return aims;
}

/** The next key after the last one, in the order of their ids, and from the first again. */
function nextAim(aims: readonly Aim[], lastKeyId: string): Aim {
  let [next, first]: [Aim | undefined, Aim] = [undefined, at(aims, 0)];
  for (const aim of aims) {
    const { keyId } = aim.key;
    if (keyId < first.key.keyId) first = aim;
    if (keyId > lastKeyId && (next === undefined || keyId < next.key.keyId)) next = aim;
  }
  return next ?? first;
}

/** One of the reasons to audit a subject, by chance and their weights: no number of strangers' keys hides an own one. */
function reasonOf(aims: readonly Aim[], random: Random, { weights }: AuditPace): AuditReason {
  const present = reasons.filter(why => aims.some(({ key }) => key.why === why));
  let left = fraction(random) * present.reduce((sum, why) => sum + weights[why], 0);
  return present.find(why => (left -= weights[why]) < 0) ?? at(present, 0);
}

/** The audit of one subject: a proof of its next key, or when one is due and this node can, a drill. */
function auditOf(
  { nodeId, subject, aims }: Due,
  random: Random,
  pace: AuditPace,
): Audit & { key: AuditableKey } {
  const rounds = aims.filter(({ key }) => key.why !== 'server');
  const isDrill = rounds.length > 0 && subject.proofs >= pace.proofsPerDrill;
  const why = reasonOf(isDrill ? rounds : aims, random, pace);
  const ofReason = aims.filter(aim => aim.key.why === why);
  const { key, x } = isDrill
    ? at(ofReason, Math.floor(fraction(random) * ofReason.length))
    : nextAim(ofReason, subject.lastKeyIds[why]);
  return { kind: isDrill ? 'drill' : 'proof', keyId: key.keyId, x, nodeId, key };
}

/**
 * The reason whose turn it is, of those that have somebody due: each gets its weight's part of the budget, and what one
 * does not use goes to the others (smooth weighted round robin).
 *
 * @param owed changed here
 */
function takeTurn(
  queues: ReadonlyMap<AuditReason, readonly Due[]>,
  owed: Record<AuditReason, number>,
  { weights }: AuditPace,
): AuditReason | undefined {
  const waiting = reasons.filter(why => (queues.get(why)?.length ?? 0) > 0);
  for (const why of waiting) owed[why] += weights[why];
  const chosen = waiting.toSorted((a, b) => owed[b] - owed[a])[0];
  if (chosen !== undefined) owed[chosen] -= waiting.reduce((sum, why) => sum + weights[why], 0);
  return chosen;
}

/**
 * The subjects that are due by reason: those in doubt last, which is first in turn, and of the others those longest not
 * audited. No clock that was wrong puts one off for long.
 */
function queuesOf(
  aims: ReadonlyMap<string, readonly Aim[]>,
  subjects: ReadonlyMap<string, Subject>,
  doubts: ReadonlyMap<string, Doubt>,
  nowMs: number,
  { periodMs, doubtedParts }: AuditPace,
): Map<AuditReason, Due[]> {
  const dueMsOf = (nodeId: string, { lastMs, dueMs }: Subject): number => {
    const doubt = doubts.get(nodeId);
    if (doubt === undefined) return dueMs;
    return Math.min(dueMs, lastMs + doubtedParts[doubt] * periodMs);
  };
  const rankOf = ({ nodeId, subject }: Due): number => subject.lastMs - (doubts.has(nodeId) ? nowMs : 0);
  const queues = new Map<AuditReason, Due[]>(reasons.map(why => [why, []]));
  for (const [nodeId, keys] of aims) {
    const subject = subjects.get(nodeId);
    const dueMs = subject && dueMsOf(nodeId, subject);
    if (dueMs === undefined || !subject || (dueMs > nowMs && dueMs <= nowMs + periodMs)) continue;
    const why = reasons.find(reason => keys.some(({ key }) => key.why === reason)) ?? 'server';
    queues.get(why)?.push({ nodeId, subject, aims: keys, why });
  }
  for (const queue of queues.values()) queue.sort((a, b) => rankOf(b) - rankOf(a));
  return queues;
}

/** The subjects that are known: new ones are due at a time of their own within a period, old ones forgotten after some. */
function knownSubjects(
  { subjects }: AuditHistory,
  aims: ReadonlyMap<string, unknown>,
  { nowMs, random, pace }: { readonly nowMs: number; readonly random: Random; readonly pace: AuditPace },
): Map<string, Subject> {
  const known = new Map<string, Subject>();
  for (const [nodeId, subject] of subjects) {
    if (aims.has(nodeId) || subject.lastMs + pace.forgetMs > nowMs) known.set(nodeId, subject);
  }
  for (const nodeId of aims.keys()) {
    if (known.has(nodeId)) continue;
    const dueMs = nowMs + Math.floor(fraction(random) * pace.periodMs);
    known.set(nodeId, { lastMs: nowMs, dueMs, proofs: 0, lastKeyIds: { owner: '', holder: '', server: '' } });
  }
  return known;
}

/**
 * The audits that a node does now (docs/PROTOCOL.md, audits). Subjects count, not keys: one audit of a node in a period
 * is evidence enough, and over its periods all keys that it has in common with this node have their turn: by weighted
 * chance one that this node owns, holds or stores, and of these the next, so that nobody hides an owned key that it lost
 * among strangers' that name it. Each is
 * audited once in a period, at a time that nobody else knows, as long as the budget allows; else those that wait longest
 * come first, and owned keys, held keys and stored manifests share the budget by their weights, so that strangers who
 * deal keys or store manifests take no more than that share from the holders of one's own keys.
 *
 * A node's cost follows from its own subjects and its budget, never from the size of the network: with S subjects and
 * the usual pace it is S / 4.5 requests an hour, where a drill is t requests, up to 60 in any hour and 50 over a day: at
 * 100 nodes 22 audits, which are 31 requests at t = 5, at 10^4 and at 10^6 nodes 50. Since each audit has one auditor, what a node gets is on average what it gives.
 *
 * @param input.self node id of this node, which is never a subject
 * @param input.keys what it owns, holds and stores; where it stores many, some of them will do
 * @param input.history as the last call returned it, or an empty one
 * @param input.nowMs Unix ms
 * @param input.random for times and drills
 * @param input.doubts nodes to audit before others (`doubtsOf`) @default none
 * @param input.pace @default `auditPace`
 * @returns audits due now, and the history in which they are done; whether they succeed makes no difference to it
 */
export function planAudits(input: {
  readonly self: string;
  readonly keys: readonly AuditableKey[];
  readonly history: AuditHistory;
  readonly nowMs: number;
  readonly random: Random;
  readonly doubts?: ReadonlyMap<string, Doubt>;
  readonly pace?: AuditPace;
}): { readonly audits: readonly Audit[]; readonly history: AuditHistory } {
  const { self, keys, history, nowMs, random, doubts = new Map<string, Doubt>(), pace = auditPace } = input;
  const aims = aimsOf(keys, self, pace);
  const subjects = knownSubjects(history, aims, { nowMs, random, pace });
  const queues = queuesOf(aims, subjects, doubts, nowMs, pace);
  const owed = { ...history.owed };
  let allowance = refill(history, nowMs, pace);
  const audits: Audit[] = [];
  while (allowance >= 1) {
    const why = takeTurn(queues, owed, pace);
    const due = why === undefined ? undefined : queues.get(why)?.pop();
    if (!due) break;
    const { key, ...audit } = auditOf(due, random, pace);
    const isDrill = audit.kind === 'drill';
    // A drill that costs more than is there is paid for afterwards.
    allowance -= isDrill ? key.t : 1;
    audits.push(audit);
    subjects.set(due.nodeId, {
      lastMs: nowMs,
      dueMs: nowMs + Math.floor(pace.periodMs * (1 - pace.jitter * fraction(random))),
      proofs: isDrill ? 0 : due.subject.proofs + 1,
      lastKeyIds: isDrill ? due.subject.lastKeyIds : { ...due.subject.lastKeyIds, [key.why]: audit.keyId },
    });
  }
  return { audits, history: { subjects, allowance, countedAtMs: nowMs, owed } };
}
