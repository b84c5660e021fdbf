import { nodeClock } from '@skerry/crypto';
import { createDirectory } from '../src/directory.ts';
import { recordingLog, startHosts } from './hosts.ts';

const topic = '/skerry/directory/1';
for (let round = 0; round < 12; round++) {
  const hosts = await startHosts(4);
  const dirs = hosts.map(host =>
    createDirectory({
      host,
      clock: nodeClock,
      log: recordingLog(),
      decode: b => ({ ...JSON.parse(new TextDecoder().decode(b)), bytes: b }),
    }),
  );
  const g = (h: any) => h.libp2p.services.gossip;
  const t0 = Date.now();
  while (!hosts.every(h => g(h).getMeshPeers(topic).length > 0)) await new Promise(r => setTimeout(r, 10));
  for (const [i, d] of dirs.entries())
    await d.announce(
      new TextEncoder().encode(
        JSON.stringify({
          nodeId: hosts[i]!.nodeId,
          sequence: 1,
          issuedAtMs: Date.now(),
          expiresAtMs: Date.now() + 1e5,
          addresses: hosts[i]!.addresses(),
        }),
      ),
    );
  const t1 = Date.now();
  while (!dirs.every(d => d.entries().length === 4) && Date.now() - t1 < 5000)
    await new Promise(r => setTimeout(r, 10));
  const t2 = Date.now();
  while (!hosts.every(h => h.connectedNodes().length === 3) && Date.now() - t2 < 7000)
    await new Promise(r => setTimeout(r, 10));
  console.log(
    round,
    t1 - t0,
    t2 - t1,
    Date.now() - t2,
    dirs.map(d => d.entries().length),
    hosts.map(h => h.connectedNodes().length),
    hosts.map(h => g(h).getMeshPeers(topic).length),
    hosts.map(h => g(h).getSubscribers(topic).length),
    hosts.map(h => g(h).getPeers().length),
  );
  if (!dirs.every(d => d.entries().length === 4)) {
    for (const h of hosts)
      console.log(
        h.nodeId.slice(-4),
        [...g(h).streamsOutbound.keys()].map((x: string) => x.slice(-4)),
        [...g(h).streamsInbound.keys()].map((x: string) => x.slice(-4)),
        h.libp2p
          .getConnections()
          .map(
            (c: any) =>
              c.direction +
              c.remotePeer.toString().slice(-4) +
              c.streams.map((s: any) => s.direction[0] + s.protocol),
          ),
      );
  }
  for (const h of hosts) await h.close();
}
process.exit(0);
