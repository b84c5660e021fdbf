import { statfs } from 'node:fs/promises';
import type { Peer } from '@skerry/node';
import { backupAdvice, isBackedUp } from '../backup-warning.ts';
import { type StandingDocument, standingDocument } from '../daemon/peer-documents.ts';
import { keyDocument } from '../key-document.ts';

/** All that `skerry doctor` judges. */
export type DoctorFacts = {
  readonly profile: Peer['profile'];
  readonly standing: StandingDocument;
  /** By how much this node's clock differs from others', ms; null while nothing tells, undefined where nothing measures it. */
  readonly clockSkewMs: number | null;
  /** Multiaddrs. */
  readonly listen: readonly string[];
  /** Connections open now, and those that others opened since the start. */
  readonly connections: { readonly open: number; readonly inbound: number };
  /** Since the start, ms. */
  readonly uptimeMs: number;
  readonly peers: { readonly known: number; readonly alive: number };
  /** Bytes free on the disk of the home; null where the system does not say. */
  readonly diskFreeBytes: number | null;
  readonly shares: number;
  readonly capacity: number;
  /** What to do to back the owner's key up; null where that is done. */
  readonly backupAdvice: string | null;
  readonly keys: readonly {
    readonly keyId: string;
    readonly alias: string | null;
    readonly t: number;
    readonly k: number;
    readonly live: number;
    /** Whether t shares may have leaked. */
    readonly exposed: boolean;
    /** Whether the key misses its level's targets. */
    readonly reduced: boolean;
  }[];
  /** Milliseconds between two audits of a node, 0 for none. */
  readonly auditMs: number;
  readonly isPlaceVerified: boolean;
  /** Nodes whose round trip this node measures, and those of them whose claim breaks this node's own bound. */
  readonly roundTrips: { readonly measured: number; readonly contradicting: number };
};

async function freeBytes(home: string): Promise<number | null> {
  const { bavail, bsize } = await statfs(home).catch(() => ({ bavail: Number.NaN, bsize: 0 }));
  const bytes = bavail * bsize;
  return Number.isFinite(bytes) ? bytes : null;
}

/** How many claims this node's own round trips speak to, and against. */
function countRoundTrips(peer: Peer): DoctorFacts['roundTrips'] {
  const { directory, assessor, streams } = peer.network;
  const measured = directory
    .entries()
    .filter(({ nodeId }) => nodeId !== peer.nodeId && streams.leastRoundTripMs(nodeId) !== undefined);
  const contradicting = measured.filter(({ nodeId }) =>
    assessor.verdictOn(nodeId)?.place.by.some(({ observer }) => observer === peer.nodeId),
  );
  return { measured: measured.length, contradicting: contradicting.length };
}

/**
 * Gathers what `checksOf` judges.
 *
 * @param peer this node
 */
export async function gatherFacts(peer: Peer): Promise<DoctorFacts> {
  const { home, profile, capacity, auditMs, isPlaceVerified, network } = peer;
  const keys = (await peer.keys.list()).map(key => keyDocument(key, peer));
  const candidates = peer.candidates();
  return {
    profile,
    capacity,
    auditMs,
    isPlaceVerified,
    standing: standingDocument(peer),
    clockSkewMs: network.directory.clockSkewMs(),
    listen: peer.addresses(),
    connections: {
      open: network.host.connectedNodes().length,
      inbound: network.host.inboundCount(),
    },
    uptimeMs: process.uptime() * 1000,
    peers: {
      known: candidates.length,
      alive: candidates.filter(({ nodeId }) => peer.isAlive(nodeId)).length,
    },
    diskFreeBytes: await freeBytes(home),
    shares: peer.shareCount(),
    backupAdvice: (await isBackedUp(home)) ? null : await backupAdvice(home),
    keys: keys
      .filter(({ destroyed }) => !destroyed)
      .map(({ keyId, alias, t, k, live, exposed, reduced }) => {
        return { keyId, alias, t, k, live, exposed, reduced };
      }),
    roundTrips: countRoundTrips(peer),
  };
}
