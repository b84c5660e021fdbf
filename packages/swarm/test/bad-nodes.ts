import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type Conduct, loadIdentity, openStore } from '@skerry/node';
import { greatCircleKm, type Place } from '@skerry/placement';
import { decodeRequest, encodeAnswer, probeAnswerPreimage } from '@skerry/wire';
import type { Swarm, SwarmNode, SwarmOptions } from '../index.ts';

/** Ways in which a node can be bad. */
export type Badness = 'offline' | 'lost-disk' | 'wrong-proofs' | 'elsewhere' | 'slander' | 'flood';

/** Frankfurt, where whoever claims to be elsewhere is. */
export const frankfurt = { lat: 50.11, lon: 8.68 };

/** Milliseconds for a way and back at light's speed in fibre, on paths half longer than the great circle. */
function roundTripMs(a: Pick<Place, 'lat' | 'lon'>, b: Pick<Place, 'lat' | 'lon'>): number {
  return (2 * 1.5 * greatCircleKm(a, b)) / 204.2;
}

/** A wrong proof, signed by the node that gives it. */
async function wrongProof(home: string, body: Uint8Array): Promise<Uint8Array | undefined> {
  const request = decodeRequest(body);
  if (request.name !== 'probe') return undefined;
  const signature = nodeRandom.bytes(64);
  const { nodeSeed } = await loadIdentity(home);
  const nodeSignature = nodeCrypto.ed25519Sign(nodeSeed, probeAnswerPreimage(request.body, signature));
  return encodeAnswer('probe', { signature, nodeSignature });
}

/**
 * Has nodes answer as late as their places are far apart, and the bad ones be bad where that is in what they answer and
 * say.
 *
 * @param bad by the node's number
 */
export function conductsOf(bad: ReadonlyMap<number, Badness>): NonNullable<SwarmOptions['conduct']> {
  const places = new Map<string, Pick<Place, 'lat' | 'lon'>>();
  return ({ index, nodeId, home, place }): Conduct => {
    const badness = bad.get(index);
    places.set(nodeId, badness === 'elsewhere' ? frankfurt : place);
    return {
      answer: async (from, body, honest) => {
        await sleep(roundTripMs(places.get(from.nodeId) ?? frankfurt, places.get(nodeId) ?? frankfurt));
        const wrong = badness === 'wrong-proofs' ? await wrongProof(home, body) : undefined;
        return wrong ?? honest();
      },
      ...(badness === 'slander' && {
        observations: honest =>
          honest.map(said => ({ ...said, integrityGood: 0, integrityBad: 60_000, availabilityBad: 60_000 })),
      }),
    };
  };
}

/** Takes a node's shares from its disk, and starts it again. */
export async function loseDisk(swarm: Swarm, index: number): Promise<void> {
  await swarm.stop(index);
  const store = await openStore(`${at(swarm.nodes, index).home}/store`);
  for await (const key of store.keys('held/')) await store.del(key);
  await store.close();
  await swarm.start(index);
}

/** Keeps a node down for half of the time, until told to stop. */
export async function comeAndGo(
  swarm: Swarm,
  index: number,
  halfMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await swarm.stop(index);
    await sleep(halfMs, undefined, { signal }).catch(() => undefined);
    await swarm.start(index);
    await sleep(halfMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Sends every other node what is no request, again and again, until told to stop; they bar it for it, and it comes back. */
export async function flood(
  flooder: SwarmNode,
  victims: readonly SwarmNode[],
  signal: AbortSignal,
): Promise<void> {
  const { request } = flooder.peer().network.streams;
  while (!signal.aborted) {
    await Promise.all(
      victims.map(async ({ nodeId }) => {
        const asked = [0, 1, 2].map(async () =>
          request(nodeId, nodeRandom.bytes(200), { deadlineMs: 2_000 }),
        );
        await Promise.allSettled(asked);
      }),
    );
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
  }
}
