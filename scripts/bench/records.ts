import { encodeManifest, manifestPath } from '@skerry/wire';
import { type Case, compareLatencies, timeMs } from './case.ts';
import { deal } from './custody.ts';
import type { Bench } from './network.ts';

/** Milliseconds for one put or get: more than either takes. */
const deadlineMs = 30_000;

/** Nodes that keep a copy of a record. */
const replicas = 8;

/** Bytes of a request that names a record and of an answer that says little. */
const smallBytes = 100;

/**
 * Puts and gets of manifests of different keys in the DHT of eleven nodes, against a bare echo of the same bytes by as
 * many processes as keep a record. A lookup comes before either, so that the echo is what is left of it at best.
 */
export async function recordCases(bench: Bench): Promise<Case[]> {
  const { peer, echoes, quick } = bench;
  const { records } = peer.network;
  const keyIds = await deal(bench, quick ? 4 : 6);
  const puts: [number[], number[]][] = [];
  const gets: [number[], number[]][] = [];
  for (let run = 0; run < (quick ? 2 : 5); run++) {
    const [put, get]: [[number[], number[]], [number[], number[]]] = [
      [[], []],
      [[], []],
    ];
    for (const keyId of keyIds) {
      const [path, value] = [manifestPath(keyId), encodeManifest(await peer.manifest(keyId))];
      put[0].push(await timeMs(async () => records.put(path, value, { deadlineMs })));
      const stored = { requestBytes: value.length, answerBytes: value.length };
      put[1].push(await timeMs(async () => echoes.ask(replicas, stored)));
      get[0].push(await timeMs(async () => records.get(path, { deadlineMs })));
      const read = { requestBytes: smallBytes, answerBytes: value.length };
      get[1].push(await timeMs(async () => echoes.ask(replicas, read)));
    }
    puts.push(put);
    gets.push(get);
  }
  const casesOf = (name: string, runs: [number[], number[]][]) =>
    compareLatencies(
      `records/${name},`,
      runs.map(([ours]) => ours),
      { name: `a bare echo of ${replicas}`, runs: runs.map(([, theirs]) => theirs) },
      null,
    );
  return [...casesOf('put', puts), ...casesOf('get', gets)];
}
