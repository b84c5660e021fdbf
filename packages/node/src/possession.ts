import { assert, type ErrorCode, type Random, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { judgeProbe } from '@skerry/custody';
import { coreHashOf, type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { ask, codeOf } from './asking.ts';
import type { HealthStore } from './health-store.ts';
import type { PeerStreams } from './streams.ts';

/**
 * The node id of who holds a point.
 *
 * @param x a point of the manifest; another is a bug
 */
export function holderAt(manifest: Pick<Manifest, 'core' | 'amendments'>, x: number): string {
  const seat = seatsOf(manifest).find(one => one.x === x);
  assert(seat !== undefined, 'the point is one of the key');
  return nodeIdOf(seat.nodeKey);
}

/**
 * Asks the holder of a point to prove its share (docs/PROTOCOL.md, audits).
 *
 * @param manifest of the key
 * @param x the point
 * @param signal ends it early
 * @returns what its answer proves, or the code of what went wrong
 */
export async function probeHolder(
  { streams, random }: { readonly streams: Pick<PeerStreams, 'request'>; readonly random: Random },
  manifest: Manifest,
  x: number,
  signal?: AbortSignal,
): Promise<ReturnType<typeof judgeProbe> | ErrorCode> {
  const { core } = manifest;
  const coreHash = coreHashOf(nodeCrypto, core);
  const probe = { keyId: core.keyId, epoch: core.epoch, coreHash, x, nonce: random.bytes(32) };
  const deadline = { deadlineMs: parameters.auditDeadlineMs, ...(signal && { signal }) };
  try {
    const answer = await ask(streams, holderAt(manifest, x), 'probe', probe, deadline);
    return judgeProbe(nodeCrypto, manifest, probe, answer);
  } catch (error) {
    return codeOf(error);
  }
}

/**
 * Asks a holder that counts as failed once more, before anything is done about it.
 *
 * @returns true where it proves its share, which is noted
 */
export async function isBack(
  options: Parameters<typeof probeHolder>[0] & { readonly health: Pick<HealthStore, 'note'> },
  manifest: Manifest,
  x: number,
): Promise<boolean> {
  if ((await probeHolder(options, manifest, x)) !== 'proof') return false;
  const keyId = toHex(manifest.core.keyId);
  options.health.note({ keyId, x, nodeId: holderAt(manifest, x), kind: 'well' });
  return true;
}
