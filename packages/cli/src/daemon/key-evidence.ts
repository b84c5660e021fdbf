import type { OwnedKey, Peer } from '@skerry/node';
import { keyDocument } from '../key-document.ts';
import { type PeerDocument, peerDocument } from './peer-documents.ts';

/** What weighs most of all that a verdict rests on. */
type MainEvidence = {
  readonly source: 'statement' | 'place' | 'own' | 'report' | 'nothing';
  /** The statement, the kind of observation, or the reporter's or refuter's node id. */
  readonly kind: string;
  /** For a person: what was seen, said or stated. */
  readonly meaning: string;
  readonly count: number;
  /** Since the latest, ms; null where it has no age. */
  readonly ageMs: number | null;
};

type Evidence = PeerDocument['seen'][number]['adds'];

function massOf({ availability, integrity }: Evidence): number {
  return availability.good + availability.bad + integrity.good + integrity.bad;
}

/**
 * What weighs most in what a node makes of another: what overrides the rest, else the largest part of the evidence.
 *
 * @param peer as `peers show --json` gives it
 */
export function mainEvidence({ standing, statement, place, seen, reports }: PeerDocument): MainEvidence {
  if (statement !== null) {
    const kind = String(statement);
    return { source: 'statement', kind, meaning: `stated by this operator: ${kind}`, count: 1, ageMs: null };
  }
  const [refuter] = place.by;
  if (standing === 'place-refuted' && refuter) {
    const { observer, roundTripMs } = refuter;
    const meaning = `its place is refuted by a round trip of ${roundTripMs.toFixed(1)} ms`;
    return { source: 'place', kind: observer, meaning, count: place.by.length, ageMs: null };
  }
  const proof = standing === 'cheated' ? seen.find(({ kind }) => kind === 'proof-wrong') : undefined;
  const own = proof ?? seen.toSorted((a, b) => massOf(b.adds) - massOf(a.adds))[0];
  const report = reports
    .flatMap(({ nodeId, adds, ageMs }) => (adds === null ? [] : [{ nodeId, adds, ageMs }]))
    .toSorted((a, b) => massOf(b.adds) - massOf(a.adds))[0];
  if (own && (proof || !report || massOf(own.adds) >= massOf(report.adds))) {
    const { kind, meaning, count, ageMs } = own;
    return { source: 'own', kind, meaning, count, ageMs };
  }
  if (report) {
    const meaning = `reported by ..${report.nodeId.slice(-6)}`;
    return { source: 'report', kind: report.nodeId, meaning, count: 1, ageMs: report.ageMs };
  }
  return { source: 'nothing', kind: 'nothing', meaning: 'nothing was seen of it', count: 0, ageMs: null };
}

/** What this node makes of a holder now; null where it is in the directory no more. */
function presentOf(peer: Peer, nodeId: string) {
  if (!peer.network.directory.entry(nodeId) || nodeId === peer.nodeId) return null;
  const document = peerDocument(peer, nodeId);
  const { trust, standing, availability, integrity, placeVerdict } = document;
  return { trust, standing, availability, integrity, placeVerdict, main: mainEvidence(document) };
}

/**
 * A key as `key explain --json` gives it: its holders as they were taken to be when it was dealt, which is what its
 * certificate rests on, and as they are now.
 *
 * @param key of the owner's keyring
 * @param peer this node
 */
export function explainDocument(key: OwnedKey, peer: Peer) {
  const { certificate } = key.notes;
  const certified = new Map(certificate.holders.map(holder => [holder.nodeId, holder]));
  const document = keyDocument(key, peer);
  const holders = document.holders.map(holder => {
    const before = certified.get(holder.nodeId);
    const dealt = before && {
      trust: before.trust,
      availability: before.availability,
      compromise: before.compromise,
      // a certificate has no more of a verdict than what became of the place by it
      place: before.place.region === 'refuted' ? ('refuted' as const) : ('as claimed' as const),
    };
    return { ...holder, dealt: dealt ?? null, now: presentOf(peer, holder.nodeId) };
  });
  return { ...document, holders, certificate };
}

/** See `explainDocument`. */
export type ExplainDocument = ReturnType<typeof explainDocument>;
