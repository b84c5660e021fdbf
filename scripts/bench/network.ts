import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPeer, type Peer } from '@skerry/node';
import { makeHome, startDaemon, startHolders, until } from '../cluster.ts';
import type { Case, Effort } from './case.ts';
import { commandCases } from './commands.ts';
import { clevisCases, counts, custodyCases } from './custody.ts';
import { type Echoes, startEchoes } from './echo.ts';
import { type Exchanges, watchExchanges } from './exchanges.ts';
import { recordCases } from './records.ts';
import { startTang, type Tang } from './tang.ts';

/** What the cases of a network measure: a node in this process, and those that it asks in processes of their own. */
export type Bench = Effort & {
  /** Knows ten holders, all of them alive. */
  readonly peer: Peer;
  /** What the peer sent. */
  readonly exchanges: Exchanges;
  /** As many as there are holders. */
  readonly echoes: Echoes;
  /** As many servers as there are holders; undefined where they are not installed. */
  readonly tang: Tang | undefined;
};

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };

/** Starts a node in this process, and waits until it reaches every holder. */
async function joinHolders(home: string, bootstrap: readonly string[], exchanges: Exchanges): Promise<Peer> {
  const peer = await createPeer({
    home,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap,
    scale: 'loopback',
    place: { name: 'Warsaw', lat: 52.23, lon: 21.01, country: 'PL', region: '151' },
    operator: 'bench',
    capacity: 1_000,
    profile: 'local',
    trust: {},
    simulated: true,
    auditMs: 0,
    refreshMs: 0,
    isPlaceVerified: false,
    onFrame: exchanges.see,
    log: quiet,
  });
  const alive = () => peer.candidates().filter(({ nodeId }) => peer.isAlive(nodeId));
  await until(() => alive().length === counts.k);
  return peer;
}

/**
 * Deals, opens, DHT records and the command line, over ten holders in processes of their own on this machine; against
 * bare echoes and against clevis with as many tang servers. Whatever is started is ended.
 */
export async function networkCases({ quick }: Effort): Promise<Case[]> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'));
  const endings: (() => Promise<unknown>)[] = [async () => rm(folder, { recursive: true })];
  try {
    const tang = await startTang(folder, counts.k, counts.t);
    if (tang) endings.push(tang.end);
    const holders = await startHolders(folder, counts.k);
    endings.push(...holders.map(({ end }) => end));
    const echoes = await startEchoes(counts.k);
    endings.push(echoes.end);
    const exchanges = watchExchanges();
    const bootstrap = holders[0]!.listen;
    const peer = await joinHolders(await makeHome(folder, counts.k), bootstrap, exchanges);
    endings.push(peer.close);
    const bench = { peer, exchanges, echoes, tang, quick };
    const cases: Case[] = [];
    for (const casesOf of [custodyCases, recordCases, clevisCases]) cases.push(...(await casesOf(bench)));
    const home = await makeHome(folder, counts.k + 1);
    const daemon = await startDaemon(home, bootstrap);
    endings.push(daemon.end);
    return [...cases, ...(await commandCases(home, tang, quick))];
  } finally {
    for (const end of endings.toReversed()) await end();
  }
}
