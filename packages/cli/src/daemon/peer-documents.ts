import { SkerryError } from '@skerry/base';
import type { Peer } from '@skerry/node';
import { type Place, regionOf } from '@skerry/placement';
import { observationTable } from '@skerry/trust';

type Verdict = NonNullable<ReturnType<Peer['network']['assessor']['verdictOn']>>;
type Entry = ReturnType<Peer['network']['directory']['entries']>[number];

/** Milliseconds in tenths, rounded up so that a least round trip stays no shorter than it was; null for none. */
function inTenths(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.ceil(ms * 10) / 10;
}

/** Where a node says it is. */
function claimOf({ record: { place } }: Entry): Place {
  const { name, latitudeE6, longitudeE6, country } = place;
  return { name, lat: latitudeE6 / 1e6, lon: longitudeE6 / 1e6, country, region: regionOf(country) };
}

/** Where placement takes each node to be: for a refuted claim not where it says. */
function countedPlaces(peer: Peer): Map<string, Place> {
  return new Map(peer.candidates().map(({ nodeId, place }) => [nodeId, place]));
}

/** A node as `peers ls --json` gives it. */
function rowOf(peer: Peer, entry: Entry, verdict: Verdict, counted: Place | undefined) {
  const { nodeId, record } = entry;
  const { trust, earned, availability, integrity, confidence, standing } = verdict.assessment;
  const { roundTripMs, leastRoundTripMs } = peer.network.streams;
  const isRefuted = verdict.place.verdict === 'refuted' && counted !== undefined;
  return {
    nodeId,
    location: claimOf(entry),
    /** Where it counts as being, where its claim is refuted; else null. */
    countsAs: isRefuted ? { lat: counted.lat, lon: counted.lon, region: counted.region } : null,
    placeVerdict: verdict.place.verdict,
    operator: record.operator === '' ? null : record.operator,
    trust,
    earned,
    standing,
    availability,
    integrity: integrity.mean,
    confidence,
    alive: peer.isAlive(nodeId),
    roundTripMs: inTenths(roundTripMs(nodeId)),
    leastRoundTripMs: inTenths(leastRoundTripMs(nodeId)),
  };
}

/** Whether a report is more than a round trip. */
function saysSomething({ report: { availability, integrity } }: Verdict['mentions'][number]): boolean {
  return availability.good + availability.bad + integrity.good + integrity.bad > 0;
}

/** What each reporter says, what that adds after its weight, age and caps, and how old it is; the weightiest first. */
function reportsOf(peer: Peer, { assessment, mentions }: Verdict) {
  const added = new Map(
    assessment.parts.filter(({ source }) => source === 'report').map(part => [part.kind, part.evidence]),
  );
  const nowMs = Date.now();
  return mentions
    .filter(saysSomething)
    .toSorted((a, b) => b.weight - a.weight || b.report.atMs - a.report.atMs)
    .map(({ report: { reporter, reporterOperator, atMs, availability, integrity }, weight }) => ({
      nodeId: reporter,
      location: placeNameOf(peer, reporter),
      operator: reporterOperator,
      weight,
      says: { availability, integrity },
      adds: added.get(reporter) ?? null,
      ageMs: Math.max(0, nowMs - atMs),
    }));
}

/** Name of the place that a node claims; null where it is in the directory no more. */
function placeNameOf(peer: Peer, nodeId: string): string | null {
  return peer.network.directory.entry(nodeId)?.record.place.name ?? null;
}

/** What a verdict rests on: its parts, with a meaning for each kind, reports with their weight, and the way up. */
function groundsOf(peer: Peer, verdict: Verdict) {
  const { assessment, place, statement } = verdict;
  return {
    integrityEvidence: { good: assessment.integrity.good, bad: assessment.integrity.bad },
    statement,
    seen: assessment.parts
      .filter(({ source }) => source === 'own')
      .map(({ kind, count, evidence, ageMs }) => ({
        kind,
        meaning: observationTable[kind as keyof typeof observationTable].meaning,
        count,
        adds: evidence,
        ageMs,
      })),
    reports: reportsOf(peer, verdict),
    place: {
      ...place,
      by: place.by.map(by => ({ ...by, location: placeNameOf(peer, by.observer) })),
    },
    periodsTo: assessment.periodsTo,
    auditPeriodMs: peer.network.auditPeriodMs,
    next: assessment.next,
  };
}

/**
 * What `peers ls --json` gives: every node that may hold a share.
 *
 * @param peer this node
 */
export function peersDocument(peer: Peer) {
  const { directory, assessor } = peer.network;
  const peers = [...countedPlaces(peer)].flatMap(([nodeId, counted]) => {
    const entry = directory.entry(nodeId);
    const verdict = assessor.verdictOn(nodeId);
    return entry && verdict ? [rowOf(peer, entry, verdict, counted)] : [];
  });
  return { peers };
}

/**
 * What `peers show --json` gives: a node with all that its numbers rest on.
 *
 * @param peer this node
 * @param nodeId of another one
 * @throws PEER_UNREACHABLE where it is not in the directory
 */
export function peerDocument(peer: Peer, nodeId: string) {
  const { directory, assessor } = peer.network;
  const entry = nodeId === peer.nodeId ? undefined : directory.entry(nodeId);
  const verdict = entry && assessor.verdictOn(nodeId);
  if (!entry || !verdict) {
    throw new SkerryError('PEER_UNREACHABLE', `no other node ${nodeId} is in the directory`, { nodeId });
  }
  return {
    ...rowOf(peer, entry, verdict, countedPlaces(peer).get(nodeId)),
    ...groundsOf(peer, verdict),
  };
}

/**
 * How this node stands with others: what they say of it, by the weight of their words here.
 *
 * @param peer this node
 */
export function standingDocument(peer: Peer) {
  const verdict = peer.network.assessor.ownStanding();
  const { trust, availability, integrity, confidence, standing } = verdict.assessment;
  const { reports, place, periodsTo, auditPeriodMs, next } = groundsOf(peer, verdict);
  return {
    trust,
    standing,
    availability,
    integrity: integrity.mean,
    confidence,
    place,
    reports,
    periodsTo,
    auditPeriodMs,
    next,
  };
}

/** See `peersDocument`. */
export type PeerRow = ReturnType<typeof peersDocument>['peers'][number];

/** See `peerDocument`. */
export type PeerDocument = ReturnType<typeof peerDocument>;

/** See `standingDocument`. */
export type StandingDocument = ReturnType<typeof standingDocument>;
