import { join } from 'node:path';
import { at } from '@skerry/base';
import { createIdentity } from '../src/identity.ts';
import { createPeer, type Peer, type PeerOptions } from '../src/peer.ts';
import { quiet } from './holders.ts';
import { until } from './hosts.ts';

const places = [
  { name: 'Reykjavik', lat: 64.14, lon: -21.9, country: 'IS', region: '154' },
  { name: 'Sao Paulo', lat: -23.55, lon: -46.64, country: 'BR', region: '005' },
  { name: 'Tokyo', lat: 35.69, lon: 139.69, country: 'JP', region: '030' },
  { name: 'Nairobi', lat: -1.28, lon: 36.82, country: 'KE', region: '014' },
  { name: 'Sydney', lat: -33.87, lon: 151.21, country: 'AU', region: '053' },
  { name: 'Mumbai', lat: 19.07, lon: 72.88, country: 'IN', region: '034' },
  { name: 'New York', lat: 40.71, lon: -74.01, country: 'US', region: '021' },
  { name: 'Singapore', lat: 1.35, lon: 103.82, country: 'SG', region: '035' },
  { name: 'Lagos', lat: 6.45, lon: 3.39, country: 'NG', region: '011' },
];

/** What the peer of a number is started with, in a home of its own under a root. */
export function peerOptions(root: string, index: number, options: Partial<PeerOptions> = {}): PeerOptions {
  return {
    home: join(root, `node-${index}`),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: [],
    scale: 'loopback',
    place: at(places, index),
    operator: `operator-${index}`,
    capacity: 1_000,
    profile: 'local',
    trust: {},
    simulated: true,
    auditMs: 0,
    refreshMs: 0,
    isPlaceVerified: false,
    log: quiet,
    ...options,
  };
}

/** A peer with a new identity. */
export async function startPeer(options: PeerOptions): Promise<Peer> {
  const { nodeSeed, ownerSeed } = await createIdentity(options.home);
  nodeSeed.fill(0);
  ownerSeed.fill(0);
  return createPeer(options);
}

/** Waits until all know and reach each other. */
export async function untilTheyMeet(peers: readonly Peer[]): Promise<void> {
  await until(() =>
    peers.every(peer =>
      peers.every(
        ({ nodeId }) =>
          nodeId === peer.nodeId ||
          (peer.isAlive(nodeId) && peer.candidates().some(candidate => candidate.nodeId === nodeId)),
      ),
    ),
  );
}

/** Peers of new homes that know each other. */
export async function startPeers(root: string, count: number): Promise<Peer[]> {
  const first = await startPeer(peerOptions(root, 0));
  const bootstrap = first.addresses();
  const others = Array.from({ length: count - 1 }, async (_, i) =>
    startPeer(peerOptions(root, i + 1, { bootstrap })),
  );
  const peers = [first, ...(await Promise.all(others))];
  await untilTheyMeet(peers);
  return peers;
}
